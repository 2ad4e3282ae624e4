// What the functions' roles allow: what each needs, on this environment, and nothing on another.

import assert from "node:assert/strict";
import { test } from "node:test";
import { allowed, arn, policiesOf, roles } from "./simulator.mjs";

const all = roles();
const functions = Object.keys(all).filter((name) => !["BrowserRole", "CodeDeployRole"].includes(name));

const queue = (name) => arn("sqs", name);
const table = (name) => arn("dynamodb", `table/${name}`);
const lambda = (name) => arn("lambda", `function:prod-sqs-browser-${name}:live`);
const sessions = table("prod-sqs-browser-sessions");
const messages = table("prod-sqs-browser-messages");
const session = queue("prod-brws-x");
const failed = queue("prod-sqs-browser-failed");

/** A role, what it may do, and what it may not. */
const TABLE = {
  SessionManagerRole: {
    may: [
      ["sqs:CreateQueue", session],
      ["sqs:TagQueue", session],
      ["sqs:DeleteQueue", session],
      ["dynamodb:PutItem", sessions],
      ["dynamodb:Query", `${sessions}/index/userId-index`],
      ["lambda:InvokeFunction", lambda("session-manager")],
    ],
    mayNot: [
      ["sqs:SendMessage", session],
      ["sqs:ReceiveMessage", session],
      ["sqs:CreateQueue", queue("prod-other")],
      ["sqs:DeleteQueue", failed],
      ["dynamodb:GetItem", messages],
      ["lambda:InvokeFunction", lambda("sqs-sender")],
    ],
  },
  EventDispatcherRole: {
    may: [
      ["dynamodb:GetItem", sessions],
      ["dynamodb:Scan", `${sessions}/index/sessionId-index`],
      ["lambda:InvokeFunction", lambda("sqs-sender")],
      ["lambda:InvokeFunction", lambda("user-history-adder")],
      ["sqs:SendMessage", queue("prod-sqs-browser-rejected")],
      ["kinesis:GetRecords", arn("kinesis", "stream/prod-sqs-browser-event-dispatcher")],
    ],
    mayNot: [
      ["sqs:SendMessage", session],
      ["dynamodb:PutItem", sessions],
      ["dynamodb:GetItem", messages],
      ["kinesis:PutRecord", arn("kinesis", "stream/prod-sqs-browser-event-dispatcher")],
      ["events:PutEvents", arn("events", "event-bus/default")],
      ["lambda:InvokeFunction", lambda("session-manager")],
    ],
  },
  SqsSenderRole: {
    may: [
      ["sqs:SendMessage", session],
      ["lambda:InvokeFunction", lambda("sqs-sender")],
      ["sqs:SendMessage", failed],
    ],
    mayNot: [
      ["sqs:ReceiveMessage", session],
      ["sqs:DeleteQueue", session],
      ["sqs:SendMessage", queue("prod-other")],
      ["dynamodb:GetItem", sessions],
    ],
  },
  UserHistoryAdderRole: {
    may: [
      ["dynamodb:PutItem", messages],
      ["dynamodb:UpdateItem", messages],
      ["lambda:InvokeFunction", lambda("event-dispatcher")],
    ],
    mayNot: [
      ["dynamodb:PutItem", sessions],
      ["dynamodb:DeleteItem", messages],
      ["sqs:SendMessage", session],
    ],
  },
  SessionUpdateProcessorRole: {
    may: [
      ["sqs:DeleteQueue", session],
      ["dynamodb:GetRecords", `${sessions}/stream/2026-01-01T00:00:00.000`],
      ["cognito-identity:DeleteIdentities", "*"],
    ],
    mayNot: [
      ["sqs:ReceiveMessage", session],
      ["sqs:DeleteQueue", failed],
      ["dynamodb:GetItem", sessions],
      ["cognito-identity:GetCredentialsForIdentity", "*"],
    ],
  },
  MessagesApiRole: {
    may: [
      ["dynamodb:Query", `${messages}/index/created-index`],
      ["dynamodb:BatchGetItem", messages],
      ["dynamodb:UpdateItem", messages],
      ["lambda:InvokeFunction", lambda("event-dispatcher")],
    ],
    mayNot: [
      ["dynamodb:DeleteItem", messages],
      ["dynamodb:GetItem", sessions],
      ["sqs:SendMessage", session],
    ],
  },
};

