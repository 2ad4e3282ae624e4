import type { Gap } from "./events.js";
import { type Session, sessionName } from "./session.js";

/** How far before the last receive a gap begins: a message may have been on its way, seconds. */
const ON_THE_WAY = 60;

/** Follows the session's receiving, in this tab or in the leader's, and notices when it was interrupted. */
export type Continuity = ReturnType<typeof createContinuity>;

/** @param retention - how long the queue keeps messages, seconds */
export function createContinuity(retention: number) {
  let name = "";
  let queue = "";
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
      const last = { name, queue, receivedAt };
      name = sessionName(session);
      queue = session.sqsUrl;
      receivedAt = at;
      if (last.name !== name) return undefined;
      if (last.queue !== queue) return gap("queue", last.receivedAt);
      if (at - last.receivedAt > retention) return gap("retention", last.receivedAt);
      return undefined;
    },

    /** The gap of a page that was frozen since its last receive; other tabs may have polled meanwhile. */
    wake(at: number): Gap | undefined {
      if (!name) return undefined;
      const last = receivedAt;
      receivedAt = at;
      return gap("asleep", last);
    },
  };
}
