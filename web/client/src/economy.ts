import type { Environment, Options } from "./index.js";

/** How a page polls that nobody uses: as ever, at most once a minute, or not at all (the queue keeps the messages). */
export type Resting = "poll" | "slow" | "pause";

export interface EconomyOptions {
  /** What a page does while it is hidden; `slow` by default. */
  hidden?: Resting;
  /** What a page does that is visible, but has had no input for `idleAfter`; `poll` by default. */
  idle?: Exclude<Resting, "pause">;
  /** When a page without input counts as idle, seconds; two minutes by default. */
  idleAfter?: number;
}

const INPUT = ["pointerdown", "pointermove", "keydown", "touchstart", "wheel", "focus"];
const RULES = { hidden: ["poll", "slow", "pause"], idle: ["poll", "slow"] };

/**
 * Options for pages that stay open, at about half the cost: handled messages are deleted by ten, or after ten
 * minutes, or when the page hides or closes; hidden pages poll once a minute. The price: what a page had taken
 * that is killed in mid-work comes again only after a quarter of an hour.
 *
 * @throws TypeError that names the option and what it must be
 * @example
 * ```ts
 * const events = new BrowserEvents({ getSession, ...economy({ hidden: "slow", idle: "slow" }) });
 * ```
 */
export function economy(
  options: EconomyOptions = {},
): Pick<Options, "deleteDelay" | "visibilityTimeout" | "pauseWhenHidden" | "usedUntil"> {
  const { hidden = "slow", idle = "poll", idleAfter = 120 } = options;
  for (const [name, words] of Object.entries(RULES)) {
    const word = { hidden, idle }[name] as string;
    if (!words.includes(word))
      throw new TypeError(`${name} must be one of ${words.join(", ")}, not "${word}"`);
  }
  if (!(idleAfter >= 1)) throw new TypeError(`idleAfter must be a number from 1, not ${idleAfter}`);
  return {
    deleteDelay: 600,
    visibilityTimeout: 900,
    pauseWhenHidden: hidden === "pause",
    usedUntil: (env, signal, changed) => {
      let usedAt = env.now();
      const until = () => {
        if (env.hidden()) return hidden === "poll" ? Number.MAX_VALUE : 0;
        return idle === "poll" ? Number.MAX_VALUE : usedAt + idleAfter * 1000;
      };
      let told = until();
      watch(env, signal, () => {
        usedAt = env.now();
        // The other tabs are told at most twice in that time.
        if (!env.hidden() && told > usedAt + idleAfter * 500) return;
        told = until();
        changed();
      });
      return until;
    },
  };
}

function watch(env: Environment, signal: AbortSignal, heard: () => void): void {
  for (const event of [...INPUT, "visibilitychange"]) {
    env.page?.addEventListener(event, heard, { capture: true, passive: true, signal });
  }
}
