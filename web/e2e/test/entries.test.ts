/** The entries of the packed client, built into an application by Vite, in Chromium on the whole system. */
import type { BrowserContext, Page } from "playwright-core";
import type { Inbox } from "sqs-browser-events/inbox";
import { afterAll, beforeAll, expect, inject } from "vitest";
import { expectOnce, Packed } from "../src/app.js";
import {
  FREE,
  historyPage,
  markRead,
  publish,
  unreadOf,
  type Visitor,
  visitor,
  waiting,
} from "../src/backend.js";
import { test } from "../src/pages.js";
import { proxyTo, TestServer } from "../src/server.js";

declare global {
  var mount: () => void;
  var unmount: () => void;
  var queue: string;
  var inbox: Inbox;
  var handled: { arrived: number[]; steps: string[] };
}

/** How many messages a page of an inbox has. */
const PAGE = 2;

let packed: Packed;
let server: TestServer;
beforeAll(async () => {
  packed = new Packed();
  const files = packed.application();
  const backend = proxyTo(inject("stack").demoUrl);
  server = await TestServer.start(async (incoming, outgoing) => {
    const { pathname, searchParams } = new URL(incoming.url ?? "", "http://localhost");
    if (pathname !== "/api/page") return (pathname.startsWith("/api/") ? backend : files)(incoming, outgoing);
    const page = await historyPage(searchParams.get("user") ?? "", PAGE, searchParams.get("next"));
    outgoing.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(page));
  });
});
afterAll(() => {
  server?.stop();
  packed?.remove();
});

async function open(context: BrowserContext, entry: string, { account, user, session }: Visitor) {
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on("pageerror", ({ message }) => wrong.push(message));
  page.on("console", (line) => line.type() === "error" && wrong.push(line.text()));
  const query = new URLSearchParams({ account: `${account}`, user: `${user}`, session });
  await page.goto(`${server.url}/page.html?${query}#${entry}`);
  return { page, wrong };
}

test("an application has the client once, though entries import it as well", () => {
  expectOnce(packed.built());
});

test("an application of React and TypeScript works as the README says", async ({ context }) => {
  const page = await context.newPage();
  await page.goto(server.url);
  await page.getByText("connected", { exact: true }).waitFor();
  const text = `hello ${Date.now()}`;
  await publish({ account: 1 }, 1, { text });
  await page.getByText(text).waitFor();
});

test.for(["react", "vue", "svelte"])(
  "a component of %s shows messages, and ends cleanly",
  async (entry, { context }) => {
    const user = visitor();
    const { page, wrong } = await open(context, entry, user);
    const shown = page.getByRole("listitem");
    await page.waitForFunction(() => globalThis.mount);
    await page.evaluate(() => globalThis.mount());
    await page.getByText("connected", { exact: true }).waitFor();
    await publish(user, 1, { text: "first" });
    await expect.poll(() => shown.allTextContents()).toEqual(["first"]);
    await page.evaluate(() => globalThis.unmount());
    expect(await page.locator("section").count()).toBe(0);
    // What was shown is deleted at once, and nothing is taken any more.
    const queue = await page.evaluate(() => globalThis.queue);
    await expect.poll(() => waiting(queue)).toBe(0);
    await publish(user, 1, { text: "second" });
    await expect.poll(() => waiting(queue, [FREE])).toBe(1);
    await page.evaluate(() => globalThis.mount());
    await expect.poll(() => shown.allTextContents()).toEqual(["second"]);
    expect(wrong).toEqual([]);
  },
);

/** The page of an inbox that has loaded, and is connected. */
async function openInbox(context: BrowserContext, user: Visitor): Promise<Page> {
  const { page } = await open(context, "inbox", user);
  await page.waitForFunction(() => globalThis.inbox);
  return page;
}

/** An inbox, as its page writes it: how many are unread, and which; `…` if there are more to load. */
const shows = (page: Page, text: string) => expect.poll(() => page.locator("#root").textContent()).toBe(text);

test("an inbox is right in each tab and on each device, page by page", async ({ browser, context }) => {
  const user = visitor();
  for (const first of [1, 2, 3, 4, 5]) await publish(user, 1, { first });
  await expect.poll(() => unreadOf(user.user)).toBe(5);
  const phone = await browser.newContext();
  const tabs = await Promise.all([
    openInbox(context, user),
    openInbox(context, user),
    openInbox(phone, { ...user, session: "phone" }),
  ]);
  const [first, second] = tabs;
  const allShow = (text: string) => Promise.all(tabs.map((tab) => shows(tab, text)));
  await allShow("5 unread: *5 *4 …");

  await publish(user, 1, { first: 6 });
  await allShow("6 unread: *6 *5 *4 …");
  await first.evaluate(async () => {
    const [newest] = globalThis.inbox.state.items;
    await globalThis.inbox.markRead([newest?.message.messageId ?? ""]);
  });
  await allShow("5 unread: 6 *5 *4 …");

  await second.evaluate(() => globalThis.inbox.load());
  await shows(second, "5 unread: 6 *5 *4 *3 *2 …");
  // More than the others have loaded.
  await second.evaluate(() => globalThis.inbox.markRead());
  await shows(second, "1 unread: 6 5 4 3 2 …");
  await shows(first, "1 unread: 6 5 4 …");
  await first.evaluate(() => globalThis.inbox.load());
  await shows(first, "1 unread: 6 5 4 3 2 …");
  await first.evaluate(() => globalThis.inbox.load());
  await shows(first, "1 unread: 6 5 4 3 2 *1");
  expect(await unreadOf(user.user)).toBe(1);
  await phone.close();
});

test("an inbox that was away counts and sorts what waited in its queue once", async ({ context }) => {
  const user = visitor();
  for (const first of [1, 2]) await publish(user, 1, { first });
  await expect.poll(() => unreadOf(user.user)).toBe(2);
  const before = await openInbox(context, user);
  await shows(before, "2 unread: *2 *1");
  await before.close();
  for (const first of [3, 4, 5]) await publish(user, 1, { first });
  await expect.poll(() => unreadOf(user.user)).toBe(5);
  // The third comes before its receipt, and all three after the first page.
  await markRead(user.user, ({ n }) => n === 3);
  const page = await openInbox(context, user);
  await shows(page, "4 unread: *5 *4 3 …");
  await publish(user, 1, { first: 6 });
  await shows(page, "5 unread: *6 *5 *4 3 …");
  await page.evaluate(() => globalThis.inbox.load());
  await page.evaluate(() => globalThis.inbox.load());
  await shows(page, "5 unread: *6 *5 *4 3 *2 *1");
});

test("messages of a key are handled one after the other as they arrive, a failed one in its place", async ({
  context,
}) => {
  const user = visitor();
  const { page } = await open(context, "order", user);
  await page.waitForFunction(() => globalThis.handled);
  await publish(user, 10);
  await page.waitForFunction(() => globalThis.handled.steps.length === 21);
  const { arrived, steps } = await page.evaluate(() => globalThis.handled);
  for (const key of [0, 1]) {
    const own = steps.filter((step) => Number.parseInt(step, 10) % 2 === key);
    const expected = arrived.filter((n) => n % 2 === key).flatMap((n) => [`${n} begins`, `${n} ends`]);
    if (key === 1) expected.splice(expected.indexOf("3 begins"), 0, "3 begins");
    expect(own).toEqual(expected);
  }
});
