// What the documents of docs/policies allow to backends.

import assert from "node:assert/strict";
import { test } from "node:test";
import { allowed, api, arn, document } from "./simulator.mjs";

const stream = arn("kinesis", "stream/prod-sqs-browser-event-dispatcher");
const SESSIONS = ["/create/42/tab/7", "/create/42/tab", "/renew/42/tab", "/status/42/tab", "/destroy/42/tab"];
const PUBLISHING = ["/notify", "/notify/42", "/notify/42/user/7", "/notify/42/user/7/session/tab", "/notify/42/session/tab"];
const READING = ["/messages/user/7", "/messages/user/7/unread", "/presence/42", "/presence/user/7"];
const MARKING = ["/messages/set-read/user/7/message/m", "/messages/set-read/user/7/asof/1"];
const OPERATING = ["/cleanup", "/status"];
const ALL = [...SESSIONS, ...PUBLISHING, ...READING, ...MARKING, ...OPERATING];

/** The paths of the API that a document opens by a method. */
async function opened(name, method, paths = ALL) {
  const policy = document(name);
  const answers = await Promise.all(paths.map((path) => allowed([policy], "execute-api:Invoke", api(method, path))));
  return paths.filter((_, index) => answers[index]);
}

test("who publishes does nothing else", async () => {
  assert.deepEqual(await opened("backend-publish", "POST"), PUBLISHING);
  assert.ok(await allowed([document("backend-publish")], "kinesis:PutRecords", stream));
  assert.ok(!(await allowed([document("backend-publish")], "kinesis:GetRecords", stream)));
  assert.ok(!(await allowed([document("backend-publish")], "kinesis:PutRecord", stream.replace("prod", "test"))));
});

test("who manages sessions sees and ends those it names, and has no list of all", async () => {
  assert.deepEqual(await opened("backend-sessions", "POST"), SESSIONS);
  assert.ok(!(await allowed([document("backend-sessions")], "kinesis:PutRecord", stream)));
});

test("who reads changes nothing", async () => {
  assert.deepEqual(await opened("backend-read", "GET"), READING);
  assert.deepEqual(await opened("backend-read", "POST"), []);
});

test("who serves one account reaches no other, and nothing that is not an account's", async () => {
  const own = [...SESSIONS, ...PUBLISHING.filter((path) => path !== "/notify"), "/presence/42"];
  assert.deepEqual((await opened("backend-account", "GET")).sort(), own.sort());
  const others = own.map((path) => path.replace("/42", "/421"));
  assert.deepEqual(await opened("backend-account", "GET", others), []);
  // A record on the stream names its account itself.
  assert.ok(!(await allowed([document("backend-account")], "kinesis:PutRecord", stream)));
});

test("a document is for one stage", async () => {
  for (const name of ["backend-publish", "backend-sessions", "backend-read", "backend-account"]) {
    const elsewhere = ALL.map((path) => api("GET", path).replace("/prod/", "/test/"));
    for (const resource of elsewhere) {
      assert.ok(!(await allowed([document(name)], "execute-api:Invoke", resource)), `${name}: ${resource}`);
    }
  }
});
