import { Election } from "./election.js";
import type { Gap, Metadata } from "./events.js";
import type { Settings } from "./options.js";
import { type Session, sessionName } from "./session.js";
import { type Beat, Tabs, type TabsHooks } from "./tabs.js";

/** A leader silent for longer is frozen: browsers delay timers, but by no more than a minute; seconds. */
export const SILENCE = 90;

/** The tabs of one session, of which one polls; where tabs cannot share, a group of one. */
export class Group {
  readonly #settings: Settings;
  readonly #election?: Election;
  readonly #tabs?: Tabs;
  #leading = false;

  constructor(settings: Settings, session: Session, hooks: TabsHooks) {
    this.#settings = settings;
    const { channel, locks } = settings.environment;
    if (!settings.shareTabs || !channel || !locks) return;
    const name = sessionName(session);
    this.#election = new Election(locks, name);
    this.#tabs = new Tabs(settings.environment, channel(name), hooks);
  }

  /** Whether there may be other tabs. */
  get shared(): boolean {
    return this.#tabs !== undefined;
  }

  get leading(): boolean {
    return this.#leading;
  }

  /** Runs `lead` whenever this tab leads, until the signal is aborted. */
  async run(
    signal: AbortSignal,
    session: Session,
    lead: (term: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const tracked = (term: AbortSignal) => {
      this.#leading = true;
      term.addEventListener("abort", () => {
        this.#leading = false;
      });
      return lead(term);
    };
    this.#tabs?.hello(session);
    if (this.#election) await this.#election.run(signal, tracked);
    else await tracked(signal);
  }

  /** Brings a message to the other tabs: whether all that are there have settled it. */
  async share(metadata: Metadata): Promise<boolean> {
    return this.#tabs?.share(metadata, this.#settings.visibilityTimeout) ?? true;
  }

  /** As the leader, tells the others how things are. */
  beat(beat: Beat): void {
    this.#tabs?.beat(beat);
  }

  gap(gap: Gap): void {
    this.#tabs?.gap(gap);
  }

  /** Takes the lead if the leader has fallen silent. */
  watch(): void {
    const heardAt = this.#tabs?.heardAt ?? Number.POSITIVE_INFINITY;
    if (this.#leading || this.#settings.environment.now() - heardAt <= SILENCE * 1000) return;
    this.#election?.steal();
  }

  /** Makes this tab known, so that the others wait for it. */
  hello(session: Session): void {
    this.#tabs?.hello(session);
  }

  /** Before a sleep: the others need not wait for this tab. */
  bye(): void {
    this.#tabs?.bye();
  }

  close(): void {
    this.#tabs?.close();
  }
}
