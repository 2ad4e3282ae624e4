import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect } from "vitest";
import { expectOnce, Packed, run } from "../src/app.js";
import { test } from "../src/pages.js";

let packed: Packed;
beforeAll(() => {
  packed = new Packed();
});
afterAll(() => packed.remove());

test("the package is as package managers, bundlers and TypeScript expect it", () => {
  const { dir, tarball } = packed;
  run("publint", [tarball, "--strict"], dir);
  // It is ESM only: `require` finds it in Node 22, and CommonJS elsewhere imports it dynamically.
  run("attw", [tarball, "--profile", "strict", "--ignore-rules", "cjs-resolves-to-esm"], dir);
  const files = run("tar", ["tf", tarball], dir).split("\n");
  // Internals are in the bundle, not beside it.
  expect(files.filter((name) => /connection|leases|\.map$|\.ts\.ts$|test/.test(name))).toEqual([]);
});

const PROGRAM = `
  import { BrowserEvents } from "sqs-browser-events";
  import { debugged } from "sqs-browser-events/debug";
  console.log(BrowserEvents, debugged);`;
const ESBUILD = ["--bundle", "--minify", "--format=esm", "--outfile=out.js"];
// It would take the client's sources by the `paths` of this directory.
const OWN = "--tsconfig-raw={}";
const BUNDLERS: Record<string, string[]> = {
  esbuild: [...ESBUILD, OWN, "--conditions=module"],
  rollup: ["--plugin", "node-resolve", "--silent", "--file", "out.js"],
};
/** What is in such a bundle beside the client itself, and what is printed at greater length; bytes of gzip. */
const REST = 1000;

// What Vite makes is in `entries.test.ts`.
test.for(Object.entries(BUNDLERS))("%s bundles the client once", ([bundler, options]) => {
  const { dir } = packed;
  const installed = packed.install(dir);
  writeFileSync(join(dir, "program.js"), PROGRAM);
  run(bundler, ["program.js", ...options], dir);
  expectOnce(readFileSync(join(dir, "out.js"), "utf8"));
  const size = (...path: string[]) => gzipSync(readFileSync(join(...path))).length;
  expect(size(dir, "out.js")).toBeLessThan(size(installed, "dist/index.js") + REST);
});
