import type { Environment } from "./environment.js";

/** A controller that is aborted with its parent. Abort it when done: that detaches it from the parent. */
export function childController(parent: AbortSignal): AbortController {
  const child = new AbortController();
  if (parent.aborted) child.abort();
  parent.addEventListener("abort", () => child.abort(), { signal: child.signal });
  return child;
}

/** Resolves when the signal is aborted. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve());
  });
}

/**
 * Waits for a promise, but not for ever.
 * @param what - what is waited for, as the error names it
 * @throws Error after so many seconds; the promise itself goes on
 */
export function limited<T>(env: Environment, seconds: number, what: string, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error(`${what} has not answered for ${seconds} s`));
    const timer = env.setTimeout(late, seconds * 1000);
    promise.then(resolve, reject).finally(() => env.clearTimeout(timer));
  });
}

/** The service's clock, as far as its answers have shown it. */
export class ServiceClock {
  readonly #env: Environment;
  #skew = 0;

  constructor(env: Environment) {
    this.#env = env;
  }

  /** Epoch seconds. */
  now(): number {
    return this.#env.now() / 1000 + this.#skew;
  }

  /**
   * Takes the service's time, epoch seconds, and says whether the clock was off by more than a minute.
   * Differences of up to two seconds are a response's rounding and travel time. NaN changes nothing.
   */
  observe(time: number): boolean {
    const off = Math.abs(time - this.now());
    if (off > 2) this.#skew += time - this.now();
    return off > 60;
  }
}
