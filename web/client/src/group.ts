import type { Client } from "./connection.js";
import { createElection, type Election } from "./election.js";
import type { Channel } from "./environment.js";
import { UnrecoverableError } from "./errors.js";
import type { Gap, State } from "./events.js";
import type { SessionKeeper } from "./keeper.js";
import { recall } from "./memory.js";
import type { Pace } from "./pace.js";
import { type Session, sessionName } from "./session.js";
import { createTabs, type End, type Word } from "./tabs.js";

/** A leader silent for longer is frozen: browsers delay timers, but by no more than a minute; seconds. */
export const SILENCE = 90;

/** This tab among the tabs of its session, of which one polls; where tabs cannot share, it is alone. */
export type Group = ReturnType<typeof createGroup>;

/**
 * @param usedUntil - until when this tab counts as used, epoch milliseconds
 * @param follow - is told of the leader's state
 * @param fill - fills a gap that the leader has found
 */
export function createGroup(
  client: Client,
  keeper: SessionKeeper,
  pace: Pace,
  usedUntil: () => number,
  follow: (state: State) => void,
  fill: (gap: Gap) => void,
) {
  const { settings, clock, continuity, handling } = client;
  // Not of crypto, as a log-out is told also where the context is not secure.
  const id = `${Math.random()}`;
  const tabs = createTabs(settings, say);
  const { others } = tabs;
  let election: Election | undefined;
  /** Of all sessions' tabs: a log-out is told also where there is no session yet, or tabs do not share. */
  const common = open("sqs-browser-events");
  let channel: Channel | undefined;
  let name: string | undefined;
  /** Aborted when this tab no longer leads. */
  let term: AbortSignal | undefined;
  let leader: string | undefined;
  let heardAt = 0;

  function leading(): boolean {
    return term?.aborted === false;
  }

  function open(name: string): Channel | undefined {
    try {
      const opened = settings.channel(name);
      opened.onmessage = ({ data }) => data && void hear(data);
      return opened;
    } catch {
      // There are none, or site data is blocked.
      return undefined;
    }
  }

  function say(word: Word): void {
    channel?.postMessage({ ...word, from: id });
  }

  function hearEnd(end: End): void {
    const { session, reason } = end;
    const error = reason === undefined ? reason : new UnrecoverableError(reason);
    // What its backend says may concern another session: ours is asked as well.
    if (!session && error) keeper.doubt();
    else if (!session || session === name) void client.end(false, error);
    // It may be the one that the backend is being asked for.
    else if (!name) keeper.ends.push(end);
  }

  /** Makes this tab known, so that the others wait for it. */
  function hello(): void {
    say({ type: "hello", session: keeper.session as Session, used: usedUntil() });
  }

  /** Shows the others that this tab leads, and how far it is. */
  function beat(): void {
    say({
      type: "beat",
      session: keeper.session as Session,
      state: client.status.state,
      now: clock.now(),
      receivedAt: continuity.receivedAt,
    });
  }

  /** A BroadcastChannel does not bring a tab its own words. */
  async function hear(word: Word & { from: string }): Promise<void> {
    const { from, type } = word;
    if (type === "end") hearEnd(word);
    else if (type === "bye") tabs.gone(from);
    else if (type === "hello") {
      const now = settings.now();
      const before = others.get(from) ?? 0;
      // One that is killed says nothing of it, and counts as used no longer than it would take to say so again.
      others.set(from, Math.min(word.used, now + SILENCE * 1000));
      keeper.adopt(word.session, true);
      if (leading()) {
        beat();
        if (before < now && word.used > now) pace.hurry();
      }
    } else if (type === "beat") {
      heardAt = settings.now();
      keeper.adopt(word.session, false);
      if (!leading()) {
        clock.observe(word.now);
        continuity.note(word.session, word.receivedAt);
        follow(word.state);
      }
      if (from !== leader) hello();
      leader = from;
    } else if (type === "gap") fill(word.gap);
    else if (type === "deliver") {
      const { metadata } = word;
      const { messageId, text } = metadata;
      const settled = await handling.handle({ ...JSON.parse(text), messageId }, metadata);
      say({ type: "done", to: from, messageId, settled });
    } else if (word.to === id) {
      // One that was only slow is waited for again.
      others.set(from, others.get(from) ?? 0);
      tabs.done(word.messageId, from, word.settled);
    }
  }

  function join(session: Session): void {
    name = client.name = sessionName(session);
    // A page before this one may have gone before its deletions reached the queue.
    handling.settle(recall(settings, name));
    if (!settings.shareTabs || !common || !settings.locks) return;
    election = createElection(settings.locks, name);
    channel = open(name);
    heardAt = settings.now();
  }

  return {
    say,
    hello,
    beat,
    share: tabs.share,

    /** Whether this tab is the one that polls. */
    leading,

    /** Until when one of the tabs counts as used, epoch milliseconds. */
    used: (): number => Math.max(usedUntil(), ...others.values()),

    /** Joins the other tabs of the session, and runs `lead` whenever this tab leads, until the signal is aborted. */
    async run(
      session: Session,
      signal: AbortSignal,
      lead: (term: AbortSignal) => Promise<void>,
    ): Promise<void> {
      if (!name) join(session);
      keeper.ends.forEach(hearEnd);
      hello();
      const tracked = (current: AbortSignal) => {
        term = current;
        return lead(current);
      };
      await (election ? election.run(signal, tracked) : tracked(signal));
    },

    /** After a sleep; returns the gap, as another tab may have been awake, and have received and deleted messages. */
    wake(): Gap | undefined {
      hello();
      return election && continuity.wake(clock.now());
    },

    /** Takes the lead if the leader has fallen silent. If this tab is used, the leader is told of it again. */
    watch(): void {
      const now = settings.now();
      if (now - heardAt > SILENCE * 1000) election?.steal();
      else if (usedUntil() > now && usedUntil() < Number.POSITIVE_INFINITY) hello();
    },

    /** Leaves for good. @param everywhere - has the other tabs end, too, and tells them the reason */
    close(everywhere: boolean, reason?: unknown): void {
      const text = reason && `${(reason as Error).message}`;
      if (everywhere) common?.postMessage({ type: "end", session: client.name, reason: text });
      tabs.close();
      say({ type: "bye" });
      common?.close();
      channel?.close();
      channel = undefined;
    },
  };
}
