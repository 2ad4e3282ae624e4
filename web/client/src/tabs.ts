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

/** What tabs say to each other. A BroadcastChannel does not bring a tab its own words. */
type Word = { from: string } & (
  | { type: "hello"; session: Session }
  | { type: "beat"; beat: Beat }
  | { type: "deliver"; number: number; metadata: Metadata }
  | { type: "done"; to: string; number: number; settled: boolean }
  | { type: "gap"; gap: Gap }
  | { type: "bye" }
);

type Spoken = Word extends infer W ? (W extends Word ? Omit<W, "from"> : never) : never;

/** What a tab does about what the others say. */
export interface TabsHooks {
  /** Another tab came, perhaps with a newer session. */
  hello(session: Session): void;
  beat(beat: Beat): void;
  /** @returns whether this tab has settled the message */
  deliver(metadata: Metadata): Promise<boolean>;
  gap(gap: Gap): void;
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
  readonly #others = new Set<string>();
  readonly #deliveries = new Map<number, Delivery>();
  #leader = "";
  #closed = false;
  #number = 0;
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
    this.#say({ type: "hello", session });
  }

  /** Speaks as the leader. */
  beat(beat: Beat): void {
    this.#say({ type: "beat", beat });
  }

  gap(gap: Gap): void {
    this.#say({ type: "gap", gap });
  }

  /** From now on this tab is not waited for, until it says hello again. */
  bye(): void {
    this.#say({ type: "bye" });
  }

  /** Leaves for good. What the others have not settled yet is left to the next leader. */
  close(): void {
    for (const delivery of this.#deliveries.values()) {
      delivery.settled = false;
      delivery.finish();
    }
    this.bye();
    this.#closed = true;
    this.#channel.close();
  }

  /**
   * Brings a message to the other tabs.
   * @param patience - seconds after which a silent tab counts as gone
   * @returns whether all that are still there have settled it
   */
  share(metadata: Metadata, patience: number): Promise<boolean> {
    const number = ++this.#number;
    this.#say({ type: "deliver", number, metadata });
    if (this.#others.size === 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const finish = () => {
        this.#env.clearTimeout(timer);
        this.#deliveries.delete(number);
        resolve(delivery.settled);
      };
      const delivery = { waitingFor: new Set(this.#others), settled: true, finish };
      const timer = this.#env.setTimeout(() => {
        for (const tab of delivery.waitingFor) this.#gone(tab);
      }, patience * 1000);
      this.#deliveries.set(number, delivery);
    });
  }

  async #hear(word: Word): Promise<void> {
    const { from } = word;
    if (word.type === "bye") return this.#gone(from);
    if (word.type === "hello") {
      this.#others.add(from);
      this.#hooks.hello(word.session);
    } else if (word.type === "beat") {
      this.#hearBeat(from, word.beat);
    } else if (word.type === "gap") {
      this.#hooks.gap(word.gap);
    } else if (word.type === "deliver") {
      const settled = await this.#hooks.deliver(word.metadata);
      this.#say({ type: "done", to: from, number: word.number, settled });
    } else if (word.to === this.#id) {
      this.#others.add(from);
      this.#done(word.number, from, word.settled);
    }
  }

  #hearBeat(from: string, beat: Beat): void {
    this.#heardAt = this.#env.now();
    this.#hooks.beat(beat);
    if (from === this.#leader) return;
    this.#leader = from;
    this.hello(beat.session);
  }

  #done(number: number, tab: string, settled: boolean): void {
    const delivery = this.#deliveries.get(number);
    if (!delivery?.waitingFor.delete(tab)) return;
    delivery.settled &&= settled;
    if (delivery.waitingFor.size === 0) delivery.finish();
  }

  #gone(tab: string): void {
    this.#others.delete(tab);
    for (const number of this.#deliveries.keys()) this.#done(number, tab, true);
  }

  #say(word: Spoken): void {
    if (!this.#closed) this.#channel.postMessage({ ...word, from: this.#id });
  }
}
