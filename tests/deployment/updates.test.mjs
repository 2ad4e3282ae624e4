// An update makes what is new before it deletes what is gone: nothing may be made under a name that is still taken.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "./simulator.mjs";
import { bin, translated } from "./translated.mjs";

/** What AWS tells resources of a type by, where the template says it; other names are AWS's to give. */
const NAMES = {
  "AWS::CloudWatch::Alarm": ["AlarmName"],
  "AWS::CloudWatch::Dashboard": ["DashboardName"],
  "AWS::DynamoDB::Table": ["TableName"],
  "AWS::Events::Rule": ["Name"],
  "AWS::Kinesis::Stream": ["Name"],
  "AWS::Lambda::Alias": ["FunctionName", "Name"],
  "AWS::Lambda::EventInvokeConfig": ["FunctionName", "Qualifier"],
  "AWS::Lambda::Function": ["FunctionName"],
  "AWS::Logs::LogGroup": ["LogGroupName"],
  "AWS::SQS::Queue": ["QueueName"],
};

/** What each resource is called on AWS, by its logical id. */
const called = (resources) =>
  Object.entries(resources)
    .filter(([, { Type }]) => NAMES[Type])
    .map(([id, { Type, Properties }]) => [id, JSON.stringify([Type, ...NAMES[Type].map((name) => Properties[name])])]);

/** The logical ids under which an update makes what the stack still has under another one. */
function clashes(earlier, later) {
  const taken = new Map(called(earlier).map(([id, name]) => [name, id]));
  return called(later).filter(([id, name]) => (taken.get(name) ?? id) !== id).map(([id]) => id);
}

const config = (Qualifier) => ({ Type: "AWS::Lambda::EventInvokeConfig", Properties: { FunctionName: "f", Qualifier } });

test("a name that moves to another logical id is a clash", () => {
  const earlier = { Config: config("$LATEST") };
  assert.deepEqual(clashes(earlier, { Config: config("live"), Latest: config("$LATEST") }), ["Latest"]);
  assert.deepEqual(clashes(earlier, { Config: config("$LATEST"), Live: config("live") }), []);
  assert.deepEqual(clashes(earlier, { Config: config("live") }), [], "it is replaced");
});

/** The resources of a template at a commit, as they are deployed. */
function deployed(commit) {
  const dir = mkdtempSync(join(tmpdir(), "template-"));
  try {
    const file = join(dir, "template.yaml");
    writeFileSync(file, execFileSync("git", ["show", `${commit}:template.yaml`], { cwd: root }));
    return JSON.parse(execFileSync(`${bin}python`, [`${root}tests/deployment/translated.py`, file], { encoding: "utf8" })).Resources;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** The tag of the release before this one. There is none before the first, nor in a copy without history. */
const [released] = (spawnSync("git", ["tag", "--list", "v*", "--merged", "HEAD", "--no-contains", "HEAD", "--sort=-version:refname"], { cwd: root, encoding: "utf8" }).stdout ?? "").split("\n");

test("a stack of the latest release can be updated", () => {
  assert.deepEqual(clashes(released ? deployed(released) : {}, translated().Resources), []);
});
