import type { Outbox } from "./batch.js";
import type { Message, Metadata } from "./events.js";
import { importKeys, readFrame } from "./frame.js";
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
  /** The session has no key for what has come, it seems. */
  lacksKey(): void;
}

/** Brings a message to whom it is for: whether it is settled. */
type Bring = () => Promise<boolean>;

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
    const keys = importKeys(session);
    // What is being handled already is not brought again. All are decrypted before the first is brought, since
    // decryption may end in any order.
    const fresh = this.#leases.take(session.sqsUrl, messages, visibility);
    const ready = await Promise.all(fresh.map((queued) => this.#open(session, keys, queued)));
    ready.forEach((bring, i) => void this.#settle(session, fresh[i] as QueueMessage, bring));
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

  async #open(session: Session, keys: Promise<CryptoKey[]>, queued: QueueMessage): Promise<Bring> {
    const { id, sentAt, deliveries } = queued;
    try {
      const [text, message] = await readFrame(await keys, queued.body, id);
      const { messageId } = message;
      const receivedAt = this.#clock.now();
      const metadata: Metadata = { messageId, text, source: "queue", sentAt, receivedAt, deliveries };
      return () => {
        this.#inFlight.add(messageId);
        return this.handle(message, metadata).finally(() => this.free(messageId));
      };
    } catch (error) {
      this.#hooks.lacksKey();
      return () => this.#handling.unreadable(id, error, session);
    }
  }

  async #settle(session: Session, queued: QueueMessage, bring: Bring): Promise<void> {
    // The page has stopped meanwhile.
    if (!this.#leases.has(queued)) return;
    const settled = await bring();
    // Given back meanwhile, it may have been handed out again, and be deleted then.
    if (settled) this.#delete(session.sqsUrl, queued);
    else this.#leases.giveBack(queued, this.#delay(queued));
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
