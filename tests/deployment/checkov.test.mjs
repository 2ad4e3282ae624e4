// What checkov finds in what is deployed, in the workflows and in all files, and why some of it stays.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { root } from "./simulator.mjs";
import { SETS } from "./stacks.mjs";
import { translated } from "./translated.mjs";

const stacks = Object.fromEntries(["prod", "everything on"].map((name) => [name, translated(...SETS[name]).Resources]));
const everything = stacks["everything on"];
const named = (type) => Object.keys(everything).filter((name) => everything[name].Type === type);
const FUNCTIONS = named("AWS::Lambda::Function");
const LOGS = named("AWS::Logs::LogGroup");

const OWN_KEYS = "encrypted by keys of AWS's own; a key of one's own is paid for, and opens to whoever administers the account all the same";

/** What stays as it is, of each check: the resources or files, and why. */
const EXCEPTIONS = {
  template: {
    CKV_AWS_26: [["AlarmTopic"], "CloudWatch cannot publish to a topic under AWS's own key, and alarms are no secret"],
    CKV_AWS_27: [["RejectedQueue", "FailedQueue", "Undelivered"], `${OWN_KEYS}; the check knows no SqsManagedSseEnabled, which is tested below`],
    CKV_AWS_73: [["ApiStage"], "X-Ray is paid for: the parameter Tracing switches it on"],
    CKV_AWS_76: [["ApiStage"], "access logs need a role of the account: the parameter ApiAccessLogs switches them on"],
    CKV_AWS_107: [["SessionManagerRole"], "browsers' keys are what the function is there to give; they open one queue"],
    CKV_AWS_115: [FUNCTIONS, "what is reserved is taken from others: the parameters SenderConcurrency and HistoryConcurrency, where it is wanted"],
    CKV_AWS_116: [FUNCTIONS, "OnFailure destinations take its place, which is tested below: they hold the reason too"],
    CKV_AWS_117: [FUNCTIONS, "they call AWS alone, and nothing of a VPC"],
    CKV_AWS_119: [["Sessions", "Messages"], OWN_KEYS],
    CKV_AWS_120: [["ApiStage"], "no reply may be another caller's"],
    CKV_AWS_158: [LOGS, `${OWN_KEYS}; logs hold no message and no key`],
    CKV_AWS_173: [FUNCTIONS, "encrypted by a key of AWS's own; they hold names and numbers, and no secret"],
  },
  workflows: {
    CKV_GHA_7: [["deploy"], "which environment is deployed is asked; GitHub's own rules say who may answer"],
  },
  secrets: {
    CKV_SECRET_2: [
      ["crates/aws/src/clients.rs", "crates/bench/src/harness.rs", "tests/flows/isolation.rs"],
      "examples of AWS's documentation, and one that nobody has: keys for servers on this machine",
    ],
    CKV_SECRET_6: [
      ["tests/vectors/sigv4.json", "web/client/test/frame.test.ts", "web/client/test/support/sqs.ts"],
      "published vectors of the signature and of the frame",
    ],
  },
};

const dir = mkdtempSync(join(tmpdir(), "checkov-"));
after(() => rmSync(dir, { recursive: true }));

/** All checks that fail, each with what it fails for. */
async function failing(name, ...options) {
  const output = await new Promise((resolve, reject) => {
    const settings = { cwd: root, encoding: "utf8", maxBuffer: 1 << 28 };
    // It ends with 1 when it finds something, and says so in its report.
    execFile("scripts/checkov", [...options, "--output", "json"], settings, (error, stdout, stderr) =>
      error && error.code !== 1 ? reject(new Error(stderr)) : resolve(stdout || reject(new Error(stderr))));
  });
  const { results, summary } = JSON.parse(output);
  assert.equal(summary.parsing_errors, 0, name);
  const found = {};
  for (const { check_id, resource, file_path } of results.failed_checks) {
    const of = { template: () => resource.split(".").at(-1), workflows: () => resource.match(/\((.*)\)/)[1], secrets: () => file_path.slice(1) }[name]();
    (found[check_id] ??= new Set()).add(of);
  }
  return Object.fromEntries(Object.entries(found).map(([check, of]) => [check, [...of].sort()]));
}

const exceptions = (name) => Object.fromEntries(Object.entries(EXCEPTIONS[name]).map(([check, [of]]) => [check, of.toSorted()]));

test("nothing is found in what is deployed but what is explained, and nothing is explained that is not found", async () => {
  for (const [name, Resources] of Object.entries(stacks)) {
    writeFileSync(join(dir, `${name}.json`), JSON.stringify({ Resources }));
  }
  const files = [...Object.keys(stacks).map((name) => join(dir, `${name}.json`)), "docs/unreached.yaml"];
  assert.deepEqual(await failing("template", "--framework", "cloudformation", "-f", ...files), exceptions("template"));
});

test("nor in the workflows", async () => {
  assert.deepEqual(await failing("workflows", "--framework", "github_actions", "-d", ".github"), exceptions("workflows"));
});

test("no file has a secret", async () => {
  const built = "(^|/)(target|\\.local|\\.aws-sam|\\.schemathesis|node_modules|dist)(/|$)";
  const options = ["--framework", "secrets", "--enable-secret-scan-all-files", "--skip-path", built, "-d", "."];
  assert.deepEqual(await failing("secrets", ...options), exceptions("secrets"));
});

test("a public bucket and a key in a file are found", async () => {
  const bucket = { Type: "AWS::S3::Bucket", Properties: { AccessControl: "PublicReadWrite" } };
  const file = join(dir, "wrong.json");
  // In two parts, so that it is not found here.
  writeFileSync(file, JSON.stringify({ Resources: { Bucket: bucket }, Metadata: { key: "AKIA" + "QYLPMN5HFIQR7XYA" } }));
  const found = await failing("template", "--framework", "cloudformation", "-f", file);
  assert.deepEqual(found.CKV_AWS_57, ["Bucket"]);
  const keys = await failing("secrets", "--framework", "secrets", "-f", file);
  assert.equal(keys.CKV_SECRET_2?.length, 1);
});

test("every queue is encrypted", () => {
  for (const name of named("AWS::SQS::Queue")) assert.equal(everything[name].Properties.SqsManagedSseEnabled, true, name);
});

/** The functions that nothing invokes but the API, which has their answer. */
const SYNCHRONOUS = ["MessagesApi"];

test("what a function gives up after its retries goes to a queue", () => {
  const parking = Object.values(everything).filter(({ Properties }) => Properties.DestinationConfig?.OnFailure);
  const functionOf = (name) => (everything[name].Type === "AWS::Lambda::Alias" ? everything[name].Properties.FunctionName.Ref : name);
  const functions = parking.map(({ Properties }) => functionOf(Properties.FunctionName.Ref));
  assert.deepEqual([...new Set([...functions, ...SYNCHRONOUS])].sort(), FUNCTIONS.toSorted());
  for (const { Properties } of parking) {
    assert.deepEqual(Properties.DestinationConfig.OnFailure.Destination, { "Fn::GetAtt": ["FailedQueue", "Arn"] });
  }
});
