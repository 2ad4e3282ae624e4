import type { Client } from "./connection.js";
import { isUnrecoverable } from "./errors.js";
import type { Pace } from "./pace.js";
import { type Session, type SessionReason, sessionName } from "./session.js";
import type { SqsError } from "./sqs.js";
import type { End } from "./tabs.js";
import { childController, limited, whenAborted } from "./time.js";

/** How long a new queue may take to be known everywhere, seconds. */
const QUEUE_SPREADS = 10;
/** How long SQS may refuse new keys, since the queue's tag that opens it to them has just been moved; seconds. */
const TAG_SPREADS = 90;
/** How long polling stops for a renewal, seconds: the old keys may end with it, so that a poll would be wasted. */
const PATIENCE = 3;
/** How long after a session in doubt has been asked for it is asked for again at first, seconds. */
const DOUBT_PAUSE = 5;
/** How long at most, seconds. */
const LONGEST_DOUBT_PAUSE = 60;

/** Holds the session and gets the next one in time. */
export type SessionKeeper = ReturnType<typeof createKeeper>;

/**
 * Whoever asks, one `getSession` runs at a time.
 * @param signal - ends all attempts
 * @param taken - is told of each new session
 */
export function createKeeper(
  { settings, clock, emitter, end }: Pick<Client, "settings" | "clock" | "emitter" | "end">,
  pace: Pace,
  signal: AbortSignal,
  taken = () => {},
) {
  let session: Session | undefined;
  let renewing: Promise<void> | undefined;
  let since = 0;
  let isRefused = false;
  let hasWorked = false;
  /** Both are set once the keys have worked, which corrects the clock; epoch seconds. */
  let renewAt = Number.POSITIVE_INFINITY;
  let endAt = Number.POSITIVE_INFINITY;
  let askPause = 0;
  let askAt = 0;
  let replaced = () => {};
  const ends: End[] = [];

  const age = () => (settings.now() - since) / 1000;
  const expired = () => clock.now() >= endAt;

  function take(next: Session): void {
    const previous = session;
    // As when another user has logged in in another tab. What is shown here is not that user's.
    if (previous && sessionName(previous) !== sessionName(next))
      return void end(false, new Error("another session"));
    if (next.aesKey !== previous?.aesKey) askPause = askAt = 0;
    session = next;
    since = settings.now();
    isRefused = hasWorked = false;
    renewAt = endAt = Number.POSITIVE_INFINITY;
    replaced();
    taken();
    if (previous) emitter.emit("renewed", { expires: next.expires });
  }

  function reason(): SessionReason {
    if (!session) return "start";
    return isRefused || expired() ? "expired" : "renew";
  }

  async function fetch(): Promise<void> {
    const before = session;
    const attempt = childController(signal);
    replaced = () => attempt.abort();
    // Once for all tries: each listens to the signal.
    const given = whenAborted(attempt.signal);
    // What it has brought is taken also if it comes late: the backend may have ended the old keys for it.
    const ask = async () => {
      // What ended before may have begun again.
      ends.length = 0;
      const next = await settings.getSession({ reason: reason(), signal });
      // The likeliest mistake is to return the backend's whole reply.
      if (!next?.secretKey || !next.aesKey || !/^http/.test(next.sqsUrl))
        throw new TypeError("getSession must resolve to a session");
      if (signal.aborted || (session && session !== before && next.expires < session.expires)) return;
      // A copy, since tabs cannot be told of a proxy, as frameworks make them.
      take({ ...next });
    };
    const failed = (error: unknown) => {
      if (attempt.signal.aborted) return;
      emitter.fail("session", error);
      if (isUnrecoverable(error)) void end(true, error);
    };
    const get = () => {
      const asked = ask();
      // That there is no session counts also if it comes late.
      asked.catch((error) => isUnrecoverable(error) && failed(error));
      return limited(settings, Promise.race([asked, given]));
    };
    await pace.retry(attempt.signal, get, failed);
    attempt.abort();
  }

  function renew(): Promise<void> {
    renewing ??= fetch().finally(() => {
      renewing = undefined;
    });
    return renewing;
  }

  return {
    /** The ends of sessions that were heard since the session was asked for. */
    ends,

    /** The session, if there is one yet. */
    get session() {
      return session;
    },

    /**
     * A session that may be used now. When renewal is due, it waits a moment for it, since the backend may end
     * the old keys; if it fails or takes longer, the old keys serve on until they expire.
     * @param without - is called when there are no keys to go on with meanwhile
     * @returns undefined when it was ended before there was a session
     */
    async ready(without?: () => void): Promise<Session | undefined> {
      if (!session || expired()) {
        without?.();
        await renew();
      } else if (clock.now() >= renewAt && !renewing) {
        await limited(settings, renew(), PATIENCE).catch(() => {});
      }
      return session;
    },

    /** The service has accepted the session, which also means that the clock has been corrected. */
    worked(used: Session): void {
      if (used !== session || hasWorked) return;
      hasWorked = true;
      const left = used.expires - clock.now();
      const margin = Math.min(settings.renewBefore, left / 2) * (0.5 + settings.random() / 2);
      // Keys that work though they seem to have expired: no clock to go by, so wait until they are refused.
      if (left > 0) {
        endAt = used.expires;
        // Sooner, if it is in doubt already.
        renewAt = Math.min(renewAt, endAt - margin);
      }
    },

    /**
     * Whether a refused session is so new that it may only need a moment. Asking for another one would move the
     * queue's tag again, so that tabs or tries would chase each other.
     */
    isSpreading(used: Session, error: SqsError): boolean {
      const limit = error.noQueue ? QUEUE_SPREADS : TAG_SPREADS;
      return error.needsSession && used === session && !hasWorked && age() < limit;
    },

    /** Whether a new session is refused for longer than it mostly takes to spread. */
    isTelling: (): boolean => age() >= QUEUE_SPREADS,

    /**
     * The service has refused the session: waits for another one.
     * @returns false if there is none
     */
    async refused(used: Session): Promise<boolean> {
      if (used === session) {
        isRefused = true;
        await renew();
      }
      return used !== session;
    },

    /**
     * The session may no longer do: a message cannot be read, as when the backend has rotated the key without our
     * asking, or another session has ended. It is asked for before the next poll, but less and less often as long as
     * that brings no other key.
     */
    doubt(): void {
      const at = Math.max(clock.now(), askAt);
      if (renewAt <= at) return;
      renewAt = at;
      askPause = Math.min(askPause * 2 || DOUBT_PAUSE, LONGEST_DOUBT_PAUSE);
      askAt = at + askPause;
    },

    /**
     * Takes another tab's session if its keys last longer.
     * @param orAsLong - take it also if they last as long
     */
    adopt(theirs: Session, orAsLong: boolean): void {
      if (!session || session.accessKey === theirs.accessKey) return;
      if (theirs.expires > session.expires || (orAsLong && theirs.expires === session.expires)) take(theirs);
    },
  };
}
