import type { Locks } from "./environment.js";
import { childController, whenAborted } from "./time.js";

/** Lets one tab at a time lead, by a lock that the browser frees when the tab is closed. */
export type Election = ReturnType<typeof createElection>;

export function createElection(locks: Locks, name: string) {
  let stealing = false;
  let candidacy: AbortController | undefined;

  return {
    /** Runs `lead` whenever this tab is the leader, until the signal is aborted. */
    async run(signal: AbortSignal, lead: (term: AbortSignal) => Promise<void>): Promise<void> {
      while (!signal.aborted) {
        const term = childController(signal);
        const held = () => Promise.race([lead(term.signal), whenAborted(term.signal)]);
        candidacy = childController(term.signal);
        // The two options exclude each other.
        const options = stealing ? { steal: true } : { signal: candidacy.signal };
        stealing = false;
        try {
          await locks.request(name, options, held);
        } catch (error) {
          // Aborted or stolen is the expected end. Where locks are refused altogether, each tab polls for itself.
          if ((error as Error).name !== "AbortError") await held();
        }
        // A term also ends when another tab steals the lock.
        term.abort();
      }
    },

    /** Takes the lead from a tab that no longer does its work. */
    steal(): void {
      stealing = true;
      candidacy?.abort();
    },
  };
}
