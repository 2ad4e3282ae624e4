import { createOutbox } from "./batch.js";
import type { Continuity } from "./continuity.js";
import type { Emitter } from "./emitter.js";
import type { Gap, State, Status } from "./events.js";
import { createGroup, SILENCE } from "./group.js";
import type { Handling } from "./handling.js";
import { fillIn } from "./history.js";
import { createIntake } from "./intake.js";
import { createKeeper } from "./keeper.js";
import { createLeases } from "./leases.js";
import { remember } from "./memory.js";
import type { Settings } from "./options.js";
import { createPace } from "./pace.js";
import { listen } from "./page.js";
import { createPoller } from "./poller.js";
import type { Session } from "./session.js";
import { createSqs, type QueueMessage, type SqsError } from "./sqs.js";
import { after, childController, type ServiceClock } from "./time.js";

/** What outlives a connection. */
export interface Client {
  settings: Settings;
  emitter: Emitter;
  handling: Handling;
  clock: ServiceClock;
  continuity: Continuity;
  status: Status;
  /** The name of the session that it has, or had last. */
  name?: string;
  /** Ends the connection for good, and those of the other tabs as well if `everywhere`. */
  end(everywhere: boolean, reason?: unknown): Promise<void>;
}

export function setState(client: Client, state: State, reason?: unknown): void {
  const { status } = client;
  const previous = status.state;
  if (state === previous) return;
  // What still goes wrong is still tried again when it was to be.
  client.status = { ...(reason === status.reason && status), state, reason };
  client.emitter.emit("state", { state, previous, reason });
}

/** How often the leader shows that it is alive, and each tab sees whether it was asleep; seconds. */
const TICK = 15;

/** From `connect()` to `disconnect()`: brings the parts together and decides when they run. */
export type Connection = ReturnType<typeof createConnection>;

export function createConnection(client: Client) {
  const { settings, clock, continuity, emitter, handling } = client;
  const life = new AbortController();
  const { signal } = life;
  let frozen = false;
  /** Aborted while the page may not poll. */
  let activity = childController(signal);
  let stopTicking = () => {};
  /** What ends the waits for handlers. */
  const waits = new Set<() => void>();

  const sqs = createSqs(settings, clock);
  const pace = createPace(client);
  const keeper = createKeeper(client, pace, signal, () => {
    // The backend may have ended the keys by which it is signed.
    void deletions.renew();
    leases.renew();
  });
  const used = settings.usedUntil(settings, signal, changed);
  const group = createGroup(client, keeper, pace, used, become, fill);
  const sending = { settings, sqs, keeper };
  const deletions = createOutbox(sending, "DeleteMessageBatch", (error) => {
    // A lost network is no error, nor that messages are gone with their queue, as after a log-out.
    if ((error as Partial<SqsError>).noQueue === false) emitter.fail("delete", error);
  });
  const leases = createLeases(sending);
  const intake = createIntake(client, keeper, group, deletions, leases, limit);
  const poller = createPoller(client, keeper, sqs, pace, group, become, received);

  handling.life = signal;
  handling.finished = (id) => {
    if (client.name) remember(settings, client.name, id);
  };
  /** Tells of a handler that does not end, or of none at all. */
  emitter.watch = (message, id) =>
    limit(() => emitter.fail("slow", new Error(`not handled for ${settings.handlerTimeout} s`), id, message));

  /** Calls back after `handlerTimeout`, unless what it returns is called before, or the connection ends. */
  function limit(late: () => void): () => void {
    const cancel = after(settings, settings.handlerTimeout, late);
    const stop = () => {
      waits.delete(stop);
      cancel();
    };
    waits.add(stop);
    return stop;
  }

  function become(state: State, reason?: unknown): void {
    if (!signal.aborted) setState(client, activity.signal.aborted ? "paused" : state, reason);
  }

  /** Whether the page is used may have changed. */
  function changed(): void {
    group.hello();
    if (group.leading()) pace.hurry();
  }

  function mayNotPoll(): boolean {
    return frozen || (settings.pauseWhenHidden && settings.hidden());
  }

  function pause(): void {
    // First the poll ends, or it would take again what is given back.
    activity.abort();
    void leases.giveAllBack(true);
    become("paused");
  }

  function resume(): void {
    if (activity.signal.aborted && !mayNotPoll()) void run();
  }

  /** Nobody looks at the page any more, and nothing may run after this. */
  function leave(): void {
    void deletions.flush(true);
    if (mayNotPoll()) pause();
  }

  /** The page is about to be closed, kept for "back", or frozen. */
  function freeze(): void {
    frozen = true;
    leave();
    group.say({ type: "bye" });
  }

  function thaw(): void {
    if (frozen) wake();
    frozen = false;
    resume();
  }

  async function run(): Promise<void> {
    activity = childController(signal);
    const current = activity.signal;
    become("connecting");
    const session = await keeper.ready();
    if (!session || current.aborted) return;
    try {
      await group.run(session, current, (term) => {
        become("connecting");
        group.beat();
        return poller.run(term);
      });
    } catch (error) {
      // Such as a session that tabs cannot be told of.
      emitter.fail("session", error);
      void client.end(false, error);
    }
  }

  async function received(session: Session, messages: QueueMessage[], visibility: number): Promise<void> {
    if (activity.signal.aborted) {
      leases.take(session.sqsUrl, messages, visibility);
      return leases.giveAllBack();
    }
    become("connected");
    const gap = continuity.note(session, clock.now());
    group.beat();
    // Each tab fills it by itself: this one may not live to do it for all.
    if (gap) group.say({ type: "gap", gap });
    void fill(gap);
    await intake.take(session, messages, visibility);
  }

  /** The network has changed, or time has passed unnoticed. */
  function hurry(): void {
    pace.hurry();
    if (group.leading()) poller.restart();
  }

  function tick(): void {
    const last = settings.now();
    stopTicking = after(settings, TICK, () => {
      if (settings.now() - last > SILENCE * 1000) wake();
      else if (group.leading()) group.beat();
      else if (!activity.signal.aborted) group.watch();
      tick();
    });
  }

  function wake(): void {
    void fill(group.wake());
    hurry();
  }

  async function fill(gap: Gap | undefined): Promise<void> {
    if (!gap) return;
    emitter.emit("gap", gap);
    await fillIn(client, pace, signal, gap.since);
  }

  return {
    /** Aborted when it ends. */
    life: signal,

    /** Whether this tab is the one that polls. */
    leading: group.leading,

    start(): void {
      listen(settings, signal, hurry, "online", "offline");
      listen(settings, signal, () => (settings.hidden() ? leave() : resume()), "visibilitychange");
      listen(settings, signal, freeze, "pagehide", "freeze");
      listen(settings, signal, thaw, "pageshow", "resume");
      tick();
      if (mayNotPoll()) pause();
      else void run();
    },

    /**
     * Resolves when all that waited is answered.
     * @param everywhere - has the other tabs stop as well, and tells them the reason
     */
    async stop(everywhere: boolean, reason?: unknown): Promise<void> {
      life.abort();
      emitter.wake();
      stopTicking();
      for (const stop of waits) stop();
      group.close(everywhere, reason);
      await Promise.all([deletions.flush(), leases.giveAllBack()]);
    },
  };
}
