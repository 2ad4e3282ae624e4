/**
 * Bad input and faults: for each what came, what was lost, what was shown twice, and how long it took until all was
 * there (or, where nothing can come before, until it was connected) once all was published and the fault was over.
 * `npm run faults --workspace e2e` prints the table, as the client's README has it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, BrowserContext, Page, Route } from "playwright-core";
import { expect, inject } from "vitest";
import { publish, type Visitor, visitor, waiting } from "../src/backend.js";
import { launch } from "../src/chromium.js";
import { connected, type Log, logOf, type Open, type Setup, test } from "../src/pages.js";
import { freeze, signal, thaw } from "../src/renderers.js";
import { MovedTag, TestServer } from "../src/server.js";

interface Case {
  setup?: Partial<Setup>;
  /** Runs in the page before anything else. */
  before?: () => void;
  count?: number;
  /** It has a browser of its own. */
  alone?: boolean;
  /** Publishes, and causes the fault; resolves when the fault is over. */
  during?(page: Page, user: Visitor, context: BrowserContext): Promise<unknown>;
  /** Answers a request of the page to its backend with a failure. */
  backend?: "fails" | "hangs";
  /** For how long SQS refuses new keys, seconds. There are two tabs. */
  tagMoves?: number;
  /** Messages whose handler never ends: they are neither lost nor shown. */
  stuck?: number;
  /** The longest that it may take to recover, seconds; `BACKOFF` if nothing is said. */
  within?: number;
}

/** The longest pause between two tries (`maxBackoff`), seconds. */
const BACKOFF = 30;
/** How long a getSession that does not answer is waited for (`answerTimeout`), seconds. */
const ANSWER = 15;
/** How many are tried at a time. */
const TOGETHER = 4;
/** How late a busy machine may be, seconds. */
const BUSY = 20;
const MINUTE = 60_000;
const publishAll = async (user: Visitor, count: number) => {
  for (let first = 0; first < count; first += 500)
    await publish(user, Math.min(500, count - first), { first });
};

const CASES: Record<string, Case> = {
  "a handler throws twice at each fifth": {
    setup: { throwing: Object.fromEntries(Array.from({ length: 20 }, (_, i) => [i * 5, 2])) },
  },
  "three handlers never end": {
    setup: { stuck: [0, 1, 2], options: { maxInFlight: 3, handlerTimeout: 5 } },
    stuck: 3,
  },
  "a handler works for 8 s each": { setup: { slow: 8000 }, count: 20 },
  // As fast as the machine is.
  "5,000 messages at once": { count: 5000, within: 180 },
  "the session route fails for a minute": { backend: "fails" },
  "the session route hangs for a minute": { backend: "hangs", within: ANSWER + BACKOFF },
  "offline for 20 s": {
    during: async (_, user, context) => {
      await context.setOffline(true);
      await publishAll(user, 100);
      await sleep(20_000);
      await context.setOffline(false);
    },
  },
  "stopped for 20 s, without a word": {
    alone: true,
    during: async (_, user, context) => {
      const browser = context.browser() as Browser;
      await signal(browser, "SIGSTOP");
      await publishAll(user, 100);
      await sleep(20_000);
      await signal(browser, "SIGCONT");
    },
  },
  "frozen by the browser for 20 s, in mid-burst": {
    setup: { slow: 20 },
    during: async (page, user) => {
      await publishAll(user, 50);
      await freeze(page);
      await publish(user, 50, { first: 50 });
      await sleep(20_000);
      await thaw(page);
    },
  },
  "the clock is ten minutes ahead": {
    before: () => {
      const now = Date.now;
      Date.now = () => now() + 600_000;
    },
  },
  "the clock is ten minutes behind": {
    before: () => {
      const now = Date.now;
      Date.now = () => now() - 600_000;
    },
  },
  "storage is full": {
    setup: { keep: "nowhere" },
    before: () => {
      Storage.prototype.setItem = () => {
        throw new DOMException("full", "QuotaExceededError");
      };
    },
  },
  "storage is forbidden": {
    setup: { keep: "nowhere" },
    before: () => {
      for (const name of ["localStorage", "sessionStorage"]) {
        Object.defineProperty(window, name, {
          get: () => {
            throw new DOMException("forbidden", "SecurityError");
          },
        });
      }
    },
  },
  "Web Locks are missing": {
    before: () => Object.defineProperty(navigator, "locks", { value: undefined }),
  },
  "SQS refuses new keys for 1 s": { tagMoves: 1 },
  "SQS refuses new keys for 10 s": { tagMoves: 10 },
  "SQS refuses new keys for 60 s": { tagMoves: 60 },
};

