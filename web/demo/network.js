const MINUTE = 60_000;
const MINUTES_OF_A_MONTH = 30 * 24 * 60;
const EVENTS = ["online", "offline", "visibilitychange", "pagehide", "pageshow", "freeze", "resume"];

/**
 * What the page's clients take from the browser. The page stands in between, so that it can count their requests,
 * and cut them off.
 */
export class Network {
  /** Requests by what they do. */
  counts = { polls: 0, deletions: 0, others: 0 };
  /** What SQS asks for a request, USD. */
  price = 0;
  #page = new EventTarget();
  /** Aborted when the network is lost. */
  #cut = new AbortController();
  #lost = false;
  #killed = false;
  /** When each request of the last minute was made. @type {number[]} */
  #recent = [];

  constructor() {
    for (const event of EVENTS) {
      const tell = () => this.#killed || this.#page.dispatchEvent(new Event(event));
      addEventListener(event, tell, { capture: true });
    }
  }

  /** For the option of the same name. */
  get environment() {
    return {
      page: this.#page,
      fetch: (/** @type {string} */ url, /** @type {RequestInit} */ init) => this.#fetch(url, init),
    };
  }

  get lost() {
    return this.#lost;
  }

  /** Loses the network of the clients, or brings it back. */
  toggle() {
    this.#lost = !this.#lost;
    if (this.#lost) this.#cut.abort();
    this.#cut = new AbortController();
    this.#page.dispatchEvent(new Event(this.#lost ? "offline" : "online"));
  }

  /** Loads the page anew without a word to its clients, as when its process is killed. */
  kill() {
    this.#killed = true;
    this.#cut.abort();
    location.reload();
  }

  /** What the requests of a month cost, USD, if all its minutes were like the last. */
  get monthly() {
    const start = Date.now() - MINUTE;
    this.#recent = this.#recent.filter((at) => at > start);
    return this.#recent.length * MINUTES_OF_A_MONTH * this.price;
  }

  /** @param {string} url @param {RequestInit} init */
  async #fetch(url, init) {
    if (this.#lost || this.#killed) throw new TypeError("The network is lost");
    const action = String(new Headers(init.headers).get("x-amz-target"));
    this.counts[kindOf(action)]++;
    this.#recent.push(Date.now());
    const signals = init.signal ? [init.signal, this.#cut.signal] : [this.#cut.signal];
    return fetch(url, { ...init, signal: AbortSignal.any(signals) });
  }
}

/** @param {string} action @returns {"polls" | "deletions" | "others"} */
function kindOf(action) {
  if (action.endsWith("ReceiveMessage")) return "polls";
  return action.endsWith("DeleteMessageBatch") ? "deletions" : "others";
}
