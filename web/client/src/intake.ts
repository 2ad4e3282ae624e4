import type { Deleter } from "./deleter.js";
import type { Message, Metadata } from "./events.js";
import { decodeFrame, importKey } from "./frame.js";
import type { Inbox } from "./inbox.js";
import type { Settings } from "./options.js";
import type { Session } from "./session.js";
import type { QueueMessage } from "./sqs.js";
import type { ServiceClock } from "./time.js";

interface Hooks {
  /** Brings a message to the other tabs: whether they have settled it. */
  share(metadata: Metadata): Promise<boolean>;
}

/** Takes messages from the queue to the handlers of all tabs, and has them deleted once all have finished. */
export class Intake {
  readonly #inbox: Inbox;
  readonly #deleter: Deleter;
  readonly #clock: ServiceClock;
  readonly #settings: Settings;
  readonly #hooks: Hooks;
  #inFlight = 0;
  #freed = () => {};

  constructor(settings: Settings, clock: ServiceClock, inbox: Inbox, deleter: Deleter, hooks: Hooks) {
    this.#settings = settings;
    this.#clock = clock;
    this.#inbox = inbox;
    this.#deleter = deleter;
    this.#hooks = hooks;
  }

  /** Starts the handlers in the order of the messages; resolves when there is room for more. */
  async take(session: Session, messages: QueueMessage[]): Promise<void> {
    const key = importKey(session.aesKey);
    // All are decrypted before the first is brought, since decryption may end in any order.
    const ready = await Promise.all(messages.map((queued) => this.#open(key, queued)));
    ready.forEach((bring, i) => void this.#settle(session, messages[i] as QueueMessage, bring));
    while (this.#inFlight >= this.#settings.maxInFlight) {
      await new Promise<void>((resolve) => {
        this.#freed = resolve;
      });
    }
  }

  /** Brings a message to the handlers of all tabs; whether all have settled it. */
  async bring(message: Message, metadata: Metadata): Promise<boolean> {
    const settled = [this.#inbox.handle(message, metadata), this.#hooks.share(metadata)];
    return (await Promise.all(settled)).every(Boolean);
  }

  async #open(key: Promise<CryptoKey>, queued: QueueMessage): Promise<() => Promise<boolean>> {
    try {
      const text = await decodeFrame(await key, queued.body);
      const message = parseMessage(text, queued.id);
      const { messageId } = message;
      const { sentAt, deliveries } = queued;
      const receivedAt = this.#clock.now();
      const metadata: Metadata = { messageId, text, source: "queue", sentAt, receivedAt, deliveries };
      return () => this.bring(message, metadata);
    } catch (error) {
      return () => this.#inbox.unreadable(queued.id, error);
    }
  }

  async #settle(session: Session, queued: QueueMessage, bring: () => Promise<boolean>): Promise<void> {
    this.#inFlight++;
    const settled = await bring();
    this.#inFlight--;
    this.#freed();
    if (settled) this.#deleter.add(session.sqsUrl, queued.receiptHandle);
  }
}

/** @param id - stands in for a messageId that is missing */
function parseMessage(text: string, id: string): Message {
  const message = JSON.parse(text);
  if (typeof message !== "object" || message === null || Array.isArray(message))
    throw new Error("not an object");
  return typeof message.messageId === "string" ? message : { ...message, messageId: id };
}
