import { isUnrecoverable } from "./errors.js";
import type { Settings } from "./options.js";

/** The pauses between tries: full-jitter exponential backoff, cut short when there is new hope. */
export class Pace {
  readonly #settings: Settings;
  readonly #retrying: (reason: unknown, at: number) => void;
  readonly #sleepers = new Set<() => void>();

  /** @param retrying - is told why and until when there is a pause, epoch milliseconds */
  constructor(settings: Settings, retrying: (reason: unknown, at: number) => void) {
    this.#settings = settings;
    this.#retrying = retrying;
  }

  /** Ends all pauses, as when the network is back. */
  hurry(): void {
    for (const wake of this.#sleepers) wake();
  }

  /**
   * Waits after so many failures in a row, 1 or more.
   * @returns how many to count from now on: none, if the pause was cut short
   */
  async pause(failures: number, signal: AbortSignal, reason: unknown): Promise<number> {
    const { minBackoff, maxBackoff } = this.#settings;
    const longest = Math.min(maxBackoff, minBackoff * 2 ** (failures - 1));
    const seconds = this.#settings.random() * longest;
    if (!signal.aborted) this.#retrying(reason, this.#settings.now() + seconds * 1000);
    return (await this.sleep(seconds, signal)) ? failures : 0;
  }

  /** Waits and returns true, or false if the wait was cut short. */
  sleep(seconds: number, signal: AbortSignal): Promise<boolean> {
    const env = this.#settings;
    return new Promise((resolve) => {
      const finish = (slept: boolean) => {
        env.clearTimeout(timer);
        signal.removeEventListener("abort", wake);
        this.#sleepers.delete(wake);
        resolve(slept);
      };
      const wake = () => finish(false);
      const timer = env.setTimeout(() => finish(true), seconds * 1000);
      signal.addEventListener("abort", wake);
      this.#sleepers.add(wake);
      if (signal.aborted) wake();
    });
  }

  /**
   * Calls until it succeeds.
   * @param failed - is told of every failure
   * @returns undefined when it was ended, by the signal or by an UnrecoverableError
   */
  async retry<T>(
    signal: AbortSignal,
    call: () => Promise<T>,
    failed: (error: unknown) => void,
  ): Promise<T | undefined> {
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        return await call();
      } catch (error) {
        if (signal.aborted) break;
        failed(error);
        if (isUnrecoverable(error)) break;
        failures = await this.pause(failures, signal, error);
      }
    }
    return undefined;
  }
}
