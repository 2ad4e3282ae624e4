import type { Environment } from "./environment.js";

/** How many messages are remembered: more than can wait for their deletion at a time, in several sessions. */
const SLOTS = 256;
const KEY = "sqs-browser-events:";

/** Where the next one is written; it begins anywhere, so that pages write over what is old rather than new. */
let slot = Math.floor(Math.random() * SLOTS);

/**
 * Keeps a settled message's id for the pages to come, in all tabs: its deletion may not have reached the queue
 * when this page goes, which it may do without a word. Just one small write, since a page that is killed between
 * its handler and the end of this shows the message twice.
 *
 * @param name - the session's
 */
export function remember(env: Environment, name: string, id: string): void {
  slot = (slot + 1) % SLOTS;
  try {
    env.storage?.setItem(KEY + slot, `${name} ${id}`);
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
