import type { Client } from "./connection.js";
import type { Message, Metadata } from "./events.js";
import type { Pace } from "./pace.js";
import { limited } from "./time.js";

/** Fills in for this tab what was missed since a moment, from the application's history. */
export async function fillIn(
  { settings, clock, emitter, handling }: Client,
  pace: Pace,
  signal: AbortSignal,
  since: number,
): Promise<void> {
  const ask = async () => {
    const missed = (await settings.getHistory({ since })) ?? [];
    // The likeliest mistake is to return the backend's whole reply.
    if (!missed.every?.(({ messageId }) => messageId))
      throw new TypeError("getHistory must resolve to messages");
    return missed;
  };
  const get = () => limited(settings, ask());
  const failed = (error: unknown) => emitter.fail("history", error);
  const missed = (await pace.retry(signal, get, failed)) ?? [];
  const created = (message: Message) => Number(message.created ?? 0);
  const sorted = [...missed].sort((a, b) => created(a) - created(b));
  const fill = async (message: Message) => {
    const { messageId } = message;
    const text = JSON.stringify(message);
    const receivedAt = clock.now();
    const metadata: Metadata = { messageId, text, source: "history", receivedAt, deliveries: 0 };
    for (let delay = 1; !signal.aborted && !(await handling.handle(message, metadata)); delay *= 2) {
      await pace.sleep(delay, signal);
    }
  };
  await Promise.all(sorted.map(fill));
}
