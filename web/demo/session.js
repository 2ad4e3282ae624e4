import { BrowserEvents, UnrecoverableError } from "sqs-browser-events";
import * as api from "./api.js";
import { find, fromTemplate, part, textOf } from "./dom.js";
import { Messages } from "./messages.js";
import { Presence } from "./presence.js";

/** How much of the history is loaded, seconds. */
const DAY = 86_400;

/**
 * @typedef {import("./api.js").Visitor} Visitor
 * @typedef {object} Page what a card needs of the page
 * @property {number} color
 * @property {import("./network.js").Network} network
 * @property {(milliseconds: number) => void} latency
 * @property {(text: string) => void} news says that something came
 * @property {() => void} ended
 */

/** A browser session and its card: what an application has once, the page has several of. */
export class SessionCard {
  #page;
  #clock;
  #events;
  #messages;
  #presence;
  /** Since when it has been connected, epoch milliseconds. */
  #connectedAt = Number.POSITIVE_INFINITY;

  /** @param {Visitor} visitor @param {Page} page */
  constructor(visitor, page) {
    this.visitor = visitor;
    this.#page = page;
    this.element = fromTemplate("session");
    this.#messages = new Messages(this.element, (ids) => void this.#try(() => this.#markRead(ids)));
    this.#presence = new Presence(this.element, visitor.user);
    this.#events = this.#client();
    this.#describe();
    this.#listen();
    this.#changed();
    this.#clock = setInterval(() => this.#role(), 1000);
    this.connect();
  }

  get color() {
    return this.#page.color;
  }

  connect() {
    this.#events.connect();
    void this.#try(() => this.#loadHistory());
  }

  /** The client, as an application sets it up. */
  #client() {
    const { visitor } = this;
    const { user } = visitor;
    const events = new BrowserEvents({
      getSession: async ({ reason }) => {
        try {
          return await api.openSession(visitor, reason);
        } catch (error) {
          if (error instanceof api.Refusal && error.final) throw new UnrecoverableError(error.message);
          throw error;
        }
      },
      getHistory: user === undefined ? undefined : ({ since }) => api.history(user, since),
      environment: this.#page.network.environment,
    });
    events.on("message", (message, metadata) => this.#came(message, metadata));
    events.on("receipt", ({ ids }) => {
      this.#messages.read(ids);
      this.#presence.soon();
    });
    events.on("state", ({ reason }) => this.#changed(reason));
    events.on("renewed", ({ expires }) => this.#note(`keys renewed, until ${clock(expires)}`));
    events.on("gap", ({ reason, since }) => this.#note(`gap since ${clock(since)} (${reason})`));
    events.on("error", ({ message }) => this.#problem(message));
    events.on("retry", ({ reason, at }) =>
      this.#problem(`${textOf(reason)}. Next try at ${clock(at / 1000)}.`),
    );
    return events;
  }

  /** @param {import("sqs-browser-events").Message} message @param {import("sqs-browser-events").Metadata} metadata */
  #came(message, { sentAt, receivedAt, source }) {
    const publishedAt = Number(message.publishedAt) || (sentAt ?? Number.NaN) * 1000;
    const now = message.publishedAt ? Date.now() : receivedAt * 1000;
    const latency = source === "queue" && publishedAt ? Math.max(0, now - publishedAt) : undefined;
    const kept = this.visitor.user !== undefined && !("_sqs_only" in message);
    this.#messages.came(message, { at: Date.now(), latency, kept });
    this.#over();
    this.#page.news(`${this.visitor.session}: ${message.text ?? "a message"}`);
    this.#presence.soon();
    // What waited in the queue while nobody was connected tells nothing about latency.
    if (latency !== undefined && publishedAt >= this.#connectedAt) this.#page.latency(latency);
  }

  /** @param {unknown} [reason] */
  #changed(reason) {
    const { state } = this.#events;
    const shown = part(this.element, "state");
    shown.textContent = state;
    shown.dataset.state = state;
    this.#role();
    this.#presence.soon();
    find('[data-action="toggle"]', this.element).textContent =
      state === "disconnected" ? "Connect" : "Disconnect";
    if (state === "connected") this.#connectedAt = Math.min(this.#connectedAt, Date.now());
    else this.#connectedAt = Number.POSITIVE_INFINITY;
    if (state === "connected") this.#problem("");
    else if (reason) this.#problem(textOf(reason));
    else if (state === "disconnected") this.#problem("");
  }

  #role() {
    const { state, leader } = this.#events;
    const role = state === "connected" ? (leader ? "this tab polls" : "another tab polls") : "";
    part(this.element, "role").textContent = role;
  }

  #describe() {
    const { account, user, session } = this.visitor;
    this.element.style.setProperty("--color", `var(--color-${this.color})`);
    this.element.setAttribute("aria-label", `Session ${session}`);
    part(this.element, "name").textContent = session;
    const who = user === undefined ? "no user, so no history" : `user ${user}`;
    part(this.element, "who").textContent = `account ${account} · ${who}`;
    this.#messages.read([]);
  }

  #listen() {
    const actions = {
      toggle: () => this.#toggle(),
      end: () => this.#end(),
      "read-all": () => this.#markRead(this.#messages.unread),
    };
    for (const [name, action] of Object.entries(actions)) {
      const button = /** @type {HTMLButtonElement} */ (find(`[data-action="${name}"]`, this.element));
      button.addEventListener("click", () => void this.#try(action));
    }
    for (const view of ["live", "history"]) {
      find(`[data-view="${view}"]`, this.element).addEventListener("click", () => this.#view(view));
    }
  }

  /** @param {string} chosen */
  #view(chosen) {
    for (const view of ["live", "history"]) {
      find(`[data-view="${view}"]`, this.element).setAttribute("aria-pressed", String(view === chosen));
      find(`[data-list="${view}"]`, this.element).hidden = view !== chosen;
    }
    if (chosen === "history") void this.#try(() => this.#loadHistory());
  }

  async #loadHistory() {
    const { user } = this.visitor;
    if (user !== undefined) this.#messages.load(await api.history(user, Math.floor(Date.now() / 1000) - DAY));
  }

