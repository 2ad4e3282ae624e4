import type { Environment } from "./environment.js";

/** How many messages are remembered: more than can wait for their deletion at a time, in several sessions. */
const LIMIT = 256;
const KEY = "sqs-browser-events";

/**
 * Keeps a settled message's id for the pages to come, in all tabs: its deletion may not have reached the queue
 * when this page goes, which it may do without a word.
 * @param name - the session's
 */
export function remember(env: Environment, name: string, id: string): void {
  try {
    const ids = read(env).filter(([ofName, known]) => ofName !== name || known !== id);
    env.storage?.setItem(KEY, JSON.stringify([...ids, [name, id]].slice(-LIMIT)));
  } catch {
    // A full or forbidden storage costs at most a repeated message.
  }
}

/** The ids that {@link remember} has kept, in whichever tab. */
export function recall(env: Environment, name: string): string[] {
  return read(env).flatMap(([ofName, id]) => (ofName === name ? [id] : []));
}

/** Oldest first, each with its session's name. */
function read(env: Environment): [name: string, id: string][] {
  try {
    return JSON.parse(env.storage?.getItem(KEY) ?? "[]");
  } catch {
    return [];
  }
}
