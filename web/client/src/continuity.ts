import type { Gap } from "./events.js";
import { type Session, sessionName } from "./session.js";

/** How far before the last receive a gap begins: a message may have been on its way, seconds. */
const ON_THE_WAY = 60;

/** Follows the session's receiving, in this tab or in the leader's, and notices when it was interrupted. */
export class Continuity {
  readonly #retention: number;
  #last?: { name: string; queue: string; at: number };

  /** @param retention - how long the queue keeps messages, seconds */
  constructor(retention: number) {
    this.#retention = retention;
  }

  /** When something was last received, epoch seconds. */
  get receivedAt(): number {
    return this.#last?.at ?? 0;
  }

  /** Notes that something was received; returns the gap that this ends, if there is one. */
  note(session: Session, at: number): Gap | undefined {
    const last = this.#last;
    const name = sessionName(session);
    this.#last = { name, queue: session.sqsUrl, at };
    if (last?.name !== name) return undefined;
    if (last.queue !== session.sqsUrl) return gap("queue", last.at);
    if (at - last.at > this.#retention) return gap("retention", last.at);
    return undefined;
  }

  /** The gap of a page that was frozen since its last receive; other tabs may have polled meanwhile. */
  wake(at: number): Gap | undefined {
    const last = this.#last;
    if (!last) return undefined;
    this.#last = { ...last, at };
    return gap("asleep", last.at);
  }
}

function gap(reason: Gap["reason"], last: number): Gap {
  return { since: last - ON_THE_WAY, reason };
}
