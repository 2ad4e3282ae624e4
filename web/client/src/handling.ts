import type { Emitter } from "./emitter.js";
import { UNHANDLED } from "./errors.js";
import type { Message, Metadata, Receipt } from "./events.js";
import type { Settings } from "./options.js";
import type { Id, Session } from "./session.js";

interface Entry {
  /** Handlers that have finished with the message; UNHANDLED, where one has left it to others. */
  done: Set<unknown>;
  failures: number;
  over?: boolean;
  /** The session that could not read it first. */
  unreadBy?: Session;
}

/**
 * Brings each message to this tab's handlers once. It remembers by messageId which messages are settled,
 * that is handled or given up, and how often the others have failed. What nobody handles it keeps until
 * somebody does.
 */
export type Handling = ReturnType<typeof createHandling>;

export function createHandling(emitter: Emitter, { maxAttempts, dedupeSize }: Settings) {
  /** Oldest first; those of attempts in progress are added again when they end. */
  const entries = new Map<string, Entry>();
  /** The attempts in progress, by messageId. */
  const attempts = new Map<string, Promise<boolean>>();

  const entryOf = (id: string): Entry => entries.get(id) ?? { done: new Set(), failures: 0 };

  function keep(id: string, entry: Entry, settled: boolean): void {
    entry.over = settled;
    entries.delete(id);
    entries.set(id, entry);
    if (entries.size > dedupeSize) entries.delete(entries.keys().next().value as string);
  }

  async function attempt(id: string, run: (entry: Entry) => Promise<boolean>): Promise<boolean> {
    const entry = entryOf(id);
    const running = attempts.get(id);
    if (running || entry.over) return running ?? true;
    const started = run(entry).then((settled) => {
      attempts.delete(id);
      if (settled) entry.done.clear();
      keep(id, entry, settled);
      return settled;
    });
    attempts.set(id, started);
    return started;
  }

  async function deliver(message: Message, metadata: Metadata, entry: Entry): Promise<boolean> {
    const { messageId } = metadata;
    const receipt = readReceipt(message);
    const events = receipt ? ["receipt"] : ["message", `type:${message._type}`];
    const { done } = entry;
    while (!handling.life.aborted) {
      // Taken before the call: a handler may be added while this waits for the handlers.
      const woken = emitter.woken;
      if (receipt || emitter.takesMessages()) {
        done.delete(UNHANDLED);
        const failures = await emitter.deliver(events, [receipt ?? message, metadata], done, () =>
          handling.finished(messageId),
        );
        if (failures.length > 0) return failed(failures[0], message, entry);
        if (!done.has(UNHANDLED)) return true;
      }
      const stop = emitter.watch(message, messageId);
      await woken;
      stop();
    }
    // It has been given back, and comes again.
    return false;
  }

  function failed(error: unknown, message: Message, entry: Entry): boolean {
    if (++entry.failures < maxAttempts) return false;
    const { messageId } = message;
    emitter.fail("handler", error, messageId, message);
    handling.finished(messageId);
    return true;
  }

  const handling = {
    /** Ends the waiting for handlers. */
    life: AbortSignal.abort(),

    /** Is told of each message that is settled, in the turn in which its handlers return. */
    finished: (() => {}) as (id: string) => void,

    /**
     * Brings a message to the handlers, unless that has been done.
     * @returns whether this tab has settled it; if not, it should come again
     */
    handle: (message: Message, metadata: Metadata): Promise<boolean> =>
      attempt(metadata.messageId, (entry) => deliver(message, metadata, entry)),

    /**
     * Counts a frame that cannot be read, and tells of it the first time. It does not count before another session
     * has been tried: the key may have been rotated.
     * @returns whether it has come often enough to be given up
     */
    unreadable: (id: string, cause: unknown, session: Session): Promise<boolean> =>
      attempt(id, async (entry) => {
        entry.unreadBy ??= session;
        if (entry.unreadBy === session) return false;
        if (++entry.failures === 1) emitter.fail("decrypt", cause, id);
        return entry.failures >= maxAttempts;
      }),

    /** Takes over what was settled before a reload, or in another tab; not what handlers have failed at here. */
    settle(ids: string[]): void {
      for (const id of ids) if (!entries.has(id)) keep(id, entryOf(id), true);
    },
  };
  return handling;
}

function readReceipt(message: Message): Receipt | undefined {
  return message._type === "message-read-receipt"
    ? { userId: message.userId as Id, ids: (message["messages-receipted"] ?? []) as string[] }
    : undefined;
}