test("faults", async ({ browser, open }) => {
  const rows: Row[] = [];
  const left = Object.entries(CASES).reverse();
  const work = async () => {
    for (let next = left.pop(); next; next = left.pop()) rows.push(await row(browser, open, ...next));
  };
  await Promise.all(Array.from({ length: TOGETHER }, work));
  const order = Object.keys(CASES);
  rows.sort((a, b) => order.indexOf(a.fault) - order.indexOf(b.fault));
  console.table(rows);
  for (const row of rows) {
    expect(row).toMatchObject({ lost: 0, "shown twice": 0 });
    expect(row["seconds to recover"], row.fault).toBeLessThanOrEqual(row["at most"] + BUSY);
    // Tabs whose keys are refused do not chase each other by asking for more.
    if (CASES[row.fault]?.tagMoves) expect(row).toMatchObject({ "asked again": 0 });
  }
});

interface Row {
  fault: string;
  received: number;
  lost: number;
  "shown twice": number;
  "seconds to recover": number;
  "at most": number;
  /** How often a session was asked for after each tab's first try. */
  "asked again": number;
}

async function row(browser: Browser, open: Open, fault: string, one: Case): Promise<Row> {
  const { setup = {}, before, count = 100, during, backend, tagMoves = 0, stuck = 0, within = BACKOFF } = one;
  const own = one.alone ? await launch() : browser;
  const context = await own.newContext();
  context.setDefaultTimeout(200_000);
  if (before) await context.addInitScript(before);
  const tag = new MovedTag(tagMoves);
  const proxy = await TestServer.start(tag.calls.before(inject("stack").endpoint));
  const user = visitor();
  const until = Date.now() + MINUTE;
  if (backend) await context.route("**/api/session?**", troubled(backend, until));
  const settings = { ...(tagMoves > 0 && { endpoint: proxy.url }), ...setup, visitor: user };
  const page = await open(context, settings, false);
  const tabs = [page];
  if (tagMoves > 0) {
    // One after the other, since of two that create a session at once one may have to try again.
    await page.waitForFunction(() => globalThis.log?.queue);
    tabs.push(await open(context, settings, false));
  }
  // One that does not connect loses all, as the table tells.
  for (const tab of tabs) await connected(tab).catch(() => {});
  // What is published while a fault lasts is what must be there afterwards.
  const connectedAt = Date.now();
  if (during) await during(page, user, context);
  else await publishAll(user, count);
  const published = Date.now();
  await cameOrNot(page, count - stuck);
  const over = backend ? until : tag.over();
  const milliseconds = over > 0 ? connectedAt - over : Date.now() - published;
  const { numbers } = await settled(page, stuck);
  const logs = await Promise.all(tabs.map(logOf));
  const asked = logs.reduce((sum, { reasons }) => sum + reasons.length - 1, 0);
  await context.close();
  if (one.alone) await own.close();
  proxy.stop();
  const received = new Set(numbers).size;
  return {
    fault,
    received,
    lost: count - stuck - received,
    "shown twice": numbers.length - received,
    "seconds to recover": Number((Math.max(0, milliseconds) / 1000).toFixed(1)),
    "at most": within,
    "asked again": asked,
  };
}

/** Waits until so many have come; if they do not, the table tells. */
async function cameOrNot(page: Page, count: number): Promise<void> {
  const all = (count: number) => new Set(globalThis.log.numbers).size >= count;
  await page.waitForFunction(all, count).catch(() => {});
}

/** What the page has written down when nothing is left to come again but what stays in handlers. */
async function settled(page: Page, stuck: number): Promise<Log> {
  const { queue } = await logOf(page);
  await expect.poll(() => waiting(queue), { timeout: 300_000 }).toBe(stuck);
  return logOf(page);
}

/** Answers by a failure, or not at all, until a moment. */
function troubled(how: "fails" | "hangs", until: number) {
  return async (route: Route) => {
    if (Date.now() > until) return route.continue();
    if (how === "fails") return route.fulfill({ status: 503, body: "later" });
    await sleep(until - Date.now());
    return route.continue().catch(() => {});
  };
}
