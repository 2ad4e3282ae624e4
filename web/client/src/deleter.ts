import type { Environment } from "./environment.js";
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
  readonly #env: Environment;
  readonly #sqs: Sqs;
  readonly #session: () => Session | undefined;
  readonly #delay: number;
  readonly #failed: (error: unknown) => void;
  #queue = "";
  #handles: string[] = [];
  #timer: unknown;
  #signing = false;
  #signed?: Signed;

  /**
   * @param session - gives the session of the moment
   * @param delay - seconds that a message may wait for others
   * @param failed - is told when messages were not deleted; they come again
   */
  constructor(
    env: Environment,
    sqs: Sqs,
    session: () => Session | undefined,
    delay: number,
    failed: (error: unknown) => void,
  ) {
    this.#env = env;
    this.#sqs = sqs;
    this.#session = session;
    this.#delay = delay;
    this.#failed = failed;
  }

  /** @param queue - URL of the queue that handed out the message */
  add(queue: string, receiptHandle: string): void {
    // What waits for a queue that has been replaced is gone with it.
    if (queue !== this.#queue) this.#handles = [];
    this.#queue = queue;
    this.#handles.push(receiptHandle);
    if (this.#handles.length === BATCH) return void this.flush();
    this.#timer ??= this.#env.setTimeout(() => void this.flush(), this.#delay * 1000);
    void this.#sign();
  }

  /**
   * Sends what waits; resolves when that is answered.
   * @param keepalive - let the request outlive the page
   */
  async flush(keepalive = false): Promise<void> {
    this.#env.clearTimeout(this.#timer);
    this.#timer = undefined;
    const handles = this.#handles;
    const session = this.#session();
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
    return current && signed.session === this.#session() ? signed.request : undefined;
  }

  async #sign(): Promise<void> {
    if (this.#signing) return;
    this.#signing = true;
    while (this.#handles.length > 0 && !this.#ready(this.#handles)) {
      const handles = this.#handles;
      const count = handles.length;
      const session = this.#session();
      if (session?.sqsUrl !== this.#queue) break;
      const request = await this.#sqs.signDelete(session, handles);
      this.#signed = { session, handles, count, request };
    }
    this.#signing = false;
  }
}
