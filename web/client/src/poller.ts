import type { Client } from "./connection.js";
import type { State } from "./events.js";
import type { Group } from "./group.js";
import type { SessionKeeper } from "./keeper.js";
import type { Pace } from "./pace.js";
import type { Session } from "./session.js";
import { type QueueMessage, type Sqs, SqsError } from "./sqs.js";
import { childController } from "./time.js";

/**
 * For how long an answer hides its messages at first, seconds: the page may go while it is on its way, and nobody
 * could give them back. What is not handled soon is hidden for longer.
 */
const FIRST_VISIBILITY = 4;
/** How often a page polls that rests, seconds. */
const SLOW = 60;

/** The next poll waits for the returned promise. `visibility`: seconds for which the messages are hidden. */
type Received = (session: Session, messages: QueueMessage[], visibility: number) => Promise<void>;

/** Polls the queue, without end. */
export type Poller = ReturnType<typeof createPoller>;

export function createPoller(
  client: Client,
  keeper: SessionKeeper,
  sqs: Sqs,
  pace: Pace,
  group: Group,
  become: (state: State, reason: unknown) => void,
  received: Received,
) {
  const { settings, emitter } = client;
  let step: AbortController | undefined;
  let failures = 0;
  /** Whether the next poll waits for messages. The first one does not, and so shows soon whether it works. */
  let waits = false;
  /** Whether the last answer had many: more may follow, though SQS need not fill an answer, and deletions by ten. */
  let isBurst = false;

  /** Polling has been disturbed and goes on; the reason is undefined when nothing has failed. */
  function disturb(reason?: unknown): void {
    waits = false;
    become("connecting", reason);
  }

  async function poll(session: Session, signal: AbortSignal): Promise<void> {
    const { visibilityTimeout } = settings;
    try {
      // Where deletions may wait for long, they are worth more than a few seconds; not in a burst, where they do not.
      const visibility =
        isBurst || settings.deleteDelay < 30
          ? Math.min(visibilityTimeout, FIRST_VISIBILITY)
          : visibilityTimeout;
      const messages = await sqs.receive(session, waits ? settings.waitTime : 0, visibility, signal);
      keeper.worked(session);
      failures = 0;
      waits = true;
      isBurst = messages.length > 4;
      await received(session, messages, visibility);
    } catch (error) {
      if (!signal.aborted) await recover(session, error, signal);
    }
  }

  async function recover(session: Session, error: unknown, signal: AbortSignal): Promise<void> {
    failures++;
    disturb(error);
    if (error instanceof SqsError) {
      const spreading = !error.clockWasOff && keeper.isSpreading(session, error);
      const mended =
        error.clockWasOff || (!spreading && error.needsSession && (await keeper.refused(session)));
      if (signal.aborted || (mended && failures === 1)) return;
      if (!spreading || keeper.isTelling()) emitter.fail("service", error);
    }
    failures = await pace.pause(failures, signal, error);
  }

  return {
    /** Polls until the signal is aborted. */
    async run(signal: AbortSignal): Promise<void> {
      waits = false;
      while (!signal.aborted) {
        const session = await keeper.ready(() => disturb(client.status.reason));
        if (!session || signal.aborted) return;
        step = childController(signal);
        const next = settings.now() + SLOW * 1000;
        await poll(session, step.signal);
        // Nobody uses the page: it waits until then, or until somebody does.
        if (failures === 0 && !isBurst && group.used() < settings.now())
          await pace.sleep((next - settings.now()) / 1000, step.signal);
        step.abort();
      }
    },

    /** Breaks off what is waited for and tries anew, as when the network has changed. */
    restart(): void {
      failures = 0;
      disturb();
      step?.abort();
    },
  };
}
