// What CloudFormation's handlers call for every resource of the template with everything on, by what AWS's schemas say.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { allowed, arn } from "./simulator.mjs";
import { SETS } from "./stacks.mjs";
import { bin, translated } from "./translated.mjs";

const stack = translated(...SETS["everything on"]).Resources;
export const types = [...new Set(Object.values(stack).map(({ Type }) => Type))];
const script = fileURLToPath(new URL("handlers.py", import.meta.url));
export const handlers = JSON.parse(execFileSync(`${bin}python`, [script, ...types], { encoding: "utf8" }));
// Its schema says nothing of permissions.
handlers["AWS::Budgets::Budget"] = {
  create: ["budgets:ModifyBudget", "budgets:TagResource"],
  read: ["budgets:ViewBudget", "budgets:ListTagsForResource"],
  update: ["budgets:ModifyBudget", "budgets:TagResource", "budgets:UntagResource"],
  delete: ["budgets:ModifyBudget"],
};

export const api = (path) => `arn:aws:apigateway:eu-west-1::${path}`;
const restApi = "/restapis/a1b2c3d4e5";
export const role = (name) => arn("iam", `role/prod-sqs-browser/prod-sqs-browser-events-${name}-1A2B3C4D5E6F`, { region: "" });
const pool = arn("cognito-identity", "identitypool/eu-west-1:00000000-0000-4000-8000-000000000000");
const tags = api(`/tags/${encodeURIComponent(api(restApi))}`);
const nameOf = (value) => (value.Ref ? nameOf(stack[value.Ref].Properties.FunctionName) : value);
const lambda = ({ FunctionName }) => arn("lambda", `function:${nameOf(FunctionName)}`);
const application = "prod-sqs-browser-events-ServerlessDeploymentApplication-1A2B3C4D5E6F";
/** Provisioned concurrency is a version's or an alias's, everything else the function's. */
const qualified = (properties, action) => lambda(properties) + (action.includes("ProvisionedConcurrency") ? ":live" : "");
export const stream = arn("kinesis", "stream/prod-sqs-browser-event-dispatcher");

/** A part of the API: calls make it in a collection, and tag it elsewhere. */
const partOf = (collection, id) => (_, action) => ({ "apigateway:POST": api(collection), "apigateway:PUT": tags })[action] ?? api(`${collection}/${id}`);

/** What a call of CodeDeploy is on: the shifts of a function, what they have in common, or how AWS shifts. */
const shift = (_, action) => {
  if (action.endsWith("DeploymentConfig")) return arn("codedeploy", "deploymentconfig:CodeDeployDefault.LambdaCanary10Percent5Minutes");
  if (action.endsWith("OnPremisesInstance")) return arn("codedeploy", "instance:a-machine");
  return arn("codedeploy", action.includes("Application") ? `application:${application}` : `deploymentgroup:${application}/a-group`);
};

