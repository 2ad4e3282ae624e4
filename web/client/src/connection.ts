import type { Continuity } from "./continuity.js";
import { Deleter } from "./deleter.js";
import type { Emitter } from "./emitter.js";
import { BrowserEventsError, type ErrorCode, isUnrecoverable } from "./errors.js";
import type { Gap, State } from "./events.js";
import { Group, SILENCE } from "./group.js";
import { fillIn } from "./history.js";
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
import type { Beat } from "./tabs.js";
import { childController, type ServiceClock } from "./time.js";

/** What outlives a connection. */
export interface Client {
  settings: Settings;
  emitter: Emitter;
  inbox: Inbox;
  clock: ServiceClock;
  continuity: Continuity;
  state(): State;
  setState(state: State, reason?: unknown): void;
  /** Ends the connection for good. */
  fail(reason: unknown): void;
}

/** How often the leader shows that it is alive, and each tab sees whether it was asleep; seconds. */
const TICK = 15;

/** From `connect()` to `disconnect()`: brings the parts together and decides when they run. */
export class Connection {
  readonly #client: Client;
  readonly #life = new AbortController();
  readonly #pace: Pace;
  readonly #keeper: SessionKeeper;
  readonly #deleter: Deleter;
  readonly #intake: Intake;
  readonly #poller: Poller;
  /** Why the page may not poll; empty when it may. */
  readonly #paused = new Set<"hidden" | "frozen">();
  /** Aborted by a pause. */
  #activity = new AbortController();
  #group?: Group;
  #timer: unknown;

  constructor(client: Client) {
    this.#client = client;
    const { settings, clock, emitter, inbox } = client;
    const sqs = new Sqs(settings.environment, clock);
    this.#pace = new Pace(settings);
    this.#keeper = new SessionKeeper(settings, clock, this.#pace, this.#life.signal, {
      renewed: ({ expires }) => emitter.emit("renewed", { expires }),
      failed: (error) => this.#noSession(error),
    });
    this.#deleter = new Deleter(settings, sqs, this.#keeper, (error) =>
      this.#error("delete", "handled messages could not be deleted", error),
    );
    this.#intake = new Intake(settings, clock, inbox, this.#deleter, {
      share: async (metadata) => this.#group?.share(metadata) ?? true,
    });
    this.#poller = new Poller(settings, this.#keeper, sqs, this.#pace, {
      received: (session, messages) => this.#received(session, messages),
      disturbed: (reason) => this.#setState("connecting", reason),
      refused: (error) => this.#error("service", "SQS refused to hand out messages", error),
    });
  }

  /** Whether this tab is the one that polls. */
  get leading(): boolean {
    return this.#group?.leading ?? false;
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
        this.#group?.bye();
        this.#pause("frozen");
      },
      thawed: () => {
        if (this.#paused.has("frozen")) this.#wake();
        this.#unpause("frozen");
      },
    });
    this.#tick(environment.now());
    if (pauseWhenHidden && environment.hidden()) this.#pause("hidden");
    else void this.#run();
  }

  /** Resolves when the deletions that waited are answered. */
  async stop(): Promise<void> {
    this.#life.abort();
    this.#client.settings.environment.clearTimeout(this.#timer);
    this.#group?.close();
    await this.#deleter.flush();
  }

  #pause(why: "hidden" | "frozen"): void {
    this.#paused.add(why);
    this.#activity.abort();
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
    this.#group ??= this.#join(session);
    await this.#group.run(signal, session, (term) => this.#lead(term));
  }

  #join(session: Session): Group {
    const { settings, inbox, emitter } = this.#client;
    recall(settings.environment, sessionName(session), inbox);
    return new Group(settings, session, {
      hello: (theirs) => {
        this.#keeper.adopt(theirs, true);
        if (this.leading) this.#beat();
      },
      beat: (beat) => this.#heard(beat),
      deliver: (metadata) =>
        inbox.handle({ ...JSON.parse(metadata.text), messageId: metadata.messageId }, metadata),
      gap: (gap) => emitter.emit("gap", gap),
    });
  }

  #lead(term: AbortSignal): Promise<void> {
    this.#setState("connecting");
    this.#beat();
    return this.#poller.run(term);
  }

  async #received(session: Session, messages: QueueMessage[]): Promise<void> {
    // Left in the queue, they come again.
    if (this.#life.signal.aborted) return;
    this.#setState("connected");
    const { clock, continuity } = this.#client;
    const gap = continuity.note(session, clock.now());
    this.#beat();
    if (gap) void this.#fill(gap, true);
    await this.#intake.take(session, messages);
  }

  #beat(): void {
    const { clock, continuity } = this.#client;
    const { session } = this.#keeper;
    const { receivedAt } = continuity;
    if (session) this.#group?.beat({ session, state: this.#client.state(), now: clock.now(), receivedAt });
  }

  /** The leader has spoken. */
  #heard({ session, state, now, receivedAt }: Beat): void {
    this.#keeper.adopt(session, false);
    if (this.leading) return;
    const { clock, continuity } = this.#client;
    clock.observe(now);
    continuity.note(session, receivedAt);
    this.#setState(state);
  }

  /** The network has changed, or time has passed unnoticed. */
  #hurry(): void {
    this.#pace.hurry();
    if (this.leading) this.#poller.restart();
  }

  #tick(last: number): void {
    const { environment } = this.#client.settings;
    this.#timer = environment.setTimeout(() => {
      const now = environment.now();
      if (now - last > SILENCE * 1000) this.#wake();
      else if (this.leading) this.#beat();
      else if (this.#paused.size === 0) this.#group?.watch();
      this.#tick(now);
    }, TICK * 1000);
  }

  /** After a sleep. Another tab may have been awake, and have received and deleted messages. */
  #wake(): void {
    const { clock, continuity } = this.#client;
    const { session } = this.#keeper;
    if (session) this.#group?.hello(session);
    const gap = this.#group?.shared && continuity.wake(clock.now());
    if (gap) void this.#fill(gap, false);
    this.#hurry();
  }

  /** @param forAll - whether the other tabs have missed the same */
  async #fill(gap: Gap, forAll: boolean): Promise<void> {
    const { settings, clock, emitter, inbox } = this.#client;
    emitter.emit("gap", gap);
    if (forAll) this.#group?.gap(gap);
    await fillIn(settings, clock, this.#pace, this.#life.signal, gap.since, {
      bring: (message, metadata) =>
        forAll ? this.#intake.bring(message, metadata) : inbox.handle(message, metadata),
      failed: (error) => this.#error("history", "getHistory failed", error),
    });
  }

  /** What must be done while the page still can. */
  #save(): void {
    const { session } = this.#keeper;
    const { settings, inbox } = this.#client;
    if (session) remember(settings.environment, sessionName(session), inbox);
    void this.#deleter.flush(true);
  }

  #noSession(error: unknown): void {
    this.#error("session", "getSession failed", error);
    if (isUnrecoverable(error)) this.#client.fail(error);
  }

  #setState(state: State, reason?: unknown): void {
    if (this.#life.signal.aborted) return;
    this.#client.setState(this.#paused.size > 0 ? "paused" : state, reason);
  }

  #error(code: ErrorCode, text: string, cause: unknown): void {
    this.#client.emitter.emit("error", new BrowserEventsError(code, text, cause));
  }
}
