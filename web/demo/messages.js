import { milliseconds } from "./chart.js";
import { find, fromTemplate, part } from "./dom.js";

/** How many messages a list shows. */
const SHOWN = 200;
const OURS = ["messageId", "accountId", "userId", "sessionId", "created", "is_read"];
const FROM_PAGE = ["text", "publishedAt", "by", "to", "_sqs_only", "_offline"];

/**
 * @typedef {import("sqs-browser-events").Message} Message
 * @typedef {{ id: string, message: Message, at: number, latency?: number, unread: boolean, items: HTMLElement[] }} Entry
 */

/** The messages of one session: those that came live, and those in the user's history. */
export class Messages {
  /** @type {Map<string, Entry>} */
  #entries = new Map();
  /** @type {Set<string>} receipts that came before their message */
  #read = new Set();
  #root;
  #received = 0;

  /** @param {HTMLElement} root @param {(ids: string[]) => void} markRead */
  constructor(root, markRead) {
    this.#root = root;
    this.markRead = markRead;
  }

  /** The ids of unread messages. */
  get unread() {
    return [...this.#entries.values()].filter(({ unread }) => unread).map(({ id }) => id);
  }

  /**
   * A message has come.
   *
   * @param {Message} message
   * @param {{ at: number, latency?: number, kept: boolean }} facts
   */
  came(message, { at, latency, kept }) {
    part(this.#root, "received").textContent = String(++this.#received);
    const unread = kept && !this.#read.has(message.messageId);
    const known = this.#entries.get(message.messageId);
    const entry = known ?? { id: message.messageId, message, at, unread, items: [] };
    entry.latency = latency;
    this.#entries.set(entry.id, entry);
    this.#show(entry, "live");
    if (kept && !known) this.#show(entry, "history");
    this.#count();
  }

  /** The user's history, newest first. @param {Message[]} history */
  load(history) {
    for (const message of history.toReversed()) {
      const { messageId: id } = message;
      if (this.#entries.has(id)) continue;
      const unread = !message.is_read && !this.#read.has(id);
      /** @type {Entry} */
      const entry = { id, message, at: Number(message.created) * 1000, unread, items: [] };
      this.#entries.set(id, entry);
      this.#show(entry, "history");
    }
    this.#count();
  }

  /** Messages have been read, here or in another session. @param {string[]} ids */
  read(ids) {
    for (const id of ids) {
      this.#read.add(id);
      const entry = this.#entries.get(id);
      if (!entry) continue;
      entry.unread = false;
      for (const item of entry.items) update(item, entry);
    }
    this.#count();
  }

  #count() {
    const count = part(this.#root, "unread");
    const unread = this.unread.length;
    count.textContent = `${unread} unread`;
    count.classList.toggle("some", unread > 0);
    const all = /** @type {HTMLButtonElement} */ (find('[data-action="read-all"]', this.#root));
    all.disabled = unread === 0;
  }

  /** @param {Entry} entry @param {"live" | "history"} view */
  #show(entry, view) {
    const list = find(view === "live" ? '[data-list="live"]' : '[data-list="history"] ol', this.#root);
    const item = fromTemplate("message");
    part(item, "text").textContent = textOf(entry.message);
    const time = new Date(entry.at);
    part(item, "time").textContent = time.toLocaleTimeString([], { hourCycle: "h23" });
    part(item, "time").setAttribute("datetime", time.toISOString());
    part(item, "facts").textContent = factsOf(entry);
    find('[data-action="read"]', item).addEventListener("click", () => this.markRead([entry.id]));
    update(item, entry);
    entry.items.push(item);
    list.prepend(item);
    if (list.childElementCount > SHOWN) list.lastElementChild?.remove();
  }
}

/** @param {HTMLElement} item @param {Entry} entry */
function update(item, entry) {
  const button = find('[data-action="read"]', item);
  // The keyboard's place is kept in the list when the button goes.
  if (!entry.unread && button === document.activeElement) item.closest("ol")?.focus();
  button.hidden = !entry.unread;
  item.classList.toggle("unread", entry.unread);
}

/** @param {Message} message */
function textOf(message) {
  const known = [...OURS, ...FROM_PAGE];
  const others = Object.entries(message).filter(([name]) => !known.includes(name));
  const text = typeof message.text === "string" ? message.text : "";
  if (others.length === 0) return text || "{}";
  return `${text} ${JSON.stringify(Object.fromEntries(others))}`.trim();
}

/** @param {Entry} entry */
function factsOf({ message, latency }) {
  const ways = /** @type {Record<string, string>} */ ({ http: "HTTP", kinesis: "Kinesis" });
  /** @type {unknown[]} */
  const facts = [
    latency === undefined ? "" : milliseconds(latency),
    ways[String(message.by)],
    message.to ?? "",
  ];
  return facts.filter(Boolean).join(" · ");
}
