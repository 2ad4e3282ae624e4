import type { Continuity } from "./continuity.js";
import { Deleter } from "./deleter.js";
import { Election } from "./election.js";
import type { Emitter } from "./emitter.js";
import { BrowserEventsError, type ErrorCode, isUnrecoverable } from "./errors.js";
import type { Gap, Message, State } from "./events.js";
import { fillGap } from "./history.js";
import type { Inbox } from "./inbox.js";
import { Intake } from "./intake.js";
import { SessionKeeper } from "./keeper.js";
import { recall, remember } from "./memory.js";
import type { Settings } from "./options.js";
import { Pace } from "./pace.js";
import { watchPage } from "./page.js";
import { Poller } from "./poller.js";
import { type Session, sessionName } from "./session.js";
import { type QueueMessage, Sqs } from "./sqs.js";
import { type Beat, Tabs } from "./tabs.js";
import { childController, type ServiceClock } from "./time.js";

/** What outlives a connection. */
export interface Client {
  settings: Settings;
  emitter: Emitter<never>;
  inbox: Inbox<never>;
  clock: ServiceClock;
  continuity: Continuity;
  setState(state: State, reason?: unknown): void;
  /** Ends the connection. */
  fail(reason: unknown): void;
}

/** How often the leader shows that it is alive, and every tab that it has not been asleep; seconds. */
const TICK = 15;
/** A silence that no throttled timer explains, browsers delay them by up to a minute; seconds. */
const SILENCE = 90;

/** From `connect()` to `disconnect()`: brings the parts together and decides when which of them runs. */
export class Connection {
  readonly #client: Client;
  readonly #pace: Pace;
  readonly #life = new AbortController();
  readonly #keeper: SessionKeeper;
  readonly #deleter: Deleter;
  readonly #intake: Intake;
  readonly #poller: Poller;
  /** Why the page may not poll; empty when it may. */
  readonly #paused = new Set<"hidden" | "frozen">();
  #activity?: AbortController;
  #tabs?: Tabs;
  #election?: Election;
  #name?: string;
  #state: State = "connecting";
  #polling = false;
  #tickedAt = 0;

  constructor(client: Client) {
    this.#client = client;
    const { settings, clock, inbox } = client;
    const env = settings.environment;
    const sqs = new Sqs(env, clock);
    this.#pace = new Pace(settings);
    this.#keeper = new SessionKeeper(settings, clock, this.#pace, this.#life.signal, {
      renewed: ({ expires }) => client.emitter.emit("renewed", { expires }),
      failed: (error) => this.#getSessionFailed(error),
    });
    this.#deleter = new Deleter(env, sqs, () => this.#keeper.session, settings.deleteDelay, (error) =>
      this.#error("delete", "handled messages could not be deleted", error),
    );
    this.#intake = new Intake(inbox, this.#deleter, clock, settings.maxInFlight, {
      share: async (metadata) => this.#tabs?.share(metadata, settings.visibilityTimeout) ?? true,
    });
    this.#poller = new Poller(settings, this.#keeper, sqs, this.#pace, {
      received: (session, messages) => this.#received(session, messages),
      disturbed: (reason) => this.#setState("connecting", reason),
      refused: (error) => this.#error("service", "SQS refused a receive", error),
    });
  }

  /** Whether this tab polls. */
  get polling(): boolean {
    return this.#polling;
  }

  start(): void {
    const { environment, pauseWhenHidden } = this.#client.settings;
    watchPage(environment, this.#life.signal, {
      network: () => this.#hurry(),
      hidden: () => {
        this.#save();
        if (pauseWhenHidden) this.#pause("hidden");
      },
      visible: () => this.#unpause("hidden"),
      freezing: () => {
        this.#save();
        this.#tabs?.bye();
        this.#pause("frozen");
      },
      thawed: () => {
        if (this.#paused.has("frozen")) this.#wake();
        this.#unpause("frozen");
      },
    });
    this.#tickedAt = environment.now();
    void this.#tick();
    if (pauseWhenHidden && environment.hidden()) this.#pause("hidden");
    else this.#run();
  }

  /** Resolves when the deletions that waited are done. */
  async stop(): Promise<void> {
    this.#life.abort();
    this.#tabs?.close();
    await this.#deleter.flush();
  }

  #pause(why: "hidden" | "frozen"): void {
    this.#paused.add(why);
    this.#activity?.abort();
    this.#setState("paused");
  }

  #unpause(why: "hidden" | "frozen"): void {
    if (this.#paused.delete(why) && this.#paused.size === 0) this.#run();
  }

  #run(): void {
    this.#activity = childController(this.#life.signal);
    this.#setState("connecting");
    void this.#activate(this.#activity.signal);
  }

  async #activate(signal: AbortSignal): Promise<void> {
    const session = await this.#keeper.ready();
    if (!session || signal.aborted) return;
    if (!this.#name) this.#join(session);
    this.#tabs?.hello(session);
    if (this.#election) await this.#election.run(signal, (term) => this.#lead(term));
    else await this.#lead(signal);
  }

  /** Finds the session's other tabs. */
  #join(session: Session): void {
    const { environment, shareTabs } = this.#client.settings;
    const name = sessionName(session);
    this.#name = name;
    recall(environment, name, this.#client.inbox);
    const { channel, locks } = environment;
    if (!shareTabs || !channel || !locks) return;
    this.#election = new Election(locks, name);
    this.#tabs = new Tabs(environment, channel(name), {
      hello: (theirs) => {
        this.#keeper.adopt(theirs, true);
        if (this.#polling) this.#beat();
      },
      beat: (beat) => this.#heard(beat),
      deliver: (metadata) => this.#client.inbox.handle(JSON.parse(metadata.text), metadata),
      gap: (gap) => this.#client.emitter.emit("gap", gap),
    });
  }

  async #lead(term: AbortSignal): Promise<void> {
    this.#polling = true;
    term.addEventListener("abort", () => {
      this.#polling = false;
    });
    this.#setState("connecting");
    this.#beat();
    await this.#poller.run(term);
  }

  async #received(session: Session, messages: QueueMessage[]): Promise<void> {
    this.#setState("connected");
    const { clock, continuity } = this.#client;
    const gap = continuity.note(session, clock.now());
    this.#beat();
    if (gap) void this.#fill(gap, true);
    await this.#intake.take(session, messages);
  }

  /** The leader speaks. */
  #heard({ session, state, receivedAt }: Beat): void {
    this.#keeper.adopt(session, false);
    if (this.#polling) return;
    this.#client.continuity.note(session, receivedAt);
    if (this.#paused.size === 0) this.#setState(state);
  }

  #beat(): void {
    const { session } = this.#keeper;
    const { receivedAt } = this.#client.continuity;
    if (session) this.#tabs?.beat({ session, state: this.#state, receivedAt });
  }

  async #tick(): Promise<void> {
    const { environment } = this.#client.settings;
    while (await this.#pause15()) {
      const now = environment.now();
      const asleep = now - this.#tickedAt > SILENCE * 1000;
      this.#tickedAt = now;
    }
  }
}
