// scripts/check-version, by which no release goes out whose parts name another one.

import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { outcome } from "./cloud.mjs";
import { root } from "./simulator.mjs";

/** Where each file names the version. */
const PLACES = {
  "Cargo.toml": /(?<=^version = ")[\d.]+/m,
  "template.yaml": /(?<=^ +RELEASE: )[\d.]+/m,
  "samconfig.toml": /(?<="Version=)[\d.]+/,
  "web/client/package.json": /(?<="version": ")[\d.]+/,
  "docs/openapi.yaml": /(?<=^ {2}version: )[\d.]+/m,
};
const [version] = readFileSync(`${root}Cargo.toml`, "utf8").match(PLACES["Cargo.toml"]);
let tree;

before(() => {
  tree = mkdtempSync(join(tmpdir(), "version-"));
  for (const file of ["scripts/check-version", ...Object.keys(PLACES)]) {
    mkdirSync(dirname(join(tree, file)), { recursive: true });
    cpSync(root + file, join(tree, file));
  }
});
after(() => rmSync(tree, { recursive: true }));

const check = (wanted) => outcome(join(tree, "scripts/check-version"), [wanted], {});

test("all name this version", async () => {
  assert.deepEqual(await check(version), { code: 0, stdout: "", stderr: "" });
});

for (const [file, place] of Object.entries(PLACES)) {
  test(`another version in ${file} is told`, async () => {
    const text = readFileSync(root + file, "utf8");
    writeFileSync(join(tree, file), text.replace(place, "9.8.7"));
    const { code, stderr } = await check(version);
    writeFileSync(join(tree, file), text);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`^${file.replaceAll(".", "\\.")}.* says (.*\n)?9\\.8\\.7`));
  });
}
