import type { BrowserContext, Page } from "playwright-core";
import { expect, inject } from "vitest";
import { destroy, publish, sqs, taken, visitor } from "../src/backend.js";
import { application, came, connected, disconnected, expectAll, hash, logOf, test } from "../src/pages.js";
import { freeze, thaw } from "../src/renderers.js";
import { MovedTag, SqsCalls, TestServer } from "../src/server.js";

/** What is only waited for comes soon; what is given back need not be waited for. */
const QUICK = { deleteDelay: 0.5, maxBackoff: 1 };

test("what a loop leaves waits for the next loop, also when nobody handles it meanwhile", async ({
  context,
  open,
}) => {
  const user = visitor();
  const options = { ...QUICK, visibilityTimeout: 2 };
  const page = await open(context, { visitor: user, options, idle: true });
  const loop = (count: number) =>
    page.evaluate(async (count) => {
      for await (const { n } of globalThis.messages(globalThis.events)) {
        globalThis.log.numbers.push(Number(n));
        if (globalThis.log.numbers.length === count) break;
      }
    }, count);
  await publish(user, 50);
  await loop(5);
  // The page holds what came: all but the four that are handled.
  const { queue } = await logOf(page);
  await publish(user, 10, { first: 50 });
  await expect.poll(() => taken(queue)).toBe(56);
  const { numbers } = await logOf(page);
  await page.evaluate(() => globalThis.log.numbers.pop());
  void loop(1000).catch(() => {});
  await expectAll(page, 60);
  expect((await logOf(page)).numbers.indexOf(numbers.at(-1) ?? -1)).toBe(4);
});

test("a getSession that does not answer is asked again", async ({ context, open }) => {
  const user = visitor();
  // A backend on a busy machine answers within it.
  const options = { ...QUICK, answerTimeout: 5 };
  const page = await open(context, { visitor: user, options, hanging: [1] });
  await publish(user, 1);
  await expectAll(page, 1);
  const { errors } = await logOf(page);
  expect(errors).toMatchObject([{ code: "session", message: expect.stringContaining("session: ") }]);
});

test("a getHistory that does not answer is asked again", async ({ context, open }) => {
  const user = visitor();
  const options = { ...QUICK, answerTimeout: 5, waitTime: 1 };
  const page = await open(context, { visitor: user, options, hangingHistory: true });
  await sqs("DeleteQueue", { QueueUrl: (await logOf(page)).queue });
  // These find no queue, and stay in the history.
  await publish(user, 5);
  await came(page, 5);
  const { errors, fromHistory } = await logOf(page);
  expect(fromHistory.toSorted()).toEqual([0, 1, 2, 3, 4]);
  expect(errors).toMatchObject([{ code: "history", message: "history: no answer for 5 s" }]);
});

test("a handler that never ends does not make the page deaf, and is told", async ({ context, open }) => {
  const user = visitor();
  const options = { ...QUICK, visibilityTimeout: 1, waitTime: 1, maxInFlight: 2, handlerTimeout: 3 };
  const page = await open(context, { visitor: user, options, stuck: [100, 101] });
  await publish(user, 2, { first: 100 });
  await page.waitForFunction(() => globalThis.log.errors.length === 2);
  await publish(user, 20);
  await came(page, 20);
  const { errors, numbers } = await logOf(page);
  expect(errors.map(({ code }) => code)).toEqual(["slow", "slow"]);
  expect(new Set(numbers).size).toBe(20);
});

/** What the console of a page says first when its program is wrong. */
async function firstError(context: BrowserContext, code: string): Promise<string> {
  const app = await application(`import { BrowserEvents } from "sqs-browser-events"; ${code}`);
  const page = await context.newPage();
  const error = page.waitForEvent("pageerror");
  await page.goto(app.url);
  const { message } = await error;
  await page.close();
  app.stop();
  return message;
}

const SESSION = 'fetch("/api/session", { method: "POST" }).then((reply) => reply.json())';

test("without an error handler the console tells what is wrong", async ({ context }) => {
  const cases = {
    [`new BrowserEvents({ getSession: async () => ({ success: true, session: await ${SESSION} }) }).connect()`]:
      /getSession must resolve to a session/,
    'new BrowserEvents({ getSession: async () => { throw new Error("HTTP 401"); } }).connect()':
      /session: HTTP 401/,
  };
  for (const [code, text] of Object.entries(cases)) expect(await firstError(context, code)).toMatch(text);
});

