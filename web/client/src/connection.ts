import { Outbox } from "./batch.js";
import type { Continuity } from "./continuity.js";
import type { Emitter } from "./emitter.js";
import { isUnrecoverable } from "./errors.js";
import type { Gap, Message, State } from "./events.js";
import { Group, SILENCE } from "./group.js";
import type { Handling } from "./handling.js";
import { fillIn } from "./history.js";
import { Intake } from "./intake.js";
import { SessionKeeper } from "./keeper.js";
import { Leases } from "./leases.js";
import { remember } from "./memory.js";
import type { Settings } from "./options.js";
import { Pace } from "./pace.js";
import { watchPage } from "./page.js";
import { Poller } from "./poller.js";
import { type Session, sessionName } from "./session.js";
import { type QueueMessage, Sqs } from "./sqs.js";
import { childController, type ServiceClock } from "./time.js";

/** What outlives a connection. */
export interface Client {
  settings: Settings;
  emitter: Emitter;
  handling: Handling;
  clock: ServiceClock;
  continuity: Continuity;
  state(): State;
  setState(state: State, reason?: unknown): void;
  /** A try has failed; the next one is planned for `at`, epoch milliseconds. */
  retrying(reason: unknown, at: number): void;
  /** Ends the connection for good, and those of the other tabs as well if `everywhere`. */
  end(everywhere: boolean, reason?: unknown): Promise<void>;
}

/** How often the leader shows that it is alive, and each tab sees whether it was asleep; seconds. */
const TICK = 15;

/** From `connect()` to `disconnect()`: brings the parts together and decides when they run. */
export class Connection {
  readonly #client: Client;
  readonly #life = new AbortController();
  readonly #pace: Pace;
  readonly #keeper: SessionKeeper;
  readonly #deletions: Outbox;
  readonly #leases: Leases;
  readonly #intake: Intake;
  readonly #poller: Poller;
  readonly #group: Group;
  /** Why the page may not poll; empty when it may. */
  readonly #paused = new Set<"hidden" | "frozen">();
  /** Aborted by a pause. */
  #activity = new AbortController();
  #timer: unknown;

