import { type Emitter, UNDONE } from "./emitter.js";

interface Item<M> {
  message: M;
  done(): void;
  undone(): void;
}

/**
 * The messages from now on. A message is handled when the loop asks for the next one; leaving the loop
 * leaves the message in hand, and those not yet taken, undone. Ends when the client disconnects.
 */
export function iterate<M>(emitter: Emitter): AsyncIterableIterator<M> {
  const items: Item<M>[] = [];
  const waiting: ((result: IteratorResult<M>) => void)[] = [];
  let current: Item<M> | undefined;
  let ended = false;

  const end = () => {
    ended = true;
    for (const off of stop) off();
    for (const item of items.splice(0)) item.undone();
    for (const resolve of waiting.splice(0)) resolve({ done: true, value: undefined });
  };
  const take = (item: Item<M>): IteratorResult<M> => {
    current = item;
    return { done: false, value: item.message };
  };
  const add = (message: M) =>
    new Promise<void>((resolve, reject) => {
      const item = { message, done: resolve, undone: () => reject(UNDONE) };
      const next = waiting.shift();
      if (next) next(take(item));
      else items.push(item);
    });
  const stop = [
    emitter.on("message", (message) => add(message as M)),
    emitter.on("state", ({ state }) => state === "disconnected" && end()),
  ];

  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      current?.done();
      current = undefined;
      const item = items.shift();
      if (item) return take(item);
      if (ended) return { done: true, value: undefined };
      return new Promise((resolve) => waiting.push(resolve));
    },
    async return() {
      current?.undone();
      end();
      return { done: true, value: undefined };
    },
  };
}
