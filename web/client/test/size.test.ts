import { expect, it } from "vitest";
import { LIMIT, sizes } from "../scripts/size.js";

it("stays within its size", async () => {
  const { index, ...entries } = await sizes();
  expect(index?.gzip).toBeLessThanOrEqual(LIMIT);
  for (const { gzip } of Object.values(entries)) expect(gzip).toBeLessThan(1500);
});
