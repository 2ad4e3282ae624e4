import { Election } from "./election.js";
import type { Settings } from "./options.js";
import { type Session, sessionName } from "./session.js";
import { Tabs, type TabsHooks } from "./tabs.js";

/** A leader silent for longer is frozen: browsers delay timers, but by no more than a minute; seconds. */
export const SILENCE = 90;

/** The tabs of one session, of which one polls; where tabs cannot share, a group of one. */
export class Group {
  /** The talk with the others; absent where tabs cannot share. */
  readonly tabs?: Tabs;
  readonly #settings: Settings;
  readonly #election?: Election;
  #leading = false;

  constructor(settings: Settings, session: Session, hooks: TabsHooks) {
    this.#settings = settings;
    const { channel, locks } = settings;
    if (!settings.shareTabs || !channel || !locks) return;
    const name = sessionName(session);
    this.#election = new Election(locks, name);
    this.tabs = new Tabs(settings, channel(name), hooks);
  }

  get leading(): boolean {
    return this.#leading;
  }

  /** Runs `lead` whenever this tab leads, until the signal is aborted. */
  async run(signal: AbortSignal, lead: (term: AbortSignal) => Promise<void>): Promise<void> {
    const tracked = (term: AbortSignal) => {
      this.#leading = true;
      term.addEventListener("abort", () => {
        this.#leading = false;
      });
      return lead(term);
    };
    await (this.#election ? this.#election.run(signal, tracked) : tracked(signal));
  }

  /** Takes the lead if the leader has fallen silent. */
  watch(): void {
    const silence = this.#settings.now() - (this.tabs?.heardAt ?? Number.POSITIVE_INFINITY);
    if (!this.#leading && silence > SILENCE * 1000) this.#election?.steal();
  }
}
