import type { Environment } from "./environment.js";
import type { Session } from "./session.js";
import { amzDate, parseAmzDate, sign } from "./sigv4.js";
import { childController, type ServiceClock } from "./time.js";

/** A message as it is in the queue. */
export interface QueueMessage {
  /** The id that SQS gave it; our own messageId is inside the encrypted body. */
  id: string;
  receiptHandle: string;
  body: string;
  /** Epoch seconds. */
  sentAt: number | undefined;
  deliveries: number;
}

/** A signed request that can be sent without waiting for anything, as a closing page must. */
export interface SignedRequest {
  url: string;
  init: RequestInit;
}

/** What a batch does to one message. */
export interface BatchEntry {
  ReceiptHandle: string;
  /** Seconds until it is handed out again. */
  VisibilityTimeout?: number;
}

export type BatchAction = "DeleteMessage" | "ChangeMessageVisibility";

/** An answer of SQS that is not a success. */
export class SqsError extends Error {
  override readonly name = "SqsError";
  readonly status: number;
  /** Such as `QueueDoesNotExist`, without a namespace; empty when the answer names none. */
  readonly code: string;
  /** The request was refused since the local clock was off; the clock has been corrected. */
  readonly clockWasOff: boolean;

  constructor(status: number, code: string, message: string, clockWasOff: boolean) {
    super(`${status} ${code}: ${message}`);
    this.status = status;
    this.code = code;
    this.clockWasOff = clockWasOff;
  }

  /** The queue is not there, or not known yet. */
  get noQueue(): boolean {
    return /Queue/.test(this.code);
  }

  /** The queue is gone, or the keys are not (or no longer) good for it: a new session may help. */
  get needsSession(): boolean {
    return this.status === 403 || RENEWABLE.test(this.code);
  }
}

const RENEWABLE = /Queue|Token|Expired|Denied|Signature|Unrecognized/;

/** How long an answer may take beyond the time that was asked to wait, seconds. */
const ANSWER_TIME = 10;

/** The calls of SQS that a browser needs, over the AWS JSON 1.0 protocol. */
export class Sqs {
  readonly #env: Environment;
  readonly #clock: ServiceClock;

  constructor(env: Environment, clock: ServiceClock) {
    this.#env = env;
    this.#clock = clock;
  }

  /**
   * Long-polls for up to ten messages and hides them from other receivers for a while. Times in seconds.
   * @throws SqsError, or what `fetch` throws: on a failing network, or when aborted
   */
  async receive(
    session: Session,
    waitTime: number,
    visibilityTimeout: number,
    signal: AbortSignal,
  ): Promise<QueueMessage[]> {
    const request = await this.#signed(session, "ReceiveMessage", {
      QueueUrl: session.sqsUrl,
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: Math.floor(waitTime),
      VisibilityTimeout: Math.ceil(visibilityTimeout),
      MessageSystemAttributeNames: ["SentTimestamp", "ApproximateReceiveCount"],
    });
    const limit = childController(signal);
    const answer = this.#send<{ Messages?: WireMessage[] }>(request, {}, waitTime + ANSWER_TIME, limit);
    return ((await answer).Messages ?? []).map(fromWire);
  }

  /** Signs a change of up to ten messages; {@link Sqs.send} sends it. */
  signBatch(session: Session, action: BatchAction, entries: BatchEntry[]): Promise<SignedRequest> {
    return this.#signed(session, `${action}Batch`, {
      QueueUrl: session.sqsUrl,
      Entries: entries.map((entry, i) => ({ Id: `${i}`, ...entry })),
    });
  }

  /**
   * @param keepalive - let the request outlive the page
   * @throws SqsError when some or all could not be changed
   */
  async send(request: SignedRequest, keepalive = false): Promise<void> {
    const limit = new AbortController();
    const answer = this.#send<{ Failed?: WireFailure[] }>(request, { keepalive }, ANSWER_TIME, limit);
    const { Failed = [] } = await answer;
    const [first] = Failed;
    if (first) throw new SqsError(200, first.Code, `${Failed.length} not changed: ${first.Message}`, false);
  }

  async #signed(session: Session, action: string, content: object): Promise<SignedRequest> {
    const url = `${new URL(session.sqsUrl).origin}/`;
    const body = JSON.stringify(content);
    const headers = { "content-type": "application/x-amz-json-1.0", "x-amz-target": `AmazonSQS.${action}` };
    const scope = { region: session.region, service: "sqs", date: amzDate(this.#clock.now()) };
    const signed = await sign({ method: "POST", url, headers, body }, session, scope);
    return { url, init: { method: "POST", headers: signed, body } };
  }

  /** Calls `fetch` at once, before anything is awaited. */
  async #send<T>(
    request: SignedRequest,
    options: RequestInit,
    seconds: number,
    limit: AbortController,
  ): Promise<T> {
    const timer = this.#env.setTimeout(() => limit.abort(), seconds * 1000);
    try {
      const init = { ...request.init, ...options, signal: limit.signal };
      const response = await this.#env.fetch(request.url, init);
      const clockWasOff = this.#clock.observe(Date.parse(response.headers.get("date") ?? "") / 1000);
      if (response.ok) return await response.json();
      throw await this.#failure(response, clockWasOff);
    } finally {
      this.#env.clearTimeout(timer);
      limit.abort();
    }
  }

  async #failure(response: Response, clockWasOff: boolean): Promise<SqsError> {
    const { __type, message, Message } = (await response.json().catch(() => null)) ?? {};
    const type = __type ?? "";
    const text = message ?? Message ?? "";
    // Where CORS hides the Date header, the refusal itself tells: "... (20260101T120000Z - 5 min.)".
    const told = /\((\d{8}T\d{6}Z) [-+]/.exec(text)?.[1] ?? "";
    const corrected = this.#clock.observe(parseAmzDate(told));
    return new SqsError(response.status, type.split("#").pop(), text, clockWasOff || corrected);
  }
}

interface WireMessage {
  MessageId: string;
  ReceiptHandle: string;
  Body: string;
  Attributes?: { SentTimestamp?: string; ApproximateReceiveCount?: string };
}

interface WireFailure {
  Code: string;
  Message?: string;
}

function fromWire({ MessageId, ReceiptHandle, Body, Attributes }: WireMessage): QueueMessage {
  return {
    id: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    sentAt: Attributes?.SentTimestamp ? Number(Attributes.SentTimestamp) / 1000 : undefined,
    deliveries: Number(Attributes?.ApproximateReceiveCount ?? 1),
  };
}
