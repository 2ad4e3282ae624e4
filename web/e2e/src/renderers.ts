import type { Browser } from "playwright-core";

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
