import type { Metadata } from "./index.js";

/** How long after what makes an answer doubtful it is asked for again, milliseconds. */
const PAUSE = 500;
/** The longest pause while asking fails, milliseconds; it doubles with each failure. */
const LONGEST_PAUSE = 60_000;

/** Asks the backend something again and again: no two at a time, so that an older answer never comes last. */
export function createAsking(ask: () => Promise<void>) {
  let last = Promise.resolve();
  let timer: ReturnType<typeof setTimeout>;
  let pause = PAUSE;
  let closed = false;

  /** Asks when the answers to what was asked before have come. What fails is repeated, not told. */
  function now(): Promise<void> {
    last = last.then(async () => {
      if (closed) return;
      try {
        await ask();
        pause = PAUSE;
      } catch {
        pause = Math.min(2 * pause, LONGEST_PAUSE);
        soon();
      }
    });
    return last;
  }

  /** Asks when no more of the kind follows. */
  function soon(): void {
    clearTimeout(timer);
    if (!closed) timer = setTimeout(now, pause);
  }

  function close(): void {
    closed = true;
    soon();
  }

  return { now, soon, close };
}

/** The unread messages that are not loaded, as far as the backend has told. */
export class Beyond {
  count = 0;
  /** When it last told, epoch seconds of the local clock. Endless while it is asked: what comes then may be counted. */
  toldAt = 0;

  /**
   * Counts anew.
   * @param loaded - how many of the unread ones are loaded, when the answer comes
   */
  async ask(getUnread: () => Promise<number>, loaded: () => number): Promise<void> {
    let { toldAt } = this;
    this.toldAt = Number.POSITIVE_INFINITY;
    try {
      const unread = await getUnread();
      this.count = Math.max(0, unread - loaded());
      toldAt = now();
    } finally {
      this.toldAt = toldAt;
    }
  }

  /** One of them is loaded or read. */
  less(): void {
    this.count = Math.max(0, this.count - 1);
  }

  /** Whether the backend may have counted what has come now. */
  mayInclude({ source, sentAt, receivedAt }: Metadata): boolean {
    const age = receivedAt - (sentAt ?? receivedAt);
    return this.toldAt > 0 && (source !== "queue" || now() - age <= this.toldAt);
  }
}

/** Epoch seconds of the local clock. */
function now(): number {
  return Date.now() / 1000;
}
