// What the documents for deployers allow: all that CloudFormation's handlers need for every resource of the template with
// everything on, by what AWS's schemas say, and as little else as possible.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { allowed, arn, document, root } from "./simulator.mjs";
import { SETS, bin, translated } from "./stacks.mjs";

const stack = translated(...SETS["everything on"]).Resources;
const types = [...new Set(Object.values(stack).map(({ Type }) => Type))];
const script = fileURLToPath(new URL("handlers.py", import.meta.url));
const handlers = JSON.parse(execFileSync(`${bin}python`, [script, ...types], { encoding: "utf8" }));
// Its schema says nothing of permissions.
handlers["AWS::Budgets::Budget"] = {
  create: ["budgets:ModifyBudget", "budgets:TagResource"],
  read: ["budgets:ViewBudget", "budgets:ListTagsForResource"],
  update: ["budgets:ModifyBudget", "budgets:TagResource", "budgets:UntagResource"],
  delete: ["budgets:ModifyBudget"],
};

const policies = ["deployer", "deployer-resources"].map(document);
const statements = policies.flatMap(({ Statement }) => Statement);
const granted = new Set(statements.flatMap(({ Action }) => Action));
const api = (path) => `arn:aws:apigateway:eu-west-1::${path}`;
const restApi = "/restapis/a1b2c3d4e5";
const role = (name) => arn("iam", `role/prod-sqs-browser/prod-sqs-browser-events-${name}-1A2B3C4D5E6F`, { region: "" });
const pool = arn("cognito-identity", "identitypool/eu-west-1:00000000-0000-4000-8000-000000000000");
const tags = api(`/tags/${encodeURIComponent(api(restApi))}`);
const nameOf = (value) => (value.Ref ? stack[value.Ref].Properties.FunctionName : value);
const lambda = ({ FunctionName }) => arn("lambda", `function:${nameOf(FunctionName)}`);
const stream = arn("kinesis", "stream/prod-sqs-browser-event-dispatcher");

/** A part of the API: calls make it in a collection, and tag it elsewhere. */
const partOf = (collection, id) => (_, action) => ({ "apigateway:POST": api(collection), "apigateway:PUT": tags })[action] ?? api(`${collection}/${id}`);

/** The ARN of a resource of each type, by its properties, its logical name and the action. */
const PLACES = {
  // The simulator's data takes the two ARNs of deployments, and of stages, for one; resources of the API stand in for them.
  "AWS::ApiGateway::Deployment": partOf(`${restApi}/resources`, "f6g7h8"),
  "AWS::ApiGateway::RestApi": partOf("/restapis", "a1b2c3d4e5"),
  "AWS::ApiGateway::Stage": partOf(`${restApi}/resources`, "f6g7h8"),
  "AWS::Budgets::Budget": ({ Budget }) => arn("budgets", `budget/${Budget.BudgetName}`, { region: "" }),
  "AWS::CloudWatch::Alarm": ({ AlarmName }) => arn("cloudwatch", `alarm:${AlarmName}`),
  "AWS::CloudWatch::Dashboard": ({ DashboardName }) => arn("cloudwatch", `dashboard/${DashboardName}`, { region: "" }),
  "AWS::Cognito::IdentityPool": () => pool,
  "AWS::Cognito::IdentityPoolRoleAttachment": () => pool,
  "AWS::DynamoDB::Table": ({ TableName }) => arn("dynamodb", `table/${TableName}`),
  "AWS::Events::Rule": ({ Name }) => arn("events", `rule/${Name}`),
  "AWS::IAM::Role": ({ Path }, _, name) => role(name).replace("/prod-sqs-browser/", Path),
  "AWS::Kinesis::Stream": ({ Name }) => arn("kinesis", `stream/${Name}`),
  // Where an action is for streams too, the simulator cannot tell a consumer's ARN from a stream's.
  "AWS::Kinesis::StreamConsumer": ({ ConsumerName }, action) => (/:Register|[Tt]ag/.test(action) ? stream : `${stream}/consumer/${ConsumerName}:1767225600`),
  "AWS::Lambda::EventInvokeConfig": lambda,
  "AWS::Lambda::EventSourceMapping": () => arn("lambda", "event-source-mapping:00000000-0000-4000-8000-000000000000"),
  "AWS::Lambda::Function": lambda,
  "AWS::Lambda::Permission": lambda,
  "AWS::Logs::LogGroup": ({ LogGroupName }) => arn("logs", `log-group:${LogGroupName}`),
  "AWS::SNS::Topic": ({ TopicName }) => arn("sns", TopicName),
  "AWS::SQS::Queue": ({ QueueName }) => arn("sqs", QueueName),
};

const SERVICES = {
  ApiGateway: "apigateway.amazonaws.com",
  Cognito: "cognito-identity.amazonaws.com",
  Events: "events.amazonaws.com",
  Lambda: "lambda.amazonaws.com",
  SNS: "sns.amazonaws.com",
};

/** What a call says of itself besides, by its action. */
const CONTEXT = {
  "iam:PassRole": ({ Type }) => ({ "iam:PassedToService": SERVICES[Type.split("::")[1]] }),
  "lambda:AddPermission": ({ Properties }) => ({ "lambda:Principal": Properties.Principal }),
  "s3:GetObject": () => ({ "aws:ResourceAccount": "111122223333" }),
};
const mapping = ({ Properties }) => ({ "lambda:FunctionArn": lambda(Properties) });

const CODE = "arn:aws:s3:::aws-sam-cli-managed-default-samclisourcebucket-1a2b3c/prod-sqs-browser-events/package";

