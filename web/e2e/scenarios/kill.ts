/**
 * A renderer killed at any moment, without a word to its page: nothing is lost, and nothing shown twice in that
 * browser. `npm run kill --workspace e2e`; SBE_ROUNDS: how often in each setting, 50 by default; SBE_SETTING: one
 * setting only.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { publish, visitor, waiting } from "../src/backend.js";
import { launch } from "../src/chromium.js";
import { logOf, type Setup, test } from "../src/pages.js";
import { kill } from "../src/renderers.js";
import { setVisibility } from "../src/visibility.js";

const ROUNDS = Number(process.env.SBE_ROUNDS ?? 50);
const BURST = 40;
const ONLY = process.env.SBE_SETTING;
// A killed page's messages come again after so long; the setting's own quarter of an hour would take a day here.
const options = { visibilityTimeout: 5 };
const SETTINGS: Record<string, Partial<Setup>> = {
  default: {},
  economy: { economy: {}, options },
  "hidden: pause": { economy: { hidden: "pause" }, options },
  "idle: slow": { economy: { idle: "slow", idleAfter: 1 }, options },
  "no sharing": { options: { shareTabs: false } },
};

/** What happens to a page before its end: it hides, or somebody comes. */
const BEFORE: Record<string, (page: Page) => Promise<void>> = {
  "hidden: pause": (page) => setVisibility(page, "hidden"),
  "idle: slow": touch,
};

/** An idle page polls at once. */
function touch(page: Page): Promise<void> {
  return page.mouse.move(Math.random() * 500, Math.random() * 500);
}

for (const [setting, setup] of Object.entries(SETTINGS)) {
  if (ONLY && ONLY !== setting) continue;
  test(`a renderer killed at any moment: ${setting}`, { timeout: 900_000 }, async ({ open }) => {
    const browser = await launch();
    const context = await browser.newContext();
    context.setDefaultTimeout(20_000);
    const user = visitor();
    let page = await open(context, { ...setup, visitor: user, keep: "browser" });
    const { queue } = await logOf(page);
    const recovered: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const published = publish(user, BURST, { first: round * BURST });
      const moment = Math.random() * 800;
      const before = Math.random() * moment;
      await sleep(before);
      await BEFORE[setting]?.(page);
      await sleep(moment - before);
      await kill(browser);
      await published;
      const killed = Date.now();
      await page.close();
      page = await open(context, { ...setup, visitor: user, keep: "browser" });
      const left = async () => {
        if (setting === "idle: slow") await touch(page);
        return waiting(queue);
      };
      await expect.poll(left, { timeout: 60_000 }).toBe(0);
      recovered.push((Date.now() - killed) / 1000);
    }
    const { numbers } = await logOf(page);
    await browser.close();
    const counts = new Map<number, number>();
    for (const number of numbers) counts.set(number, (counts.get(number) ?? 0) + 1);
    const lost = ROUNDS * BURST - counts.size;
    const twice = [...counts.values()].filter((count) => count > 1).length;
    const slowest = Math.max(...recovered).toFixed(1);
    console.table([
      { setting, rounds: ROUNDS, received: counts.size, lost, twice, "slowest recovery, s": slowest },
    ]);
    expect({ lost, twice }).toEqual({ lost: 0, twice: 0 });
  });
}
