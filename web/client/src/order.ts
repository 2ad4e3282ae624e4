import type { Message, Metadata } from "./index.js";

export interface OrderOptions {
  /** How often a message is tried in its place before those behind it go on; 3 by default. */
  attempts?: number;
  /** The pause before the second try, which doubles with each further one; seconds, 1 by default. */
  pause?: number;
}

/**
 * A handler that takes the messages of one key one after the other, in the order in which they arrive; those of
 * different keys do not wait for each other.
 *
 * A message that fails is tried again in its place. When it has failed `attempts` times, those behind it go on, and it
 * comes again like any other that failed. Arrival is the order that this can keep: see "Delivery" in the protocol.
 *
 * @param keyOf - the key of a message; those without one (undefined) wait for none
 * @example
 * ```ts
 * events.on("message", inOrder((message) => message.orderId, save));
 * ```
 */
export function inOrder<M extends Message>(
  keyOf: (message: M) => unknown,
  handler: (message: M, metadata: Metadata) => unknown,
  { attempts = 3, pause = 1 }: OrderOptions = {},
): (message: M, metadata: Metadata) => Promise<void> {
  /** By key, the last message that is waiting or being handled. */
  const last = new Map<unknown, Promise<void>>();
  const handle = async (message: M, metadata: Metadata) => {
    for (let attempt = 1; ; attempt++) {
      try {
        await handler(message, metadata);
        return;
      } catch (error) {
        if (attempt >= attempts) throw error;
        await new Promise((resolve) => setTimeout(resolve, pause * 1000 * 2 ** (attempt - 1)));
      }
    }
  };
  return (message, metadata) => {
    const key = keyOf(message);
    if (key === undefined) return handle(message, metadata);
    const before = last.get(key);
    const next = () => handle(message, metadata);
    // The failure of one is told by its own promise.
    const own = before ? before.then(next, next) : next();
    last.set(key, own);
    const done = () => void (last.get(key) === own && last.delete(key));
    own.then(done, done);
    return own;
  };
}
