// scripts/roll-back, by the AWS CLI on an AWS of this machine.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { start } from "./cloud.mjs";
import { root } from "./simulator.mjs";
import { bin } from "./translated.mjs";

const NAMES = ["session-manager", "event-dispatcher", "sqs-sender", "user-history-adder", "session-update-processor", "messages-api"];
const script = fileURLToPath(new URL("versions.py", import.meta.url));
let cloud;

before(async () => (cloud = await start()));
after(() => cloud.stop());

const rollBack = (...args) => cloud.run(`${root}scripts/roll-back`, args);

/** The six functions of an environment, with this for each name. */
const each = (env, of) => Object.fromEntries(NAMES.map((name) => [`${env}-sqs-browser-${name}`, of(name)]));

/** The versions that are live, of functions that are made first, if need be. */
async function live(functions, what = "live") {
  const { code, stdout, stderr } = await cloud.run(`${bin}python`, [script, what, JSON.stringify(functions)]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

// With more than nine versions, of which one was deleted. What 1.2.2 was deployed with at last was taken back.
const HISTORY = [
  ...["d1", "d2", "d3", "d4", "d5"].map((digest) => ["1.1.0", digest]), null,
  ["1.2.1", "d7"], ["1.2.2", "d8"], ["1.2.2", "good"], ["1.2.2", "bad"], ["1.2.3", "d11"],
];

test("all functions go to the newest version of the release, or to what one deployment made", async () => {
  const functions = each("all", () => HISTORY);
  const before = await live(functions, "make");
  assert.deepEqual(before, each("all", () => "11+10"), "a shift is under way");

  const listed = await rollBack("all");
  assert.equal(listed.code, 0, listed.stderr);
  assert.match(listed.stdout, /^sqs-sender, live is 11 and 10\n1\t1\.1\.0\td1\t/m);
  assert.match(listed.stdout, /\n9\t1\.2\.2\tgood\t.*\n10\t1\.2\.2\tbad\t.*\n11\t1\.2\.3\td11\t/, "by number");

  const asked = await rollBack("all", "v1.2.2");
  assert.notEqual(asked.code, 0, "nobody has answered");
  assert.match(asked.stdout, /^sqs-sender: live is 11 and 10, will be 10, of 1\.2\.2, bad, /m);
  assert.match(asked.stderr, /nothing is changed/);
  assert.deepEqual(await live(functions), before);

  const { code, stderr } = await rollBack("all", "good", "--yes");
  assert.equal(code, 0, stderr);
  assert.deepEqual(await live(functions), each("all", () => "9"));
});

test("where a function has no version of the release, none is moved", async () => {
  const functions = each("part", (name) => [name === "messages-api" ? null : ["1.2.2", "a"], ["1.2.3", "b"]]);
  const before = await live(functions, "make");
  const { code, stderr } = await rollBack("part", "1.2.2", "--yes");
  assert.equal(code, 1);
  assert.match(stderr, /nothing is changed: no version of 1\.2\.2 has messages-api\n/);
  assert.deepEqual(await live(functions), before);
});

test("an environment that is not there is said so", async () => {
  const { code, stderr } = await rollBack("nowhere", "1.2.2", "--yes");
  assert.notEqual(code, 0);
  assert.match(stderr, /nowhere-sqs-browser-session-manager/);
});
