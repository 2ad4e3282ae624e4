import {
  BrowserEvents,
  type BrowserEventsError,
  type Gap,
  type Message,
  type Metadata,
  type Options,
  type Receipt,
  type Session,
  type StateChange,
} from "../../src/index.js";
import { FakeBrowser, FakeTab } from "./browser.js";
import { FakeClock, settle } from "./clock.js";
import { AES_KEY, FakeSqs } from "./sqs.js";

export { settle };

/** A client in a tab of its own, and what it has said. */
export class Page {
  readonly tab: FakeTab;
  readonly events: BrowserEvents;
  /** The messages' ids, in the order of the handler's calls. */
  readonly seen: string[] = [];
  readonly metadata: Metadata[] = [];
  readonly changes: StateChange[] = [];
  readonly receipts: Receipt[] = [];
  readonly renewals: { expires: number }[] = [];
  readonly gaps: Gap[] = [];
  readonly errors: BrowserEventsError[] = [];
  /** What the message handler does; nothing by default. */
  handle: (message: Message) => unknown = () => {};

  constructor(tab: FakeTab, options: Options) {
    this.tab = tab;
    this.events = new BrowserEvents({
      ...options,
      environment: { ...tab.environment, ...options.environment },
    });
    this.events.on("message", (message, metadata) => {
      this.seen.push(message.messageId);
      this.metadata.push(metadata);
      return this.handle(message);
    });
    this.events.on("state", (change) => this.changes.push(change));
    this.events.on("receipt", (receipt) => this.receipts.push(receipt));
    this.events.on("renewed", (renewal) => this.renewals.push(renewal));
    this.events.on("gap", (gap) => this.gaps.push(gap));
    this.events.on("error", (error) => this.errors.push(error));
  }

  /** Keeps messages in the handler; returns what lets the latest one go, or has it fail. */
  hold(): (failure?: Error) => void {
    let finish: (failure?: Error) => void = () => {};
    this.handle = () =>
      new Promise<void>((resolve, reject) => {
        finish = (failure) => (failure ? reject(failure) : resolve());
      });
    return (failure) => finish(failure);
  }

  get states(): string[] {
    return this.changes.map(({ state }) => state);
  }

  /** Connects and waits until nothing more happens by itself. */
  async connect(): Promise<this> {
    this.events.connect();
    await settle();
    return this;
  }
}

/** A service, a backend and a browser. */
export class World {
  readonly clock = new FakeClock();
  readonly sqs = new FakeSqs(this.clock);
  readonly browser = new FakeBrowser();
  /** The reasons of all calls of getSession. */
  readonly asked: string[] = [];
  /** Seconds that access keys last. */
  lifetime = 3600;
  /** Seconds that SQS needs to know new keys. */
  spreading = 0;
  session!: Session;
  #serial = 0;

  constructor() {
    this.newQueue();
  }

  /** Gives the next session a queue of its own, as when the old one is gone. */
  newQueue(): void {
    const sqsUrl = `https://sqs.test/123456789012/queue-${++this.#serial}`;
    this.sqs.queues.set(sqsUrl, new Map());
    this.session = this.#withNewKeys({ sqsUrl } as Session);
  }

  /** The backend: new keys, which end the old ones. */
  readonly getSession = async ({ reason }: { reason: string }): Promise<Session> => {
    this.asked.push(reason);
    if (!this.sqs.queues.has(this.session.sqsUrl)) this.newQueue();
    if (this.asked.length > 1) this.session = this.#withNewKeys(this.session);
    return this.session;
  };

  /** The backend rotates the key of messages; pages hear of it from the next getSession. */
  rotate(): void {
    const { aesKey: previousAesKey } = this.session;
    const aesKey = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))));
    this.session = { ...this.session, aesKey, previousAesKey };
  }

  page(options: Partial<Options> = {}, tab = this.tab()): Page {
    return new Page(tab, { getSession: this.getSession, ...options });
  }

  tab(): FakeTab {
    return new FakeTab(this.browser, this.clock, this.sqs.fetch);
  }

  async send(...ids: string[]): Promise<void> {
    await this.sqs.send(this.session, ...ids.map((messageId) => ({ messageId })));
    await settle();
  }

  #withNewKeys({ sqsUrl, aesKey = AES_KEY, previousAesKey }: Session): Session {
    const accessKey = `KEY${++this.#serial}`;
    this.sqs.validKeys.clear();
    this.sqs.validKeys.add(accessKey);
    this.sqs.knownFrom.set(accessKey, this.sqs.now + this.spreading);
    const expires = this.sqs.now + this.lifetime;
    return {
      sqsUrl,
      sqsQueueName: "queue",
      region: "eu-west-1",
      accessKey,
      secretKey: "secret",
      sessionToken: "token",
      expires,
      ttl: expires + 3600,
      identityId: "identity",
      sessionId: "s-1",
      accountId: 7,
      userId: 42,
      aesKey,
      previousAesKey,
    };
  }
}

export function ids(count: number, prefix = "m"): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
}
