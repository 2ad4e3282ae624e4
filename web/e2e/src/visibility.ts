import type { Page } from "playwright-core";

/** Hides the page, or shows it, as a switch of tabs does. */
export function setVisibility(page: Page, value: "hidden" | "visible"): Promise<void> {
  return page.evaluate((value) => {
    Object.defineProperty(document, "hidden", { value: value === "hidden", configurable: true });
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  }, value);
}
