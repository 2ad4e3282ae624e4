import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { publish } from "../src/backend.js";
import { application, test } from "../src/pages.js";
import { ROOT } from "../src/system.js";

/** The first block of code in the section. */
function quickStart(): string {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const section = readme.split("\n## ").find((section) => section.startsWith("In the browser\n"));
  const code = /```js\n(.*?)```/s.exec(section ?? "")?.[1];
  if (!code) throw new Error('README.md has no code in its section "In the browser"');
  return code;
}

test("the quick start tries again after a failure, and ends with a 401", async ({ context }) => {
  const app = await application(`${quickStart()}globalThis.events = events;`);
  const page = await context.newPage();
  const answers = [503, 401];
  const asked: string[] = [];
  await page.route("**/api/session?*", async (route) => {
    asked.push(new URL(route.request().url()).search);
    await route.fulfill({ status: answers.shift() ?? 401 });
  });
  await page.goto(app.url);
  await page.waitForFunction(() => String(globalThis.events?.status.reason).includes("logged out"));
  expect(await page.evaluate(() => globalThis.events.state)).toBe("disconnected");
  expect(asked).toEqual(["?reason=start", "?reason=start"]);
  app.stop();
});

test("the quick start has less than ten lines, and runs as written", async ({ context }) => {
  const code = quickStart();
  const text = `hello ${Date.now()}`;
  expect(code.trim().split("\n").length).toBeLessThan(10);
  const app = await application(code);
  const page = await context.newPage();
  const said: string[] = [];
  page.on("console", (message) => said.push(message.text()));
  const opened = page.waitForResponse(/api\/session/);
  await page.goto(app.url);
  await opened;
  // The example backend's account, when the page does not say which.
  await publish({ account: 1 }, 1, { text });
  await expect.poll(() => said).toContain(text);
  app.stop();
});
