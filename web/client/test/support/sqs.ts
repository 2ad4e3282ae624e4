import type { Session } from "../../src/index.js";
import type { FakeClock } from "./clock.js";

export interface Recorded {
  action: string;
  at: number;
  accessKey: string;
  queue: string;
  wait: number;
  handles: string[];
  /** Of each entry of a batch, or of a receive; seconds. */
  visibility: (number | undefined)[];
  /** Epoch seconds by the client's clock. */
  signedAt: number;
  keepalive: boolean;
}

interface Entry {
  ReceiptHandle: string;
  VisibilityTimeout?: number;
}

interface Stored {
  id: string;
  body: string;
  sentAt: number;
  visibleAt: number;
  count: number;
}

interface Failure {
  status: number;
  type?: string;
  message?: string;
  headers?: Record<string, string>;
}

export const AES_KEY = "LkWUsGQKi8E9QoMJEeY1HLL8rdJNJr3fzDp+F9CpkCY=";

/** Queues with long polling and visibility timeouts, on the fake clock. */
export class FakeSqs {
  /** Every request that has arrived, in order. */
  readonly requests: Recorded[] = [];
  readonly queues = new Map<string, Map<string, Stored>>();
  readonly validKeys = new Set<string>();
  /** When each access key is known everywhere, epoch seconds; absent: at once. */
  readonly knownFrom = new Map<string, number>();
  /** Answers for the next requests, before anything else is looked at. */
  readonly failures: Failure[] = [];
  offline = false;
  /** How much the service's clock is ahead of the local one, seconds. */
  ahead = 0;
  showDate = true;
  readonly #clock: FakeClock;
  readonly #parked = new Set<() => void>();
  #serial = 0;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  get now(): number {
    return this.#clock.seconds + this.ahead;
  }

  receives(): Recorded[] {
    return this.requests.filter(({ action }) => action === "ReceiveMessage");
  }

  /** Changes of visibility. */
  changes(): Recorded[] {
    return this.requests.filter(({ action }) => action === "ChangeMessageVisibilityBatch");
  }

  deletes(): Recorded[] {
    return this.requests.filter(({ action }) => action === "DeleteMessageBatch");
  }

  /** How many messages are in the queue, visible or not. */
  left(session: Session): number {
    return this.queues.get(session.sqsUrl)?.size ?? 0;
  }

  async send(session: Session, ...messages: object[]): Promise<void> {
    const bodies = await Promise.all(
      messages.map((message) => encrypt(JSON.stringify(message), session.aesKey)),
    );
    for (const body of bodies) this.sendBody(session, body);
  }

  sendBody(session: Session, body: string): void {
    const id = `sqs-${++this.#serial}`;
    const { now } = this;
    this.queues.get(session.sqsUrl)?.set(id, { id, body, sentAt: now, visibleAt: 0, count: 0 });
    this.#wake();
  }

  deleteQueue(session: Session): void {
    this.queues.delete(session.sqsUrl);
  }

  /** Breaks the network: what is on its way fails too. */
  cut(): void {
    this.offline = true;
    this.#wake();
  }

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const headers = init.headers as Record<string, string>;
    const request = JSON.parse(init.body as string);
    const accessKey = /Credential=([^/]+)/.exec(headers.authorization ?? "")?.[1] ?? "";
    const action = headers["x-amz-target"]?.split(".")[1] ?? "";
    this.requests.push({
      action,
      at: this.#clock.seconds,
      accessKey,
      queue: request.QueueUrl,
      wait: request.WaitTimeSeconds,
      handles: request.Entries?.map((entry: Entry) => entry.ReceiptHandle) ?? [],
      visibility: request.Entries?.map((entry: Entry) => entry.VisibilityTimeout) ?? [
        request.VisibilityTimeout,
      ],
      signedAt: seconds(headers["x-amz-date"] ?? ""),
      keepalive: init.keepalive ?? false,
    });
    if (this.offline || !url.startsWith("https://sqs.test/")) throw new TypeError("network");
    const failure = this.failures.shift() ?? this.#refusal(request.QueueUrl, accessKey, headers);
    if (failure)
      return this.#answer(
        failure.status,
        { __type: failure.type, message: failure.message },
        failure.headers,
      );
    if (action === "ReceiveMessage") return this.#receive(request, init.signal as AbortSignal);
    const Failed = request.Entries.filter((entry: Entry) => !this.#change(request.QueueUrl, action, entry));
    return this.#answer(200, Failed.length > 0 ? { Failed } : { Successful: request.Entries });
  };

  /** The newest receipt handle only will do. */
  #change(url: string, action: string, { ReceiptHandle, VisibilityTimeout = 0 }: Entry): boolean {
    const [id = "", count] = ReceiptHandle.split("/");
    const queue = this.queues.get(url);
    const stored = queue?.get(id);
    if (!stored || stored.count !== Number(count)) return false;
    if (action === "DeleteMessageBatch") queue?.delete(id);
    else stored.visibleAt = this.now + VisibilityTimeout;
    this.#wake();
    return true;
  }

  #refusal(queue: string, accessKey: string, headers: Record<string, string>): Failure | undefined {
    const date = headers["x-amz-date"] ?? "";
    const sent = seconds(date);
    if (Math.abs(sent - this.now) > 300) {
      const message = `Signature expired: ${date} is now earlier than X (${stamp(this.now)} - 5 min.)`;
      return { status: 403, type: "com.amazon.coral.service#InvalidSignatureException", message };
    }
    if (!this.validKeys.has(accessKey)) return { status: 400, type: "com.amazon.coral.service#ExpiredToken" };
    if (this.now < (this.knownFrom.get(accessKey) ?? 0)) return { status: 403, type: "AccessDenied" };
    if (!this.queues.has(queue)) return { status: 400, type: "com.amazonaws.sqs#QueueDoesNotExist" };
    return undefined;
  }

  async #receive(request: Record<string, number | string>, signal: AbortSignal): Promise<Response> {
    const end = this.now + Number(request.WaitTimeSeconds);
    for (;;) {
      if (signal.aborted) throw new DOMException("aborted", "AbortError");
      if (this.offline) throw new TypeError("network");
      const queue = this.queues.get(request.QueueUrl as string) ?? new Map<string, Stored>();
      const visible = [...queue.values()].filter((stored) => stored.visibleAt <= this.now).slice(0, 10);
      if (visible.length > 0 || this.now >= end) {
        const Messages = visible.map((stored) => this.#handOut(stored, Number(request.VisibilityTimeout)));
        return this.#answer(200, Messages.length > 0 ? { Messages } : {});
      }
      const next = Math.min(end, ...[...queue.values()].map((stored) => stored.visibleAt));
      await this.#park(next - this.now, signal);
    }
  }

  #handOut(stored: Stored, visibility: number): object {
    stored.visibleAt = this.now + visibility;
    stored.count++;
    return {
      MessageId: stored.id,
      ReceiptHandle: `${stored.id}/${stored.count}`,
      Body: stored.body,
      Attributes: { SentTimestamp: `${stored.sentAt * 1000}`, ApproximateReceiveCount: `${stored.count}` },
    };
  }

  #park(seconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#clock.clearTimeout(timer);
        this.#parked.delete(wake);
        resolve();
      };
      const timer = this.#clock.setTimeout(wake, seconds * 1000);
      this.#parked.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  #wake(): void {
    for (const wake of [...this.#parked]) wake();
  }

  /** A plain object: reading a real body takes turns of the event loop that a test cannot see. */
  #answer(status: number, body: object, extra: Record<string, string> = {}): Response {
    const headers = new Headers(extra);
    if (this.showDate) headers.set("date", new Date(this.now * 1000).toUTCString());
    return { ok: status === 200, status, headers, json: async () => body } as Response;
  }
}

export async function encrypt(text: string, aesKey = AES_KEY): Promise<string> {
  const counter = Math.floor(Math.random() * 2 ** 53);
  const block = new Uint8Array(16);
  new DataView(block.buffer).setBigUint64(8, BigInt(counter));
  const raw = Uint8Array.from(atob(aesKey), (character) => character.charCodeAt(0));
  const key = await crypto.subtle.importKey("raw", raw, "AES-CTR", false, ["encrypt"]);
  const algorithm = { name: "AES-CTR", counter: block, length: 128 };
  const cipher = await crypto.subtle.encrypt(algorithm, key, new TextEncoder().encode(text));
  return `${counter}|${btoa(String.fromCharCode(...new Uint8Array(cipher)))}`;
}

function stamp(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/[-:]|\.\d+/g, "");
}

/** The opposite of {@link stamp}. */
function seconds(stamp: string): number {
  return Date.parse(stamp.replace(/(....)(..)(..T..)(..)/, "$1-$2-$3:$4:")) / 1000;
}
