import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, inject } from "vitest";
import { countedAndCalculated } from "../src/costs.js";
import { test } from "../src/pages.js";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// Four times as fast: a poll waits for 5 seconds, a minute has 15, and a deletion waits a quarter as long. Counts are
// compared, not times: a slow machine makes fewer polls only as far as each takes longer than its 5 seconds.
test("the units of ten browsers are those that the calculator says", async ({ browser, open }) => {
  const rows = await countedAndCalculated(browser, open, { browsers: 10, minutes: 3, speed: 4, by: "http" });
  expect(rows.map(({ price }) => price)).toEqual([
    "sqsRequest",
    "apiRequest",
    "lambdaRequest",
    "dynamodbRead",
    "dynamodbWrite",
  ]);
  for (const { price, counted, calculated } of rows) {
    expect(Math.abs(counted / calculated - 1), `${price}: ${counted}, not ${calculated}`).toBeLessThan(0.03);
  }
}, 150_000);

test("the calculator shows what a scenario costs, here and elsewhere", async ({ context }) => {
  const page = await context.newPage();
  await page.goto(inject("stack").demoUrl);
  const region = page.getByRole("region", { name: /^What it costs/ });
  const rows = region.getByRole("row");
  await expect.poll(() => rows.count()).toBe(8);
  const sums = () => rows.nth(1).getByRole("cell").allTextContents();
  const standard = await sums();
  expect(standard.join()).toMatch(/^[\d,]+\.\d\d,[\d,]+\.\d\d$/);
  await region.getByLabel("Browser client").selectOption("economy, hidden: pause");
  await expect.poll(sums).not.toEqual(standard);
  const paused = await sums();
  await region.getByLabel("Histories").uncheck();
  await expect.poll(sums).toEqual([paused[1], paused[1]]);
  expect(await region.getByLabel("All are marked read").isDisabled()).toBe(true);
  // Idle pages cost less where a connection does, and it says so.
  await region.getByLabel("Messages a minute").fill("0");
  await region.getByText(/AppSync Events is cheaper by/).waitFor();
  await region.getByLabel("Hours open a day").fill("25");
  await region.getByText(/out of its range/).waitFor();
});

test("the calculator is accessible, dark and light, narrow and wide", async ({ context }) => {
  const page = await context.newPage();
  await page.goto(inject("stack").demoUrl);
  await expect.poll(() => page.locator("#cost-table tr").count()).toBe(8);
  await page.evaluate(AXE);
  for (const colorScheme of ["light", "dark"] as const) {
    for (const width of [320, 1280]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      const found = await page.evaluate(async () => (await globalThis.axe.run()).violations);
      expect(found.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    }
  }
  const targets = page.locator("#costs label.check, #costs input:not([type=checkbox]), #costs select");
  const heights = await targets.evaluateAll((all) => all.map((one) => one.getBoundingClientRect().height));
  expect(heights).toHaveLength(9);
  expect(Math.min(...heights)).toBeGreaterThanOrEqual(44);
});
