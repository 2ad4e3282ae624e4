import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Locator, Page } from "playwright-core";
import { expect, inject } from "vitest";
import { publish, visitor } from "../src/backend.js";
import { test as base } from "../src/pages.js";

/** Two sessions of a user and one of another, of an account that no other test has. */
function sessions() {
  const { account, user } = visitor();
  const others = [
    { account, user, session: "phone" },
    { account, user: user + 1, session: "tablet" },
  ];
  return [{ account, user, session: "laptop" }, ...others] as const;
}

declare global {
  var axe: { run(): Promise<AxeResults> };
}

interface Fixtures {
  users: ReturnType<typeof sessions>;
  /** The page with its sessions connected. It must not throw. */
  page: Page;
}

const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: the form that Vitest reads
  users: async ({}, use) => use(sessions()),
  page: async ({ context, users }, use) => {
    const page = await context.newPage();
    const thrown: string[] = [];
    page.on("pageerror", ({ message }) => thrown.push(message));
    await page.addInitScript((stored) => {
      localStorage.sessions ??= stored;
    }, JSON.stringify(users));
    await page.goto(inject("stack").demoUrl);
    for (const { session } of users) await isState(page, session, "connected");
    await use(page);
    expect(thrown).toEqual([]);
  },
});

const card = (page: Page, name: string): Locator => page.getByRole("article", { name: `Session ${name}` });
const button = (place: Page | Locator, name: string | RegExp): Locator =>
  place.getByRole("button", { name, exact: true });
const messages = (place: Locator): Locator => place.getByRole("listitem");
const shows = (place: Page | Locator, text: string | RegExp): Promise<void> =>
  place.getByText(text).filter({ visible: true }).first().waitFor();

async function isState(page: Page, name: string, state: string): Promise<void> {
  await card(page, name)
    .getByRole("status")
    .filter({ hasText: new RegExp(`^${state}$`) })
    .waitFor();
}

async function send(page: Page, text: string, to: RegExp, by = "Publish by HTTP", times = 1): Promise<void> {
  await page.getByRole("textbox", { name: "Message" }).fill(text);
  const audience = page.getByRole("combobox", { name: "To" });
  const names = await audience.locator("option").allTextContents();
  await audience.selectOption({ label: names.find((name) => to.test(name)) ?? "" });
  await page.getByRole("spinbutton", { name: "Times" }).fill(`${times}`);
  await button(page, by).click();
}

/** The numbers of unread messages that the cards show. */
const unread = async (page: Page) =>
  (await page.locator("[data-part=unread]").allTextContents()).map((text) => text.replace(" unread", ""));

test("a first visit opens three sessions and receives", async ({ context }) => {
  const page = await context.newPage();
  await page.goto(inject("stack").demoUrl);
  const cards = page.getByRole("article");
  await expect.poll(() => cards.getByText("connected", { exact: true }).count()).toBe(3);
  await send(page, "first", /everyone/);
  await expect
    .poll(() => cards.getByText("first", { exact: true }).filter({ visible: true }).count())
    .toBe(3);
});

test("messages reach whom they are for, by HTTP and by Kinesis, with their latency", async ({ page }) => {
  for (const by of ["Publish by HTTP", "Publish by Kinesis"]) {
    await send(page, `${by} to account`, /^account/, by);
    for (const name of ["laptop", "phone", "tablet"]) await shows(card(page, name), `${by} to account`);
    await send(page, `${by} to user`, /^user/, by);
    for (const name of ["laptop", "phone"]) await shows(card(page, name), `${by} to user`);
    await send(page, `${by} to session`, /^session phone/, by);
    await shows(card(page, "phone"), `${by} to session`);
  }
  // What was for others has not come: later messages have.
  expect(await messages(card(page, "laptop")).count()).toBe(4);
  expect(await messages(card(page, "phone")).count()).toBe(6);
  expect(await messages(card(page, "tablet")).count()).toBe(2);
  await shows(messages(card(page, "laptop")), /\d (ms|s) · Kinesis · user \d+/);
  await expect.poll(() => page.locator('[data-figure="count"]').textContent()).toBe("12");
  expect(await page.locator('[data-figure="median"]').textContent()).toMatch(/\d (ms|s)$/);
});

test("a message to somebody who is not there is told by the bus", async ({ page }) => {
  const text = `missed ${Math.random()}`;
  await send(page, text, /^user nobody/);
  const list = page.getByRole("list", { name: /^Nobody was there/ });
  await shows(list.getByRole("listitem").filter({ hasText: text }), "user nobody");
  // Who is there is in no list of those who are not.
  const there = `came ${Math.random()}`;
  await send(page, there, /^user \d/);
  await shows(card(page, "laptop"), there);
  await send(page, `last ${text}`, /^user nobody/);
  await shows(list, `last ${text}`);
  expect(await list.getByText(there).count()).toBe(0);
});

