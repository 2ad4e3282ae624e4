// What scripts/test-advisories makes of npm's advisories, from a registry of the test's own.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "./simulator.mjs";

const ADVISORIES = "/-/npm/v1/security/advisories/bulk";

/** What the script says, and its status, of a package that depends on `left`, where the registry has this to say of it. */
async function judged({ severity, development = false, required = false }) {
  const advisory = { id: 1, url: "https://example.com/1", title: "Left is not right", severity, vulnerable_versions: "<2" };
  const registry = createServer((request, response) => {
    const known = severity && request.url === ADVISORIES;
    response.writeHead(known ? 200 : 405, { "content-type": "application/json" });
    response.end(known ? JSON.stringify({ left: severity === "none" ? [] : [advisory] }) : "");
  });
  await once(registry.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${registry.address().port}/`;
  const place = mkdtempSync(join(tmpdir(), "advisories-"));
  const dependencies = { [development ? "devDependencies" : "dependencies"]: { left: "1.0.0" } };
  const left = { version: "1.0.0", resolved: `${url}left/-/left-1.0.0.tgz`, ...(development && { dev: true }) };
  const lock = { lockfileVersion: 3, packages: { "": dependencies, "node_modules/left": left } };
  try {
    writeFileSync(join(place, "package.json"), JSON.stringify(dependencies));
    writeFileSync(join(place, "package-lock.json"), JSON.stringify(lock));
    const env = { ...process.env, npm_config_registry: url, npm_config_cache: join(place, "cache"), npm_config_fetch_retries: "0" };
    const script = spawn(`${root}scripts/test-advisories`, [...(required ? ["--required"] : []), place], { env });
    let said = "";
    for (const stream of [script.stdout, script.stderr]) stream.on("data", (data) => (said += data));
    const [status] = await once(script, "close");
    return { status, said };
  } finally {
    registry.close();
    rmSync(place, { recursive: true });
  }
}

test("a vulnerability of level high fails, and its package is named", async () => {
  for (const severity of ["high", "critical"]) {
    const { status, said } = await judged({ severity });
    assert.deepEqual([status, /left 1.0.0: (high|critical): Left is not right/.test(said)], [1, true], said);
  }
});

test("a lesser one, and one of a package for development, is told of", async () => {
  for (const found of [{ severity: "moderate" }, { severity: "high", development: true }]) {
    const { status, said } = await judged({ ...found, required: true });
    assert.equal(status, 0, said);
    assert.match(said, /left 1.0.0: .*: Left is not right/);
  }
});

test("a registry without advisories is told of, and fails where they are required", async () => {
  for (const required of [false, true]) {
    const { status, said } = await judged({ required });
    assert.equal(status, required ? 1 : 0, said);
    assert.match(said, /not checked, the database cannot be reached: .*405/);
  }
});

test("nothing is said of packages that no advisory names", async () => {
  const { status, said } = await judged({ severity: "none", required: true });
  assert.deepEqual([status, /: none that counts\n$/.test(said)], [0, true], said);
});
