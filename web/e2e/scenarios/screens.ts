/** Pictures of the demo page, to look at: `npm run screens --workspace e2e`, into the directory SBE_SCREENS. */
import { join } from "node:path";
import { expect, inject } from "vitest";
import { test } from "../src/pages.js";

const DIR = process.env.SBE_SCREENS ?? "screens";

test("screens", async ({ context }) => {
  const page = await context.newPage();
  await page.goto(inject("stack").demoUrl);
  const cards = page.getByRole("article");
  for (const card of await cards.all()) await card.getByText("connected", { exact: true }).waitFor();
  for (const text of ["Hello", "A second one, to see how longer texts wrap in a card", "Third"]) {
    await page.getByRole("textbox", { name: "Message" }).fill(text);
    await page.getByRole("button", { name: "Publish by HTTP" }).click();
    await cards.first().getByText(text).first().waitFor();
  }
  await cards
    .nth(1)
    .getByRole("button", { name: /^History/ })
    .click();
  for (const colorScheme of ["light", "dark"] as const) {
    for (const width of [320, 768, 1280, 1920]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 1000 });
      await page.screenshot({ path: join(DIR, `${colorScheme}-${width}.png`), fullPage: true });
    }
  }
  for (let left = await cards.count(); left > 0; left--) {
    await cards.first().getByRole("button", { name: "End session" }).click();
    await expect.poll(() => cards.count()).toBe(left - 1);
  }
  await page.getByRole("button", { name: "Open three sessions" }).waitFor();
  await page.screenshot({ path: join(DIR, "empty.png") });
});
