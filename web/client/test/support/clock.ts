import { vi } from "vitest";

let pendingCrypto = 0;

/** WebCrypto is the only thing here that the event loop's turns do not wait for, so its calls are counted. */
export function countCryptoCalls(): void {
  const methods = ["digest", "sign", "importKey", "encrypt", "decrypt"] as const;
  for (const method of methods) {
    const original = crypto.subtle[method].bind(crypto.subtle) as (...args: unknown[]) => Promise<unknown>;
    vi.spyOn(crypto.subtle, method).mockImplementation((...args: unknown[]) => {
      pendingCrypto++;
      return original(...args).finally(() => pendingCrypto--) as never;
    });
  }
}

/** Resolves when nothing can happen any more until time passes or somebody acts. */
export async function settle(): Promise<void> {
  for (let quiet = 0; quiet < 3; quiet++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (pendingCrypto > 0) quiet = -1;
  }
}

interface Timer {
  at: number;
  callback: () => void;
}

/** Time that passes only when it is told to. */
export class FakeClock {
  #now = Date.parse("2026-01-01T00:00:00Z");
  readonly #timers = new Set<Timer>();

  readonly now = () => this.#now;

  readonly setTimeout = (callback: () => void, milliseconds: number): Timer => {
    const timer = { at: this.#now + milliseconds, callback };
    this.#timers.add(timer);
    return timer;
  };

  readonly clearTimeout = (timer: unknown) => void this.#timers.delete(timer as Timer);

  /** Epoch seconds. */
  get seconds(): number {
    return this.#now / 1000;
  }

  /** How many timers wait for their time. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Lets seconds pass, timer by timer, each with all that follows from it. */
  async advance(seconds: number): Promise<void> {
    const end = this.#now + seconds * 1000;
    await settle();
    for (let timer = this.#next(end); timer; timer = this.#next(end)) {
      this.#now = Math.max(this.#now, timer.at);
      this.#timers.delete(timer);
      timer.callback();
      await settle();
    }
    this.#now = end;
  }

  /** The machine sleeps: time passes, and no timer fires until it is over. */
  async sleep(seconds: number): Promise<void> {
    await settle();
    this.#now += seconds * 1000;
    await this.advance(0);
  }

  #next(end: number): Timer | undefined {
    const due = [...this.#timers].filter((timer) => timer.at <= end);
    return due.sort((a, b) => a.at - b.at)[0];
  }
}