test("a burst comes whole", async ({ page }) => {
  await send(page, "burst", /^session laptop/, "Publish by Kinesis", 40);
  await shows(page, /Kinesis took 40 messages in/);
  await expect
    .poll(() => card(page, "laptop").locator("[data-part=received]").textContent(), { timeout: 20_000 })
    .toBe("40");
});

test("what is read in one session is read in the others at once", async ({ page }) => {
  const [laptop, phone] = [card(page, "laptop"), card(page, "phone")];
  await send(page, "note", /^user/, "Publish by HTTP", 3);
  await expect.poll(() => unread(page)).toEqual(["3", "3", "0"]);
  await button(laptop, "Mark read").first().click();
  await expect.poll(() => unread(page)).toEqual(["2", "2", "0"]);
  await button(phone, /^History/).click();
  await button(phone, "Mark all read").click();
  await expect.poll(() => unread(page)).toEqual(["0", "0", "0"]);
  expect(await button(phone, "Mark all read").isDisabled()).toBe(true);
  expect(await button(laptop, "Mark read").count()).toBe(0);
});

test("a card says in how many sessions its user is online, and how much is unread", async ({ page }) => {
  const presence = (name: string) => card(page, name).locator("[data-part=presence]").textContent();
  await expect.poll(() => presence("laptop")).toBe("user is online in 2 sessions · 0 unread");
  await send(page, "note", /^user/, "Publish by HTTP", 3);
  await expect.poll(() => presence("phone")).toBe("user is online in 2 sessions · 3 unread");
  await expect.poll(() => presence("tablet")).toBe("user is online in 1 session · 0 unread");
  await expect.poll(() => unread(page)).toEqual(["3", "3", "0"]);
  const laptop = card(page, "laptop");
  await button(laptop, /^History/).click();
  await button(laptop, "Mark all read").click();
  await button(card(page, "phone"), "End session").click();
  await expect
    .poll(() => presence("laptop"), { timeout: 15_000 })
    .toBe("user is online in 1 session · 0 unread");
});

test("the history is there after a reload, without what was not to be kept", async ({ page, users }) => {
  await send(page, "kept", /^user/);
  await page.getByLabel("Keep in history").uncheck();
  await send(page, "passing", /^user/);
  await shows(card(page, "phone"), "passing");
  await page.reload();
  await isState(page, "laptop", "connected");
  const laptop = card(page, "laptop");
  await button(laptop, /^History/).click();
  expect(await button(laptop, /^History/).getAttribute("aria-pressed")).toBe("true");
  await shows(laptop, "kept");
  await publish(users[0], 1, { text: "later" });
  await shows(laptop, "later");
  expect(await messages(laptop.getByRole("list", { name: "History" })).allTextContents()).toHaveLength(2);
  await button(laptop, /^Live/).click();
  expect(await messages(laptop).count()).toBe(1);
});

test("a disconnected session finds its messages when it connects", async ({ page }) => {
  await button(card(page, "phone"), "Disconnect").click();
  await isState(page, "phone", "disconnected");
  await send(page, "while away", /^user/);
  await shows(card(page, "laptop"), "while away");
  expect(await messages(card(page, "phone")).count()).toBe(0);
  await button(card(page, "phone"), "Connect").click();
  await isState(page, "phone", "connected");
  await shows(card(page, "phone"), "while away");
});

test("sessions are opened and ended, up to five, each once", async ({ page, users: [{ account }] }) => {
  const open = async (name: string) => {
    await page.getByRole("textbox", { name: "Name" }).fill(name);
    await page.getByRole("textbox", { name: "Account" }).fill(`${account}`);
    await page.getByRole("textbox", { name: "User" }).fill("");
    await button(page, "Open session").click();
  };
  await open("laptop");
  await shows(page, /is open already/);
  await open("fourth & ü");
  await isState(page, "fourth & ü", "connected");
  await open("fifth");
  await isState(page, "fifth", "connected");
  await open("sixth");
  await shows(page, /5 sessions at most/);
  await button(card(page, "fifth"), "End session").click();
  await card(page, "fifth").waitFor({ state: "detached" });
  // The focus goes to the card beside it.
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("fourth & ü");
  await page.reload();
  expect(await page.getByRole("article").count()).toBe(4);
});

test("two tabs of the page share each session's poll", async ({ page, context }) => {
  const other = await context.newPage();
  await other.goto(page.url());
  await isState(other, "laptop", "connected");
  await shows(card(page, "laptop"), "this tab polls");
  await shows(card(other, "laptop"), "another tab polls");
  await send(page, "for both", /^account/);
  for (const tab of [page, other]) await shows(card(tab, "laptop"), "for both");
  await page.close();
  await shows(card(other, "laptop"), "this tab polls");
});