  async #toggle() {
    if (this.#events.state === "disconnected") return this.connect();
    await this.#events.disconnect();
  }

  /** @param {string[]} ids */
  async #markRead(ids) {
    const { user } = this.visitor;
    if (user !== undefined && ids.length > 0) this.#messages.read(await api.markRead(user, ids));
  }

  async #end() {
    await this.#events.disconnect();
    try {
      await api.endSession(this.visitor);
    } catch (error) {
      // It has ended already.
      if (!(error instanceof api.Refusal && error.status === 404)) throw error;
    }
    clearInterval(this.#clock);
    const { nextElementSibling, previousElementSibling } = this.element;
    const beside = [nextElementSibling, previousElementSibling].find((it) => it?.matches(".session, .empty"));
    this.#presence.stop();
    this.element.remove();
    this.#page.ended();
    // The keyboard goes on where it was.
    /** @type {HTMLElement | null | undefined} */ (beside?.querySelector("h2, button"))?.focus();
  }

  /** @param {() => unknown} action */
  async #try(action) {
    try {
      await action();
      this.#over();
    } catch (error) {
      this.#problem(textOf(error));
    }
  }

  /** What went wrong before is over, unless it is why there is no connection. */
  #over() {
    if (this.#events.state === "connected") this.#problem("");
  }

  /** @param {string} text */
  #problem(text) {
    const problem = part(this.element, "problem");
    problem.textContent = text;
    problem.hidden = text === "";
  }

  /** @param {string} text */
  #note(text) {
    part(this.element, "note").textContent = text;
  }
}

/** @param {number} seconds epoch seconds */
function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString([], { hourCycle: "h23" });
}
