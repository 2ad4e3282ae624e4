import type { Environment } from "./environment.js";
import type { Inbox } from "./inbox.js";

/** How many messages are remembered across a reload. */
const LIMIT = 1000;

/**
 * Keeps the newest settled messages' ids for this tab's next page: their deletion may not have reached
 * the queue when the page goes.
 */
export function remember(env: Environment, name: string, inbox: Inbox): void {
  try {
    env.storage?.setItem(name, JSON.stringify(inbox.settled(LIMIT)));
  } catch {
    // A full or blocked storage costs at most a repeated message.
  }
}

/** Restores what {@link remember} kept. */
export function recall(env: Environment, name: string, inbox: Inbox): void {
  try {
    inbox.settle(JSON.parse(env.storage?.getItem(name) ?? "[]"));
  } catch {
    // As above.
  }
}
