import type { Emitter } from "./emitter.js";
import { UNDONE } from "./emitter.js";
import { BrowserEventsError } from "./errors.js";
import type { Message, Metadata, Receipt } from "./events.js";
import type { Id } from "./session.js";

interface Entry {
  /** Handlers that have finished with the message. */
  done: Set<unknown>;
  failures: number;
  /** The attempt in progress. */
  running?: Promise<boolean>;
  settled: boolean;
}

/**
 * Brings each message to this tab's handlers once. It remembers by messageId which messages are settled,
 * that is handled or given up, and how often the others have failed.
 */
export class Inbox {
  readonly #emitter: Emitter;
  readonly #maxAttempts: number;
  readonly #size: number;
  /** Oldest first. */
  readonly #entries = new Map<string, Entry>();

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
   * Counts a frame that cannot be read, and tells of it the first time.
   * @returns whether it has come often enough to be given up
   */
  unreadable(id: string, cause: unknown): Promise<boolean> {
    return this.#attempt(id, async (entry) => {
      if (++entry.failures === 1) this.#fail("decrypt", "a frame cannot be decrypted", cause, id);
      return entry.failures >= this.#maxAttempts;
    });
  }

  /** The ids of the newest settled messages. */
  settled(limit: number): string[] {
    const ids = [...this.#entries].filter(([, entry]) => entry.settled).map(([id]) => id);
    return ids.slice(-limit);
  }

  /** Takes over what {@link Inbox.settled} returned before a reload. */
  settle(ids: Iterable<string>): void {
    for (const id of ids) this.#entry(id).settled = true;
  }

  #attempt(id: string, attempt: (entry: Entry) => Promise<boolean>): Promise<boolean> {
    const entry = this.#entry(id);
    if (entry.settled) return Promise.resolve(true);
    entry.running ??= attempt(entry).then((settled) => {
      entry.running = undefined;
      entry.settled = settled;
      if (settled) entry.done.clear();
      return settled;
    });
    return entry.running;
  }

  async #deliver(message: Message, metadata: Metadata, entry: Entry): Promise<boolean> {
    const failures = await this.#call(message, metadata, entry.done);
    if (failures.length === 0) return true;
    const errors = failures.filter((failure) => failure !== UNDONE);
    if (errors.length === 0 || ++entry.failures < this.#maxAttempts) return false;
    this.#fail("handler", "a message was given up", errors[0], metadata.messageId);
    return true;
  }

  #call(message: Message, metadata: Metadata, done: Set<unknown>): Promise<unknown[]> {
    const receipt = readReceipt(message);
    if (receipt) return this.#emitter.deliver("receipt", [receipt, metadata], done);
    return this.#emitter.deliver("message", [message, metadata], done);
  }

  #entry(id: string): Entry {
    const known = this.#entries.get(id);
    if (known) return known;
    if (this.#entries.size >= this.#size) this.#forgetOldest();
    const entry = { done: new Set(), failures: 0, settled: false };
    this.#entries.set(id, entry);
    return entry;
  }

  #forgetOldest(): void {
    for (const [id, entry] of this.#entries) {
      if (!entry.running) return void this.#entries.delete(id);
    }
  }

  #fail(code: "handler" | "decrypt", text: string, cause: unknown, id: string): void {
    this.#emitter.emit("error", new BrowserEventsError(code, text, cause, id));
  }
}

function readReceipt(message: Message): Receipt | undefined {
  if (message._type !== "message-read-receipt") return undefined;
  return { userId: message.userId as Id, ids: (message["messages-receipted"] ?? []) as string[] };
}
