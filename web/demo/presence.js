import * as api from "./api.js";
import { part } from "./dom.js";

/** Nobody tells when other sessions come and go, so it is asked again, milliseconds. */
const EVERY = 5000;
/** What happens in a burst is asked about once. */
const SOON = 300;

/** What the system says of a card's user: whether it is online, and in how many sessions. */
export class Presence {
  #line;
  #user;
  #clock;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #waiting;

  /** @param {HTMLElement} root @param {import("./api.js").Id | undefined} user */
  constructor(root, user) {
    this.#line = part(root, "presence");
    this.#user = user;
    this.#clock = setInterval(() => this.soon(), EVERY);
  }

  /** Something has changed. */
  soon() {
    if (document.hidden) return;
    this.#waiting ??= setTimeout(() => {
      this.#waiting = undefined;
      void this.#ask();
    }, SOON);
  }

  stop() {
    clearInterval(this.#clock);
    clearTimeout(this.#waiting);
  }

  async #ask() {
    const user = this.#user;
    if (user === undefined) return;
    try {
      this.#line.textContent = whereOf(await api.presence(user));
    } catch {
      // The next time may succeed; what a call needs is told where it is made.
      this.#line.textContent = "";
    }
  }
}

/** @param {import("./api.js").Presence} presence */
function whereOf({ online, count, next }) {
  if (!online) return "user is offline";
  return `user is online in ${count}${next ? "+" : ""} ${count === 1 ? "session" : "sessions"}`;
}
