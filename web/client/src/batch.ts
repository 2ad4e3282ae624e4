import type { SessionKeeper } from "./keeper.js";
import type { Settings } from "./options.js";
import type { BatchAction, BatchEntry, SignedRequest, Sqs } from "./sqs.js";
import { after } from "./time.js";

/** The most that one request changes. */
const MOST = 10;
/**
 * SQS refuses signatures that are five minutes old: what waits is looked at and signed again in time. So it is soon seen,
 * too, when a clock has jumped or a machine has slept; seconds.
 */
export const LOOK = 120;

/** What the requests about messages need. */
export interface Sending {
  settings: Settings;
  sqs: Sqs;
  keeper: SessionKeeper;
}

/**
 * A request about up to ten messages, kept signed: signing is asynchronous, and a page that is being closed can
 * only send what is ready.
 */
export type Batch = ReturnType<typeof createBatch>;

/**
 * @param queue - URL of the queue whose messages these are
 * @param visibility - for how long those are hidden whose entries do not say it, seconds
 * @param changes - by SQS's id, so that the newest receipt handle is used: an older one may no longer do
 */
export function createBatch(
  { sqs, keeper }: Sending,
  action: BatchAction,
  queue: string,
  visibility?: number,
  changes = new Map<string, BatchEntry>(),
) {
  let newest: Promise<SignedRequest | undefined> | undefined;
  let ready: SignedRequest | undefined;

  /**
   * What was taken from a queue that has been replaced is gone with it. What is finished or given back while it is
   * signed must not be hidden again: the rest is signed anew.
   */
  async function signed(): Promise<SignedRequest | undefined> {
    const { session } = keeper;
    const { size } = changes;
    if (session?.sqsUrl === queue && size > 0) {
      const request = await sqs.signBatch(session, action, changes.values(), visibility);
      return changes.size < size ? signed() : request;
    }
    return undefined;
  }

  return {
    queue,
    changes,

    /**
     * Keeps it signed as it is now, by the newest keys.
     * @param replaced - the keys that have signed it have been replaced
     */
    async prepare(replaced = false): Promise<void> {
      if (replaced) ready = undefined;
      const signing = signed();
      newest = signing;
      const request = await signing;
      // Signatures may be ready in another order than they were begun.
      if (signing === newest) ready = request;
    },

    /**
     * Sends it; resolves when it is answered.
     * @param closing - send what is ready in this turn, and let it outlive the page
     * @throws SqsError when some or all were not changed
     */
    async send(closing = false): Promise<void> {
      const request = (closing && ready) || (await signed());
      // What is being signed besides, as a longer visibility, must not come after it.
      if (closing) changes.clear();
      if (request) await sqs.send(request, closing);
    },
  };
}

/** Collects what is to be said of messages, since each request is billed. */
export type Outbox = ReturnType<typeof createOutbox>;

/** @param failed - is told when messages were not changed; they come again */
export function createOutbox(sending: Sending, action: BatchAction, failed: (error: unknown) => void) {
  const { settings } = sending;
  let batch: Batch | undefined;
  let due = 0;
  let cancel = () => {};

  /** Sends what waits; resolves when that is answered. */
  async function flush(closing = false): Promise<void> {
    const sent = batch;
    batch = undefined;
    cancel();
    await sent?.send(closing).catch(failed);
  }

  /** Keeps it ready until it is due. */
  function wait(): void {
    const left = (due - settings.now()) / 1000;
    cancel();
    cancel = after(settings, Math.min(left, LOOK), left > LOOK ? wait : flush);
    void batch?.prepare();
  }

  return {
    flush,

    /** Signs what waits by new keys. */
    renew: () => batch?.prepare(true),

    /** @param latest - when it is sent at the latest, epoch milliseconds */
    add(queue: string, id: string, entry: BatchEntry, latest: number): void {
      if (batch?.queue !== queue) {
        batch = createBatch(sending, action, queue);
        due = latest;
      }
      due = Math.min(due, latest);
      batch.changes.set(id, entry);
      if (batch.changes.size === MOST) return void flush();
      wait();
    },
  };
}