test("every function's role is in the table", () => {
  assert.deepEqual(Object.keys(TABLE).sort(), functions.sort());
});

for (const [role, { may, mayNot }] of Object.entries(TABLE)) {
  test(`${role} may do what its function needs, here and not in another environment`, async () => {
    const policies = policiesOf(all[role]);
    for (const [action, resource] of may) {
      assert.ok(await allowed(policies, action, resource), `${action} on ${resource}`);
      const elsewhere = resource.replace("prod-", "test-");
      const isStar = resource === "*";
      assert.ok(isStar || !(await allowed(policies, action, elsewhere)), `${action} on ${elsewhere}`);
    }
    for (const [action, resource] of mayNot) {
      assert.ok(!(await allowed(policies, action, resource)), `${action} on ${resource}`);
    }
  });
}

test("the bus may be told of unreached messages where the deployment has one, and no other bus", async () => {
  const policies = policiesOf(roles(["EventBusName=events"]).EventDispatcherRole);
  assert.ok(await allowed(policies, "events:PutEvents", arn("events", "event-bus/events")));
  assert.ok(!(await allowed(policies, "events:PutEvents", arn("events", "event-bus/default"))));
});

test("the dispatcher may read by enhanced fan-out where the deployment does, and by no other reader", async () => {
  const reader = (name) => arn("kinesis", `stream/${name}/consumer/${name}:1767225600`);
  const own = reader("prod-sqs-browser-event-dispatcher");
  for (const action of ["kinesis:SubscribeToShard", "kinesis:DescribeStreamConsumer"]) {
    const policies = policiesOf(roles(["StreamReader=fan-out"]).EventDispatcherRole);
    assert.ok(await allowed(policies, action, own), action);
    assert.ok(!(await allowed(policies, action, reader("test-sqs-browser-event-dispatcher"))), action);
    assert.ok(!(await allowed(policiesOf(all.EventDispatcherRole), action, own)), `${action} without fan-out`);
  }
});

test("functions may send traces where the deployment traces", async () => {
  const traced = roles(["Tracing=1"]);
  for (const role of functions) {
    for (const action of ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]) {
      assert.ok(await allowed(policiesOf(traced[role]), action, "*"), `${role}: ${action}`);
      assert.ok(!(await allowed(policiesOf(all[role]), action, "*")), `${role}: ${action} without tracing`);
    }
  }
});

/** Actions that AWS lets nobody narrow down to a resource, each with why the function calls it. */
const WITHOUT_RESOURCE = {
  "sqs:ListQueues": "the cleanup looks for queues that no session owns",
  "cognito-identity:GetId": "a guest's identity is asked for; the call names a pool, but IAM knows no resource for it",
  "cognito-identity:GetCredentialsForIdentity": "the keys of an identity; IAM knows no resource for it",
  "cognito-identity:DeleteIdentities": "the identity of a session that has ended; IAM knows no resource for it",
  "kinesis:ListStreams": "Lambda asks for it to read a stream, whatever its name",
  "dynamodb:ListStreams": "Lambda asks for it to read a table's stream",
  "xray:PutTraceSegments": "Lambda sends an invocation's trace; IAM knows no resource for it",
  "xray:PutTelemetryRecords": "what goes with a trace; IAM knows no resource for it",
};

test("no role has a star for a resource, but where AWS offers no other way", () => {
  const everything = roles(["StreamReader=fan-out", "Tracing=1", "EventBusName=events"]);
  for (const role of functions) {
    for (const { Action, Resource } of policiesOf(everything[role]).flatMap((policy) => policy.Statement)) {
      assert.ok(![].concat(Action).some((action) => action.includes(":*") || action === "*"), `${role}: ${Action}`);
      if ([].concat(Resource).includes("*")) {
        for (const action of [].concat(Action)) {
          assert.ok(action in WITHOUT_RESOURCE, `${role}: ${action} on every resource`);
        }
      }
    }
  }
});

test("each role is for Lambda only", () => {
  for (const role of functions) {
    const [statement, ...others] = all[role].AssumeRolePolicyDocument.Statement;
    assert.deepEqual([statement.Principal, others], [{ Service: "lambda.amazonaws.com" }, []], role);
  }
});
