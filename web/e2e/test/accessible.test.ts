/** The demo page for everybody: on every screen, by keyboard, by touch, by screen reader. */
import { expect } from "vitest";
import { expectAccessible, expectTargets } from "../src/axe.js";
import { button, card, end, messages, send, shows, test } from "../src/demo.js";

test("it is accessible, dark and light, narrow and wide, and fits", async ({ page }) => {
  await send(page, `hello ${"and a long word: ".repeat(3)}${"x".repeat(200)}`, /^account/);
  await shows(card(page, "laptop"), /^hello/);
  await button(card(page, "phone"), /^History/).click();
  await shows(card(page, "phone"), /^hello/);
  await page.getByRole("row", { name: /^IoT Core/ }).waitFor();
  await expectAccessible(page);
  await expectTargets(page);
});

test("it is accessible while something is wrong, and when no session is open", async ({ page, users }) => {
  await button(page, "Lose the network").click();
  await shows(card(page, "laptop").getByRole("alert"), /Next try at/);
  await page.route("**/api/publish", (route) => route.abort());
  await send(page, "lost", /^account/);
  await shows(page, /Not published/);
  await expectAccessible(page, [320, 1280]);
  for (const { session } of users) await end(page, session);
  await button(page, "Open three sessions").waitFor();
  await expectAccessible(page, [320, 1280]);
  await expectTargets(page);
});

test("a card is as tall as its content", async ({ page }) => {
  await page.setViewportSize({ width: 1920, height: 900 });
  const height = async (name: string) => (await card(page, name).boundingBox())?.height ?? 0;
  const top = async (name: string) => (await card(page, name).boundingBox())?.y;
  await send(page, "tall", /^session laptop/, "Publish by HTTP", 6);
  await expect.poll(() => messages(card(page, "laptop")).count()).toBe(6);
  // The three are in one row.
  expect(await top("phone")).toBe(await top("laptop"));
  expect(await height("phone")).toBe(await height("tablet"));
  expect(await height("laptop")).toBeGreaterThan((await height("phone")) + 100);
});

test("what comes is announced politely, once for all that comes together", async ({ page }) => {
  const news = page.locator("#news");
  expect(await news.getAttribute("aria-live")).toBe("polite");
  await send(page, "heard", /^account/);
  await expect.poll(() => news.textContent()).toMatch(/^3 messages, the last in .*: heard$/);
});

test("the focus goes on beside what has ended", async ({ page }) => {
  const focus = () => page.evaluate(() => document.activeElement?.textContent);
  for (const [ended, next] of [
    ["phone", "tablet"],
    ["tablet", "laptop"],
    ["laptop", "Open three sessions"],
  ] as const) {
    await button(card(page, ended), "End session").focus();
    await page.keyboard.press("Enter");
    await card(page, ended).waitFor({ state: "detached" });
    expect(await focus()).toBe(next);
  }
  await page.keyboard.press("Enter");
  await expect.poll(() => page.getByRole("article").count()).toBe(3);
  expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("H2");
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
