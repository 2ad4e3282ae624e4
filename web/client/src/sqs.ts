import type { Environment } from "./environment.js";
import type { Session } from "./session.js";
import { amzDate, sign } from "./sigv4.js";
import { after, childController, type ServiceClock } from "./time.js";

/** A message as SQS hands it out. Our own messageId is inside the encrypted body. */
export interface QueueMessage {
  MessageId: string;
  ReceiptHandle: string;
  Body: string;
  /** `SentTimestamp` in epoch milliseconds. */
  Attributes?: { SentTimestamp?: string; ApproximateReceiveCount?: string } | null;
}

/** A signed request that can be sent without waiting for anything, as a closing page must. */
export interface SignedRequest extends RequestInit {
  url: string;
}

/** What a batch does to one message. */
export interface BatchEntry {
  ReceiptHandle: string;
  /** Seconds until it is handed out again. */
  VisibilityTimeout?: number;
}

export type BatchAction = "DeleteMessageBatch" | "ChangeMessageVisibilityBatch";

/** An answer of SQS that is not a success. */
export class SqsError extends Error {
  override readonly name = "SqsError";
  /** The request was refused since the local clock was off; the clock has been corrected. */
  declare readonly clockWasOff: boolean;
  /** The queue is not there, or not known yet. */
  declare readonly noQueue: boolean;
  /** The queue is gone, or the keys are not (or no longer) good for it: a new session may help. */
  declare readonly needsSession: boolean;

  /** @param code - such as `QueueDoesNotExist`, without a namespace; empty when the answer names none */
  constructor(status: number, code: string, message: string, clockWasOff: boolean) {
    super(`${status} ${code}: ${message}`);
    this.clockWasOff = clockWasOff;
    this.noQueue = /Queue/.test(code);
    this.needsSession = status === 403 || /Queue|Token|Expired|Denied|Signature|Unrecognized/.test(code);
  }
}

/** How long an answer may take beyond the time that was asked to wait, seconds. */
const ANSWER_TIME = 10;

/** The calls of SQS that a browser needs, over the AWS JSON 1.0 protocol. */
export type Sqs = ReturnType<typeof createSqs>;

export function createSqs(env: Environment, clock: ServiceClock) {
  async function signed(session: Session, action: string, content: object): Promise<SignedRequest> {
    const url = `${new URL(session.sqsUrl).origin}/`;
    const body = JSON.stringify({ QueueUrl: session.sqsUrl, ...content });
    const headers = { "content-type": "application/x-amz-json-1.0", "x-amz-target": `AmazonSQS.${action}` };
    const request = { method: "POST", url, headers, body };
    const scope = { region: session.region, service: "sqs", date: amzDate(clock.now()) };
    return { ...request, headers: await sign(request, session, scope) };
  }

  /** Calls `fetch` at once, before anything is awaited. */
  async function call<T>(
    request: SignedRequest,
    keepalive: boolean,
    seconds: number,
    signal?: AbortSignal,
  ): Promise<T> {
    const limit = childController(signal);
    const cancel = after(env, seconds, () => limit.abort());
    try {
      const response = await env.fetch(request.url, { ...request, keepalive, signal: limit.signal });
      const clockWasOff = clock.observe(Date.parse(response.headers.get("date") ?? "") / 1000);
      if (response.ok) return await response.json();
      throw await failure(response, clockWasOff);
    } finally {
      cancel();
      limit.abort();
    }
  }

  async function failure(response: Response, clockWasOff: boolean): Promise<SqsError> {
    const { __type = "", message, Message } = (await response.json().catch(() => {})) ?? {};
    const text = message ?? Message ?? "";
    // Where CORS hides the Date header, the refusal itself tells: "... (20260101T120000Z - 5 min.)".
    const digits = /\((....)(..)(..)T(..)(..)(..)Z [-+]/.exec(text) ?? [];
    const [, year, month, day, hour, minute, second] = digits as unknown as [string, ...Digits];
    const corrected = clock.observe(Date.UTC(year, month - 1, day, hour, minute, second) / 1000);
    return new SqsError(response.status, __type.split("#").pop(), text, clockWasOff || corrected);
  }

  return {
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
      const request = await signed(session, "ReceiveMessage", {
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: Math.floor(waitTime),
        VisibilityTimeout: Math.ceil(visibilityTimeout),
        MessageSystemAttributeNames: ["SentTimestamp", "ApproximateReceiveCount"],
      });
      const answer = call<{ Messages?: QueueMessage[] }>(request, false, waitTime + ANSWER_TIME, signal);
      return (await answer).Messages ?? [];
    },

    /** Signs a change of up to ten messages, with a visibility for entries that have none; `send` sends it. */
    signBatch: (
      session: Session,
      action: BatchAction,
      entries: Iterable<BatchEntry>,
      VisibilityTimeout?: number,
    ): Promise<SignedRequest> =>
      signed(session, action, {
        Entries: Array.from(entries, (entry, i) => ({ Id: `${i}`, VisibilityTimeout, ...entry })),
      }),

    /**
     * @param keepalive - let the request outlive the page
     * @throws SqsError when some or all could not be changed
     */
    async send(request: SignedRequest, keepalive = false): Promise<void> {
      const answer = call<{ Failed?: WireFailure[] }>(request, keepalive, ANSWER_TIME);
      const [failed] = (await answer).Failed ?? [];
      if (failed) throw new SqsError(200, failed.Code, failed.Message as string, false);
    },
  };
}

/** `Date.UTC` takes digits for numbers. */
type Digits = [number, number, number, number, number, number];

interface WireFailure {
  Code: string;
  Message?: string;
}
