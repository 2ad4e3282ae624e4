import { expect, it } from "vitest";
import { LIMIT, sizes } from "../scripts/size.js";

it("takes at most 8 KB, compressed", async () => {
  const { index, react } = await sizes();
  console.log(`sqs-browser-events: ${index} bytes gzip (limit ${LIMIT}); the React hook adds ${react}`);
  expect(index).toBeLessThanOrEqual(LIMIT);
});
