import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { expect } from "vitest";

declare global {
  var axe: { run(): Promise<AxeResults> };
}

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WIDTHS = [320, 768, 1280, 1920];
/** The least that a finger hits. */
const TARGET = 44;

/** Nothing is wrong for axe, dark and light, and nothing is wider than the screen. */
export async function expectAccessible(page: Page, widths = WIDTHS): Promise<void> {
  await page.evaluate(AXE);
  for (const colorScheme of ["light", "dark"] as const) {
    for (const width of widths) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      const found = await page.evaluate(async () => (await globalThis.axe.run()).violations);
      expect(found.map(({ id, nodes }) => `${colorScheme} ${width} ${id}: ${nodes[0]?.html}`)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    }
  }
}

/** Whatever is touched is large enough, on a narrow and on a wide screen. A box is touched by its label too. */
export async function expectTargets(page: Page): Promise<void> {
  for (const width of [320, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    const targets = page.locator("button, select, input:not([type=checkbox]), label:has([type=checkbox])");
    const boxes = await targets.filter({ visible: true }).evaluateAll((all) =>
      all.map((one) => {
        const { width, height } = one.getBoundingClientRect();
        return { what: one.textContent?.trim() || one.outerHTML, least: Math.min(width, height) };
      }),
    );
    expect(boxes.length).toBeGreaterThan(20);
    expect(boxes.filter(({ least }) => least < TARGET)).toEqual([]);
  }
}
