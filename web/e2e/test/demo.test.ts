import type { Page } from "playwright-core";
import { expect, inject } from "vitest";
import { publish, refresh, unreadOf } from "../src/backend.js";
import { button, card, end, isState, messages, send, shows, test } from "../src/demo.js";

/** The numbers of unread messages that the cards show. */
const unread = async (page: Page) =>
  (await page.locator("[data-part=unread]").allTextContents()).map((text) => text.replace(" unread", ""));

test("a first visit is told in three sentences, opens three sessions and receives", async ({ context }) => {
  const page = await context.newPage();
  await page.goto(inject("stack").demoUrl);
  const told = await page.getByRole("banner").getByRole("paragraph").textContent();
  expect(told?.match(/[.!?](\s|$)/g)).toHaveLength(3);
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
  const figures = await page.locator("#figures > div").allTextContents();
  for (const figure of [/^last\d.* (ms|s)$/, /^median\d.* (ms|s)$/, /^p95\d.* (ms|s)$/, /^messages12$/]) {
    expect(figures).toContainEqual(expect.stringMatching(figure));
  }
});

test("it tells its own sessions from others", async ({ page, users: [{ account, user }] }) => {
  await refresh({ account, user, session: "another browser" });
  await send(page, "one", /^account/);
  await shows(page, /HTTP took 1 message for 3 here, 1 elsewhere, in \d/);
  await send(page, "two", /^user \d/, "Publish by HTTP", 2);
  await shows(page, /HTTP took 2 messages for 2 here, 1 elsewhere, in \d/);
  // An id that is typed is a string.
  await page.getByRole("textbox", { name: "Name" }).fill("typed");
  await page.getByRole("textbox", { name: "Account" }).fill(`${account}`);
  await page.getByRole("textbox", { name: "User" }).fill(`${user}`);
  await button(page, "Open session").click();
  await isState(page, "typed", "connected");
  await send(page, "three", /^account/);
  await shows(page, /HTTP took 1 message for 4 here, 1 elsewhere, in \d/);
  await send(page, "four", /^user nobody/);
  await shows(page, /HTTP took 1 message in .*; nobody is there to receive it/);
});

test("a message to somebody who is not there is told by the bus", async ({ page }) => {
  const text = `missed ${Math.random()}`;
  await send(page, text, /^user nobody/);
  const list = page.getByRole("list", { name: /^Offline events/ });
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
  await expect.poll(() => card(page, "laptop").locator("[data-part=received]").textContent()).toBe("40");
});

test("what is read in one session is read in the others at once", async ({ page }) => {
  const [laptop, phone] = [card(page, "laptop"), card(page, "phone")];
  await send(page, "note", /^user/, "Publish by HTTP", 3);
  await expect.poll(() => unread(page)).toEqual(["3", "3", "0"]);
  await button(laptop, "Mark read").first().click();
  await expect.poll(() => unread(page)).toEqual(["2", "2", "0"]);
  // All are those of the history.
  expect(await page.getByRole("button", { name: "Mark all read" }).count()).toBe(0);
  await button(phone, /^History/).click();
  await button(phone, "Mark all read").click();
  await expect.poll(() => unread(page)).toEqual(["0", "0", "0"]);
  expect(await button(phone, "Mark all read").isDisabled()).toBe(true);
  expect(await button(laptop, "Mark read").count()).toBe(0);
});

test("a card says in how many sessions its user is online", async ({ page }) => {
  const presence = (name: string) => card(page, name).locator("[data-part=presence]").textContent();
  await expect.poll(() => presence("laptop")).toBe("user is online in 2 sessions");
  await expect.poll(() => presence("tablet")).toBe("user is online in 1 session");
  await end(page, "phone");
  await expect.poll(() => presence("laptop")).toBe("user is online in 1 session");
});

test("unread has one meaning: what the user's history has", async ({ page, users: [visitor] }) => {
  await send(page, "before", /^user/, "Publish by HTTP", 3);
  await expect.poll(() => unread(page)).toEqual(["3", "3", "0"]);
  await page.getByLabel("Keep in history").uncheck();
  await send(page, "passing", /^user/);
  await shows(card(page, "laptop"), "passing");
  expect(await button(card(page, "laptop"), "Mark read").count()).toBe(3);
  await page.reload();
  await expect.poll(() => unread(page)).toEqual(["3", "3", "0"]);
  expect(await unreadOf(visitor.user)).toBe(3);
  for (const text of await page.getByRole("article").allTextContents()) {
    expect(text.match(/unread/g)).toHaveLength(1);
  }
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
  const refused = page.getByText(/is open already/);
  await refused.waitFor();
  await page.getByRole("textbox", { name: "Name" }).fill("fourth");
  await refused.waitFor({ state: "detached" });
  await open("fourth & ü");
  await isState(page, "fourth & ü", "connected");
  await open("fifth");
  await isState(page, "fifth", "connected");
  await open("sixth");
  await shows(page, /5 sessions at most/);
  await end(page, "fifth");
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
  const refused = page.getByText(/Not published: .*make run/);
  await refused.waitFor();
  await page.unroute("**/api/publish");
  await send(page, "found", /^account/);
  await shows(page, /HTTP took 1 message/);
  expect(await refused.count()).toBe(0);
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
  await page.route("**/api/read", (route) => route.abort());
  await button(laptop, "Mark read").click();
  await laptop.getByRole("alert").waitFor();
  await page.unroute("**/api/read");
  await button(laptop, "Mark read").click();
  await laptop.getByRole("alert").waitFor({ state: "hidden" });
  await page.route("**/api/history?**", (route) => route.abort());
  await button(laptop, /^History/).click();
  await laptop.getByRole("alert").waitFor();
  await send(page, "back", /^account/);
  await laptop.getByRole("alert").waitFor({ state: "hidden" });
});

test("the network is lost and brought back, and nothing is lost", async ({ page }) => {
  await button(page, "Lose the network").click();
  await isState(page, "laptop", "connecting");
  await shows(card(page, "laptop").getByRole("alert"), /Next try at/);
  await send(page, "while offline", /^account/);
  await shows(page, /for 3 here, 0 elsewhere/);
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
  await send(page, "counted", /^account/);
  await shows(card(page, "laptop"), "counted");
  await expect.poll(() => page.locator("[data-requests=deletions]").textContent()).toBe("3");
});

test("an empty page offers sessions", async ({ page, users }) => {
  const offer = button(page, "Open three sessions");
  expect(await offer.isVisible()).toBe(false);
  for (const { session } of users) await end(page, session);
  await offer.click();
  await expect.poll(() => page.getByRole("article").count()).toBe(3);
});
