/**
 * Bad input and faults: for each what came, what was lost, what was shown twice, and how long it took until all was
 * there (or, where nothing can come before, until it was connected) once all was published and the fault was over.
 * `npm run faults --workspace e2e`
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { expect, inject } from "vitest";
import { publish, type Visitor, visitor } from "../src/backend.js";
import { launch } from "../src/chromium.js";
import { logOf, type Setup, test } from "../src/pages.js";
import { freeze, signal, thaw } from "../src/renderers.js";
import { SqsCalls, TestServer } from "../src/server.js";

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
  /** For how long SQS refuses new keys, seconds. */
  tagMoves?: number;
  /** Messages whose handler never ends: they are neither lost nor shown. */
  stuck?: number;
}

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
  "5,000 messages at once": { count: 5000 },
  "the session route fails for a minute": { backend: "fails" },
  "the session route hangs for a minute": { backend: "hangs" },
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
  const rows: ({ fault: string } & Record<string, unknown>)[] = [];
  const run = async ([name, one]: [string, Case]) => {
    const { setup = {}, before, count = 100, during, backend, tagMoves, stuck = 0 } = one;
    const own = one.alone ? await launch() : browser;
    const context = await own.newContext();
    context.setDefaultTimeout(200_000);
    if (before) await context.addInitScript(before);
    const calls = new SqsCalls();
    const first = new Map<string, number>();
    if (tagMoves) {
      calls.refuse = ({ accessKey, at }) => {
        if (!first.has(accessKey)) first.set(accessKey, at);
        return at - (first.get(accessKey) ?? 0) < tagMoves * 1000;
      };
    }
    const proxy = await TestServer.start(calls.before(inject("stack").endpoint));
    const user = visitor();
    const until = Date.now() + MINUTE;
    if (backend) {
      await context.route("**/api/session?**", async (route) => {
        if (Date.now() > until) return route.continue();
        if (backend === "fails") return route.fulfill({ status: 503, body: "later" });
        await sleep(until - Date.now());
        return route.continue().catch(() => {});
      });
    }
    const endpoint = tagMoves ? { endpoint: proxy.url } : {};
    const quiet = Boolean(backend || tagMoves);
    const page = await open(context, { ...endpoint, ...setup, visitor: user }, !quiet);
    if (quiet) await page.waitForFunction(() => globalThis.events?.state === "connected");
    // What is published while a fault lasts is what must be there afterwards.
    const connectedAt = Date.now();
    if (during) await during(page, user, context);
    else await publishAll(user, count);
    const published = Date.now();
    await page.waitForFunction((count) => new Set(globalThis.log.numbers).size >= count, count - stuck);
    const ends = [...first.values()].map((at) => at + (tagMoves ?? 0) * 1000);
    const over = backend ? until : Math.max(0, ...ends);
    const seconds = over > 0 ? connectedAt - over : Date.now() - published;
    const { numbers } = await logOf(page);
    const distinct = new Set(numbers).size;
    rows.push({
      fault: name,
      received: distinct,
      lost: count - stuck - distinct,
      "shown twice": numbers.length - distinct,
      "seconds to recover": (Math.max(0, seconds) / 1000).toFixed(1),
    });
    await context.close();
    if (one.alone) await own.close();
    proxy.stop();
  };
  // Those that take no processor time go together.
  const heavy = Object.entries(CASES).filter(([, { count = 0 }]) => count > 1000);
  const light = Object.entries(CASES).filter(([, { count = 0 }]) => count <= 1000);
  await Promise.all(light.map(run));
  for (const one of heavy) await run(one);
  const order = Object.keys(CASES);
  console.table(rows.sort((a, b) => order.indexOf(a.fault) - order.indexOf(b.fault)));
  for (const row of rows) expect(row).toMatchObject({ lost: 0, "shown twice": 0 });
});
