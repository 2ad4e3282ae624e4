import { type AnyEvents, type AnyMessage, type BrowserEvents, UNHANDLED } from "./index.js";

/** Of the last two the first counts: the message is handled, or left to another loop. */
type Item<M> = [message: M, done: () => void, leave: () => void];

/**
 * The client's messages as a loop's, from the first `next()` on, which a loop calls at once.
 *
 * A message is handled when the loop asks for the next one. Leaving the loop leaves the message in hand, and those not yet
 * taken, to handlers that are added later, such as the next loop's. The loop ends when the client disconnects.
 *
 * @example
 * ```ts
 * for await (const message of messages(events)) await show(message);
 * ```
 */
export function messages<E = AnyEvents>(
  events: BrowserEvents<E>,
): AsyncIterableIterator<AnyMessage<E>, void> {
  type M = AnyMessage<E>;
  /** What has come and was not asked for yet. */
  const waiting: Item<M>[] = [];
  let inHand: Item<M> | undefined;
  let offs: (() => void)[] | undefined;
  let ended = false;
  let wake = () => {};
  let last: Promise<unknown> = Promise.resolve();

  const start = () => [
    events.on("message", (message) => {
      return new Promise<void>((done, reject) => {
        waiting.push([message, done, () => reject(UNHANDLED)]);
        wake();
      });
    }),
    events.on("state", ({ state }) => state === "disconnected" && end()),
  ];
  function end(): void {
    ended = true;
    for (const off of offs ?? []) off();
    for (const [, , leave] of waiting.splice(0)) leave();
    wake();
  }
  async function take(): Promise<IteratorResult<M, void>> {
    inHand?.[1]();
    inHand = undefined;
    if (!ended && waiting.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    inHand = waiting.shift();
    return inHand ? { value: inHand[0] } : { done: true, value: undefined };
  }

  return {
    [Symbol.asyncIterator]() {
      return this;
    },

    /** Calls at the same time are answered one after the other. */
    next() {
      if (!ended) offs ??= start();
      const taken = last.then(take);
      last = taken;
      return taken;
    },

    /** Ends at once, also a `next()` that waits. */
    async return() {
      inHand?.[2]();
      inHand = undefined;
      end();
      return { done: true, value: undefined };
    },
  };
}
