import { type Batch, createBatch, createOutbox, type Sending } from "./batch.js";
import type { QueueMessage } from "./sqs.js";
import { after } from "./time.js";

/** The longest that SQS hides a message, seconds. */
const LONGEST = 43_200;
/** How long a failure waits for others to be told with it, milliseconds. */
const TOGETHER = 50;
const ACTION = "ChangeMessageVisibilityBatch";

/** The messages of one answer: they are hidden from others until the same moment. */
interface Group {
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
export type Leases = ReturnType<typeof createLeases>;

export function createLeases(sending: Sending) {
  const { settings } = sending;
  const leases = new Map<string, { message: QueueMessage; group: Group }>();
  // What fails comes again at another time than it should; it is known then.
  const ignore = () => {};
  const failed = createOutbox(sending, ACTION, ignore);

  /** No longer follows a message. @returns until when it is hidden, epoch milliseconds */
  function end({ MessageId }: QueueMessage): number {
    const group = leases.get(MessageId)?.group;
    leases.delete(MessageId);
    group?.back.entries.delete(MessageId);
    return group?.until ?? 0;
  }

  /** Watches over a group: hides it for longer, for twice as long each time, as what takes long may take longer. */
  function keep(group: Group): void {
    const { span, until, back } = group;
    after(settings, (until - settings.now()) / 2000, () => {
      // Finished, or given back.
      if (![...back.entries.keys()].some((id) => leases.get(id)?.group === group)) return;
      if (until - settings.now() < span * 600) {
        group.span = Math.min(LONGEST, Math.max(span * 2, settings.visibilityTimeout));
        group.until = settings.now() + group.span * 1000;
        const longer = createBatch(sending, ACTION, back.queue);
        for (const [id, entry] of back.entries)
          longer.entries.set(id, { ...entry, VisibilityTimeout: group.span });
        longer.send().catch(ignore);
      }
      keep(group);
    });
    void back.sign();
  }

  return {
    end,

    /**
     * Takes what SQS has handed out for so many seconds.
     * @returns the messages that this page does not have already; of the others it takes the newer handles
     */
    take(queue: string, messages: QueueMessage[], span: number): QueueMessage[] {
      const group = { back: createBatch(sending, ACTION, queue), span, until: settings.now() + span * 1000 };
      const fresh = messages.filter((message) => {
        const { MessageId, ReceiptHandle } = message;
        const known = leases.get(MessageId)?.message;
        if (known) {
          end(known);
          known.ReceiptHandle = ReceiptHandle;
        }
        leases.set(MessageId, { message: known ?? message, group });
        group.back.entries.set(MessageId, { ReceiptHandle, VisibilityTimeout: 0 });
        return !known;
      });
      keep(group);
      return fresh;
    },

    /** Whether the message is still this page's. */
    has: (message: QueueMessage): boolean => leases.get(message.MessageId)?.message === message,

    /** Has a message handed out again after a delay, seconds. */
    giveBack(message: QueueMessage, seconds: number): void {
      const { MessageId, ReceiptHandle } = message;
      const queue = leases.get(MessageId)?.group.back.queue;
      if (!queue) return;
      end(message);
      const entry = { ReceiptHandle, VisibilityTimeout: Math.ceil(seconds) };
      failed.add(queue, MessageId, entry, settings.now() + TOGETHER);
    },

    /** Gives everything back. @param closing - in this turn, by requests that outlive the page */
    async giveAllBack(closing = false): Promise<void> {
      const groups = new Set([...leases.values()].map(({ group }) => group));
      leases.clear();
      const sent = [...groups].map(({ back }) => back.send(closing).catch(ignore));
      await Promise.all([...sent, failed.flush(closing)]);
    },
  };
}
