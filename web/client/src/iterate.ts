import { type Emitter, UNDONE } from "./emitter.js";
import type { Message, Metadata, StateChange } from "./events.js";

/** Of the last two the first counts: the message is handled, or left to another loop. */
type Item = [message: Message, metadata: Metadata, done: () => void, leave: () => void];

/**
 * The messages from the first `next()` on, which a loop calls at once. A message is handled when the loop asks for the
 * next one; leaving the loop leaves the message in hand, and those not yet taken, to the next loop. Ends when the client
 * disconnects.
 */
export async function* iterate<M>(emitter: Emitter): AsyncGenerator<M, void> {
  const items: Item[] = [];
  let ended = false;
  let wake = () => {};

  const add = (message: unknown, metadata: unknown) =>
    new Promise<void>((done, reject) => {
      items.push([message as Message, metadata as Metadata, done, () => reject(UNDONE)]);
      wake();
    });
  const end = () => {
    ended = true;
    for (const off of offs) off();
    for (const [, , , leave] of items.splice(0)) leave();
    wake();
  };
  const offs = [
    emitter.on("message", add, { queues: true }),
    emitter.on("state", (change) => (change as StateChange).state === "disconnected" && end()),
  ];

  try {
    for (;;) {
      const item = items.shift();
      if (item) {
        const [message, { messageId }, done, leave] = item;
        const stop = emitter.watch(message, messageId);
        try {
          yield message as M;
          done();
        } finally {
          stop();
          leave();
        }
      } else if (ended) return;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    end();
  }
}
