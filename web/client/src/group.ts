import type { Client } from "./connection.js";
import { Election } from "./election.js";
import { UnrecoverableError } from "./errors.js";
import type { Gap, Metadata, State } from "./events.js";
import type { SessionKeeper } from "./keeper.js";
import { recall } from "./memory.js";
import type { Pace } from "./pace.js";
import { type Session, sessionName } from "./session.js";
import { type Spoken, Tabs } from "./tabs.js";

/** A leader silent for longer is frozen: browsers delay timers, but by no more than a minute; seconds. */
export const SILENCE = 90;

interface Hooks {
  /** Until when this tab counts as used, epoch milliseconds. */
  used(): number;
  /** The leader has told of its state. */
  follow(state: State): void;
}

/** This tab among the tabs of its session, of which one polls; where tabs cannot share, it is alone. */
export class Group {
  readonly #client: Client;
  readonly #keeper: SessionKeeper;
  readonly #pace: Pace;
  readonly #hooks: Hooks;
  #tabs?: Tabs;
  #election?: Election;
  #joined = false;
  #leading = false;

  constructor(client: Client, keeper: SessionKeeper, pace: Pace, hooks: Hooks) {
    this.#client = client;
    this.#keeper = keeper;
    this.#pace = pace;
    this.#hooks = hooks;
  }

  /** Whether this tab is the one that polls. */
  get leading(): boolean {
    return this.#leading;
  }

  /** Until when one of the tabs counts as used, epoch milliseconds. */
  get used(): number {
    return Math.max(this.#hooks.used(), this.#tabs?.used ?? 0);
  }

  /** Joins the other tabs of the session, and runs `lead` whenever this tab leads, until the signal is aborted. */
  async run(
    session: Session,
    signal: AbortSignal,
    lead: (term: AbortSignal) => Promise<void>,
  ): Promise<void> {
    if (!this.#joined) this.#join(session);
    this.hello();
    const tracked = (term: AbortSignal) => {
      this.#leading = true;
      term.addEventListener("abort", () => {
        this.#leading = false;
      });
      return lead(term);
    };
    await (this.#election ? this.#election.run(signal, tracked) : tracked(signal));
  }

  /** Makes this tab known, so that the others wait for it. */
  hello(): void {
    const { session } = this.#keeper;
    if (session) this.#tabs?.hello(session);
  }

  /** After a sleep; returns the gap, as another tab may have been awake, and have received and deleted messages. */
  wake(): Gap | undefined {
    const { clock, continuity } = this.#client;
    this.hello();
    return this.#tabs && continuity.wake(clock.now());
  }

  /** Shows the others that this tab leads, and how far it is. */
  beat(): void {
    const { clock, continuity, state } = this.#client;
    const { session } = this.#keeper;
    if (!session) return;
    this.say({ type: "beat", session, state: state(), now: clock.now(), receivedAt: continuity.receivedAt });
  }

  say(word: Spoken): void {
    this.#tabs?.say(word);
  }

  /** Brings a message to the others; resolves to whether all have settled it. */
  async share(metadata: Metadata): Promise<boolean> {
    return this.#tabs?.share(metadata, this.#client.settings.tabTimeout) ?? true;
  }

  /** Takes the lead if the leader has fallen silent. */
  watch(): void {
    const heard = this.#tabs?.heardAt ?? Number.POSITIVE_INFINITY;
    if (!this.#leading && this.#client.settings.now() - heard > SILENCE * 1000) this.#election?.steal();
  }

  /** Leaves for good. */
  close(): void {
    this.#tabs?.close();
  }

  #join(session: Session): void {
    this.#joined = true;
    const { settings, clock, continuity, handling, emitter, end } = this.#client;
    const { channel, locks } = settings;
    const name = sessionName(session);
    // A page before this one may have gone before its deletions reached the queue.
    handling.settle(recall(settings, name));
    if (!settings.shareTabs || !channel || !locks) return;
    this.#election = new Election(locks, name);
    this.#tabs = new Tabs(settings, channel(name), {
      hello: (theirs, used) => {
        this.#keeper.adopt(theirs, true);
        if (!this.#leading) return;
        this.beat();
        if (used > settings.now()) this.#pace.hurry();
      },
      used: this.#hooks.used,
      beat: ({ session, state, now, receivedAt }) => {
        this.#keeper.adopt(session, false);
        if (this.#leading) return;
        clock.observe(now);
        continuity.note(session, receivedAt);
        this.#hooks.follow(state);
      },
      deliver: (metadata) =>
        handling.handle({ ...JSON.parse(metadata.text), messageId: metadata.messageId }, metadata),
      gap: (gap) => emitter.emit("gap", gap),
      end: (reason) => void end(false, reason && new UnrecoverableError(reason)),
    });
  }
}
