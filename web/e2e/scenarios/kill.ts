/**
 * A page killed at any moment, without a word: nothing is lost, and nothing shown twice in that browser. The settings
 * keep their own times, and run beside each other; after the last kill each waits until all that killed pages had is
 * free again: about half an hour, of which economy's quarter of one is the most.
 *
 * `npm run kill --workspace e2e`; SBE_ROUNDS: how often in each setting, 50 by default; SBE_SETTING: one setting only.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import { afterAll } from "vitest";
import { publish, visitor, waiting } from "../src/backend.js";
import { launch } from "../src/chromium.js";
import { logOf, type Setup, test } from "../src/pages.js";
import { crash, kill } from "../src/renderers.js";
import { setVisibility } from "../src/visibility.js";

const ROUNDS = Number(process.env.SBE_ROUNDS ?? 50);
const ONLY = process.env.SBE_SETTING;
const BURST = 40;
/** When all comes again that a killed page had, seconds at most: its `visibilityTimeout`. */
const LEASES = { economy: 900, others: 30 };
/** How much later it has been shown, milliseconds. */
const MARGIN = 30_000;

interface Setting {
  setup?: Partial<Setup>;
  /** How many tabs there are: of two, one of them is killed, whichever polls. */
  tabs?: 1 | 2;
  /** What happens to the page before its end. */
  before?(page: Page): Promise<void>;
}

const hide = (page: Page) => setVisibility(page, "hidden");
/** An idle page polls at once. */
const touch = (page: Page) => page.mouse.move(Math.random() * 500, Math.random() * 500);

const SETTINGS: Record<string, Setting> = {
  default: {},
  "no sharing": { setup: { options: { shareTabs: false } } },
  "two tabs": { tabs: 2 },
  "economy, shown": { setup: { economy: {} } },
  "economy, two tabs": { setup: { economy: {} }, tabs: 2 },
  "economy, hidden: poll": { setup: { economy: { hidden: "poll" } }, before: hide },
  "economy, hidden: slow": { setup: { economy: { hidden: "slow" } }, before: hide },
  "economy, hidden: pause": { setup: { economy: { hidden: "pause" } }, before: hide },
  // Its own two minutes, in each round, would be a hundred.
  "economy, idle: slow": { setup: { economy: { idle: "slow", idleAfter: 1 } }, before: touch },
};

const rows: object[] = [];
afterAll(() => console.table(rows));

const chosen = Object.entries(SETTINGS).filter(([name]) => !ONLY || ONLY === name);
test.concurrent.for(chosen)("a page killed at any moment: %s", async ([name, setting], { open, expect }) => {
  const { setup = {}, before, tabs = 1 } = setting;
  const browser = await launch();
  const context = await browser.newContext();
  context.setDefaultTimeout(60_000);
  const user = visitor();
  const openTab = (tab: number) => open(context, { ...setup, visitor: user, keep: "browser", tab });
  const pages: Page[] = [];
  for (let tab = 0; tab < tabs; tab++) pages.push(await openTab(tab));

  let inMidBurst = 0;
  for (let first = 0; first < ROUNDS * BURST; first += BURST) {
    const tab = Math.floor(Math.random() * tabs);
    const page = pages[tab] as Page;
    const published = publish(user, BURST, { first });
    await someCame(page, first);
    await before?.(page);
    await sleep(Math.random() * 200);
    await (tabs > 1 ? crash(page) : kill(browser));
    await published;
    await page.close();
    const next = await openTab(tab);
    pages[tab] = next;
    const { numbers, restored } = await logOf(next);
    const shown = numbers.slice(0, restored).filter((number) => number >= first).length;
    if (shown > 0 && shown < BURST) inMidBurst++;
  }

  const [page] = pages as [Page];
  const { queue } = await logOf(page);
  const end = Date.now() + (1000 * (setup.economy ? LEASES.economy : LEASES.others) + MARGIN);
  let seconds = 0;
  const received = () => distinct(pages).then(({ size }) => size);
  const start = Date.now();
  while (Date.now() < end) {
    if (before === touch) await touch(page);
    if (seconds === 0 && (await received()) === ROUNDS * BURST) seconds = (Date.now() - start) / 1000;
    await sleep(1000);
  }
  // What has come again is deleted as a page hides.
  for (const page of pages) await hide(page);
  const left = () => waiting(queue);
  await expect.poll(left, { timeout: 30_000 }).toBe(0);
  const lost = ROUNDS * BURST - (await received());
  let twice = 0;
  for (const page of pages) {
    const { numbers } = await logOf(page);
    twice += numbers.length - new Set(numbers).size;
  }
  rows.push({
    setting: name,
    kills: ROUNDS,
    "in mid-burst": inMidBurst,
    messages: ROUNDS * BURST,
    lost,
    "shown twice": twice,
    "s from the last kill to the last message": seconds.toFixed(0),
  });
  await browser.close();
  expect({ lost, twice }).toEqual({ lost: 0, twice: 0 });
});

/** Waits until some of a burst have come, any number of them, or no more come since those are with another page. */
async function someCame(page: Page, first: number): Promise<void> {
  const some = { first, count: Math.floor(Math.random() * (BURST + 1)) };
  const came = ({ first, count }: typeof some) =>
    globalThis.log.numbers.filter((number) => number >= first).length >= count;
  await page.waitForFunction(came, some, { timeout: 5000 }).catch(() => {});
}

/** What has come to any of the tabs, those of earlier pages included. */
async function distinct(pages: Page[]): Promise<Set<number>> {
  const logs = await Promise.all(pages.map(logOf));
  return new Set(logs.flatMap(({ numbers }) => numbers));
}
