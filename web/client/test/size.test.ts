import { expect, it } from "vitest";
import { LIMIT, sizes } from "../scripts/size.js";

it("stays within its size", async () => {
  const all = await sizes();
  console.table(all);
  const { index, "index.production": production, ...entries } = all;
  expect(production?.gzip).toBeLessThanOrEqual(LIMIT);
  // The checks of what an application passes.
  expect(Number(index?.gzip) - Number(production?.gzip)).toBeGreaterThan(100);
  for (const { gzip } of Object.values(entries)) expect(gzip).toBeLessThan(1500);
});
