import type { Environment } from "./environment.js";

/** How many messages are remembered: more than can come again at a time, by `economy` in a quarter of an hour. */
const MOST = 4000;
/** With what the names of sessions begin. */
const PREFIX = "sqs-browser-events:";

/** The keys in storage that this page knows of, oldest first. */
let kept: string[] = [];

/**
 * Keeps a settled message's id for the pages to come, in all tabs: its deletion may not have reached the queue
 * when this page goes, which it may do without a word. First just one small write, since a page that is killed
 * between its handler and the end of this shows the message twice. Tabs that settle the same message write the same.
 *
 * @param name - the session's
 */
export function remember({ storage, now }: Environment, name: string, id: string): void {
  const key = `${name} ${id}`;
  try {
    const stored = storage();
    stored[key] = now();
    if (kept.push(key) > MOST) delete stored[kept.shift() as string];
  } catch {
    // A full or forbidden storage, or none, costs at most a repeated message.
  }
}

/** The ids that {@link remember} has kept, in whichever tab. */
export function recall({ storage }: Environment, name: string): string[] {
  try {
    const stored = storage();
    const all = Object.keys(stored).filter((key) => key.startsWith(PREFIX));
    kept = all.sort((a, b) => (stored[a] as number) - (stored[b] as number));
    return kept.filter((key) => key.startsWith(`${name} `)).map((key) => key.slice(name.length + 1));
  } catch {
    return [];
  }
}
