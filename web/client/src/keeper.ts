import type { Settings } from "./options.js";
import type { Pace } from "./pace.js";
import type { Session, SessionReason } from "./session.js";
import type { SqsError } from "./sqs.js";
import { childController, limited, type ServiceClock, whenAborted } from "./time.js";

/** How long a new queue may take to be known everywhere, seconds. */
const QUEUE_SPREADS = 10;
/** How long SQS may refuse new keys, since the queue's tag that opens it to them has just been moved; seconds. */
const TAG_SPREADS = 90;
/** How long polling stops for a renewal, seconds: the old keys may end with it, so that a poll would be wasted. */
const PATIENCE = 3;
/** How long after asking for a missing key it is asked for again at first, seconds. */
const KEY_PAUSE = 5;
/** How long at most, seconds. */
const LONGEST_KEY_PAUSE = 60;

interface Hooks {
  /** Called with each session after the first. */
  renewed(session: Session): void;
  failed(error: unknown): void;
}

/** Holds the session and gets the next one in time. Whoever asks, one `getSession` runs at a time. */
export class SessionKeeper {
  readonly #settings: Settings;
  readonly #clock: ServiceClock;
  readonly #pace: Pace;
  readonly #signal: AbortSignal;
  readonly #hooks: Hooks;
  #session?: Session;
  #renewing?: Promise<void>;
  #since = 0;
  #refused = false;
  #worked = false;
  #renewAt = Number.POSITIVE_INFINITY;
  #lacksKey = false;
  #keyPause = KEY_PAUSE;
  #askKeyAt = 0;
  #replaced = () => {};

  /** @param signal - ends all attempts */
  constructor(settings: Settings, clock: ServiceClock, pace: Pace, signal: AbortSignal, hooks: Hooks) {
    this.#settings = settings;
    this.#clock = clock;
    this.#pace = pace;
    this.#signal = signal;
    this.#hooks = hooks;
  }

  /** The session, if there is one yet. */
  get session(): Session | undefined {
    return this.#session;
  }

  /**
   * A session that may be used now. When renewal is due, it waits a moment for it, since the backend may end
   * the old keys; if it fails or takes longer, the old keys serve on until they expire.
   * @returns undefined when it was ended before there was a session
   */
  async ready(): Promise<Session | undefined> {
    if (!this.#session || this.#expired()) await this.#renew();
    else if ((this.#lacksKey || this.#clock.now() >= this.#renewAt) && !this.#renewing) {
      await limited(this.#settings, PATIENCE, "", this.#renew()).catch(() => {});
    }
    return this.#session;
  }

  /** The service has accepted the session, which also means that the clock has been corrected. */
  worked(session: Session): void {
    if (session !== this.#session || this.#worked) return;
    this.#worked = true;
    const left = session.expires - this.#clock.now();
    const { renewBefore } = this.#settings;
    const margin = Math.min(renewBefore, left / 2) * (0.5 + this.#settings.random() / 2);
    // Keys that work though they seem to have expired: no clock to go by, so wait until they are refused.
    this.#renewAt = left > 0 ? session.expires - margin : Number.POSITIVE_INFINITY;
  }

  /**
   * Whether a refused session is so new that it may only need a moment. Asking for another one would move the
   * queue's tag again, so that tabs or tries would chase each other.
   */
  isSpreading(session: Session, error: SqsError): boolean {
    const limit = error.noQueue ? QUEUE_SPREADS : TAG_SPREADS;
    return error.needsSession && session === this.#session && !this.#worked && this.#age() < limit;
  }

  /** Whether a refusal is worth telling: it lasts longer than it mostly does for what is new. */
  isTelling(): boolean {
    return this.#worked || this.#age() >= QUEUE_SPREADS;
  }

  /**
   * The service has refused the session: waits for another one.
   * @returns false if there is none
   */
  async refused(session: Session): Promise<boolean> {
    if (session !== this.#session) return true;
    this.#refused = true;
    await this.#renew();
    return session !== this.#session;
  }

  /**
   * A message cannot be read: the backend may have rotated the key without our asking. The session is asked for before
   * the next poll, but less and less often as long as that brings no other key.
   */
  lacksKey(): void {
    const now = this.#settings.now();
    if (now < this.#askKeyAt) return;
    this.#lacksKey = true;
    this.#askKeyAt = now + this.#keyPause * 1000;
    this.#keyPause = Math.min(this.#keyPause * 2, LONGEST_KEY_PAUSE);
  }

  /**
   * Takes another tab's session if its keys last longer.
   * @param orAsLong - take it also if they last as long
   */
  adopt(session: Session, orAsLong: boolean): void {
    const own = this.#session;
    if (!own || own.accessKey === session.accessKey) return;
    if (session.expires > own.expires || (orAsLong && session.expires === own.expires)) this.#take(session);
  }

  #renew(): Promise<void> {
    this.#renewing ??= this.#fetch().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #fetch(): Promise<void> {
    const before = this.#session;
    const settings = this.#settings;
    const attempt = childController(this.#signal);
    this.#replaced = () => attempt.abort();
    const ask = async () =>
      this.#offer(complete(await settings.getSession({ reason: this.#reason() })), before);
    const get = () => {
      const answer = Promise.race([ask(), whenAborted(attempt.signal)]);
      return limited(settings, settings.answerTimeout, "getSession", answer);
    };
    await this.#pace.retry(attempt.signal, get, this.#hooks.failed);
    attempt.abort();
  }

  /** Takes what `getSession` has brought, also if it comes late: the backend may have ended the old keys for it. */
  #offer(session: Session, before: Session | undefined): void {
    const own = this.#session;
    if (this.#signal.aborted || (own && own !== before && session.expires < own.expires)) return;
    this.#take(session);
  }

  #reason(): SessionReason {
    if (!this.#session) return "start";
    return this.#refused || this.#expired() ? "expired" : "renew";
  }

  #take(session: Session): void {
    const first = !this.#session;
    if (session.aesKey !== this.#session?.aesKey) {
      this.#keyPause = KEY_PAUSE;
      this.#askKeyAt = 0;
    }
    this.#session = session;
    this.#since = this.#settings.now();
    this.#refused = this.#worked = this.#lacksKey = false;
    this.#renewAt = Number.POSITIVE_INFINITY;
    this.#replaced();
    if (!first) this.#hooks.renewed(session);
  }

  #age(): number {
    return (this.#settings.now() - this.#since) / 1000;
  }

  #expired(): boolean {
    return this.#renewAt < Number.POSITIVE_INFINITY && this.#clock.now() >= (this.#session?.expires ?? 0);
  }
}

/** Catches the likeliest mistake, which is to return the backend's whole reply. */
function complete(session: Session): Session {
  if (session?.sqsUrl && session.secretKey && session.aesKey) return session;
  throw new TypeError("getSession must resolve to the session object of the backend's reply");
}