test("an option or an event that does not exist is refused, and the console tells it", async ({
  context,
}) => {
  const cases = {
    "new BrowserEvents({}).connect()": /getSession must be a function, not undefined/,
    [`new BrowserEvents({ getSession: () => ${SESSION}, waitTime: "abc" })`]:
      /waitTime must be a number from 1 to 20, not abc/,
    [`new BrowserEvents({ getSession: () => ${SESSION}, waittime: 20 })`]: /there is no option waittime/,
    [`new BrowserEvents({ getSession: () => ${SESSION} }).on("mesage", console.log)`]:
      /there is no event mesage/,
  };
  for (const [code, text] of Object.entries(cases)) expect(await firstError(context, code)).toMatch(text);
});

/** For how long a page hides messages whose handlers work, seconds: what is not given back comes after it. */
const HIDDEN = 120;

/** All came long before messages would have come that were not given back. */
async function expectSoon(page: Page, count: number, since: number): Promise<void> {
  page.setDefaultTimeout((HIDDEN / 2) * 1000);
  await came(page, count);
  console.log(`the last of ${count} came ${(Date.now() - since) / 1000} s after the reload`);
  await expectAll(page, count);
}

test("after a reload in mid-burst all is there soon", async ({ context, open }) => {
  const user = visitor();
  const options = { visibilityTimeout: HIDDEN };
  const page = await open(context, { visitor: user, options, leave: { at: 100, to: "itself" } });
  await publish(user, 300);
  await page.waitForFunction(() => globalThis.log?.restored > 0);
  await expectSoon(page, 300, Date.now());
});

test("a page that is reloaded gives back what its handlers had, before the next one polls", async ({
  context,
  open,
}) => {
  const calls = new SqsCalls();
  const proxy = await TestServer.start(calls.before(inject("stack").endpoint));
  const options = { ...QUICK, visibilityTimeout: HIDDEN, maxInFlight: 40 };
  const setup = { visitor: visitor(), options, endpoint: proxy.url };
  // A third stay in their handlers. The page is full of them before it has all.
  const stuck = Array.from({ length: 100 }, (_, i) => 3 * i);
  const page = await open(context, { ...setup, stuck });
  const { queue } = await logOf(page);
  await publish(setup.visitor, 300);
  // It polls no more, and all that it holds is hidden for longer than at first.
  await expect.poll(() => calls.quiet()).toBeGreaterThan(5000);
  const held = await taken(queue);
  expect(held).toBeGreaterThanOrEqual(40);
  const before = calls.all.length;
  await page.evaluate((hash) => history.replaceState(null, "", hash), hash(setup));
  const reloaded = Date.now();
  await page.reload();
  await expectSoon(page, 300, reloaded);
  // The next page has other keys.
  const key = calls.all[before - 1]?.accessKey;
  const next = calls.all.findIndex(({ accessKey }, i) => i >= before && accessKey !== key);
  const between = calls.all.slice(before, next).map(({ action }) => action);
  const gaveBack = between.filter((action) => action === "ChangeMessageVisibilityBatch").length;
  expect(gaveBack * 10).toBeGreaterThanOrEqual(held);
  proxy.stop();
});

test("a page that Chromium freezes in mid-burst catches up when it thaws", async ({ context, open }) => {
  const user = visitor();
  const page = await open(context, { visitor: user, options: QUICK, slow: 20 });
  const { queue } = await logOf(page);
  await publish(user, 100);
  await came(page, 10);
  await freeze(page);
  // It has said so in time, and given back what it had: all else can be handed out.
  expect((await logOf(page)).states.at(-1)).toBe("paused");
  const before = (await logOf(page)).numbers.length;
  await expect.poll(() => taken(queue)).toBe(0);
  await publish(user, 20, { first: 100 });
  expect((await logOf(page)).numbers.length).toBe(before);
  await thaw(page);
  await expectAll(page, 120);
});

test("a frozen tab hands over to another, and gets what it missed when it thaws", async ({
  context,
  open,
}) => {
  const setup = { visitor: visitor(), options: { ...QUICK, waitTime: 1 } };
  const leader = await open(context, setup);
  const follower = await open(context, setup);
  await publish(setup.visitor, 50);
  await came(leader, 10);
  await freeze(leader);
  await publish(setup.visitor, 50, { first: 50 });
  await expectAll(follower, 100);
  await thaw(leader);
  await expectAll(leader, 100);
  expect((await logOf(leader)).gaps).toEqual(["asleep"]);
});

