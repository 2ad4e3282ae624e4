// Every `aws` command of the documents is one that the AWS CLI understands.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { root } from "./simulator.mjs";

const script = fileURLToPath(new URL("aws_lines.py", import.meta.url));
const env = { ...process.env, AWS_DEFAULT_REGION: "eu-west-1", AWS_CONFIG_FILE: "/dev/null", AWS_PAGER: "" };

/** The commands of a text, each with what is wrong with it, or null. */
const commands = (text) =>
  JSON.parse(execFileSync(`${root}.local/awscli/bin/python`, [script], { input: text, cwd: root, env, encoding: "utf8" }));

const documents = ["", "docs/", "docs/decisions/", "docs/policies/", "web/client/"].flatMap((dir) =>
  readdirSync(root + dir).filter((name) => name.endsWith(".md")).map((name) => dir + name));

test("the documents' commands are the AWS CLI's", () => {
  const found = commands(documents.map((name) => readFileSync(root + name, "utf8")).join("\n"));
  assert.ok(found.length > 30, `${found.length} commands were found`);
  assert.deepEqual(found.filter(({ error }) => error), []);
});

/** Commands with a fault, in the forms in which documents have them, and what is said of it. */
const WRONG = {
  "aws lambda update-alias --function-name f --nam live": /Unknown options: --nam|required: --name/,
  "aws lambda update-aliases --function-name f": /Invalid choice|argument operation/,
  "aws lambada list-functions": /Invalid choice|argument command/,
  "aws lambda update-alias --function-name f": /required: --name/,
  "for x in a; do\n  aws sqs purge-queue --queue $x\ndone": /--queue/,
  "old=$(aws s3api list-objects --bucket b \\\n  --query '[Key' --output text)": /query|Bad value|Invalid/,
  "aws dynamodb list-backups --backup-typ SYSTEM | sort": /--backup-typ/,
  "aws dynamodb wait table-exist --table-name t": /Invalid choice|argument/,
  "aws logs tail /aws/lambda/f --sinse 1h": /--sinse/,
  "aws codedeploy get-deployment --deployment-id d": /argument command|Invalid choice/,
  "aws resourcegroupstaggingapi get-resources --tag-filters Kee=a,Values=b": /Kee/,
  "sam deploy # aws cloudformation set-stack-policy --stack s": /--stack/,
};

test("a command that the AWS CLI does not know is told", () => {
  const texts = Object.keys(WRONG);
  const found = commands(texts.map((text) => `\`\`\`sh\n${text}\n\`\`\`\n`).join("\n"));
  assert.equal(found.length, texts.length);
  found.forEach(({ error }, index) => assert.match(error ?? "nothing", WRONG[texts[index]], texts[index]));
  const [{ error }] = commands("Ask for them (`aws dynamodb list-backups\n--backup-typ SYSTEM`).");
  assert.match(error, /--backup-typ/);
});
