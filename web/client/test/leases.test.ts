/** What a page does with messages that it has taken, as far as SQS and the clocks see it. */
import { beforeEach, expect, it } from "vitest";
import type { FakeTab } from "./support/browser.js";
import { type Page, settle, World } from "./support/world.js";

let world: World;
beforeEach(() => {
  world = new World();
});

const never = () => new Promise<never>(() => {});

it("stay hidden when a machine has slept: their clock is looked at every two minutes", async () => {
  let slept = 0;
  const tab = world.tab();
  const now = () => tab.environment.now() + slept * 1000;
  const page = world.page({ visibilityTimeout: 3600, environment: { ...tab.environment, now } }, tab);
  page.handle = never;
  await page.connect();
  await world.send("a");
  await world.clock.advance(10);
  expect(world.sqs.changes().map(({ visibility }) => visibility)).toEqual([[3600]]);
  // The timers of a machine that sleeps stand still.
  slept = 2000;
  world.sqs.ahead = slept;
  await world.clock.advance(120);
  expect(world.sqs.changes().map(({ visibility }) => visibility)).toEqual([[3600], [7200]]);
});

it("leave no timer behind when the client disconnects while a handler works", async () => {
  const page = world.page({ visibilityTimeout: 3600, handlerTimeout: 5 });
  page.handle = never;
  await page.connect();
  await world.send("a");
  await world.clock.advance(10);
  await page.events.disconnect();
  await settle();
  expect(world.clock.timers).toBe(0);
});

it("leave no timer behind when they have been handled", async () => {
  const page = await world.page({ visibilityTimeout: 3600 }).connect();
  await world.send("a", "b");
  await world.send("c");
  await page.events.disconnect();
  await settle();
  expect(page.seen).toEqual(["a", "b", "c"]);
  expect(world.sqs.left(world.session)).toBe(0);
  expect(world.clock.timers).toBe(0);
});

it.each([null, undefined, {}, { SentTimestamp: "x", ApproximateReceiveCount: "y" }])(
  "are handled though SQS says of them %j",
  async (Attributes) => {
    const tab = world.tab();
    const fetch: typeof tab.environment.fetch = async (url, init) => {
      const response = await tab.environment.fetch(url, init);
      const body = await response.json();
      for (const message of body.Messages ?? []) message.Attributes = Attributes;
      return { ...response, json: async () => body };
    };
    const page = await world.page({ environment: { fetch } }, tab).connect();
    await world.send("a");
    await world.clock.advance(10);
    expect(page.seen).toEqual(["a"]);
    expect(page.metadata[0]).toMatchObject({ sentAt: undefined, deliveries: 1 });
    expect(world.sqs.left(world.session)).toBe(0);
    expect([page.errors, tab.reported]).toEqual([[], []]);
  },
);

/** A page that hides its messages for longer after two seconds; `meanwhile` happens while that is being signed. */
async function hidingLonger(meanwhile: (tab: FakeTab) => void, handle: Page["handle"]) {
  const tab = world.tab();
  let due = false;
  const setTimeout: typeof tab.environment.setTimeout = (callback, milliseconds) =>
    tab.environment.setTimeout(() => {
      callback();
      if (due) meanwhile(tab);
      due = false;
    }, milliseconds);
  const page = world.page({ pauseWhenHidden: true, environment: { setTimeout } }, tab);
  page.handle = handle;
  await page.connect();
  await world.send("a", "b");
  await world.clock.advance(1);
  due = true;
  await world.clock.advance(2);
  expect(due).toBe(false);
  return world.sqs.changes().map(({ visibility }) => visibility);
}

it("are not hidden again by what was being signed when the page gave them back", async () => {
  expect(await hidingLonger((tab) => tab.hide(), never)).toEqual([[0, 0]]);
});

it("are not hidden again by what was being signed when their handlers failed", async () => {
  let fail = () => {};
  const failing = new Promise<never>((_, reject) => {
    fail = () => reject(new Error("no"));
  });
  const changes = await hidingLonger(fail, ({ messageId }) => (messageId === "a" ? failing : never()));
  // One of two is hidden for longer; the other comes again.
  expect(changes).toEqual([[30], [1]]);
});
