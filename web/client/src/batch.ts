import type { SessionKeeper } from "./keeper.js";
import type { Settings } from "./options.js";
import type { BatchAction, BatchEntry, SignedRequest, Sqs } from "./sqs.js";

/** The most that one request changes. */
const MOST = 10;
/** SQS refuses signatures that are five minutes old: what waits is signed again in time, milliseconds. */
export const SIGNATURE_LIFE = 120_000;

/** What the requests about messages need. */
export interface Sending {
  settings: Settings;
  sqs: Sqs;
  keeper: SessionKeeper;
}

/**
 * A request about up to ten messages, kept signed: signing is asynchronous, and a page that is being closed can
 * only send what is ready.
 */
export class Batch {
  /** By SQS's id, so that the newest receipt handle is used: an older one may no longer do. */
  readonly entries = new Map<string, BatchEntry>();
  readonly #sending: Sending;
  readonly #action: BatchAction;
  readonly #queue: string;
  #newest?: Promise<SignedRequest | undefined>;
  #ready?: SignedRequest;
  #timer: unknown;

  /** @param queue - URL of the queue whose messages these are */
  constructor(sending: Sending, action: BatchAction, queue: string) {
    this.#sending = sending;
    this.#action = action;
    this.#queue = queue;
  }

  /** Signs it, with the newest keys, and goes on doing so; resolves when it is ready to be sent. */
  async sign(): Promise<void> {
    const { settings } = this.#sending;
    settings.clearTimeout(this.#timer);
    if (this.entries.size === 0) return;
    this.#timer = settings.setTimeout(() => void this.sign(), SIGNATURE_LIFE);
    const signing = this.#signed();
    this.#newest = signing;
    const request = await signing;
    // Its queue has been replaced: there is nothing to keep ready.
    if (!request) settings.clearTimeout(this.#timer);
    // Signatures may be ready in another order than they were begun.
    if (signing === this.#newest) this.#ready = request;
  }

  /**
   * Sends it; resolves when it is answered.
   * @param closing - send what is ready in this turn, and let it outlive the page
   * @throws SqsError when some or all were not changed
   */
  async send(closing = false): Promise<void> {
    this.#sending.settings.clearTimeout(this.#timer);
    const request = (closing && this.#ready) || (await this.#signed());
    if (request) await this.#sending.sqs.send(request, closing);
  }

  /** What was taken from a queue that has been replaced is gone with it. */
  async #signed(): Promise<SignedRequest | undefined> {
    const { session } = this.#sending.keeper;
    if (session?.sqsUrl !== this.#queue || this.entries.size === 0) return undefined;
    return this.#sending.sqs.signBatch(session, this.#action, [...this.entries.values()]);
  }
}

/** Collects what is to be said of messages, since each request is billed. */
export class Outbox {
  readonly #sending: Sending;
  readonly #action: BatchAction;
  readonly #failed: (error: unknown) => void;
  #queue = "";
  #batch?: Batch;
  #due = 0;
  #timer: unknown;

  /** @param failed - is told when messages were not changed; they come again */
  constructor(sending: Sending, action: BatchAction, failed: (error: unknown) => void) {
    this.#sending = sending;
    this.#action = action;
    this.#failed = failed;
  }

  /** @param due - when it is sent at the latest, epoch milliseconds */
  add(queue: string, id: string, entry: BatchEntry, due: number): void {
    const { settings } = this.#sending;
    const old = queue === this.#queue && this.#batch;
    const batch = old || new Batch(this.#sending, this.#action, queue);
    this.#batch = batch;
    this.#queue = queue;
    this.#due = old ? Math.min(this.#due, due) : due;
    batch.entries.set(id, entry);
    if (batch.entries.size === MOST) return void this.flush();
    settings.clearTimeout(this.#timer);
    this.#timer = settings.setTimeout(() => void this.flush(), this.#due - settings.now());
    void batch.sign();
  }

  /** Sends what waits; resolves when that is answered. */
  async flush(closing = false): Promise<void> {
    const batch = this.#batch;
    this.#batch = undefined;
    this.#sending.settings.clearTimeout(this.#timer);
    await batch?.send(closing).catch(this.#failed);
  }
}
