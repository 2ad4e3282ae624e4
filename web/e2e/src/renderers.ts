import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, CDPSession, Page } from "playwright-core";

/** The processes of a browser's pages. */
async function renderers(browser: Browser): Promise<number[]> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  return processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
}

/** Ends the processes of a browser's pages, and waits until it has noticed: the next page might get one of them. */
export async function kill(browser: Browser): Promise<void> {
  const killed = await renderers(browser);
  await signal(browser, "SIGKILL");
  while ((await renderers(browser)).some((id) => killed.includes(id))) await sleep(50);
}

/** Ends the process of one page. */
export async function crash(page: Page): Promise<void> {
  const crashed = page.waitForEvent("crash");
  const session = await page.context().newCDPSession(page);
  // Nobody is left to answer it.
  session.send("Page.crash").catch(() => {});
  await crashed;
}

/** Sends a signal to the processes of a browser's pages, by their own ids. */
export async function signal(browser: Browser, name: "SIGKILL" | "SIGSTOP" | "SIGCONT"): Promise<void> {
  for (const id of await renderers(browser)) {
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
