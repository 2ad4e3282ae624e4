import type { Browser, Page } from "playwright-core";

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

/** Freezes a page as Chromium does with one in the background: it hears of it, and then nothing runs in it. */
export const freeze = (page: Page) => setLifecycle(page, "frozen");

/** Lets a frozen page run again. */
export const thaw = (page: Page) => setLifecycle(page, "active");

async function setLifecycle(page: Page, state: "frozen" | "active"): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send("Page.setWebLifecycleState", { state });
  await session.detach();
}
