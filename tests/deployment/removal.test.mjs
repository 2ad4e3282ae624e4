// After the commands of OPERATIONS, "Remove an environment", nothing is left but what it names.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { root } from "./simulator.mjs";
import { SETS, configured, setting } from "./stacks.mjs";
import { translated } from "./translated.mjs";

const ENV = "prod";
const stack = translated(...SETS["everything on"]).Resources;
const ofType = (type) => Object.values(stack).filter((resource) => resource.Type === type);

const [, rest] = readFileSync(`${root}docs/OPERATIONS.md`, "utf8").split("\n## Remove an environment\n");
const [section] = rest.split("\n## ");

// What goes with the stack, whole: none of them has to be empty for it, or leaves a copy behind. What is new here has to
// be looked at.
const GOES = [
  "AWS::ApiGateway::Deployment", "AWS::ApiGateway::GatewayResponse", "AWS::ApiGateway::RestApi", "AWS::ApiGateway::Stage",
  "AWS::Budgets::Budget", "AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::CodeDeploy::Application",
  "AWS::CodeDeploy::DeploymentGroup", "AWS::Cognito::IdentityPool",
  "AWS::Cognito::IdentityPoolRoleAttachment", "AWS::DynamoDB::Table", "AWS::Events::Rule", "AWS::IAM::Role",
  "AWS::Kinesis::Stream", "AWS::Kinesis::StreamConsumer", "AWS::Lambda::Alias", "AWS::Lambda::EventInvokeConfig", "AWS::Lambda::EventSourceMapping",
  "AWS::Lambda::Function", "AWS::Lambda::Permission", "AWS::Lambda::Version", "AWS::Logs::LogGroup", "AWS::SNS::Topic", "AWS::SQS::Queue",
];

test("the stack has only what goes with it", () => {
  const types = new Set(Object.values(stack).map(({ Type }) => Type));
  assert.deepEqual([...types].filter((type) => !GOES.includes(type)), []);
});

test("what stays when the stack goes is deleted by a command", () => {
  const [, names] = section.match(/^for table in (.+); do$/m);
  const deleted = names.split(" ").map((name) => `${ENV}-sqs-browser-${name}`);
  assert.match(section, /^ {2}aws dynamodb delete-table --table-name prod-sqs-browser-\$table$/m);
  // A function's versions go with it, though the stack does not delete them one by one.
  const kept = ({ Type, DeletionPolicy = "Delete" }) => Type !== "AWS::Lambda::Version" && DeletionPolicy !== "Delete";
  const stays = (resources) => Object.values(resources).filter(kept);
  assert.deepEqual(stays(stack).map(({ Properties }) => Properties.TableName).sort(), deleted.sort());
  assert.deepEqual(stays(translated(`Env=${ENV}`, "KeepData=never").Resources), []);
});

test("all log groups are the stack's, and nobody makes another one", () => {
  const groups = ofType("AWS::Logs::LogGroup").map(({ Properties }) => Properties);
  for (const { LogGroupName, RetentionInDays } of groups) assert.ok(Number(RetentionInDays) > 0, LogGroupName);
  const functions = ofType("AWS::Lambda::Function").map(({ Properties }) => `/aws/lambda/${Properties.FunctionName}`);
  const expected = [...functions, `/aws/apigateway/${ENV}-sqs-browser`];
  assert.deepEqual(groups.map(({ LogGroupName }) => LogGroupName).sort(), expected.sort());
  // API Gateway makes one of its own where it logs executions.
  const [{ Properties }] = ofType("AWS::ApiGateway::Stage");
  assert.deepEqual(Properties.MethodSettings.filter(({ LoggingLevel }) => LoggingLevel), []);
});

test("what the functions make is deleted by sbe remove-all, or is in what the stack owns", () => {
  const statements = ofType("AWS::IAM::Role").flatMap(({ Properties }) =>
    Properties.Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement));
  const actions = new Set(statements.flatMap(({ Action }) => Action));
  assert.deepEqual([...actions].filter((action) => action.endsWith(":*") || action === "*"), []);
  const makes = [...actions].filter((action) => /:(Create|GetId$|GetOpenId|Register|Restore|Import|Start|Run)/.test(action));
  assert.deepEqual(makes.sort(), [
    "cognito-identity:GetId", "cognito-identity:GetOpenIdTokenForDeveloperIdentity", "logs:CreateLogStream", "sqs:CreateQueue",
  ]);
  assert.match(section, /^sbe remove-all prod /m);
});

test("packages of a stack are in a folder of its own, which goes with it", () => {
  for (const environment of ["default", "dev", "staging", "prod"]) {
    assert.deepEqual(setting(environment, "s3_prefix"), setting(environment, "stack_name"));
    // Without it an update keeps the tag `release-tag` of the first deployment.
    assert.ok(configured(environment).some((parameter) => parameter.startsWith("Version=")));
  }
  assert.match(section, /--prefix prod-sqs-browser-events\//);
});
