import type { Environment } from "./environment.js";
import type { Settings } from "./options.js";

/** A controller that is aborted with its parent, if there is one. Abort it when done: that detaches it. */
export function childController(parent?: AbortSignal): AbortController {
  const child = new AbortController();
  if (parent?.aborted) child.abort();
  parent?.addEventListener("abort", () => child.abort(), { signal: child.signal });
  return child;
}

/** Resolves when the signal is aborted. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", resolve as () => void);
  });
}

/** Calls back after so many seconds, unless the returned function is called before. */
export function after(env: Environment, seconds: number, callback: () => void): () => void {
  const timer = env.setTimeout(callback, seconds * 1000);
  return () => env.clearTimeout(timer);
}

/**
 * Waits for a promise, but not for ever.
 * @throws Error after so many seconds; the promise itself goes on
 */
export function limited<T>(
  settings: Settings,
  promise: Promise<T>,
  seconds = settings.answerTimeout,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error(`no answer for ${seconds} s`));
    promise.then(resolve, reject).finally(after(settings, seconds, late));
  });
}

/** The service's clock, as far as its answers have shown it. */
export type ServiceClock = ReturnType<typeof createClock>;

export function createClock(env: Environment) {
  let skew = 0;
  /** Epoch seconds. */
  const now = () => env.now() / 1000 + skew;
  return {
    now,

    /**
     * Takes the service's time, epoch seconds, and says whether the clock was off by more than a minute.
     * Differences of up to two seconds are a response's rounding and travel time. NaN changes nothing.
     */
    observe(time: number): boolean {
      const behind = time - now();
      if (Math.abs(behind) > 2) skew += behind;
      return Math.abs(behind) > 60;
    },
  };
}