test("a log-out reaches all tabs, so that none creates the session again", async ({ context, open }) => {
  const setup = { visitor: visitor(), options: { ...QUICK, waitTime: 1 } };
  const leader = await open(context, setup);
  const follower = await open(context, setup);
  await leader.evaluate(() => globalThis.events.disconnect({ everywhere: true }));
  await destroy(setup.visitor);
  await disconnected(follower);
  expect((await logOf(follower)).reasons).toEqual(["start"]);
});

test("a log-out reaches all tabs from one that has no session yet, and from one that has disconnected", async ({
  context,
  open,
}) => {
  const setup = { visitor: visitor(), options: { ...QUICK, waitTime: 1 } };
  const asking = await open(context, { ...setup, hanging: [1] }, false);
  await asking.waitForFunction(() => globalThis.log?.reasons.length === 1);
  const gone = await open(context, setup);
  await gone.evaluate(() => globalThis.events.disconnect());
  for (const from of [asking, gone]) {
    const others = [await open(context, setup), await open(context, setup)];
    await from.evaluate(() => globalThis.events.disconnect({ everywhere: true }));
    for (const page of [...others, from]) await disconnected(page);
    // Keys that another tab's start has replaced may have been asked for again before.
    for (const page of others) {
      const { reasons } = await logOf(page);
      expect(reasons.filter((reason) => reason === "start")).toEqual(["start"]);
    }
  }
});

test("a log-out reaches a tab whose session is on its way", async ({ context, open }) => {
  const setup = { visitor: visitor(), options: { ...QUICK, waitTime: 1 } };
  const page = await open(context, setup);
  let answer = () => {};
  const told = new Promise<void>((resolve) => {
    answer = resolve;
  });
  await context.route("**/api/session?*", async (route) => {
    const response = await route.fetch();
    await told;
    await route.fulfill({ response });
  });
  const asking = await open(context, setup, false);
  await asking.waitForFunction(() => globalThis.log?.reasons.length === 1);
  await page.evaluate(() => globalThis.events.disconnect({ everywhere: true }));
  answer();
  for (const tab of [page, asking]) await disconnected(tab);
  expect((await logOf(asking)).states).toEqual(["connecting", "disconnected"]);
});

test("a log-out reaches a frozen tab before it asks for a session again", async ({ context, open }) => {
  const setup = { visitor: visitor(), options: { ...QUICK, waitTime: 1 } };
  const page = await open(context, setup);
  const frozen = await open(context, setup);
  await freeze(frozen);
  await page.evaluate(() => globalThis.events.disconnect({ everywhere: true }));
  await destroy(setup.visitor);
  await thaw(frozen);
  await disconnected(frozen);
  expect((await logOf(frozen)).reasons).toEqual(["start"]);
});

test("an UnrecoverableError of a new tab ends those whose backend says the same", async ({
  context,
  open,
}) => {
  const setup = { visitor: visitor(), options: { ...QUICK, waitTime: 1 } };
  const other = await open(context, { ...setup, visitor: visitor() });
  const tabs = [await open(context, setup), await open(context, setup)];
  for (const page of tabs) {
    await page.evaluate(() => {
      globalThis.loggedOut = true;
    });
  }
  await context.addInitScript(() => {
    globalThis.loggedOut = true;
  });
  tabs.push(await open(context, setup, false));
  for (const page of tabs) {
    await disconnected(page);
    expect(await page.evaluate(() => String(globalThis.events.status.reason))).toMatch("logged out");
  }
  await other.waitForFunction(() => globalThis.log.reasons.includes("renew"));
  await connected(other);
});

test("an UnrecoverableError of one tab ends all", async ({ context, open }) => {
  const setup = { visitor: visitor(), options: { ...QUICK, waitTime: 1 } };
  const leader = await open(context, setup);
  const follower = await open(context, setup);
  // The keys have worked, so that a refusal is none of new ones.
  await publish(setup.visitor, 1);
  await came(follower, 1);
  await leader.evaluate(() => {
    globalThis.loggedOut = true;
  });
  await destroy(setup.visitor);
  for (const page of [leader, follower]) {
    await disconnected(page);
    expect(await page.evaluate(() => String(globalThis.events.status.reason))).toMatch("logged out");
  }
  expect((await logOf(follower)).reasons).toEqual(["start"]);
});

