/** Pictures of the demo page in its states, to look at: `npm run screens --workspace e2e`, into the directory SBE_SCREENS. */
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, inject } from "vitest";
import { test } from "../src/pages.js";

const DIR = process.env.SBE_SCREENS ?? "screens";

/** The page as it is, dark and light, narrow and wide. */
async function take(page: Page, state: string): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    for (const width of [320, 768, 1280, 1920]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 1000 });
      await page.screenshot({ path: join(DIR, `${state}-${colorScheme}-${width}.png`), fullPage: true });
    }
  }
}

/** The README's picture, docs/demo-page.png. */
async function takeForReadme(page: Page): Promise<void> {
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1280, height: 740 });
  await page.screenshot({ path: join(DIR, "demo-page.png") });
}

test("screens", { timeout: 300_000 }, async ({ context }) => {
  const page = await context.newPage();
  await page.goto(inject("stack").demoUrl);
  const cards = page.getByRole("article");
  const button = (name: string | RegExp) => page.getByRole("button", { name });
  for (const card of await cards.all()) await card.getByText("connected", { exact: true }).waitFor();
  await take(page, "first-visit");

  const publish = async (text: string, by = "Publish by HTTP") => {
    await page.getByRole("textbox", { name: "Message" }).fill(text);
    await button(by).click();
  };
  for (const text of ["Hello", "A second one, to see how longer texts wrap in a card", "Third"]) {
    await publish(text);
    await cards.first().getByText(text).first().waitFor();
  }
  await page.getByRole("combobox", { name: "To" }).selectOption({ label: "user nobody, who is offline" });
  await publish("Nobody sees it");
  await page.getByText("Nobody sees it").first().waitFor();
  await page.getByRole("combobox", { name: "To" }).selectOption({ index: 0 });
  await cards
    .nth(1)
    .getByRole("button", { name: /^History/ })
    .click();
  await takeForReadme(page);
  await cards.nth(2).getByRole("button", { name: "Disconnect" }).click();
  await take(page, "messages");

  await button("Lose the network").click();
  await cards.first().getByText("Next try at").waitFor();
  await publish("While offline");
  await page.getByText(/HTTP took .* in \d/).waitFor();
  await take(page, "offline");
  await button("Bring the network back").click();
  await cards.first().getByText("While offline").first().waitFor();

  const [other] = await Promise.all([context.waitForEvent("page"), button("Open a second tab").click()]);
  await other.getByText("another tab polls").first().waitFor();
  await publish("For both tabs");
  await other.getByText("For both tabs").first().waitFor();
  await take(other, "second-tab");
  await other.close();

  await page.route("**/api/publish", (route) => route.abort());
  await publish("Not to be published");
  await page.getByText("Not published").waitFor();
  await page.route("**/api/session?**", (route) =>
    route.fulfill({ status: 401, json: { message: "unauthorized" } }),
  );
  await cards.nth(2).getByRole("button", { name: "Connect" }).click();
  await cards.nth(2).getByText("unauthorized").waitFor();
  await take(page, "errors");
  await page.unrouteAll();

  for (let left = await cards.count(); left > 0; left--) {
    await cards.first().getByRole("button", { name: "End session" }).click();
    await expect.poll(() => cards.count()).toBe(left - 1);
  }
  await button("Open three sessions").waitFor();
  await take(page, "ended");
});
