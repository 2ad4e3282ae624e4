import type { InboxItem } from "./inbox.js";
import type { Message } from "./index.js";

interface Entry {
  item: InboxItem;
  created: number;
}

/** When a message was created, epoch seconds; 0 if it does not say. */
export function createdOf({ created }: Message): number {
  return Number(created) || 0;
}

/**
 * The messages of an inbox, newest first; those of one moment in the order in which they came. Each change costs a search
 * in what is sorted already: there may be thousands in a second.
 */
export class Items {
  readonly #byId = new Map<string, Entry>();
  readonly #sorted: Entry[] = [];
  /** How many are unread. */
  unread = 0;

  get size(): number {
    return this.#sorted.length;
  }

  /** When the oldest one was created. */
  get oldest(): number {
    return this.#sorted.at(-1)?.created ?? 0;
  }

  get ids(): string[] {
    return [...this.#byId.keys()];
  }

  /** Each item is a new object when it has changed. */
  get list(): InboxItem[] {
    return this.#sorted.map(({ item }) => item);
  }

  get(id: string): InboxItem | undefined {
    return this.#byId.get(id)?.item;
  }

  /**
   * Adds a message, or puts it in the place of the one with its id.
   * @returns whether there was none
   */
  put(message: Message, read: boolean): boolean {
    const { messageId: id } = message;
    const created = createdOf(message);
    const known = this.#byId.get(id);
    if (known?.created === created) {
      this.#change(known, { message, read });
      return false;
    }
    if (known) this.#remove(this.#sorted.indexOf(known));
    const entry = { item: { message, read }, created };
    this.#byId.set(id, entry);
    this.#sorted.splice(this.#place(created), 0, entry);
    if (!read) this.unread++;
    return !known;
  }

  setRead(id: string, read: boolean): void {
    const entry = this.#byId.get(id);
    if (entry) this.#change(entry, { ...entry.item, read });
  }

  /** Takes the oldest one out. */
  pop(): InboxItem | undefined {
    return this.#remove(this.size - 1);
  }

  #change(entry: Entry, item: InboxItem): void {
    this.unread += Number(entry.item.read) - Number(item.read);
    entry.item = item;
  }

  #remove(index: number): InboxItem | undefined {
    const [entry] = this.#sorted.splice(index, 1);
    if (!entry) return undefined;
    this.#byId.delete(entry.item.message.messageId);
    if (!entry.item.read) this.unread--;
    return entry.item;
  }

  /** Where one of that moment belongs: behind those that are not older. */
  #place(created: number): number {
    let [low, high] = [0, this.size];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sorted[middle] as Entry).created >= created) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
