import { Batch, Outbox, type Sending, SIGNATURE_LIFE } from "./batch.js";
import type { QueueMessage } from "./sqs.js";

/** The longest that SQS hides a message, seconds. */
const LONGEST = 43_200;
/** How long a failure waits for others to be told with it, milliseconds. */
const TOGETHER = 50;
const ACTION = "ChangeMessageVisibility";

/** The messages of one answer: they are hidden from others until the same moment. */
interface Group {
  queue: string;
  /** Gives them back. */
  back: Batch;
  /** For how long they were hidden last, seconds. */
  span: number;
  /** Until when, epoch milliseconds. */
  until: number;
}

/**
 * The messages that this page has taken from the queue and not finished. While handlers work they stay hidden
 * from others; when the page stops, or a handler fails, they are given back at once.
 */
export class Leases {
  readonly #sending: Sending;
  readonly #failed: Outbox;
  readonly #leases = new Map<string, { message: QueueMessage; group: Group }>();

  constructor(sending: Sending) {
    this.#sending = sending;
    // What fails comes again at another time than it should; it is known then.
    this.#failed = new Outbox(sending, ACTION, () => {});
  }

  /**
   * Takes what SQS has handed out for so many seconds.
   * @returns the messages that this page does not have already; of the others it takes the newer handles
   */
  take(queue: string, messages: QueueMessage[], span: number): QueueMessage[] {
    const until = this.#now() + span * 1000;
    const group: Group = { queue, back: new Batch(this.#sending, ACTION, queue), span, until };
    const fresh: QueueMessage[] = [];
    for (const message of messages) {
      const { id, receiptHandle: ReceiptHandle } = message;
      const known = this.#leases.get(id)?.message;
      if (known) {
        this.end(known);
        known.receiptHandle = ReceiptHandle;
      } else {
        fresh.push(message);
      }
      this.#leases.set(id, { message: known ?? message, group });
      group.back.entries.set(id, { ReceiptHandle, VisibilityTimeout: 0 });
    }
    this.#keep(group);
    return fresh;
  }

  /** Whether the message is still this page's. */
  has(message: QueueMessage): boolean {
    return this.#leases.get(message.id)?.message === message;
  }

  /** No longer follows a message. @returns until when it is hidden, epoch milliseconds */
  end(message: QueueMessage): number {
    const group = this.#leases.get(message.id)?.group;
    this.#leases.delete(message.id);
    group?.back.entries.delete(message.id);
    return group?.until ?? 0;
  }

  /** Has a message handed out again after a delay, seconds. */
  giveBack(message: QueueMessage, seconds: number): void {
    const lease = this.#leases.get(message.id);
    if (!lease) return;
    this.end(message);
    const entry = { ReceiptHandle: message.receiptHandle, VisibilityTimeout: Math.ceil(seconds) };
    this.#failed.add(lease.group.queue, message.id, entry, this.#now() + TOGETHER);
  }

  /** Gives everything back. @param closing - in this turn, by requests that outlive the page */
  async giveAllBack(closing = false): Promise<void> {
    const groups = new Set([...this.#leases.values()].map(({ group }) => group));
    this.#leases.clear();
    const sent = [...groups].map(({ back }) => back.send(closing).catch(() => {}));
    await Promise.all([...sent, this.#failed.flush(closing)]);
  }

  /** Watches over a group: hides it for longer, for twice as long each time, as what takes long may take longer. */
  #keep(group: Group): void {
    const { settings } = this.#sending;
    const wake = () => {
      const { entries } = group.back;
      // Finished, or given back.
      if (![...entries.keys()].some((id) => this.#leases.get(id)?.group === group)) return;
      if (group.until - this.#now() < group.span * 600) {
        group.span = Math.min(LONGEST, Math.max(group.span * 2, settings.visibilityTimeout));
        group.until = this.#now() + group.span * 1000;
        const longer = new Batch(this.#sending, ACTION, group.queue);
        for (const [id, entry] of entries)
          longer.entries.set(id, { ...entry, VisibilityTimeout: group.span });
        void longer.send().catch(() => {});
      }
      this.#keep(group);
    };
    settings.setTimeout(wake, Math.min((group.until - this.#now()) / 2, SIGNATURE_LIFE));
    void group.back.sign();
  }

  #now(): number {
    return this.#sending.settings.now();
  }
}
