// What the template's parameters make of it: translated by AWS's translator, and linted, for several sets of them.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "./simulator.mjs";
import { SETS, configured } from "./stacks.mjs";
import { bin, translated } from "./translated.mjs";

const stacks = Object.fromEntries(Object.entries(SETS).map(([name, set]) => [name, translated(...set).Resources]));

const ofType = (stack, type) => Object.values(stacks[stack]).filter((resource) => resource.Type === type);
const tables = (stack) => ofType(stack, "AWS::DynamoDB::Table");
const functions = (stack) => ofType(stack, "AWS::Lambda::Function");
const stage = (stack) => ofType(stack, "AWS::ApiGateway::Stage")[0].Properties;
const mapping = (stack) => stacks[stack].EventDispatcherStream.Properties;
const number = (value) => (value === undefined ? undefined : Number(value));

for (const name of Object.keys(SETS)) {
  test(`what CloudFormation gets is valid: ${name}`, () => {
    const dir = mkdtempSync(join(tmpdir(), "template-"));
    try {
      const file = join(dir, "template.json");
      writeFileSync(file, JSON.stringify({ Resources: stacks[name] }));
      const { status, stdout } = spawnSync(`${bin}cfn-lint`, [file], { encoding: "utf8" });
      assert.equal(status, 0, stdout);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  test(`while the stream is read, an entry of the failed queue goes before the record that it points to: ${name}`, () => {
    const kept = Number(stacks[name].Stream.Properties.RetentionPeriodHours) * 3600;
    const entry = Number(stacks[name].FailedQueue.Properties.MessageRetentionPeriod);
    // When it is parked, a record is as old as it may be, and an invocation older: three with what Lambda adds.
    const parked = mapping(name).MaximumRecordAgeInSeconds + 3 * stacks[name].EventDispatcher.Properties.Timeout;
    assert.ok(parked + entry <= kept, `${parked} + ${entry} <= ${kept}`);
    assert.ok(entry <= 1_209_600, "SQS keeps messages for 14 days at most");
  });
}

test("every retention that the stream may have has one of the failed queue", () => {
  const { EventDispatcherStream } = stacks.dev;
  for (const hours of [24, 48, 72, 168, 336]) {
    const { Stream, FailedQueue } = translated(`StreamRetentionHours=${hours}`).Resources;
    assert.equal(Number(Stream.Properties.RetentionPeriodHours), hours);
    const left = hours * 3600 - FailedQueue.Properties.MessageRetentionPeriod;
    assert.equal(left, 2 * EventDispatcherStream.Properties.MaximumRecordAgeInSeconds);
  }
});

test("SECURITY says for how long the queues of rejected and failed work keep what they have", () => {
  const security = readFileSync(`${root}docs/SECURITY.md`, "utf8");
  const seconds = (name) => stacks["no parameters"][name].Properties.MessageRetentionPeriod;
  const row = (of) => security.match(new RegExp(`^\\| the ${of} queue \\| .* \\| (.*) \\|$`, "m"))[1];
  assert.match(row("failed"), new RegExp(`StreamRetentionHours.*, ${seconds("FailedQueue") / 3600} by default`));
  assert.equal(row("rejected"), `${seconds("RejectedQueue") / 86_400} days`);
});

/** Whether tables are kept: by recovery, by protection, when the stack is deleted, when they are replaced. */
const keeping = (resources) =>
  Object.values(resources)
    .filter(({ Type }) => Type === "AWS::DynamoDB::Table")
    .map(({ Properties, DeletionPolicy, UpdateReplacePolicy }) => [
      Properties.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled,
      Properties.DeletionProtectionEnabled,
      DeletionPolicy,
      UpdateReplacePolicy,
    ]);
const KEPT = [true, true, "Retain", "Retain"];
const NOT_KEPT = [false, false, "Delete", "Delete"];

test("data is kept where Env is not dev, or where KeepData says so", () => {
  assert.deepEqual(keeping(stacks.dev), [NOT_KEPT, NOT_KEPT]);
  assert.deepEqual(keeping(stacks.staging), [KEPT, KEPT]);
  assert.deepEqual(keeping(stacks.prod), [KEPT, KEPT]);
  assert.deepEqual(keeping(translated("Env=dev", "KeepData=always").Resources), [KEPT, KEPT]);
  assert.deepEqual(keeping(translated("Env=prod", "KeepData=never").Resources), [NOT_KEPT, NOT_KEPT]);
});

test("nothing but the tables stays when a stack is deleted, for versions go with their functions", () => {
  for (const resources of Object.values(stacks)) {
    const stay = Object.values(resources).filter(({ DeletionPolicy }) => DeletionPolicy === "Retain");
    assert.ok(stay.every(({ Type }) => ["AWS::DynamoDB::Table", "AWS::Lambda::Version"].includes(Type)));
  }
});

const concurrency = (stack, name) => number(stacks[stack][name].Properties.ReservedConcurrentExecutions);

test("the sender and the histories have a concurrency of their own where it is set, and no ceiling elsewhere", () => {
  assert.deepEqual(["SqsSender", "UserHistoryAdder"].map((name) => concurrency("everything on", name)), [50, 20]);
  for (const name of Object.keys(stacks.dev).filter((name) => stacks.dev[name].Type === "AWS::Lambda::Function")) {
    assert.equal(concurrency("dev", name), undefined, name);
  }
});

test("calls of the API are bounded where it is set", () => {
  const [settings] = stage("everything on").MethodSettings;
  const { ThrottlingRateLimit, ThrottlingBurstLimit, ResourcePath, HttpMethod } = settings;
  assert.deepEqual([ResourcePath, HttpMethod, ThrottlingRateLimit, ThrottlingBurstLimit], ["/*", "*", "100", "200"]);
  assert.equal(stage("dev").MethodSettings, undefined);
  const { Properties } = Object.values(translated("ApiRateLimit=7").Resources).find(({ Type }) => Type.endsWith("::Stage"));
  assert.equal(Properties.MethodSettings[0].ThrottlingBurstLimit, "7");
});

test("the stream is read by all, or by enhanced fan-out", () => {
  assert.deepEqual(mapping("dev").EventSourceArn, { "Fn::GetAtt": ["Stream", "Arn"] });
  assert.equal(stacks.dev.StreamConsumer, undefined);
  assert.deepEqual(mapping("everything on").EventSourceArn, { "Fn::GetAtt": ["StreamConsumer", "ConsumerARN"] });
  // An update may leave what it does not name as it is: one that goes back to 1 says so.
  assert.deepEqual([mapping("dev"), mapping("everything on")].map((of) => number(of.ParallelizationFactor)), [1, 4]);
});

const capacity = ({ ProvisionedThroughput: units }) =>
  units && [units.ReadCapacityUnits, units.WriteCapacityUnits].map(Number);

test("tables and their indexes are on demand, or have the units that are set", () => {
  for (const { Properties } of tables("prod")) {
    assert.equal(Properties.BillingMode, "PAY_PER_REQUEST");
    assert.ok([Properties, ...(Properties.GlobalSecondaryIndexes ?? [])].every((of) => capacity(of) === undefined));
  }
  const { Sessions, Messages } = stacks["everything on"];
  assert.deepEqual([Sessions, Messages].map(({ Properties }) => Properties.BillingMode), ["PROVISIONED", "PROVISIONED"]);
  const sessions = [Sessions.Properties, ...Sessions.Properties.GlobalSecondaryIndexes];
  assert.deepEqual(sessions.map(capacity), [[11, 12], [11, 12], [11, 12]]);
  assert.deepEqual(capacity(Messages.Properties), [13, 14]);
});

test("X-Ray and access logs are on where they are set", () => {
  const modes = (stack) => [...new Set(functions(stack).map(({ Properties }) => Properties.TracingConfig.Mode))];
  assert.deepEqual([modes("dev"), stage("dev").TracingEnabled], [["PassThrough"], false]);
  assert.deepEqual([modes("everything on"), stage("everything on").TracingEnabled], [["Active"], true]);
  assert.deepEqual([stage("dev").AccessLogSetting, stacks.dev.ApiLogs], [undefined, undefined]);
  const { Format, DestinationArn } = stage("everything on").AccessLogSetting;
  assert.deepEqual(DestinationArn, { "Fn::GetAtt": ["ApiLogs", "Arn"] });
  assert.equal(JSON.parse(Format).route, "$context.resourcePath");
  // The path has ids of sessions.
  assert.ok(!/\$context\.path\b/.test(Format));
});

test("Lambda drops no line of ours, whatever its level", () => {
  for (const { Properties } of functions("dev")) {
    assert.deepEqual([Properties.LoggingConfig.LogFormat, Properties.LoggingConfig.ApplicationLogLevel], ["JSON", "TRACE"]);
  }
});

/** What has data: the resources that docs/stack-policy.json lets no update replace. */
const guarded = JSON.parse(readFileSync(`${root}docs/stack-policy.json`, "utf8"))
  .Statement.find(({ Effect }) => Effect === "Deny")
  .Resource.map((resource) => resource.replace("LogicalResourceId/", ""));

/** The dispatcher's event source mapping, by the name that SAM makes. */
const MAPPING = "EventDispatcherStream";

test("the stack policy guards everything that has data, and the mapping that would read the stream once more", () => {
  const types = ["AWS::Cognito::IdentityPool", "AWS::DynamoDB::Table", "AWS::Kinesis::Stream", "AWS::SQS::Queue"];
  const withData = Object.entries(stacks.prod).filter(([, { Type }]) => types.includes(Type));
  assert.deepEqual([...withData.map(([name]) => name), MAPPING].sort(), guarded.toSorted());
});

/** The properties that CloudFormation cannot change without making the resource anew. */
const REPLACING = {
  "AWS::Cognito::IdentityPool": [],
  "AWS::DynamoDB::Table": ["TableName", "KeySchema", "LocalSecondaryIndexes"],
  "AWS::Kinesis::Stream": ["Name"],
  "AWS::SQS::Queue": ["QueueName", "FifoQueue"],
};

test("no parameter but Env replaces what has data", () => {
  const fixed = (stack) =>
    guarded.filter((name) => name !== MAPPING).map((name) => {
      const { Type, Properties } = stacks[stack][name];
      return REPLACING[Type].map((property) => Properties[property]);
    });
  assert.deepEqual(fixed("everything on"), fixed("prod"));
  assert.notDeepEqual(fixed("staging"), fixed("prod"));
});

test("samconfig.toml sets parameters that there are, and grants what the template's transforms ask for", () => {
  const text = readFileSync(`${root}template.yaml`, "utf8");
  const [, parameters] = text.match(/^Parameters:\n([^]*?)^\w+:/m);
  const names = new Set([...parameters.matchAll(/^ {2}(\w+):$/gm)].map(([, name]) => name));
  for (const environment of ["default", "dev", "staging", "prod"]) {
    for (const parameter of configured(environment)) assert.ok(names.has(parameter.split("=")[0]), parameter);
  }
  const capabilities = [...readFileSync(`${root}samconfig.toml`, "utf8").matchAll(/^capabilities = "(.*)"$/gm)];
  assert.deepEqual(capabilities.map(([, of]) => of), Array(4).fill("CAPABILITY_IAM CAPABILITY_AUTO_EXPAND"));
});

test("every alarm tells the topic that is given, or one for the e-mail address, or else nobody", () => {
  const actions = (resources) => {
    const alarms = Object.values(resources).filter(({ Type }) => Type === "AWS::CloudWatch::Alarm");
    assert.ok(alarms.length > 15, `${alarms.length} alarms`);
    for (const { Properties } of alarms) assert.deepEqual(Properties.OKActions, Properties.AlarmActions);
    return alarms.map(({ Properties }) => JSON.stringify(Properties.AlarmActions));
  };
  const all = (resources) => new Set(actions(resources));
  const topic = "arn:aws:sns:eu-west-1:111122223333:operators";
  const given = translated(`AlarmTopicArn=${topic}`).Resources;
  assert.deepEqual([all(given), given.AlarmTopic], [new Set([`["${topic}"]`]), undefined]);
  assert.deepEqual(all(stacks["everything on"]), new Set(['[{"Ref":"AlarmTopic"}]']));
  assert.deepEqual([all(stacks.dev), stacks.dev.AlarmTopic], [new Set([undefined]), undefined]);
});

test("a budget is there where an amount and somebody to tell are given, and tells the topic and the address", () => {
  const [topic, address] = ["arn:aws:sns:eu-west-1:111122223333:operators", "operators@example.com"];
  const told = (...parameters) => translated("MonthlyBudget=500", ...parameters).Resources.Budget?.Properties;
  const [byMail, byTopic] = [{ SubscriptionType: "EMAIL", Address: address }, { SubscriptionType: "SNS", Address: topic }];
  const cases = [
    [[`AlarmEmail=${address}`], [byMail]],
    [[`AlarmTopicArn=${topic}`], [byTopic]],
    [[`AlarmEmail=${address}`, `AlarmTopicArn=${topic}`], [byMail, byTopic]],
  ];
  for (const [parameters, subscribers] of cases) {
    const { Budget, NotificationsWithSubscribers } = told(...parameters);
    assert.equal(Budget.BudgetLimit.Amount, "500");
    assert.deepEqual(NotificationsWithSubscribers.map(({ Subscribers }) => Subscribers), [subscribers, subscribers]);
  }
  assert.equal(told(), undefined);
  assert.equal(translated(`AlarmTopicArn=${topic}`).Resources.Budget, undefined);
});
