import { type Emitter, UNDONE } from "./emitter.js";
import type { Message, Metadata } from "./events.js";

interface Item<M> {
  message: M;
  /** Says that the loop's body has it; returns what says that it no longer has. */
  watch(): () => void;
  done(): void;
  undone(): void;
}

/**
 * The messages from now on. A message is handled when the loop asks for the next one; leaving the loop
 * leaves the message in hand, and those not yet taken, to the next loop. Ends when the client disconnects.
 */
export function iterate<M>(emitter: Emitter): AsyncIterableIterator<M> {
  const items: Item<M>[] = [];
  const waiting: ((result: IteratorResult<M>) => void)[] = [];
  let current: Item<M> | undefined;
  let stopWatching = () => {};
  let ended = false;

  const end = () => {
    ended = true;
    for (const off of stop) off();
    for (const item of items.splice(0)) item.undone();
    for (const resolve of waiting.splice(0)) resolve({ done: true, value: undefined });
  };
  const take = (item: Item<M>): IteratorResult<M> => {
    current = item;
    stopWatching = item.watch();
    return { done: false, value: item.message };
  };
  const add = (message: unknown, metadata: unknown) =>
    new Promise<void>((resolve, reject) => {
      const watch = () => emitter.watch(message as Message, (metadata as Metadata).messageId);
      const item = { message: message as M, watch, done: resolve, undone: () => reject(UNDONE) };
      const next = waiting.shift();
      if (next) next(take(item));
      else items.push(item);
    });
  const stop = [
    emitter.on("message", add, { queues: true }),
    emitter.on("state", (change) => (change as { state: string }).state === "disconnected" && end()),
  ];

  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      stopWatching();
      current?.done();
      current = undefined;
      const item = items.shift();
      if (item) return take(item);
      if (ended) return { done: true, value: undefined };
      return new Promise((resolve) => waiting.push(resolve));
    },
    async return() {
      stopWatching();
      current?.undone();
      end();
      return { done: true, value: undefined };
    },
  };
}