test("it says what went wrong, and when it is right again", async ({ page }) => {
  await page.route("**/api/publish", (route) => route.abort());
  await send(page, "lost", /everyone/);
  await shows(page, /Not published: .*make run/);
  await page.unroute("**/api/publish");
  await page.route("**/api/session?**", (route) =>
    route.fulfill({ status: 503, json: { message: "later" } }),
  );
  const laptop = card(page, "laptop");
  await button(laptop, "Disconnect").click();
  await button(laptop, "Connect").click();
  await shows(laptop.getByRole("alert"), /later\. Next try at/);
  await page.unroute("**/api/session?**");
  await isState(page, "laptop", "connected");
  await laptop.getByRole("alert").waitFor({ state: "hidden" });
});

test("the network is lost and brought back, and nothing is lost", async ({ page }) => {
  await button(page, "Lose the network").click();
  await isState(page, "laptop", "connecting");
  await shows(card(page, "laptop").getByRole("alert"), /Next try at/);
  await send(page, "while offline", /^account/);
  await shows(page, /to 3 here, 0 elsewhere/);
  await button(page, "Bring the network back").click();
  for (const name of ["laptop", "phone", "tablet"]) await shows(card(page, name), "while offline");
  await card(page, "laptop").getByRole("alert").waitFor({ state: "hidden" });
});

test("a killed tab, opened anew, goes on where it was", async ({ page }) => {
  await send(page, "before", /^account/);
  for (const name of ["laptop", "phone", "tablet"]) await shows(card(page, name), "before");
  await send(page, "in between", /^session laptop/);
  await Promise.all([page.waitForEvent("load"), button(page, "Kill this tab").click()]);
  await isState(page, "laptop", "connected");
  await send(page, "after", /^account/);
  for (const name of ["laptop", "phone", "tablet"]) await shows(card(page, name), "after");
  // What was shown before is not shown as new.
  expect(await messages(card(page, "phone")).allTextContents()).toHaveLength(1);
});

test("another tab is opened, and requests are counted", async ({ page, context }) => {
  const [other] = await Promise.all([
    context.waitForEvent("page"),
    button(page, "Open a second tab").click(),
  ]);
  await isState(other, "laptop", "connected");
  const polls = page.locator("[data-requests=polls]");
  await expect.poll(async () => Number(await polls.textContent())).toBeGreaterThanOrEqual(6);
  expect(Number(await page.locator("[data-requests=monthly]").textContent())).toBeGreaterThan(0);
  expect(await other.locator("[data-requests=polls]").textContent()).toBe("0");
});

test("what comes is announced once for all that comes together", async ({ page }) => {
  await send(page, "heard", /^account/);
  await expect.poll(() => page.locator("#news").textContent()).toMatch(/^3 messages, the last in .*: heard$/);
});

test("an empty page offers sessions", async ({ page, users }) => {
  for (const { session } of users) await button(card(page, session), "End session").click();
  await button(page, "Open three sessions").click();
  await expect.poll(() => page.getByRole("article").count()).toBe(3);
  expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("H2");
});

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

test("it is accessible, dark and light, narrow and wide, and fits", async ({ page }) => {
  await send(page, "hello", /^account/);
  await shows(card(page, "laptop"), "hello");
  await button(card(page, "phone"), /^History/).click();
  await page.evaluate(AXE);
  for (const colorScheme of ["light", "dark"] as const) {
    for (const width of [320, 768, 1280, 1920]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      const found = await page.evaluate(async () => (await globalThis.axe.run()).violations);
      expect(found.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    }
  }
  const heights = await page.getByRole("button").evaluateAll((all) => all.map((one) => one.clientHeight + 2));
  expect(Math.min(...heights.filter((height) => height > 2))).toBeGreaterThanOrEqual(44);
});

test("it works with the keyboard alone", async ({ page }) => {
  await page.getByRole("textbox", { name: "Message" }).focus();
  await page.keyboard.press("End");
  await page.keyboard.type(" keys");
  await page.keyboard.press("Enter");
  const laptop = card(page, "laptop");
  await shows(laptop, "Hello keys");
  const read = button(laptop, "Mark read").first();
  for (let tabs = 0; tabs < 40 && !(await read.evaluate((it) => it === document.activeElement)); tabs++) {
    await page.keyboard.press("Tab");
  }
  await page.keyboard.press("Enter");
  await read.waitFor({ state: "detached" });
  // The focus stays in the list.
  expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("OL");
});