  constructor(client: Client) {
    this.#client = client;
    const { settings, clock, emitter, handling } = client;
    const { signal } = this.#life;
    const sqs = new Sqs(settings, clock);
    this.#pace = new Pace(settings, client.retrying);
    this.#keeper = new SessionKeeper(settings, clock, this.#pace, signal, {
      renewed: ({ expires }) => emitter.emit("renewed", { expires }),
      failed: (error) => {
        emitter.fail("session", "getSession failed", error);
        if (isUnrecoverable(error)) void client.end(true, error);
      },
    });
    const changed = () => {
      this.#group.hello();
      if (this.leading) this.#pace.hurry();
    };
    this.#group = new Group(client, this.#keeper, this.#pace, {
      used: settings.usedUntil?.(settings, signal, changed) ?? (() => Number.MAX_VALUE),
      follow: (state) => this.#setState(state),
    });
    const sending = { settings, sqs, keeper: this.#keeper };
    this.#deletions = new Outbox(sending, "DeleteMessage", (error) =>
      emitter.fail("delete", "handled messages could not be deleted", error),
    );
    this.#leases = new Leases(sending);
    this.#intake = new Intake(settings, clock, handling, this.#deletions, this.#leases, {
      share: (metadata) => this.#group.share(metadata),
      lacksKey: () => this.#keeper.lacksKey(),
    });
    this.#poller = new Poller(settings, this.#keeper, sqs, this.#pace, {
      received: (session, messages, visibility) => this.#received(session, messages, visibility),
      resting: () => this.#group.used < settings.now(),
      disturbed: (reason) => this.#setState("connecting", reason),
      refused: (error) => emitter.fail("service", "SQS refused to hand out messages", error),
    });
    handling.settled = (id) => {
      const { session } = this.#keeper;
      if (session) remember(settings, sessionName(session), id);
    };
    emitter.watch = (message, id) => this.#watch(message, id);
  }

  /** Whether this tab is the one that polls. */
  get leading(): boolean {
    return this.#group.leading;
  }

  start(): void {
    const { settings } = this.#client;
    watchPage(settings, this.#life.signal, {
      network: () => this.#hurry(),
      hidden: () => {
        void this.#deletions.flush(true);
        if (settings.pauseWhenHidden) this.#pause("hidden");
      },
      visible: () => this.#unpause("hidden"),
      freezing: () => {
        void this.#deletions.flush(true);
        this.#pause("frozen");
        this.#group.say({ type: "bye" });
      },
      thawed: () => {
        if (this.#paused.has("frozen")) this.#wake();
        this.#unpause("frozen");
      },
    });
    this.#tick(settings.now());
    if (settings.pauseWhenHidden && settings.hidden()) this.#pause("hidden");
    else void this.#run();
  }

  /**
   * Resolves when all that waited is answered.
   * @param end - has the other tabs stop as well
   */
  async stop(end?: { reason?: string }): Promise<void> {
    this.#life.abort();
    this.#client.settings.clearTimeout(this.#timer);
    if (end) this.#group.say({ type: "end", ...end });
    this.#group.close();
    await Promise.all([this.#deletions.flush(), this.#leases.giveAllBack()]);
  }

  #pause(why: "hidden" | "frozen"): void {
    this.#paused.add(why);
    // First the poll ends, or it would take again what is given back.
    this.#activity.abort();
    void this.#leases.giveAllBack(true);
    this.#setState("paused");
  }

  #unpause(why: "hidden" | "frozen"): void {
    if (this.#paused.delete(why) && this.#paused.size === 0) void this.#run();
  }

  async #run(): Promise<void> {
    this.#activity = childController(this.#life.signal);
    const { signal } = this.#activity;
    this.#setState("connecting");
    const session = await this.#keeper.ready();
    if (!session || signal.aborted) return;
    await this.#group.run(session, signal, (term) => {
      this.#setState("connecting");
      this.#group.beat();
      return this.#poller.run(term);
    });
  }

  async #received(session: Session, messages: QueueMessage[], visibility: number): Promise<void> {
    if (this.#life.signal.aborted || this.#paused.size > 0) {
      this.#leases.take(session.sqsUrl, messages, visibility);
      return this.#leases.giveAllBack();
    }
    this.#setState("connected");
    const { clock, continuity } = this.#client;
    const gap = continuity.note(session, clock.now());
    this.#group.beat();
    if (gap) void this.#fill(gap, true);
    await this.#intake.take(session, messages, visibility);
  }

  /** The network has changed, or time has passed unnoticed. */
  #hurry(): void {
    this.#pace.hurry();
    if (this.leading) this.#poller.restart();
  }

  #tick(last: number): void {
    const { settings } = this.#client;
    this.#timer = settings.setTimeout(() => {
      const now = settings.now();
      if (now - last > SILENCE * 1000) this.#wake();
      else if (this.leading) this.#group.beat();
      else if (this.#paused.size === 0) this.#group.watch();
      this.#tick(now);
    }, TICK * 1000);
  }

  #wake(): void {
    const gap = this.#group.wake();
    if (gap) void this.#fill(gap, false);
    this.#hurry();
  }

  /** @param forAll - whether the other tabs have missed the same */
  async #fill(gap: Gap, forAll: boolean): Promise<void> {
    const { settings, clock, emitter, handling } = this.#client;
    emitter.emit("gap", gap);
    if (forAll) this.#group.say({ type: "gap", gap });
    await fillIn(settings, clock, this.#pace, this.#life.signal, gap.since, {
      bring: (message, metadata) => (forAll ? this.#intake : handling).handle(message, metadata),
      failed: (error) => emitter.fail("history", "getHistory failed", error),
    });
  }

  /** Tells of a handler that does not end, or of none at all; returns what says that it is over. */
  #watch(message: Message, id: string): () => void {
    const { settings, emitter } = this.#client;
    const timer = settings.setTimeout(() => {
      this.#intake.free(id);
      emitter.fail(
        "slow",
        `a message has not been handled within ${settings.handlerTimeout} s`,
        undefined,
        id,
        message,
      );
    }, settings.handlerTimeout * 1000);
    return () => settings.clearTimeout(timer);
  }

  #setState(state: State, reason?: unknown): void {
    if (!this.#life.signal.aborted) this.#client.setState(this.#paused.size > 0 ? "paused" : state, reason);
  }
}
