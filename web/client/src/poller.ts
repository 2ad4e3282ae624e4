import type { SessionKeeper } from "./keeper.js";
import type { Settings } from "./options.js";
import type { Pace } from "./pace.js";
import type { Session } from "./session.js";
import { type QueueMessage, type Sqs, SqsError } from "./sqs.js";
import { childController } from "./time.js";

/**
 * For how long an answer hides its messages at first, seconds: the page may go while it is on its way, and nobody
 * could give them back. What is not handled soon is hidden for longer.
 */
const FIRST_VISIBILITY = 4;
/** How often a page polls that rests, seconds. */
const SLOW = 60;

interface Hooks {
  /** The next poll waits for the returned promise. `visibility`: seconds for which the messages are hidden. */
  received(session: Session, messages: QueueMessage[], visibility: number): Promise<void>;
  /** Whether nobody uses the page, so that it polls less often. */
  resting(): boolean;
  /** Polling has been disturbed and goes on; undefined when nothing has failed. */
  disturbed(reason: unknown): void;
  /** SQS has refused in a way that is not mended at once. */
  refused(error: SqsError): void;
}

/** Polls the queue, without end. */
export class Poller {
  readonly #settings: Settings;
  readonly #keeper: SessionKeeper;
  readonly #sqs: Sqs;
  readonly #pace: Pace;
  readonly #hooks: Hooks;
  #step?: AbortController;
  #failures = 0;
  /** Whether the next poll waits for messages. The first one does not, and so shows soon whether it works. */
  #wait = false;

  constructor(settings: Settings, keeper: SessionKeeper, sqs: Sqs, pace: Pace, hooks: Hooks) {
    this.#settings = settings;
    this.#keeper = keeper;
    this.#sqs = sqs;
    this.#pace = pace;
    this.#hooks = hooks;
  }

  /** Polls until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    this.#wait = false;
    while (!signal.aborted) {
      const session = await this.#keeper.ready();
      if (!session || signal.aborted) return;
      this.#step = childController(signal);
      const next = this.#settings.now() + SLOW * 1000;
      await this.#poll(session, this.#step.signal);
      await this.#rest(next, this.#step.signal);
      this.#step.abort();
    }
  }

  /** Waits until then, or until somebody uses the page. */
  async #rest(next: number, signal: AbortSignal): Promise<void> {
    if (this.#failures > 0 || !this.#hooks.resting()) return;
    await this.#pace.sleep((next - this.#settings.now()) / 1000, signal);
  }

  /** Breaks off what is waited for and tries anew, as when the network has changed. */
  restart(): void {
    this.#failures = 0;
    this.#disturb(undefined);
    this.#step?.abort();
  }

  async #poll(session: Session, signal: AbortSignal): Promise<void> {
    const { waitTime, visibilityTimeout, deleteDelay } = this.#settings;
    try {
      const wait = this.#wait ? waitTime : 0;
      // Where deletions may wait for long, they are worth more than a few seconds.
      const visibility = deleteDelay < 30 ? Math.min(visibilityTimeout, FIRST_VISIBILITY) : visibilityTimeout;
      const messages = await this.#sqs.receive(session, wait, visibility, signal);
      this.#keeper.worked(session);
      this.#failures = 0;
      this.#wait = true;
      await this.#hooks.received(session, messages, visibility);
    } catch (error) {
      if (!signal.aborted) await this.#recover(session, error, signal);
    }
  }

  async #recover(session: Session, error: unknown, signal: AbortSignal): Promise<void> {
    this.#failures++;
    this.#disturb(error);
    const spreading =
      error instanceof SqsError && !error.clockWasOff && this.#keeper.isSpreading(session, error);
    const mended = !spreading && (await this.#mend(session, error));
    if (signal.aborted || (mended && this.#failures === 1)) return;
    if (error instanceof SqsError && (!spreading || this.#keeper.isTelling())) this.#hooks.refused(error);
    this.#failures = await this.#pace.pause(this.#failures, signal, error);
  }

  async #mend(session: Session, error: unknown): Promise<boolean> {
    if (!(error instanceof SqsError)) return false;
    return error.clockWasOff || (error.needsSession && this.#keeper.refused(session));
  }

  #disturb(reason: unknown): void {
    this.#wait = false;
    this.#hooks.disturbed(reason);
  }
}