/** The ARN of a resource of each type, by its properties, its logical name and the action. */
export const PLACES = {
  // The simulator's data takes the two ARNs of deployments, and of stages, for one; resources of the API stand in for them.
  "AWS::ApiGateway::Deployment": partOf(`${restApi}/resources`, "f6g7h8"),
  "AWS::ApiGateway::RestApi": partOf("/restapis", "a1b2c3d4e5"),
  "AWS::ApiGateway::Stage": partOf(`${restApi}/resources`, "f6g7h8"),
  "AWS::Budgets::Budget": ({ Budget }) => arn("budgets", `budget/${Budget.BudgetName}`, { region: "" }),
  "AWS::CloudWatch::Alarm": ({ AlarmName }) => arn("cloudwatch", `alarm:${AlarmName}`),
  "AWS::CloudWatch::Dashboard": ({ DashboardName }) => arn("cloudwatch", `dashboard/${DashboardName}`, { region: "" }),
  "AWS::CodeDeploy::Application": () => arn("codedeploy", `application:${application}`),
  "AWS::CodeDeploy::DeploymentGroup": shift,
  "AWS::Cognito::IdentityPool": () => pool,
  "AWS::Cognito::IdentityPoolRoleAttachment": () => pool,
  "AWS::DynamoDB::Table": ({ TableName }) => arn("dynamodb", `table/${TableName}`),
  "AWS::Events::Rule": ({ Name }) => arn("events", `rule/${Name}`),
  "AWS::IAM::Role": ({ Path }, _, name) => role(name).replace("/prod-sqs-browser/", Path),
  "AWS::Kinesis::Stream": ({ Name }) => arn("kinesis", `stream/${Name}`),
  // Where an action is for streams too, the simulator cannot tell a consumer's ARN from a stream's.
  "AWS::Kinesis::StreamConsumer": ({ ConsumerName }, action) => (/:Register|[Tt]ag/.test(action) ? stream : `${stream}/consumer/${ConsumerName}:1767225600`),
  "AWS::Lambda::Alias": (properties, action) => (action.startsWith("codedeploy:") ? shift(properties, action) : qualified(properties, action)),
  "AWS::Lambda::EventInvokeConfig": lambda,
  "AWS::Lambda::EventSourceMapping": () => arn("lambda", "event-source-mapping:00000000-0000-4000-8000-000000000000"),
  "AWS::Lambda::Function": lambda,
  "AWS::Lambda::Permission": lambda,
  "AWS::Lambda::Version": qualified,
  "AWS::Logs::LogGroup": ({ LogGroupName }) => arn("logs", `log-group:${LogGroupName}`),
  "AWS::SNS::Topic": ({ TopicName }) => arn("sns", TopicName),
  "AWS::SQS::Queue": ({ QueueName }) => arn("sqs", QueueName),
};

const SERVICES = {
  ApiGateway: "apigateway.amazonaws.com",
  CodeDeploy: "codedeploy.amazonaws.com",
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

export const CODE = "arn:aws:s3:::aws-sam-cli-managed-default-samclisourcebucket-1a2b3c/prod-sqs-browser-events/package";

/** Where an action is, if that is not the resource itself, by the resource's type. */
export const ELSEWHERE = {
  "iam:CreateServiceLinkedRole": () => arn("iam", "role/aws-service-role/replication.dynamodb.amazonaws.com/AWSServiceRoleForDynamoDBReplication", { region: "" }),
  "iam:PassRole": () => role("SomeRole"),
  "s3:GetObject": (type) => (type === "AWS::Lambda::Function" ? CODE : "arn:aws:s3:::another-bucket/object"),
};

/** Permissions of the handlers that this template does not need, by type and permission, each with why. */
export const NOT_NEEDED = [
  [/./, /^kms:/, "no resource has a key of one's own; AWS's keys are open to whoever may use their service"],
  [/Lambda::Function/, /^(ec2|elasticfilesystem|s3files):/, "no function is in a VPC or has a file system"],
  [/Lambda::Function/, /:GetCodeSigning|:(Put|Delete)FunctionCodeSigning|LayerVersion|CapacityProvider|GetObjectVersion/, "no layers, versions and signed or versioned code"],
  [/Lambda::(Alias|Version)/, /:(Put|Delete)ProvisionedConcurrency/, "no concurrency is provisioned"],
  [/CodeDeploy/, /OnPremisesInstance/, "functions are on no machine of one's own"],
  [/Lambda::(Function|Version)/, /:Put(RuntimeManagement|FunctionRecursion|FunctionScaling)Config/, "AWS's defaults of these stay"],
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
/** Which of them names a permission, or -1. */
export const notNeeded = (type, action) => NOT_NEEDED.findIndex(([types, actions]) => types.test(type) && actions.test(action));

/** Every call of CloudFormation's handlers, but lists of all resources. */
export const calls = Object.entries(stack).flatMap(([name, resource]) => {
  const { list, ...verbs } = handlers[resource.Type];
  return [...new Set(Object.values(verbs).flat())].map((action) => ({ name, resource, action }));
});

/** The ARN that a call is on. */
export const placeOf = ({ name, resource: { Type, Properties }, action }) => ELSEWHERE[action]?.(Type) ?? PLACES[Type](Properties, action, name);

/** Whether policies allow a call. */
export const isAllowed = (policies, call) => {
  const { resource, action } = call;
  const context = resource.Type.endsWith("EventSourceMapping") ? mapping(resource) : CONTEXT[action]?.(resource);
  return allowed(policies, action, placeOf(call), { context });
};
