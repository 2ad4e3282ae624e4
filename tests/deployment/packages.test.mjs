// Deleted packages go by the commands of OPERATIONS, "Remove an environment", as they stand there.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { start } from "./cloud.mjs";
import { root } from "./simulator.mjs";
import { bin } from "./translated.mjs";

const script = fileURLToPath(new URL("packages.py", import.meta.url));
const [, commands] = readFileSync(`${root}docs/OPERATIONS.md`, "utf8").match(/```sh\n(bucket=[^]*?)```/);
const TEMPLATE = {
  Resources: { SamCliSourceBucket: { Type: "AWS::S3::Bucket", Properties: { BucketName: "packages" } } },
  Outputs: { SourceBucket: { Value: { Ref: "SamCliSourceBucket" } } },
};
let cloud;

async function run(program, ...args) {
  const { code, stdout, stderr } = await cloud.run(program, args);
  assert.equal(code, 0, stderr);
  return stdout;
}
const packages = async (what) => JSON.parse(await run(`${bin}python`, script, what, "packages"));

before(async () => {
  cloud = await start();
  await run("aws", "cloudformation", "create-stack", "--stack-name", "aws-sam-cli-managed-default", "--template-body", JSON.stringify(TEMPLATE));
  await run("aws", "cloudformation", "wait", "stack-create-complete", "--stack-name", "aws-sam-cli-managed-default");
});
after(() => cloud.stop());

test("all of the stack's packages go, however many, and no other's", async () => {
  const others = { "prod-sqs-browser-events-2": 2, other: 2 };
  assert.deepEqual(await packages("make"), { "prod-sqs-browser-events": 1200, ...others });
  await run("bash", "-c", commands);
  assert.deepEqual(await packages("count"), others);
  await run("bash", "-c", commands); // where nothing is left
});

test("what may not be deleted is told, and ends it", async () => {
  // An answer of S3 with a refusal is a success of the CLI.
  const refuses = `aws() { if [ "$2" = delete-objects ]; then echo "AccessDenied prod/x"; else command aws "$@"; fi; }\n`;
  const { code, stdout } = await cloud.run("bash", ["-c", refuses + commands.replaceAll("prod-sqs-browser-events/", "other/")]);
  assert.deepEqual([code, stdout], [0, "AccessDenied prod/x\n"]);
});