test("a page whose keys have expired says that it receives nothing, and why", async ({ context, open }) => {
  const setup = { visitor: visitor(), options: { ...QUICK, waitTime: 1, answerTimeout: 2 } };
  const page = await open(context, { ...setup, expireIn: 8, hanging: [2, 3, 4, 5] });
  await page.waitForFunction(() => globalThis.events.state === "connecting");
  await page.waitForFunction(() => String(globalThis.events.status.reason).includes("no answer for"));
  await connected(page);
  expect(await page.evaluate(() => globalThis.events.status)).toEqual({ state: "connected" });
  expect((await logOf(page)).states).toEqual(["connecting", "connected", "connecting", "connected"]);
});

// These mostly wait, and so do it together.
test.concurrent("polling goes on while a renewal hangs, and it is told", async ({
  context,
  open,
  expect,
}) => {
  const user = visitor();
  const hanging = Array.from({ length: 20 }, (_, i) => i + 2);
  const options = { ...QUICK, waitTime: 1, answerTimeout: 1 };
  const page = await open(context, { visitor: user, options, expireIn: 26, hanging });
  await page.waitForFunction(() => globalThis.log.errors.length > 0);
  await publish(user, 5);
  await came(page, 5);
  const { errors, renewals, states } = await logOf(page);
  expect(errors[0]).toMatchObject({ code: "session" });
  expect([renewals, states]).toEqual([0, ["connecting", "connected"]]);
});

test.concurrent("what a page has not handled when it disconnects or hides is free at once", async ({
  context,
  open,
  expect,
}) => {
  const user = visitor();
  const calls = new SqsCalls();
  const proxy = await TestServer.start(calls.before(inject("stack").endpoint));
  const options = { ...QUICK, pauseWhenHidden: true };
  const page = await open(context, { visitor: user, options, stuck: [0, 1], endpoint: proxy.url });
  const { queue } = await logOf(page);
  // Their handlers work for so long that they are hidden for half a minute.
  const prolonged = async (times: number) => {
    await expect.poll(() => calls.count("ChangeMessageVisibilityBatch")).toBe(times);
    expect(await taken(queue)).toBe(2);
  };
  await publish(user, 2);
  await prolonged(1);
  await page.evaluate(() => {
    Object.defineProperty(document, "hidden", { value: true, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await expect.poll(() => taken(queue)).toBe(0);
  await page.evaluate(() => {
    Object.defineProperty(document, "hidden", { value: false });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await prolonged(3);
  await page.evaluate(() => globalThis.events.disconnect());
  // A poll that was broken off may have taken them, for a few seconds.
  await expect.poll(() => taken(queue)).toBe(0);
  proxy.stop();
});

test.concurrent("a deletion that has waited is signed anew", async ({ context, open, expect }) => {
  const user = visitor();
  const calls = new SqsCalls();
  const proxy = await TestServer.start(calls.before(inject("stack").endpoint));
  const options = { deleteDelay: 4 };
  await open(context, { visitor: user, endpoint: proxy.url, options });
  await publish(user, 1);
  await expect.poll(() => calls.count("DeleteMessageBatch")).toBe(1);
  const deletion = calls.all.find(({ action }) => action === "DeleteMessageBatch");
  expect(deletion?.signatureAge).toBeLessThan(3);
  proxy.stop();
});

test.concurrent("a slow loop with a short visibility gets each message once, and all are deleted", async ({
  context,
  open,
  expect,
}) => {
  const user = visitor();
  // Ten messages take twice as long as they are hidden; they are hidden anew at half of it, and may be late by the rest.
  const options = { ...QUICK, visibilityTimeout: 8, waitTime: 1 };
  const page = await open(context, { visitor: user, options, idle: true });
  await publish(user, 10);
  await page.evaluate(async () => {
    for await (const { n } of globalThis.messages(globalThis.events)) {
      globalThis.log.numbers.push(Number(n));
      await new Promise((resolve) => setTimeout(resolve, 1600));
      if (globalThis.log.numbers.length === 10) break;
    }
  });
  const { errors, numbers } = await logOf(page);
  expect(numbers.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(errors).toEqual([]);
});

// The scenario `faults` has a minute of it.
test.concurrent.for([1, 10])(
  "keys that a moved tag shuts out for %i s are tried again, and no others asked for",
  async (seconds, { context, open, expect }) => {
    const tag = new MovedTag(seconds);
    const proxy = await TestServer.start(tag.calls.before(inject("stack").endpoint));
    const setup = { visitor: visitor(), options: { ...QUICK, maxBackoff: 2 }, endpoint: proxy.url };
    const pages = [await open(context, setup, false), await open(context, setup, false)];
    for (const page of pages) {
      await connected(page);
      expect(await logOf(page)).toMatchObject({ reasons: ["start"] });
    }
    proxy.stop();
  },
);
