import { afterAll, beforeAll, expect } from "vitest";
import { Packed, run } from "../src/app.js";
import { test } from "../src/pages.js";

let packed: Packed;
beforeAll(() => {
  packed = new Packed();
});
afterAll(() => packed.remove());

test("the package is as package managers, bundlers and TypeScript expect it", () => {
  const { dir, tarball } = packed;
  run("publint", [tarball, "--strict"], dir);
  run("attw", [tarball, "--profile", "esm-only"], dir);
  const files = run("tar", ["tf", tarball], dir).split("\n");
  // Internals are in the bundle, not beside it.
  expect(files.filter((name) => /connection|leases|\.map$|\.ts\.ts$|test/.test(name))).toEqual([]);
});
