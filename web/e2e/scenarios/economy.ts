/**
 * What is billed: a page that gets one message a minute, shown for half of the time and hidden for the other, and
 * one that gets none, in each setting at the same time.
 *
 * `npm run economy --workspace e2e`; SBE_MINUTES: how long each half takes, 10 by default.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, inject } from "vitest";
import { publish, visitor } from "../src/backend.js";
import { came, logOf, type Setup, test } from "../src/pages.js";
import { SqsCalls, TestServer } from "../src/server.js";
import { setVisibility } from "../src/visibility.js";

const MINUTES = Number(process.env.SBE_MINUTES ?? 10);
const SETTINGS: Record<string, Partial<Setup>> = {
  default: {},
  "economy, hidden: poll": { economy: { hidden: "poll" } },
  "economy, hidden: slow": { economy: { hidden: "slow" } },
  "economy, hidden: pause": { economy: { hidden: "pause" } },
  // Nobody touches these pages.
  "economy, idle: slow": { economy: { idle: "slow" } },
};

/** The most that a setting may cost: an idle page's requests a minute, and all requests of a message with its send. */
const LIMITS: Record<string, { shown: number; hidden: number; message: number }> = {
  "economy, hidden: poll": { shown: 3, hidden: 3, message: 4.3 },
  "economy, hidden: slow": { shown: 3, hidden: 1.1, message: 3.3 },
  "economy, hidden: pause": { shown: 3, hidden: 0, message: 2.7 },
  // In use for the first two minutes.
  "economy, idle: slow": { shown: 1.1 + 4 / MINUTES, hidden: 1.1, message: 2.6 },
};

const until = (time: number) => sleep(Math.max(0, time - Date.now()));
const perMinute = (count: number) => (count / MINUTES).toFixed(2);

test("requests by setting", async ({ browser, open }) => {
  const rows = await Promise.all(
    Object.entries(SETTINGS).flatMap(([setting, setup]) =>
      [1, 0].map(async (messages) => {
        const calls = new SqsCalls();
        const proxy = await TestServer.start(calls.before(inject("stack").endpoint));
        const context = await browser.newContext();
        context.setDefaultTimeout(60_000);
        const user = visitor();
        const page = await open(context, { ...setup, visitor: user, endpoint: proxy.url });
        let sent = 0;
        const start = Date.now();
        let minutes = 0;
        const half = async () => {
          const before = calls.all.length;
          for (let minute = 0; minute < MINUTES; minute++) {
            // By the clock, so that a minute is one, however long publishing takes.
            await until(start + ++minutes * 60_000 - 30_000);
            if (messages > 0) await publish(user, 1, { first: sent++ });
            await until(start + minutes * 60_000);
          }
          return calls.all.length - before;
        };
        // Without the first poll, which a page makes once.
        const started = calls.all.length;
        const shown = await half();
        await setVisibility(page, "hidden");
        const hidden = await half();
        await setVisibility(page, "visible");
        await came(page, sent);
        await setVisibility(page, "hidden");
        await sleep(3000);
        const all = calls.all.length - started;
        const { numbers } = await logOf(page);
        await context.close();
        proxy.stop();
        const kinds = ["ReceiveMessage", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"];
        return {
          setting,
          messages: sent,
          lost: sent - new Set(numbers).size,
          "a minute, shown": perMinute(shown),
          "a minute, hidden": perMinute(hidden),
          "receives/deletes/changes": kinds.map((kind) => calls.count(kind)).join("/"),
          "a message, with its send": sent > 0 ? (all / sent + 1).toFixed(2) : "",
        };
      }),
    ),
  );
  console.table(rows);
  for (const row of rows) {
    expect(row).toMatchObject({ lost: 0 });
    const limits = LIMITS[row.setting];
    if (!limits) continue;
    if (row.messages === 0) {
      expect(Number(row["a minute, shown"])).toBeLessThanOrEqual(limits.shown);
      expect(Number(row["a minute, hidden"])).toBeLessThanOrEqual(limits.hidden);
    } else if (MINUTES >= 10) {
      // In less time the deletions at its end weigh too much.
      expect(Number(row["a message, with its send"])).toBeLessThanOrEqual(limits.message);
    }
  }
});
