import type { Gap } from "./events.js";
import { type Session, sessionName } from "./session.js";

/** How far before the last receive a gap begins: a message may have been on its way, seconds. */
const ON_THE_WAY = 60;

/** Follows the session's receiving, in this tab or in the leader's, and notices when it was interrupted. */
export type Continuity = ReturnType<typeof createContinuity>;

/** @param retention - how long the queue keeps messages, seconds */
export function createContinuity(retention: number) {
  let last: Session | undefined;
  let receivedAt = 0;

  /** The gap that ends now. */
  function gap(reason: Gap["reason"], at: number): Gap {
    return { since: at - ON_THE_WAY, reason };
  }

  return {
    /** When something was last received, epoch seconds. */
    get receivedAt() {
      return receivedAt;
    },

    /** Notes that something was received; returns the gap that this ends, if there is one. */
    note(session: Session, at: number): Gap | undefined {
      const before = last;
      const since = receivedAt;
      last = session;
      receivedAt = at;
      if (!before || sessionName(before) !== sessionName(session)) return undefined;
      if (before.sqsUrl !== session.sqsUrl) return gap("queue", since);
      return at - since > retention ? gap("retention", since) : undefined;
    },

    /** The gap of a page that was frozen since its last receive; other tabs may have polled meanwhile. */
    wake(at: number): Gap | undefined {
      if (!last) return undefined;
      const since = receivedAt;
      receivedAt = at;
      return gap("asleep", since);
    },
  };
}
