import type { BrowserEvents, Message, Metadata } from "./index.js";

/** How long what waited in the queue may pause before the unread ones are counted again, milliseconds. */
const PAUSE = 500;

/** A page of a user's messages, newest first. */
export interface InboxPage {
  messages: Message[];
  /** Where the next page begins; absent on the last one. */
  next?: string;
}

/** The calls of the application's backend that an inbox needs. */
export interface InboxBackend {
  /** A page of the user's history; without `next` the newest one. */
  getPage(request: { next?: string }): Promise<InboxPage>;
  /** Marks messages read for the user. */
  markRead(ids: string[]): Promise<unknown>;
  /** How many are unread, also beyond the pages that are loaded. Without it those that are loaded are counted. */
  getUnread?(): Promise<number>;
}

export interface InboxItem {
  message: Message;
  read: boolean;
}

/** What an inbox shows. It is a new object after each change, and never changes itself. */
export interface InboxState {
  /** Newest first. */
  items: readonly InboxItem[];
  unread: number;
  /** Whether there are older ones to load. */
  more: boolean;
}

/**
 * A user's messages as a list with pages, read and unread. New messages and the receipts of other tabs, devices and
 * sessions keep it right.
 *
 * @example
 * ```ts
 * const inbox = new Inbox(events, { getPage, markRead });
 * inbox.subscribe(() => render(inbox.state));
 * await inbox.load();
 * ```
 */
export class Inbox {
  readonly #backend: InboxBackend;
  readonly #items = new Map<string, InboxItem>();
  /** Read before they were loaded. */
  readonly #read = new Set<string>();
  readonly #subscribers = new Set<() => void>();
  readonly #stop: (() => void)[];
  #next?: string;
  #more = true;
  #loading?: Promise<void>;
  /** The unread ones that are not loaded, as far as the backend has told. */
  #beyond = 0;
  /** When it was last asked, epoch seconds of the local clock. */
  #asked = 0;
  #recount?: ReturnType<typeof setTimeout>;
  #state: InboxState = { items: [], unread: 0, more: true };

  constructor(events: BrowserEvents, backend: InboxBackend) {
    this.#backend = backend;
    this.#stop = [
      events.on("message", (message, metadata) => this.#came(message, metadata)),
      events.on("receipt", ({ ids }, metadata) => this.#receipted(ids, metadata)),
    ];
  }

  get state(): InboxState {
    return this.#state;
  }

  /** Calls back after each change; returns what ends that. */
  readonly subscribe = (changed: () => void): (() => void) => {
    this.#subscribers.add(changed);
    return () => void this.#subscribers.delete(changed);
  };

  /**
   * Loads the next page, at first the newest messages; calls at the same time load one page.
   * @throws what the backend's call throws; it can be called again
   */
  load(): Promise<void> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /**
   * Marks messages read, here at once; all that are loaded if none are named.
   * @throws what the backend's call throws; they are unread again then
   */
  async markRead(ids: string[] = this.#unreadIds()): Promise<void> {
    const changed = ids.filter((id) => this.#items.get(id)?.read === false);
    if (changed.length === 0) return;
    this.#set(changed, true);
    try {
      await this.#backend.markRead(changed);
    } catch (error) {
      this.#set(
        changed.filter((id) => !this.#read.has(id)),
        false,
      );
      throw error;
    }
  }

  /** Ends it; the client goes on. */
  close(): void {
    for (const stop of this.#stop) stop();
    clearTimeout(this.#recount);
    this.#subscribers.clear();
  }

  async #load(): Promise<void> {
    if (!this.#more) return;
    const first = this.#next === undefined;
    const { messages, next } = await this.#backend.getPage(first ? {} : { next: this.#next });
    for (const message of messages) this.#add(message, Boolean(message.is_read));
    this.#next = next;
    this.#more = next !== undefined;
    await this.#count();
  }

  async #count(): Promise<void> {
    if (this.#backend.getUnread) {
      this.#asked = Date.now() / 1000;
      const unread = await this.#backend.getUnread();
      this.#beyond = Math.max(0, unread - this.#unreadIds().length);
    }
    this.#changed();
  }

  #came(message: Message, metadata: Metadata): void {
    const { messageId: id } = message;
    // What is not in the history cannot be marked read. What has been loaded has its place by when it was created.
    if ("_sqs_only" in message || this.#items.has(id)) return;
    if (this.#waited(metadata) && !this.#read.has(id)) this.#beyond = Math.max(0, this.#beyond - 1);
    this.#add({ created: metadata.sentAt ?? metadata.receivedAt, ...message }, false);
    this.#changed();
  }

  /** Whether it was sent before the backend counted, and waited in the queue since. Then it is counted again, soon. */
  #waited({ sentAt, receivedAt }: Metadata): boolean {
    const age = receivedAt - (sentAt ?? receivedAt);
    if (Date.now() / 1000 - age > this.#asked) return false;
    clearTimeout(this.#recount);
    // If it fails, the next page brings the number.
    this.#recount = setTimeout(() => void this.#count().catch(() => {}), PAUSE);
    return true;
  }

  #add(message: Message, read: boolean): void {
    const { messageId: id } = message;
    const known = this.#items.get(id);
    this.#items.set(id, { message, read: read || known?.read || this.#read.has(id) });
  }

  #receipted(ids: string[], metadata: Metadata): void {
    this.#waited(metadata);
    for (const id of ids) {
      // A receipt has only ids that were unread.
      if (!this.#items.has(id) && !this.#read.has(id)) this.#beyond = Math.max(0, this.#beyond - 1);
      this.#read.add(id);
    }
    this.#set(ids, true);
  }

  #set(ids: string[], read: boolean): void {
    for (const id of ids) {
      const item = this.#items.get(id);
      if (item) this.#items.set(id, { ...item, read });
    }
    this.#changed();
  }

  #unreadIds(): string[] {
    return [...this.#items].filter(([, { read }]) => !read).map(([id]) => id);
  }

  #changed(): void {
    const created = ({ message }: InboxItem) => Number(message.created ?? 0);
    const items = [...this.#items.values()].sort((a, b) => created(b) - created(a));
    this.#state = { items, unread: this.#unreadIds().length + this.#beyond, more: this.#more };
    for (const changed of this.#subscribers) changed();
  }
}
