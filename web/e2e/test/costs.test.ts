import { expect, inject } from "vitest";
import { countedAndCalculated } from "../src/costs.js";
import { test } from "../src/pages.js";

// Four times as fast: a poll waits for 5 seconds, a minute has 15, and a deletion waits a quarter as long. Counts are
// compared, not times: a busy machine may miss polls, as far as those that it made took longer than their 5 seconds.
test("the units of ten browsers are those that the calculator says", async ({ browser, open }) => {
  const rows = await countedAndCalculated(browser, open, { browsers: 10, minutes: 3, speed: 4, by: "http" });
  expect(rows.map(({ price }) => price)).toEqual([
    "sqsRequest",
    "apiRequest",
    "lambdaRequest",
    "dynamodbRead",
    "dynamodbWrite",
  ]);
  for (const { price, counted, missed, calculated } of rows) {
    const told = `${price}: ${counted}, and ${missed} missed, not ${calculated}`;
    expect(counted / calculated, told).toBeLessThan(1.03);
    expect((counted + missed) / calculated, told).toBeGreaterThan(0.97);
  }
});

test("the calculator shows what a scenario costs, here and elsewhere", async ({ context }) => {
  const page = await context.newPage();
  await page.goto(inject("stack").demoUrl);
  const region = page.getByRole("region", { name: /^What it costs/ });
  const rows = region.getByRole("row");
  await expect.poll(() => rows.count()).toBe(7);
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
  await region.getByLabel("Hours open a day").fill("24");
  await region.getByText(/out of its range/).waitFor({ state: "detached" });
});
