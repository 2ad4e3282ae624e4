import type { BrowserEvents, Message, Metadata } from "./index.js";
import { createdOf, Items } from "./items.js";
import { Beyond, createAsking } from "./unread.js";

/** How many may come after what has been loaded, before the oldest are dropped. */
const KEPT = 1000;
/** How many receipts of what is not loaded are remembered. */
const REMEMBERED = 5000;

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
  readonly #items = new Items();
  /** Read, perhaps before they were loaded; the latest ones. A page that is asked for later knows by itself. */
  readonly #read = new Set<string>();
  readonly #subscribers = new Set<() => void>();
  readonly #stop: (() => void)[];
  #next?: string;
  #more = true;
  /** How many are kept. */
  #most = KEPT;
  #loading?: Promise<void>;
  readonly #beyond = new Beyond();
  readonly #asking = createAsking(() => this.#ask());
  #closed = false;
  #loaded = false;
  /** Ids that were here when it came to lack newer ones, at a gap. */
  #before?: Set<string>;
  /** Made when it is asked for. */
  #state?: InboxState;
  #telling = false;

  constructor(events: BrowserEvents, backend: InboxBackend) {
    this.#backend = backend;
    this.#stop = [
      events.on("message", (message, metadata) => this.#came(message, metadata)),
      events.on("receipt", ({ ids }, metadata) => this.#receipted(ids, metadata)),
      events.on("gap", () => this.#gap()),
    ];
  }

  get state(): InboxState {
    this.#state ??= {
      items: this.#items.list,
      unread: this.#items.unread + this.#beyond.count,
      more: this.#more,
    };
    return this.#state;
  }

  /** Calls back after changes, once for all of a turn; returns what ends that. */
  readonly subscribe = (changed: () => void): (() => void) => {
    this.#subscribers.add(changed);
    return () => void this.#subscribers.delete(changed);
  };

  /**
   * Loads the next page that has something new, at first the newest messages; calls at the same time load one page. It
   * is shown at once, and the promise resolves when the unread ones are counted too. A count that fails is repeated, not
   * told.
   * @throws what `getPage` throws; it can be called again
   */
  load(): Promise<void> {
    this.#loaded = true;
    this.#loading ??= this.#load()
      .finally(() => {
        this.#loading = undefined;
      })
      .then(() => this.#asking.now());
    return this.#loading;
  }

  /**
   * Marks messages read, also those that are not loaded; all that are loaded if none are named. Here they are read at once.
   * @throws what the backend's call throws; they are unread again then
   */
  async markRead(ids: string[] = this.#unreadIds()): Promise<void> {
    const changed = ids.filter((id) => !this.#items.get(id)?.read && !this.#read.has(id));
    if (changed.length === 0) return;
    this.#set(changed, true);
    const { toldAt } = this.#beyond;
    try {
      await this.#backend.markRead(changed);
    } catch (error) {
      this.#set(
        changed.filter((id) => !this.#read.has(id)),
        false,
      );
      throw error;
    } finally {
      // It may have been counted before they were marked, and told afterwards.
      if (this.#beyond.toldAt !== toldAt || toldAt === Number.POSITIVE_INFINITY) this.#asking.soon();
    }
  }

  /** Ends it, for good: from then on it asks the backend for nothing. The client goes on. */
  close(): void {
    this.#closed = true;
    for (const stop of this.#stop) stop();
    this.#asking.close();
    this.#subscribers.clear();
  }

  async #load(): Promise<void> {
    let added = 0;
    // A page may be empty. After old ones were dropped, the first pages have what is there.
    while (added === 0 && this.#more && !this.#closed) {
      const asked = this.#next;
      const { messages, next } = await this.#page(asked);
      // Meanwhile the list has got another end, which this page does not follow.
      if (this.#next !== asked) continue;
      added = messages.filter((message) => this.#add(message)).length;
      this.#next = next;
      // A backend that ignores `next` would be asked for ever.
      this.#more = next !== undefined && next !== asked;
      this.#changed();
    }
    this.#most = this.#items.size + KEPT;
  }

  #page(next?: string): Promise<InboxPage> {
    return this.#backend.getPage(next === undefined ? {} : { next });
  }

  async #ask(): Promise<void> {
    if (this.#before) await this.#refresh(this.#before);
    const backend = this.#backend;
    if (backend.getUnread) await this.#beyond.ask(backend.getUnread.bind(backend), () => this.#items.unread);
    this.#changed();
  }

  /**
   * Loads what came meanwhile, and what was read: from the newest page to one that has something from before the gap. If
   * there is too much, what is older is dropped: a hole in the list could not be filled from its end.
   */
  async #refresh(before: Set<string>): Promise<void> {
    this.#before = undefined;
    let page: InboxPage = { messages: [] };
    let asked: string | undefined;
    let [looked, oldest] = [0, Number.POSITIVE_INFINITY];
    try {
      do {
        asked = page.next;
        page = await this.#page(asked);
        for (const message of page.messages) this.#add(message);
        this.#changed();
        if (this.#closed || page.messages.some(({ messageId }) => before.has(messageId))) return;
        looked += page.messages.length;
        oldest = Math.min(oldest, ...page.messages.map(createdOf));
      } while (before.size > 0 && page.next !== asked && page.next !== undefined && looked < KEPT);
    } catch (error) {
      this.#before = before;
      throw error;
    }
    this.#next = page.next;
    this.#more = page.next !== undefined;
    while (looked > 0 && this.#more && this.#items.oldest < oldest) this.#drop();
    this.#changed();
  }

  /** There may have been messages and receipts that do not come any more. */
  #gap(): void {
    if (this.#loaded) this.#before ??= new Set(this.#items.ids);
    this.#asking.soon();
  }

  #came(message: Message, metadata: Metadata): void {
    const { messageId: id } = message;
    // What is not in the history cannot be marked read.
    if ("_sqs_only" in message) return;
    if (this.#items.get(id)) {
      // What has been loaded has its place by when it was created.
      if (message.is_read) this.#set([id], true);
      return;
    }
    this.#add({ created: metadata.sentAt ?? metadata.receivedAt, ...message });
    if (this.#mayBeCounted(metadata) && !this.#items.get(id)?.read) this.#beyond.less();
    this.#dropOldest();
    this.#changed();
  }

  /** Whether the backend may have counted it when it last did. Then it is asked again, soon. */
  #mayBeCounted(metadata: Metadata): boolean {
    const may = this.#beyond.mayInclude(metadata);
    if (may) this.#asking.soon();
    return may;
  }

  /** @returns whether it is new here */
  #add(message: Message): boolean {
    const { messageId: id } = message;
    const read = Boolean(message.is_read) || this.#read.has(id) || Boolean(this.#items.get(id)?.read);
    return this.#items.put(message, read);
  }

  /** Drops what is too much. It can be loaded again, from the first page on. */
  #dropOldest(): void {
    // The page that is on its way goes on from what is there.
    if (this.#loading) return;
    while (this.#items.size > this.#most) {
      this.#drop();
      this.#next = undefined;
      this.#more = true;
    }
  }

  #drop(): void {
    if (this.#items.pop()?.read === false && this.#backend.getUnread) this.#beyond.count++;
  }

  #receipted(ids: string[], metadata: Metadata): void {
    this.#mayBeCounted(metadata);
    for (const id of ids) {
      // A receipt has only ids that were unread.
      if (!this.#items.get(id) && !this.#read.has(id)) this.#beyond.less();
      this.#remember(id);
    }
    this.#set(ids, true);
  }

  #remember(id: string): void {
    this.#read.add(id);
    const [oldest = id] = this.#read;
    if (this.#read.size > REMEMBERED) this.#read.delete(oldest);
  }

  #set(ids: string[], read: boolean): void {
    for (const id of ids) this.#items.setRead(id, read);
    this.#changed();
  }

  #unreadIds(): string[] {
    return this.#items.ids.filter((id) => !this.#items.get(id)?.read);
  }

  #changed(): void {
    this.#state = undefined;
    if (this.#telling) return;
    this.#telling = true;
    queueMicrotask(() => {
      this.#telling = false;
      for (const changed of this.#subscribers) changed();
    });
  }
}
