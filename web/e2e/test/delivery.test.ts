import { expect, inject } from "vitest";
import { markRead, publish, visitor } from "../src/backend.js";
import { came, connected, expectAll, logOf, test } from "../src/pages.js";
import { SqsCalls, TestServer } from "../src/server.js";

/** Retries, gaps and changes of the leader show quickly. */
const QUICK = { visibilityTimeout: 2, deleteDelay: 0.5 };

test("two browsers of a user receive what is published by HTTP and by Kinesis", async ({
  browser,
  context,
  open,
}) => {
  const user = visitor();
  const other = await browser.newContext();
  const pages = [
    await open(context, { visitor: user, options: QUICK }),
    await open(other, { visitor: { ...user, session: "other" }, options: QUICK }),
  ];
  await publish(user, 3);
  await publish(user, 3, { first: 3, by: "kinesis" });
  for (const page of pages) await expectAll(page, 6);
  await other.close();
});

test("users with ids of all kinds receive what is theirs, side by side", async ({ context, open }) => {
  const { account, user } = visitor();
  const uuid = `f47ac10b-58cc-4372-a567-${user}`;
  const users = [user, `0${user}`, uuid, `auth0|${user}`, `ann+${user}@example.com`];
  const pages = await Promise.all(
    users.map((user, i) =>
      open(context, { visitor: { account: `acme|${account}`, user, session: `tab-${i}` }, options: QUICK }),
    ),
  );
  for (const [i, user] of users.entries()) {
    await publish({ account: `acme|${account}`, user }, 2, { first: 10 * i });
  }
  for (const [i, page] of pages.entries()) {
    await page.waitForFunction(() => globalThis.log.numbers.length >= 2);
    expect((await logOf(page)).numbers.sort()).toEqual([10 * i, 10 * i + 1]);
    const ids = await markRead(users[i] ?? "");
    expect(ids).toHaveLength(2);
    await page.waitForFunction(() => globalThis.log.receipts.length >= 2);
    expect((await logOf(page)).receipts.sort()).toEqual(ids.sort());
  }
});

test("a reload in the middle of a burst loses none and shows none twice", async ({ context, open }) => {
  const user = visitor();
  const leave = { at: 100, to: "itself" } as const;
  const page = await open(context, { visitor: user, options: QUICK, leave });
  await publish(user, 500);
  await page.waitForFunction(() => globalThis.log?.restored > 0);
  const { restored } = await logOf(page);
  expect(restored).toBeGreaterThanOrEqual(100);
  expect(restored).toBeLessThan(500);
  await expectAll(page, 500);
});

test("of two tabs one polls; when it closes in mid-burst, the other loses nothing", async ({
  context,
  open,
}) => {
  const polls = new SqsCalls();
  const proxy = await TestServer.start(polls.before(inject("stack").endpoint));
  const setup = { visitor: visitor(), options: QUICK, endpoint: proxy.url };
  const leader = await open(context, { ...setup, leave: { at: 100, to: "about:blank" } });
  const follower = await open(context, setup);
  await publish(setup.visitor, 40);
  for (const page of [leader, follower]) await came(page, 40);
  expect(polls.most).toBe(1);
  expect(await leader.evaluate(() => globalThis.events.leader)).toBe(true);
  expect(await follower.evaluate(() => globalThis.events.leader)).toBe(false);
  await publish(setup.visitor, 260, { first: 40 });
  await leader.waitForURL("about:blank");
  await expectAll(follower, 300);
  expect(await follower.evaluate(() => globalThis.events.leader)).toBe(true);
  proxy.stop();
});

test("an idle pair of tabs polls as often as one", async ({ context, open }) => {
  const polls = new SqsCalls();
  const proxy = await TestServer.start(polls.before(inject("stack").endpoint));
  const setup = { visitor: visitor(), options: { ...QUICK, waitTime: 1 }, endpoint: proxy.url };
  await open(context, setup);
  await open(context, setup);
  const start = { polls: polls.count("ReceiveMessage"), at: Date.now() };
  await expect.poll(() => polls.count("ReceiveMessage") - start.polls).toBeGreaterThanOrEqual(4);
  // Each poll waits for a second; two pollers would have made four in two.
  expect(Date.now() - start.at).toBeGreaterThan(2500);
  expect(polls.most).toBe(1);
  proxy.stop();
});

test("what was published while no page was open comes when one is", async ({ context, open }) => {
  const user = visitor();
  const first = await open(context, { visitor: user, options: QUICK });
  await first.close();
  await publish(user, 20);
  const second = await open(context, { visitor: user, options: QUICK });
  await connected(second);
  await expectAll(second, 20);
});
