import { expect } from "vitest";
import { publish, refresh, SOON, sqs, visitor } from "../src/backend.js";
import { came, connected, expectAll, logOf, test } from "../src/pages.js";

const QUICK = { visibilityTimeout: 2, deleteDelay: 0.5, waitTime: 2, maxBackoff: 2 };

test("keys that stop working in flight are replaced, and nothing is lost", async ({ context, open }) => {
  const user = visitor();
  const page = await open(context, { visitor: user, options: QUICK });
  await publish(user, 100);
  await came(page, 20);
  // The queue's tag moves to another identity: from now on the page's keys are refused.
  await refresh(user);
  await publish(user, 100, { first: 100 });
  await expectAll(page, 200);
  const { reasons, renewals } = await logOf(page);
  expect(reasons).toEqual(["start", "expired"]);
  expect(renewals).toBe(1);
});

test("keys that expire soon are renewed once, without a pause in polling", async ({ context, open }) => {
  const user = visitor();
  const page = await open(context, { visitor: user, options: { ...QUICK, waitTime: 1 }, expireIn: SOON });
  await publish(user, 50);
  await page.waitForFunction(() => globalThis.log.renewals > 0);
  await publish(user, 50, { first: 50 });
  await expectAll(page, 100);
  const { reasons, states } = await logOf(page);
  expect(reasons).toEqual(["start", "renew"]);
  expect(states).toEqual(["connecting", "connected"]);
});

test("a deleted queue is replaced, and the history fills the gap", async ({ context, open }) => {
  const user = visitor();
  const page = await open(context, { visitor: user, options: QUICK });
  await publish(user, 5);
  await expectAll(page, 5);
  await sqs("DeleteQueue", { QueueUrl: (await logOf(page)).queue });
  // These find no queue, and stay in the history.
  await publish(user, 5, { first: 5 });
  await page.waitForFunction(() => globalThis.log.gaps.length > 0);
  await came(page, 10);
  await publish(user, 5, { first: 10 });
  await expectAll(page, 15);
  const { gaps, fromHistory } = await logOf(page);
  expect(gaps).toEqual(["queue"]);
  expect(fromHistory.toSorted((a, b) => a - b)).toEqual([5, 6, 7, 8, 9]);
});

test("offline for a while: it says so, and everything comes afterwards", async ({ context, open }) => {
  const user = visitor();
  const page = await open(context, { visitor: user, options: QUICK });
  await context.setOffline(true);
  await page.waitForFunction(() => globalThis.events.state === "connecting");
  await publish(user, 30);
  await context.setOffline(false);
  await connected(page);
  await expectAll(page, 30);
  expect((await logOf(page)).errors).toEqual([]);
});

test("a handler that throws gets the message again, and others are not held up", async ({
  context,
  open,
}) => {
  const user = visitor();
  const thrown: string[] = [];
  const options = { ...QUICK, visibilityTimeout: 1, maxAttempts: 3 };
  const page = await open(context, { visitor: user, options, throwing: { 3: 1 } });
  page.on("pageerror", ({ message }) => thrown.push(message));
  await publish(user, 10);
  await expectAll(page, 10);
  expect(thrown).toEqual(["no 3"]);
  expect((await logOf(page)).numbers.at(-1)).toBe(3);
});

test("a handler that always throws is told once that the message was given up", async ({ context, open }) => {
  const user = visitor();
  const options = { ...QUICK, visibilityTimeout: 1, maxAttempts: 2 };
  const page = await open(context, { visitor: user, options, throwing: { 3: 99 } });
  await publish(user, 4);
  await page.waitForFunction(() => globalThis.log.errors.length > 0);
  await expectAll(page, 3);
  expect((await logOf(page)).errors).toEqual([
    { code: "handler", messageId: expect.any(String), message: "handler: no 3" },
  ]);
});
