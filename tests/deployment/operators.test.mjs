// What the documents of docs/policies allow to operators.

import assert from "node:assert/strict";
import { test } from "node:test";
import { allowed, api, arn, document } from "./simulator.mjs";

const queue = (name) => arn("sqs", `prod-${name}`);
const [session, failed, rejected] = [queue("brws-x"), queue("sqs-browser-failed"), queue("sqs-browser-rejected")];
const sessions = arn("dynamodb", "table/prod-sqs-browser-sessions");
const messages = arn("dynamodb", "table/prod-sqs-browser-messages");
const lambda = arn("lambda", "function:prod-sqs-browser-sqs-sender");
const stream = arn("kinesis", "stream/prod-sqs-browser-event-dispatcher");
const role = arn("iam", "role/prod-sqs-browser/prod-sqs-browser-events-BrowserRole-X", { region: "" });
const pool = arn("cognito-identity", "identitypool/eu-west-1:00000000-0000-4000-8000-000000000000");
const stack = arn("cloudformation", "stack/prod-sqs-browser-events/00000000-0000-4000-8000-000000000000");
const stage = "arn:aws:apigateway:eu-west-1::/restapis/a1b2c3d4e5/stages/prod";
const dashboard = arn("cloudwatch", "dashboard/prod-sqs-browser", { region: "" });
const each = (action, ...resources) => resources.map((resource) => [action, resource]);
const LOOKING = [
  ...["dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"].flatMap((action) => each(action, sessions, messages)),
  ["dynamodb:Query", `${sessions}/index/userId-index`],
  ...["DescribeContinuousBackups", "DescribeTable", "DescribeTimeToLive"].flatMap((action) => each(`dynamodb:${action}`, sessions, messages)),
  ["cloudformation:GetStackPolicy", stack],
  ["apigateway:GET", stage],
  ["cloudwatch:GetDashboard", dashboard],
  ...["sqs:ReceiveMessage", "sqs:ChangeMessageVisibility"].flatMap((action) => each(action, session, failed, rejected)),
  ...each("sqs:GetQueueAttributes", session, failed, rejected),
  ["sqs:ListQueueTags", session],
  ...["GetFunctionConcurrency", "GetFunctionConfiguration", "GetFunctionEventInvokeConfig", "ListAliases", "ListVersionsByFunction"]
    .map((action) => [`lambda:${action}`, lambda]),
  ["kinesis:DescribeStreamSummary", stream],
  ["logs:StartQuery", arn("logs", "log-group:/aws/lambda/prod-sqs-browser-sqs-sender")],
  ...["iam:GetRole", "iam:GetRolePolicy", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies"].map((action) => [action, role]),
  ["cognito-identity:DescribeIdentityPool", pool],
  ["cognito-identity:GetIdentityPoolRoles", pool],
  ["execute-api:Invoke", api("GET", "/status")],
];
const TRYING = [
  ["execute-api:Invoke", api("POST", "/create/42/tab/7")],
  ["execute-api:Invoke", api("POST", "/notify/42/session/tab")],
  ["execute-api:Invoke", api("POST", "/destroy/42/tab")],
  ["execute-api:Invoke", api("POST", "/messages/set-read/user/7")],
  ["dynamodb:DeleteItem", messages],
];
const CHANGING = [
  ["lambda:InvokeFunction", `${lambda}:live`],
  ...each("sqs:DeleteMessage", failed, rejected),
  ["sqs:PurgeQueue", session],
  ["kinesis:GetRecords", stream],
  ["kinesis:GetShardIterator", stream],
  ["kinesis:PutRecords", stream],
  ["execute-api:Invoke", api("POST", "/notify")],
  ["execute-api:Invoke", api("POST", "/cleanup")],
];
const ROLLING_BACK = [
  ["lambda:UpdateAlias", lambda],
  ["codedeploy:GetDeployment", arn("codedeploy", "deploymentgroup:prod-sqs-browser-events-ServerlessDeploymentApplication-X/G")],
];
const REMOVING = [
  ["sqs:DeleteQueue", session],
  ["dynamodb:DeleteItem", sessions],
];
const MAY = {
  "operator-read": LOOKING,
  "operator-try": TRYING,
  "operator-change": CHANGING,
  "operator-roll-back": ROLLING_BACK,
  "operator-remove": REMOVING,
};

for (const [name, calls] of Object.entries(MAY)) {
  test(`${name} may do its work, here and not in another environment, and no other's`, async () => {
    const policies = [document(name)];
    for (const [action, resource] of calls) {
      assert.ok(await allowed(policies, action, resource), `${action} on ${resource}`);
      // The pool is not an environment's: several may share it.
      if (resource === pool) continue;
      const elsewhere = resource.replace("prod", "test");
      assert.ok(!(await allowed(policies, action, elsewhere)), `${action} on ${elsewhere}`);
    }
    const others = Object.entries(MAY).filter(([other]) => other !== name && other !== "operator-read");
    for (const [action, resource] of others.flatMap(([, of]) => of)) {
      const isShared = action === "execute-api:Invoke" && name === "operator-change";
      if (!isShared) assert.ok(!(await allowed(policies, action, resource)), `${action} on ${resource}`);
    }
  });
}

/** Actions that AWS lets nobody narrow down, or that need more than one environment, each with why. */
const WITHOUT_RESOURCE = {
  "cloudformation:DescribeStacks": "sbe looks for the stack that has the environment; a list of stacks is of all",
  "cloudwatch:DescribeAlarms": "composite alarms are told only to whoever may describe all",
  "cloudwatch:GetMetricStatistics": "IAM knows no resource for it",
  "lambda:ListEventSourceMappings": "IAM knows no resource for it",
  "logs:GetQueryResults": "IAM knows no resource for it; the id of the query is needed",
  "codedeploy:ListDeployments": "a list of what is under way is of all applications",
  "codedeploy:StopDeployment": "IAM knows no resource for it; the id of the deployment is needed",
  "cognito-identity:DeleteIdentities": "IAM knows no resource for it",
  "sqs:ListQueues": "the queues of sessions are found by the beginning of their names; a list is of all",
};

test("no document for operators has a star for a resource, but where it is explained", () => {
  const starred = Object.keys(MAY)
    .flatMap((name) => document(name).Statement)
    .filter(({ Resource }) => Resource === "*")
    .flatMap(({ Action }) => Action);
  assert.deepEqual(starred.sort(), Object.keys(WITHOUT_RESOURCE).sort());
});
