import type { Channel, Environment } from "./environment.js";
import type { Gap, Metadata, State } from "./events.js";
import type { Session } from "./session.js";

/** What the leader tells of itself, at every poll and when it is asked. */
export interface Beat {
  state: State;
  session: Session;
  /** The service's time, which only the leader hears from the service itself; epoch seconds. */
  now: number;
  /** When the leader last received from the queue, epoch seconds. */
  receivedAt: number;
}

/** What tabs say to each other. */
export type Spoken =
  /** A tab has come, or is used again. `used`: until when it counts as used, epoch milliseconds. */
  | { type: "hello"; session: Session; used: number }
  | ({ type: "beat" } & Beat)
  | { type: "deliver"; metadata: Metadata }
  | { type: "done"; to: string; messageId: string; settled: boolean }
  | { type: "gap"; gap: Gap }
  /** From now on this tab is not waited for, until it says hello again. */
  | { type: "bye" }
  /** The session ends for all tabs. `reason`: what a tab's `getSession` said of it. */
  | { type: "end"; reason?: string };

/** A BroadcastChannel does not bring a tab its own words. */
type Word = { from: string } & Spoken;

/** What a tab does about what the others say. */
export interface TabsHooks {
  /** Another tab came, perhaps with a newer session. */
  hello(session: Session, used: number): void;
  beat(beat: Beat): void;
  /** @returns whether this tab has settled the message */
  deliver(metadata: Metadata): Promise<boolean>;
  gap(gap: Gap): void;
  end(reason: string | undefined): void;
  /** Until when this tab counts as used, epoch milliseconds. */
  used(): number;
}

interface Delivery {
  waitingFor: Set<string>;
  settled: boolean;
  finish(): void;
}

/** The talk between the tabs of one session. */
export class Tabs {
  readonly #env: Environment;
  readonly #hooks: TabsHooks;
  readonly #channel: Channel;
  readonly #id: string = crypto.randomUUID();
  /** Until when each counts as used. */
  readonly #others = new Map<string, number>();
  /** By messageId. */
  readonly #deliveries = new Map<string, Delivery>();
  #leader = "";
  #closed = false;
  #heardAt: number;

  constructor(env: Environment, channel: Channel, hooks: TabsHooks) {
    this.#env = env;
    this.#hooks = hooks;
    this.#channel = channel;
    this.#heardAt = env.now();
    channel.onmessage = ({ data }) => void this.#hear(data);
  }

  /** When the leader was last heard, epoch milliseconds of the local clock. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** Makes this tab known, so that it is waited for. */
  hello(session: Session): void {
    this.say({ type: "hello", session, used: this.#hooks.used() });
  }

  /** Until when one of the other tabs counts as used, epoch milliseconds. */
  get used(): number {
    return Math.max(0, ...this.#others.values());
  }

  say(word: Spoken): void {
    if (!this.#closed) this.#channel.postMessage({ ...word, from: this.#id });
  }

  /** Leaves for good. What the others have not settled yet is left to the next leader. */
  close(): void {
    for (const delivery of this.#deliveries.values()) {
      delivery.settled = false;
      delivery.finish();
    }
    this.say({ type: "bye" });
    this.#closed = true;
    this.#channel.close();
  }

  /**
   * Brings a message to the other tabs.
   * @param patience - seconds after which a silent tab counts as gone
   * @returns whether all that are still there have settled it
   */
  async share(metadata: Metadata, patience: number): Promise<boolean> {
    const { messageId } = metadata;
    this.say({ type: "deliver", metadata });
    if (this.#others.size === 0) return true;
    return new Promise((resolve) => {
      const finish = () => {
        this.#env.clearTimeout(timer);
        this.#deliveries.delete(messageId);
        resolve(delivery.settled);
      };
      const delivery = { waitingFor: new Set(this.#others.keys()), settled: true, finish };
      const timer = this.#env.setTimeout(() => {
        for (const tab of delivery.waitingFor) this.#gone(tab);
      }, patience * 1000);
      this.#deliveries.get(messageId)?.finish();
      this.#deliveries.set(messageId, delivery);
    });
  }

  async #hear(word: Word): Promise<void> {
    const { from, type } = word;
    const hooks = this.#hooks;
    if (type === "bye") this.#gone(from);
    else if (type === "hello") {
      this.#others.set(from, word.used);
      hooks.hello(word.session, word.used);
    } else if (type === "beat") {
      this.#heardAt = this.#env.now();
      hooks.beat(word);
      if (from !== this.#leader) this.hello(word.session);
      this.#leader = from;
    } else if (type === "gap") hooks.gap(word.gap);
    else if (type === "end") hooks.end(word.reason);
    else if (type === "deliver") {
      const { messageId } = word.metadata;
      const settled = await hooks.deliver(word.metadata);
      this.say({ type: "done", to: from, messageId, settled });
    } else if (word.to === this.#id) {
      // One that was only slow is waited for again.
      this.#others.set(from, this.#others.get(from) ?? 0);
      this.#done(word.messageId, from, word.settled);
    }
  }

  #done(messageId: string, tab: string, settled: boolean): void {
    const delivery = this.#deliveries.get(messageId);
    if (!delivery?.waitingFor.delete(tab)) return;
    delivery.settled &&= settled;
    if (delivery.waitingFor.size === 0) delivery.finish();
  }

  #gone(tab: string): void {
    this.#others.delete(tab);
    for (const messageId of this.#deliveries.keys()) this.#done(messageId, tab, true);
  }
}
