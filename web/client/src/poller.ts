import type { SessionKeeper } from "./keeper.js";
import type { Settings } from "./options.js";
import type { Pace } from "./pace.js";
import type { Session } from "./session.js";
import { type QueueMessage, type Sqs, SqsError } from "./sqs.js";
import { childController } from "./time.js";

interface Hooks {
  /** The next poll waits for the returned promise. */
  received(session: Session, messages: QueueMessage[]): Promise<void>;
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
      await this.#poll(session, this.#step.signal);
      this.#step.abort();
    }
  }

  /** Breaks off what is waited for and tries anew, as when the network has changed. */
  restart(): void {
    this.#failures = 0;
    this.#disturb(undefined);
    this.#step?.abort();
  }

  async #poll(session: Session, signal: AbortSignal): Promise<void> {
    const { waitTime, visibilityTimeout } = this.#settings;
    try {
      const wait = this.#wait ? waitTime : 0;
      const messages = await this.#sqs.receive(session, wait, visibilityTimeout, signal);
      this.#keeper.worked(session);
      this.#failures = 0;
      this.#wait = true;
      await this.#hooks.received(session, messages);
    } catch (error) {
      if (!signal.aborted) await this.#recover(session, error, signal);
    }
  }

  async #recover(session: Session, error: unknown, signal: AbortSignal): Promise<void> {
    this.#failures++;
    this.#disturb(error);
    if ((await this.#mend(session, error)) && this.#failures === 1) return;
    if (error instanceof SqsError) this.#hooks.refused(error);
    this.#failures = await this.#pace.pause(this.#failures, signal);
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
