import type { Page } from "playwright-core";
import { expect, inject } from "vitest";
import { publish, visitor } from "../src/backend.js";
import { came, test } from "../src/pages.js";
import { SqsCalls, TestServer } from "../src/server.js";
import { setVisibility } from "../src/visibility.js";

/** What shows that somebody is there; `before` makes the page one that nobody uses. */
const SIGNS: Record<string, { before?(page: Page): Promise<void>; sign(page: Page): Promise<void> }> = {
  key: { sign: (page) => page.keyboard.press("a") },
  pointer: { sign: (page) => page.mouse.move(20, 20) },
  touch: { sign: (page) => page.touchscreen.tap(20, 20) },
  look: {
    before: (page) => setVisibility(page, "hidden"),
    sign: (page) => setVisibility(page, "visible"),
  },
};

test.concurrent.for(Object.entries(SIGNS))(
  "a page that rests polls at once: %s",
  async ([, how], { browser, open, expect }) => {
    const calls = new SqsCalls();
    const proxy = await TestServer.start(calls.before(inject("stack").endpoint));
    const context = await browser.newContext({ hasTouch: true });
    const user = visitor();
    const economy = { idle: "slow", idleAfter: 1 } as const;
    const page = await open(context, {
      visitor: user,
      economy,
      options: { waitTime: 1 },
      endpoint: proxy.url,
    });
    await how.before?.(page);
    await rests(calls);
    const polls = calls.count("ReceiveMessage");
    await publish(user, 1);
    expect(calls.count("ReceiveMessage")).toBe(polls);
    await how.sign(page);
    // Its next poll would be a minute after its last one.
    await came(page, 1);
    await context.close();
    proxy.stop();
  },
);

/** A page that does not rest polls all the time, for a second each. */
async function rests(calls: SqsCalls): Promise<void> {
  await expect.poll(() => calls.quiet()).toBeGreaterThan(4000);
}
