// What the documents for deployers allow: all that CloudFormation's handlers need, and as little else as possible.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { CODE, ELSEWHERE, NOT_NEEDED, PLACES, api, calls, handlers, isAllowed, notNeeded, placeOf, role, stream, types } from "./handlers.mjs";
import { allowed, arn, document, root } from "./simulator.mjs";

const policies = ["deployer", "deployer-resources"].map(document);
const statements = policies.flatMap(({ Statement }) => Statement);
const granted = new Set(statements.flatMap(({ Action }) => Action));

test("every type of resource is known", () => {
  assert.deepEqual(types.filter((type) => !Object.keys(handlers[type] ?? {}).length), []);
  assert.deepEqual(types.toSorted(), Object.keys(PLACES).toSorted());
});

/** The simulator cannot tell an alias's ARN from a version's, and asks for one of them. */
const AMBIGUOUS = ["lambda:GetProvisionedConcurrencyConfig"];

test("whoever deploys may do all that CloudFormation needs, and nothing that this template does not need", async () => {
  const used = new Set();
  for (const call of calls) {
    const { resource: { Type }, name, action } = call;
    const exception = notNeeded(Type, action);
    if (exception >= 0) used.add(exception);
    // What no statement names is refused everywhere, and what is of another service is on no resource of this one.
    const isElsewhere = !(action in ELSEWHERE) && !placeOf(call).startsWith(`arn:aws:${action.split(":")[0]}:`);
    if (exception >= 0 && (!granted.has(action) || isElsewhere)) continue;
    if (AMBIGUOUS.includes(action)) {
      assert.ok(granted.has(action), action);
      continue;
    }
    assert.equal(await isAllowed(policies, call), exception < 0, `${Type} ${name}: ${action}`);
  }
  assert.deepEqual([...used].sort((a, b) => a - b), NOT_NEEDED.map((_, index) => index), "exceptions that are needed");
});

const stackArn = (name) => arn("cloudformation", `stack/${name}/00000000-0000-4000-8000-000000000000`);
const own = { context: { "aws:ResourceAccount": "111122223333" } };

/** What `sam deploy`, `sam delete` and docs/OPERATIONS.md call besides CloudFormation's handlers. */
const COMMANDS = {
  ...Object.fromEntries(
    ["CreateChangeSet", "DeleteChangeSet", "DeleteStack", "DescribeChangeSet", "DescribeStackEvents", "DescribeStackResources", "DescribeStacks",
      "ExecuteChangeSet", "GetTemplate", "GetTemplateSummary", "ListChangeSets", "ListStackResources", "RollbackStack", "SetStackPolicy", "TagResource", "UntagResource"]
      .map((action) => [`cloudformation:${action}`, stackArn("prod-sqs-browser-events")]),
  ),
  "s3:AbortMultipartUpload": CODE,
  "s3:DeleteObject": CODE,
  "s3:GetObject": CODE,
  "s3:PutObject": CODE,
  "s3:ListBucket": "arn:aws:s3:::aws-sam-cli-managed-default-samclisourcebucket-1a2b3c",
  // X-Ray on the API makes it where an account has none.
  "iam:CreateServiceLinkedRole": arn("iam", "role/aws-service-role/ops.apigateway.amazonaws.com/AWSServiceRoleForAPIGateway", { region: "" }),
};

test("the commands may be given for this stack and its packages, and for no other", async () => {
  for (const [action, place] of Object.entries(COMMANDS)) {
    const context = { ...own.context, "s3:prefix": "prod-sqs-browser-events/" };
    assert.ok(await allowed(policies, action, place, { context }), action);
    if (action === "cloudformation:DescribeStacks" || action === "s3:ListBucket" || action.startsWith("iam:")) continue;
    assert.ok(!(await allowed(policies, action, place.replace("prod-", "test-"), { context })), `${action} elsewhere`);
  }
  const elsewhere = { context: { "aws:ResourceAccount": "999999999999" } };
  assert.ok(!(await allowed(policies, "s3:PutObject", CODE, elsewhere)), "a bucket of another account");
  assert.ok(!(await allowed(policies, "s3:ListBucket", COMMANDS["s3:ListBucket"], own)), "a list of all packages");
});

// The simulator does not know transforms, which a change set is made on as well.
test("change sets may be made on the template's transforms", () => {
  const [, names] = readFileSync(`${root}template.yaml`, "utf8").match(/^Transform: \[(.*)\]$/m);
  const transforms = names.split(", ").map((name) => arn("cloudformation", `transform/${name.replace("AWS::", "")}`, { account: "aws" }));
  const { Action, Resource } = statements.find(({ Sid }) => Sid === "Transforms");
  assert.deepEqual([Action, Resource], ["cloudformation:CreateChangeSet", transforms]);
});

