import type { SessionKeeper } from "./keeper.js";
import type { Settings } from "./options.js";
import type { Session } from "./session.js";
import type { SignedRequest, Sqs } from "./sqs.js";

/** The most that one request deletes. */
const BATCH = 10;

interface Signed {
  session: Session;
  handles: string[];
  count: number;
  request: SignedRequest;
}

/**
 * Deletes messages from the queue in batches, since each request is billed. A waiting batch is always
 * kept signed: signing is asynchronous, and a page that is being closed can only send what is ready.
 */
export class Deleter {
  readonly #settings: Settings;
  readonly #sqs: Sqs;
  readonly #keeper: SessionKeeper;
  readonly #failed: (error: unknown) => void;
  #queue = "";
  #handles: string[] = [];
  #timer: unknown;
  #signing = false;
  #signed?: Signed;

  /** @param failed - is told when messages were not deleted; they come again */
  constructor(settings: Settings, sqs: Sqs, keeper: SessionKeeper, failed: (error: unknown) => void) {
    this.#settings = settings;
    this.#sqs = sqs;
    this.#keeper = keeper;
    this.#failed = failed;
  }

  /** @param queue - URL of the queue that handed out the message */
  add(queue: string, receiptHandle: string): void {
    // What waits for a queue that has been replaced is gone with it.
    if (queue !== this.#queue) this.#handles = [];
    this.#queue = queue;
    this.#handles.push(receiptHandle);
    if (this.#handles.length === BATCH) return void this.flush();
    const { environment, deleteDelay } = this.#settings;
    this.#timer ??= environment.setTimeout(() => void this.flush(), deleteDelay * 1000);
    void this.#sign();
  }

  /**
   * Sends what waits; resolves when that is answered.
   * @param keepalive - let the request outlive the page
   */
  async flush(keepalive = false): Promise<void> {
    this.#settings.environment.clearTimeout(this.#timer);
    this.#timer = undefined;
    const handles = this.#handles;
    const session = this.#keeper.session;
    this.#handles = [];
    if (handles.length === 0 || session?.sqsUrl !== this.#queue) return;
    try {
      const request = this.#ready(handles) ?? (await this.#sqs.signDelete(session, handles));
      await this.#sqs.delete(request, keepalive);
    } catch (error) {
      this.#failed(error);
    }
  }

  #ready(handles: string[]): SignedRequest | undefined {
    const signed = this.#signed;
    const current = signed?.handles === handles && signed.count === handles.length;
    return current && signed.session === this.#keeper.session ? signed.request : undefined;
  }

  async #sign(): Promise<void> {
    if (this.#signing) return;
    this.#signing = true;
    while (this.#handles.length > 0 && !this.#ready(this.#handles)) {
      const handles = this.#handles;
      const count = handles.length;
      const session = this.#keeper.session;
      if (session?.sqsUrl !== this.#queue) break;
      const request = await this.#sqs.signDelete(session, handles);
      this.#signed = { session, handles, count, request };
    }
    this.#signing = false;
  }
}
