import type { Browser, CDPSession, Page } from "playwright-core";

/** Sends a signal to the processes of a browser's pages, by their own ids. */
export async function signal(browser: Browser, name: "SIGKILL" | "SIGSTOP" | "SIGCONT"): Promise<void> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  for (const { id } of processInfo.filter(({ type }) => type === "renderer")) {
    try {
      process.kill(id, name);
    } catch {
      // A spare one has ended by itself.
    }
  }
}

/** Freezes a page as Chromium does with one in the background: it is hidden, hears of it, and then nothing runs in it. */
export async function freeze(page: Page): Promise<void> {
  await setFocusEmulation(page, false);
  await setLifecycle(page, "frozen");
}

/** Lets a frozen page run again, and shows it. */
export async function thaw(page: Page): Promise<void> {
  await setLifecycle(page, "active");
  await setFocusEmulation(page, true);
}

async function setLifecycle(page: Page, state: "frozen" | "active"): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send("Page.setWebLifecycleState", { state });
  await session.detach();
}

/** What Playwright keeps to itself. */
interface Internals {
  _connection: { toImpl(page: Page): { delegate: { _mainFrameSession: { _client: CDPSession } } } };
}

/**
 * Playwright keeps each page visible by emulating its focus, and Chromium freezes no visible page. Only the session
 * that has turned the emulation on can turn it off.
 */
async function setFocusEmulation(page: Page, enabled: boolean): Promise<void> {
  const { _client } = (page as unknown as Internals)._connection.toImpl(page).delegate._mainFrameSession;
  await _client.send("Emulation.setFocusEmulationEnabled", { enabled });
}
