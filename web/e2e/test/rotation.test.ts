import { expect } from "vitest";
import { publish, rotate, SOON, visitor } from "../src/backend.js";
import { came, expectAll, logOf, test } from "../src/pages.js";

const QUICK = { deleteDelay: 0.5, waitTime: 2 };

test("a rotation by the page's own renewal, while messages arrive", async ({ context, open }) => {
  const user = visitor();
  const page = await open(context, { visitor: user, options: QUICK, expireIn: SOON, rotating: true });
  for (let n = 0; n < 60; n += 5) await publish(user, 5, { first: n });
  await page.waitForFunction(() => globalThis.log.renewals > 0);
  await publish(user, 20, { first: 60 });
  await expectAll(page, 80);
  const { reasons, errors } = await logOf(page);
  expect(reasons).toEqual(["start", "renew"]);
  expect(errors).toEqual([]);
});

test("a rotation that the page does not know of", async ({ context, open }) => {
  const user = visitor();
  const page = await open(context, { visitor: user, options: QUICK });
  await publish(user, 20);
  await came(page, 5);
  const { aesKey, previousAesKey } = await rotate(user);
  expect(previousAesKey).not.toBe(aesKey);
  await publish(user, 40, { first: 20 });
  await expectAll(page, 60);
  const { reasons, errors } = await logOf(page);
  expect(reasons).toEqual(["start", "renew"]);
  expect(errors).toEqual([]);
});
