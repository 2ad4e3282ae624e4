import type { Locks } from "./environment.js";
import { childController, whenAborted } from "./time.js";

/** Lets one tab at a time lead, by a lock that the browser frees when the tab is closed. */
export class Election {
  readonly #locks: Locks;
  readonly #name: string;
  #steal = false;
  #candidacy?: AbortController;

  constructor(locks: Locks, name: string) {
    this.#locks = locks;
    this.#name = name;
  }

  /** Runs `lead` whenever this tab is the leader, until the signal is aborted. */
  async run(signal: AbortSignal, lead: (term: AbortSignal) => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      const term = childController(signal);
      await this.#stand(term, () => Promise.race([lead(term.signal), whenAborted(term.signal)]));
      // A term also ends when another tab steals the lock.
      term.abort();
    }
  }

  /** Takes the lead from a tab that no longer does its work. */
  steal(): void {
    this.#steal = true;
    this.#candidacy?.abort();
  }

  async #stand(term: AbortController, lead: () => Promise<void>): Promise<void> {
    this.#candidacy = childController(term.signal);
    // The two options exclude each other.
    const options = this.#steal ? { steal: true } : { signal: this.#candidacy.signal };
    this.#steal = false;
    try {
      await this.#locks.request(this.#name, options, lead);
    } catch (error) {
      // Aborted or stolen is the expected end. Where locks are refused altogether, each tab polls for itself.
      if ((error as Error).name !== "AbortError") await lead();
    }
  }
}
