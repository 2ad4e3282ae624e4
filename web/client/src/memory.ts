import type { Environment } from "./environment.js";

/** How many messages are remembered: with `economy` those of a quarter of an hour may come again, in several tabs. */
const SLOTS = 4096;
/** Where the newest one is; with its slot behind it, where that is. */
const KEY = "sqs-browser-events:";

/**
 * Keeps a settled message's id for the pages to come, in all tabs: its deletion may not have reached the queue
 * when this page goes, which it may do without a word. Just two small writes, since a page that is killed between
 * its handler and the end of this shows the message twice. Tabs that write at the same time write the same ids.
 *
 * @param name - the session's
 */
export function remember({ storage }: Environment, name: string, id: string): void {
  try {
    const slot = (Number(storage?.getItem(KEY)) + 1) % SLOTS;
    storage?.setItem(KEY + slot, `${name} ${id}`);
    storage?.setItem(KEY, `${slot}`);
  } catch {
    // A full or forbidden storage costs at most a repeated message.
  }
}

/** The ids that {@link remember} has kept, in whichever tab. */
export function recall(env: Environment, name: string): string[] {
  try {
    const kept = Array.from({ length: SLOTS }, (_, i) => env.storage?.getItem(KEY + i) ?? "");
    return kept.filter((text) => text.startsWith(`${name} `)).map((text) => text.slice(name.length + 1));
  } catch {
    return [];
  }
}
