import type { Outbox } from "./batch.js";
import type { Client } from "./connection.js";
import type { Message, Metadata } from "./events.js";
import { importKeys, readFrame } from "./frame.js";
import type { Group } from "./group.js";
import type { SessionKeeper } from "./keeper.js";
import type { Leases } from "./leases.js";
import type { Session } from "./session.js";
import type { QueueMessage } from "./sqs.js";

/** How long before a message is handed out again its deletion is sent, milliseconds. */
const MARGIN = 1000;

/** Takes messages from the queue to the handlers of all tabs, and has them deleted once all have finished. */
export type Intake = ReturnType<typeof createIntake>;

/** @param limit - calls back when a message has had its time, unless what it returns is called before */
export function createIntake(
  { settings, clock, handling }: Client,
  keeper: SessionKeeper,
  group: Group,
  deletions: Outbox,
  leases: Leases,
  limit: (late: () => void) => () => void,
) {
  /** The messages in handlers that polling waits for, by their messageId. */
  const inFlight = new Set<string>();
  let freed = () => {};

  /** Polling no longer waits for this message. */
  function free(messageId: string): void {
    if (inFlight.delete(messageId)) freed();
  }

  /** Brings a message to the handlers of all tabs; whether all have settled it. */
  async function handle(message: Message, metadata: Metadata): Promise<boolean> {
    const settled = await Promise.all([handling.handle(message, metadata), group.share(metadata)]);
    return settled.every(Boolean);
  }

  /** Reads a message; returns what starts its handlers. */
  async function open(session: Session, queued: QueueMessage) {
    let bring: () => Promise<boolean>;
    const { MessageId, Body, Attributes } = queued;
    try {
      const [text, message] = await readFrame(await importKeys(session), Body, MessageId);
      const { messageId } = message;
      const sentAt = Number(Attributes?.SentTimestamp) / 1000 || undefined;
      const receivedAt = clock.now();
      const deliveries = deliveriesOf(queued);
      const metadata: Metadata = { messageId, text, source: "queue", sentAt, receivedAt, deliveries };
      bring = () => {
        inFlight.add(messageId);
        const stop = limit(() => free(messageId));
        return handle(message, metadata).finally(() => {
          stop();
          free(messageId);
        });
      };
    } catch (error) {
      // Another key may have come since, which will read it.
      if (keeper.session?.aesKey === session.aesKey) keeper.doubt();
      bring = () => handling.unreadable(MessageId, error, session);
    }
    return () => settle(session.sqsUrl, queued, bring);
  }

  /** @param bring - brings the message to whom it is for; says whether it is settled */
  async function settle(queue: string, queued: QueueMessage, bring: () => Promise<boolean>): Promise<void> {
    // The page has stopped meanwhile.
    if (!leases.holds(queued)) return;
    if (await bring()) {
      // Given back meanwhile, it may have been handed out again, and be deleted then.
      const due = Math.min(settings.now() + settings.deleteDelay * 1000, leases.end(queued) - MARGIN);
      const { ReceiptHandle } = queued;
      deletions.add(queue, queued.MessageId, { ReceiptHandle }, due);
    } else {
      // After a second at first, then twice as long each time.
      leases.giveBack(queued, Math.min(2 ** (deliveriesOf(queued) - 1), settings.maxBackoff));
    }
  }

  return {
    /**
     * Starts the handlers in the order of the messages; resolves when there is room for more.
     * @param visibility - for how long SQS hides them, seconds
     */
    async take(session: Session, messages: QueueMessage[], visibility: number): Promise<void> {
      // What is being handled already is not brought again. All are decrypted before the first is brought, since
      // decryption may end in any order.
      const fresh = leases.take(session.sqsUrl, messages, visibility);
      const ready = await Promise.all(fresh.map((queued) => open(session, queued)));
      for (const start of ready) void start();
      while (inFlight.size >= settings.maxInFlight) {
        await new Promise<void>((resolve) => {
          freed = resolve;
        });
      }
    },
  };
}

function deliveriesOf({ Attributes }: QueueMessage): number {
  return Number(Attributes?.ApproximateReceiveCount) || 1;
}
