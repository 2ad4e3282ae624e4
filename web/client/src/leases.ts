import { type Batch, createBatch, createOutbox, LOOK, type Sending } from "./batch.js";
import type { QueueMessage } from "./sqs.js";
import { after } from "./time.js";

/** The longest that SQS hides a message, seconds. */
const LONGEST = 43_200;
/** How long a failure waits for others to be told with it, milliseconds. */
const TOGETHER = 50;
const ACTION = "ChangeMessageVisibilityBatch";

/** The messages of one answer, which are hidden from others until the same moment. Sent, it gives them back. */
interface Answer extends Batch {
  /** For how long they were hidden last, seconds. */
  span: number;
  /** Until when, epoch milliseconds. */
  until: number;
  /** Ends the watch over them. */
  unwatch(): void;
}

/**
 * The messages that this page has taken from the queue and not finished. While handlers work they stay hidden
 * from others; when the page stops, or a handler fails, they are given back at once.
 */
export type Leases = ReturnType<typeof createLeases>;

export function createLeases(sending: Sending) {
  const { settings } = sending;
  const leases = new Map<string, { message: QueueMessage; answer: Answer }>();
  // What fails comes again at another time than it should; it is known then.
  const ignore = () => {};
  const failed = createOutbox(sending, ACTION, ignore);

  /** No longer follows a message. @returns until when it is hidden, epoch milliseconds */
  function end({ MessageId }: QueueMessage): number {
    const answer = leases.get(MessageId)?.answer;
    if (!answer) return 0;
    leases.delete(MessageId);
    answer.changes.delete(MessageId);
    if (answer.changes.size === 0) answer.unwatch();
    return answer.until;
  }

  /** Watches over an answer: hides it for longer, for twice as long each time, as what takes long may take longer. */
  function keep(answer: Answer): void {
    const { span, until, changes } = answer;
    if (changes.size === 0) return;
    answer.unwatch = after(settings, Math.min((until - settings.now()) / 2000, LOOK), () => {
      if (until - settings.now() < span * 600) {
        answer.span = Math.min(LONGEST, Math.max(span * 2, settings.visibilityTimeout));
        answer.until = settings.now() + answer.span * 1000;
        createBatch(sending, ACTION, answer.queue, answer.span, changes).send().catch(ignore);
      }
      keep(answer);
    });
    void answer.prepare();
  }

  const answers = () => new Set([...leases.values()].map(({ answer }) => answer));

  return {
    end,

    /** Signs what would be given back by new keys. */
    renew(): void {
      for (const answer of answers()) void answer.prepare(true);
    },

    /**
     * Takes what SQS has handed out for so many seconds.
     * @returns the messages that this page does not have already; of the others it takes the newer handles
     */
    take(queue: string, messages: QueueMessage[], span: number): QueueMessage[] {
      const until = settings.now() + span * 1000;
      const answer = { ...createBatch(sending, ACTION, queue, 0), span, until, unwatch: () => {} };
      const fresh = messages.filter((message) => {
        const { MessageId, ReceiptHandle } = message;
        const known = leases.get(MessageId)?.message;
        if (known) {
          end(known);
          known.ReceiptHandle = ReceiptHandle;
        }
        leases.set(MessageId, { message: known ?? message, answer });
        answer.changes.set(MessageId, { ReceiptHandle });
        return !known;
      });
      keep(answer);
      return fresh;
    },

    /** Whether the message is still this page's. */
    holds: (message: QueueMessage): boolean => leases.get(message.MessageId)?.message === message,

    /** Has a message handed out again after a delay, seconds. */
    giveBack(message: QueueMessage, seconds: number): void {
      const { MessageId, ReceiptHandle } = message;
      const lease = leases.get(MessageId);
      // It may have come again since, under a newer handle.
      if (lease?.message !== message) return;
      end(message);
      const entry = { ReceiptHandle, VisibilityTimeout: Math.ceil(seconds) };
      failed.add(lease.answer.queue, MessageId, entry, settings.now() + TOGETHER);
    },

    /** Gives everything back. @param closing - in this turn, by requests that outlive the page */
    async giveAllBack(closing = false): Promise<void> {
      const given = [...answers()];
      leases.clear();
      const sent = given.map((answer) => {
        answer.unwatch();
        return answer.send(closing).catch(ignore);
      });
      await Promise.all([...sent, failed.flush(closing)]);
    },
  };
}