test("nothing is granted that nothing needs", () => {
  const needed = calls.filter(({ resource, action }) => notNeeded(resource.Type, action) < 0).map(({ action }) => action);
  const all = new Set([...needed, ...Object.keys(COMMANDS)]);
  assert.deepEqual([...granted].filter((action) => !all.has(action)), []);
});

/** Actions that AWS lets nobody narrow down to a resource, or that need all, each with why. */
const WITHOUT_RESOURCE = {
  "cloudformation:DescribeStacks": "sam looks for the stack of its bucket, and for nested ones",
  "cloudwatch:DescribeAlarms": "composite alarms are told only to whoever may describe all",
  "codedeploy:StopDeployment": "IAM knows no resource for it",
  "cognito-identity:CreateIdentityPool": "it has no id before",
  "cognito-identity:SetIdentityPoolRoles": "IAM knows no resource for it; only roles of this environment can be passed to it",
  "kinesis:UpdateShardCount": "IAM knows no resource for it",
  "lambda:CreateEventSourceMapping": "by the function that it names",
  "lambda:DeleteEventSourceMapping": "by the function that it names",
  "lambda:GetEventSourceMapping": "by the function that it names",
  "lambda:UpdateEventSourceMapping": "by the function that it names",
  "logs:DescribeIndexPolicies": "a list is of all",
  "logs:DescribeLogGroups": "a list is of all",
  "logs:DescribeResourcePolicies": "a list is of all",
};

test("no star for a resource but where it is explained, and none for an action", () => {
  const starred = statements.filter(({ Resource }) => Resource === "*").flatMap(({ Action }) => Action);
  assert.deepEqual(starred.toSorted(), Object.keys(WITHOUT_RESOURCE));
  assert.deepEqual([...granted].filter((action) => action.includes("*")), []);
});

const passed = (service) => ({ context: { "iam:PassedToService": service } });
const function_ = (env) => arn("lambda", `function:${env}-sqs-browser-sqs-sender`);

/** What is not a deployer's. */
const REFUSED = [
  ["dynamodb:UpdateTable", arn("dynamodb", "table/test-sqs-browser-sessions")],
  ["dynamodb:GetItem", arn("dynamodb", "table/prod-sqs-browser-messages")],
  ["sqs:ReceiveMessage", arn("sqs", "prod-sqs-browser-failed")],
  ["sqs:DeleteQueue", arn("sqs", "prod-brws-x")],
  ["kinesis:GetRecords", stream],
  ["lambda:InvokeFunction", function_("prod")],
  ["lambda:UpdateFunctionCode", function_("test")],
  ["lambda:AddPermission", function_("prod"), { context: { "lambda:Principal": "999999999999" } }],
  ["lambda:CreateFunctionUrlConfig", function_("prod")],
  ["lambda:CreateEventSourceMapping", "*", { context: { "lambda:FunctionArn": function_("test") } }],
  ["logs:FilterLogEvents", arn("logs", "log-group:/aws/lambda/prod-sqs-browser-sqs-sender")],
  ["apigateway:PATCH", api("/restapis/other")],
  ["apigateway:PATCH", api("/account")],
  ["cognito-identity:DeleteIdentityPool", arn("cognito-identity", "identitypool/eu-west-1:other")],
  ["iam:CreateUser", arn("iam", "user/somebody", { region: "" })],
  ["iam:CreateRole", arn("iam", "role/somebody", { region: "" })],
  ["iam:PutRolePolicy", arn("iam", "role/deployer", { region: "" })],
  ["iam:AttachRolePolicy", role("SqsSenderRole")],
  ["iam:CreatePolicyVersion", arn("iam", "policy/boundary", { region: "" })],
  ["iam:PassRole", role("SqsSenderRole"), passed("ec2.amazonaws.com")],
  ["iam:PassRole", arn("iam", "role/administrator", { region: "" }), passed("lambda.amazonaws.com")],
  ["sts:AssumeRole", role("SqsSenderRole")],
];

test("what is another's, data, and rights beyond the environment are refused", async () => {
  for (const [action, place, options] of REFUSED) {
    assert.ok(!(await allowed(policies, action, place, options)), `${action} on ${place}`);
  }
});

test("a document fits into a policy of IAM", () => {
  for (const policy of policies) assert.ok(JSON.stringify(policy).length <= 6144);
});
