import type { Client } from "./connection.js";
import { isUnrecoverable } from "./errors.js";
import { after, childController, whenAborted } from "./time.js";

/** The pauses between tries: full-jitter exponential backoff, cut short when there is new hope. */
export type Pace = ReturnType<typeof createPace>;

export function createPace(client: Pick<Client, "settings" | "emitter" | "status">) {
  const { settings, emitter } = client;
  const pauses = new Set<AbortController>();

  /** Waits and returns true, or false if the wait was cut short. */
  async function sleep(seconds: number, signal: AbortSignal): Promise<boolean> {
    let slept = false;
    const pause = childController(signal);
    const cancel = after(settings, seconds, () => {
      slept = true;
      pause.abort();
    });
    pauses.add(pause);
    await whenAborted(pause.signal);
    pauses.delete(pause);
    cancel();
    return slept;
  }

  /**
   * Waits after so many failures in a row, 1 or more.
   * @returns how many to count from now on: none, if the pause was cut short
   */
  async function pause(failures: number, signal: AbortSignal, reason: unknown): Promise<number> {
    const seconds =
      settings.random() * Math.min(settings.maxBackoff, settings.minBackoff * 2 ** (failures - 1));
    const at = settings.now() + seconds * 1000;
    if (!signal.aborted) {
      client.status = { state: client.status.state, reason, retryAt: at };
      emitter.emit("retry", { reason, at });
    }
    return (await sleep(seconds, signal)) ? failures : 0;
  }

  return {
    sleep,
    pause,

    /** Ends all pauses, as when the network is back. */
    hurry(): void {
      for (const pause of pauses) pause.abort();
    },

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
      let reason: unknown;
      let result: T | undefined;
      for (let failures = 1; !signal.aborted; failures++) {
        try {
          result = await call();
          break;
        } catch (error) {
          if (signal.aborted) break;
          failed(error);
          if (isUnrecoverable(error)) break;
          reason = error;
          failures = await pause(failures, signal, error);
        }
      }
      // It is over, in whichever way. Something else may have failed since, and still does.
      if (client.status.reason === reason) client.status = { state: client.status.state };
      return result;
    },
  };
}
