import type { Outbox } from "./batch.js";
import type { Message, Metadata } from "./events.js";
import { decodeFrame, importKey } from "./frame.js";
import type { Handling } from "./handling.js";
import type { Leases } from "./leases.js";
import type { Settings } from "./options.js";
import type { Session } from "./session.js";
import type { QueueMessage } from "./sqs.js";
import type { ServiceClock } from "./time.js";

/** How long before a message is handed out again its deletion is sent, milliseconds. */
const MARGIN = 1000;

interface Hooks {
  /** Brings a message to the other tabs: whether they have settled it. */
  share(metadata: Metadata): Promise<boolean>;
}

interface Opened {
  /** Brings the message to whom it is for: whether it is settled. */
  bring(): Promise<boolean>;
  readable: boolean;
}

/** Takes messages from the queue to the handlers of all tabs, and has them deleted once all have finished. */
export class Intake {
  readonly #handling: Handling;
  readonly #deletions: Outbox;
  readonly #leases: Leases;
  readonly #clock: ServiceClock;
  readonly #settings: Settings;
  readonly #hooks: Hooks;
  /** The messages in handlers that polling waits for, by their messageId. */
  readonly #inFlight = new Set<string>();
  #freed = () => {};

  constructor(
    settings: Settings,
    clock: ServiceClock,
    handling: Handling,
    deletions: Outbox,
    leases: Leases,
    hooks: Hooks,
  ) {
    this.#settings = settings;
    this.#clock = clock;
    this.#handling = handling;
    this.#deletions = deletions;
    this.#leases = leases;
    this.#hooks = hooks;
  }

  /**
   * Starts the handlers in the order of the messages; resolves when there is room for more.
   * @param visibility - for how long SQS hides them, seconds
   */
  async take(session: Session, messages: QueueMessage[], visibility: number): Promise<void> {
    const key = importKey(session.aesKey);
    // What is being handled already is not brought again. All are decrypted before the first is brought, since
    // decryption may end in any order.
    const fresh = this.#leases.take(session.sqsUrl, messages, visibility);
    const ready = await Promise.all(fresh.map((queued) => this.#open(key, queued)));
    ready.forEach((opened, i) => void this.#settle(session, fresh[i] as QueueMessage, opened));
    while (this.#inFlight.size >= this.#settings.maxInFlight) {
      await new Promise<void>((resolve) => {
        this.#freed = resolve;
      });
    }
  }

  /** Brings a message to the handlers of all tabs; whether all have settled it. */
  async handle(message: Message, metadata: Metadata): Promise<boolean> {
    const settled = [this.#handling.handle(message, metadata), this.#hooks.share(metadata)];
    return (await Promise.all(settled)).every(Boolean);
  }

  /** Polling no longer waits for this message. */
  free(messageId: string): void {
    if (this.#inFlight.delete(messageId)) this.#freed();
  }

  async #open(key: Promise<CryptoKey>, queued: QueueMessage): Promise<Opened> {
    try {
      const text = await decodeFrame(await key, queued.body);
      const message = parseMessage(text, queued.id);
      const { messageId } = message;
      const { sentAt, deliveries } = queued;
      const receivedAt = this.#clock.now();
      const metadata: Metadata = { messageId, text, source: "queue", sentAt, receivedAt, deliveries };
      const bring = () => {
        this.#inFlight.add(messageId);
        return this.handle(message, metadata).finally(() => this.free(messageId));
      };
      return { bring, readable: true };
    } catch (error) {
      return { bring: () => this.#handling.unreadable(queued.id, error), readable: false };
    }
  }

  async #settle(session: Session, queued: QueueMessage, { bring, readable }: Opened): Promise<void> {
    // The page has stopped meanwhile.
    if (!this.#leases.has(queued)) return;
    const settled = await bring();
    // Given back meanwhile, it may have been handed out again, and be deleted then.
    if (settled) this.#delete(session.sqsUrl, queued);
    else if (readable) this.#leases.giveBack(queued, this.#delay(queued));
    else this.#leases.end(queued);
  }

  #delete(queue: string, queued: QueueMessage): void {
    const { deleteDelay } = this.#settings;
    const due = Math.min(this.#settings.now() + deleteDelay * 1000, this.#leases.end(queued) - MARGIN);
    this.#deletions.add(queue, queued.id, { ReceiptHandle: queued.receiptHandle }, due);
  }

  /** A second at first, then twice as long each time. */
  #delay({ deliveries }: QueueMessage): number {
    return Math.min(2 ** (deliveries - 1), this.#settings.visibilityTimeout);
  }
}

/** @param id - stands in for a messageId that is missing */
function parseMessage(text: string, id: string): Message {
  const message = JSON.parse(text);
  if (typeof message !== "object" || message === null || Array.isArray(message))
    throw new Error("not an object");
  return typeof message.messageId === "string" ? message : { ...message, messageId: id };
}
