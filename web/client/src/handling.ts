import type { Emitter } from "./emitter.js";
import { UNDONE } from "./emitter.js";
import type { Message, Metadata, Receipt } from "./events.js";
import type { Id, Session } from "./session.js";

interface Entry {
  /** Handlers that have finished with the message. */
  done: Set<unknown>;
  failures: number;
  /** The attempt in progress. */
  running?: Promise<boolean>;
  /** A loop has left it to the next one. */
  undone: boolean;
  settled: boolean;
  /** The session that could not read it first. */
  unreadBy?: Session;
}

/**
 * Brings each message to this tab's handlers once. It remembers by messageId which messages are settled,
 * that is handled or given up, and how often the others have failed. What nobody handles it keeps until
 * somebody does.
 */
export class Handling {
  readonly #emitter: Emitter;
  readonly #maxAttempts: number;
  readonly #size: number;
  /** Oldest first. */
  readonly #entries = new Map<string, Entry>();
  /** Is told of each message that is settled, in the turn in which its handlers return. */
  settled: (id: string) => void = () => {};

  /** @param size - how many messages are remembered */
  constructor(emitter: Emitter, maxAttempts: number, size: number) {
    this.#emitter = emitter;
    this.#maxAttempts = maxAttempts;
    this.#size = size;
  }

  /**
   * Brings a message to the handlers, unless that has been done.
   * @returns whether this tab has settled it; if not, it should come again
   */
  handle(message: Message, metadata: Metadata): Promise<boolean> {
    return this.#attempt(metadata.messageId, (entry) => this.#deliver(message, metadata, entry));
  }

  /**
   * Counts a frame that cannot be read, and tells of it the first time. It does not count before another session
   * has been tried: the key may have been rotated.
   * @returns whether it has come often enough to be given up
   */
  unreadable(id: string, cause: unknown, session: Session): Promise<boolean> {
    return this.#attempt(id, async (entry) => {
      entry.unreadBy ??= session;
      if (entry.unreadBy === session) return false;
      if (++entry.failures === 1) this.#emitter.fail("decrypt", "a frame cannot be decrypted", cause, id);
      return entry.failures >= this.#maxAttempts;
    });
  }

  /** Takes over what was settled before a reload, or in another tab. */
  settle(ids: Iterable<string>): void {
    for (const id of ids) this.#entry(id).settled = true;
  }

  #attempt(id: string, attempt: (entry: Entry) => Promise<boolean>): Promise<boolean> {
    const entry = this.#entry(id);
    if (entry.running) return entry.running;
    if (entry.settled) return Promise.resolve(true);
    entry.running = attempt(entry).then((settled) => {
      entry.running = undefined;
      entry.settled = settled;
      if (settled) entry.done.clear();
      return settled;
    });
    return entry.running;
  }

  async #deliver(message: Message, metadata: Metadata, entry: Entry): Promise<boolean> {
    for (;;) {
      // Taken before the call: a loop may follow another one while this waits for the handlers.
      const { added } = this.#emitter;
      const receipt = readReceipt(message);
      if (receipt || this.#emitter.takesMessages) {
        const failures = await this.#call(message, metadata, receipt, entry);
        const errors = failures.filter((failure) => failure !== UNDONE);
        if (errors.length > 0) return this.#failed(errors[0], message, entry);
        if (!entry.undone) return true;
      }
      const stop = this.#emitter.watch(message, metadata.messageId);
      await added;
      stop();
      entry.undone = false;
    }
  }

  async #call(
    message: Message,
    metadata: Metadata,
    receipt: Receipt | undefined,
    entry: Entry,
  ): Promise<unknown[]> {
    const events = receipt ? ["receipt"] : ["message", `type:${message._type}`];
    const args = [receipt ?? message, metadata];
    const failures = await this.#emitter.deliver(events, args, entry.done, () => {
      if (!entry.undone) this.settled(metadata.messageId);
    });
    entry.undone ||= failures.includes(UNDONE);
    return failures;
  }

  #failed(error: unknown, message: Message, entry: Entry): boolean {
    if (++entry.failures < this.#maxAttempts) return false;
    const { messageId } = message;
    this.#emitter.fail("handler", "a message was given up", error, messageId, message);
    this.settled(messageId);
    return true;
  }

  #entry(id: string): Entry {
    const known = this.#entries.get(id);
    if (known) return known;
    if (this.#entries.size >= this.#size) this.#forgetOldest();
    const entry: Entry = { done: new Set(), failures: 0, undone: false, settled: false };
    this.#entries.set(id, entry);
    return entry;
  }

  #forgetOldest(): void {
    for (const [id, entry] of this.#entries) {
      if (!entry.running) return void this.#entries.delete(id);
    }
  }
}

function readReceipt(message: Message): Receipt | undefined {
  if (message._type !== "message-read-receipt") return undefined;
  return { userId: message.userId as Id, ids: (message["messages-receipted"] ?? []) as string[] };
}
