/**
 * The standard scenario in true minutes, each unit counted beside calculated: a message of 1 KB a minute.
 *
 * `npm run costs --workspace e2e`; SBE_MINUTES: how long, 10 by default; SBE_BY: `http` or `kinesis`, which
 * needs KINESIS_POLL_SECONDS=1 for batches as large as Lambda's.
 */
import { expect } from "vitest";
import { countedAndCalculated } from "../src/costs.js";
import { test } from "../src/pages.js";

test("units of the standard scenario", async ({ browser, open }) => {
  const by = process.env.SBE_BY === "kinesis" ? "kinesis" : "http";
  const minutes = Number(process.env.SBE_MINUTES ?? 10);
  const rows = await countedAndCalculated(browser, open, { browsers: 10, minutes, speed: 1, by });
  console.table(
    rows.map((row) => ({ ...row, difference: `${((row.counted / row.calculated - 1) * 100).toFixed(1)} %` })),
  );
  expect(rows.length).toBeGreaterThan(4);
});