/** Where an action is, if that is not the resource itself, by the resource's type. */
const ELSEWHERE = {
  "iam:CreateServiceLinkedRole": () => arn("iam", "role/aws-service-role/replication.dynamodb.amazonaws.com/AWSServiceRoleForDynamoDBReplication", { region: "" }),
  "iam:PassRole": () => role("SomeRole"),
  "s3:GetObject": (type) => (type === "AWS::Lambda::Function" ? CODE : "arn:aws:s3:::another-bucket/object"),
};

/** Permissions of the handlers that this template does not need, by type and permission, each with why. */
const NOT_NEEDED = [
  [/./, /^kms:/, "no resource has a key of one's own; AWS's keys are open to whoever may use their service"],
  [/Lambda::Function/, /^(ec2|elasticfilesystem|s3files):/, "no function is in a VPC or has a file system"],
  [/Lambda::Function/, /:GetCodeSigning|:(Put|Delete)FunctionCodeSigning|LayerVersion|CapacityProvider|PublishVersion|GetObjectVersion/, "no layers, versions and signed or versioned code"],
  [/Lambda::Function/, /:Put(RuntimeManagement|FunctionRecursion|FunctionScaling)Config/, "AWS's defaults of these stay"],
  [/DynamoDB/, /^(kinesis|iam|logs|s3):|Replica|Import|:(En|Dis)ableKinesis|UpdateKinesis/, "no replica, import, or copy of changes elsewhere"],
  [/DynamoDB/, /:(Get|Put|Update|Delete|BatchWrite)Item|:(Scan|Query)$/, "who deploys has no business with items; they are for replicas"],
  [/DynamoDB/, /:(Put|Delete)ResourcePolicy/, "a table is not shared with other accounts"],
  [/DynamoDB/, /:UpdateContributorInsights/, "they are not switched on"],
  [/Kinesis/, /EnhancedMonitoring|MaxRecordSize|WarmThroughput|UpdateStreamMode/, "the template sets none of them"],
  [/Kinesis/, /:StopStreamEncryption/, "the stream stays encrypted"],
  [/IAM::Role/, /:(At|De)tachRolePolicy/, "every role has its own policies, and none of AWS's"],
  [/IAM::Role/, /:DeleteRolePermissionsBoundary/, "a boundary is not for those to take away whom it bounds"],
  [/IdentityPool$/, /^cognito-sync:/, "nothing is synchronized, pushed or streamed"],
  [/SNS/, /^iam:|:PutDataProtectionPolicy/, "deliveries are not logged, and messages not searched"],
  [/Logs/, /^(s3|firehose):|LogDelivery|:(Put|Delete)(ResourcePolicy|IndexPolicy)|:PutDataProtectionPolicy/, "logs go nowhere else, and have no policies or indexes"],
  [/Logs/, /KmsKey|BearerToken|DeletionProtection/, "the template sets none of them"],
  [/Events/, /^iam:/, "a rule that invokes a function takes no role"],
  [/RestApi/, /^(s3|iam):|UpdateRestApiPolicy/, "the API is described in the template, takes no role and has no policy of its own"],
];
const notNeeded = (type, action) => NOT_NEEDED.findIndex(([types, actions]) => types.test(type) && actions.test(action));

/** Every call of CloudFormation's handlers, but lists of all resources. */
const calls = Object.entries(stack).flatMap(([name, resource]) => {
  const { list, ...verbs } = handlers[resource.Type];
  return [...new Set(Object.values(verbs).flat())].map((action) => ({ name, resource, action }));
});

const placeOf = ({ name, resource: { Type, Properties }, action }) => ELSEWHERE[action]?.(Type) ?? PLACES[Type](Properties, action, name);

const isAllowed = (call) => {
  const { resource, action } = call;
  const context = resource.Type.endsWith("EventSourceMapping") ? mapping(resource) : CONTEXT[action]?.(resource);
  return allowed(policies, action, placeOf(call), { context });
};

test("every type of resource is known", () => {
  assert.deepEqual(types.filter((type) => !Object.keys(handlers[type] ?? {}).length), []);
  assert.deepEqual(types.toSorted(), Object.keys(PLACES).toSorted());
});

test("whoever deploys may do all that CloudFormation needs, and nothing that this template does not need", async () => {
  const used = new Set();
  for (const call of calls) {
    const { resource: { Type }, name, action } = call;
    const exception = notNeeded(Type, action);
    if (exception >= 0) used.add(exception);
    // What no statement names is refused everywhere, and what is of another service is on no resource of this one.
    const isElsewhere = !(action in ELSEWHERE) && !placeOf(call).startsWith(`arn:aws:${action.split(":")[0]}:`);
    if (exception >= 0 && (!granted.has(action) || isElsewhere)) continue;
    assert.equal(await isAllowed(call), exception < 0, `${Type} ${name}: ${action}`);
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
  // Tags of the stack itself, which `sam deploy --tags` gives to all that take some.
  const tagging = ["dynamodb:UntagResource", "kinesis:TagResource", "lambda:ListTags", "logs:UntagResource"];
  const all = new Set([...needed, ...Object.keys(COMMANDS), ...tagging]);
  assert.deepEqual([...granted].filter((action) => !all.has(action)), []);
});

/** Actions that AWS lets nobody narrow down to a resource, or that need all, each with why. */
const WITHOUT_RESOURCE = {
  "cloudformation:DescribeStacks": "sam looks for the stack of its bucket, and for nested ones",
  "cloudwatch:DescribeAlarms": "composite alarms are told only to whoever may describe all",
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
