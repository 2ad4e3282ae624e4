import type { Environment } from "./environment.js";
import { browserEnvironment } from "./environment.js";
import type { Message } from "./events.js";
import type { Session, SessionReason } from "./session.js";

/** All times are in seconds. */
export interface Options<M = Message> {
  /**
   * The application's call to its backend, which creates, refreshes or renews the session. It is called
   * again, after a growing pause, while it fails; throw an {@link UnrecoverableError} to end that.
   */
  getSession(request: { reason: SessionReason }): Promise<Session>;
  /**
   * Messages since a moment (epoch seconds), in any order; called after a gap. Those already seen are
   * dropped by their `messageId`, the others are delivered by their `created`, oldest first.
   */
  getHistory?(request: { since: number }): Promise<M[]>;
  /** How long a poll waits for a message, 1 to 20; each poll is billed. */
  waitTime?: number;
  /**
   * When a message that was not handled comes again, 0 to 43200. It is also how long another tab may take
   * to handle a message before it is no longer waited for.
   */
  visibilityTimeout?: number;
  /** How long a handled message may wait for others to be deleted with it; less than `visibilityTimeout`. */
  deleteDelay?: number;
  /** How often a message is tried before it is given up, 1 or more. */
  maxAttempts?: number;
  /** How many messages may be in handlers at a time; polling waits beyond that. */
  maxInFlight?: number;
  /** How many `messageId`s are remembered to drop duplicates. */
  dedupeSize?: number;
  /** Keys are renewed at a random moment between this time and half of it before they expire. */
  renewBefore?: number;
  /** The retention that the backend gave the queue: not receiving for longer is a gap. */
  messageRetentionPeriod?: number;
  /** Do not poll while the page is hidden; the queue keeps the messages. */
  pauseWhenHidden?: boolean;
  /** Let one tab poll for all tabs of the session. */
  shareTabs?: boolean;
  /** The longest pause after a first failure; it doubles with each further one. */
  minBackoff?: number;
  /** The longest pause between tries. */
  maxBackoff?: number;
  /** Replaces parts of the browser, for tests. */
  environment?: Partial<Environment>;
}

/** Options with every default filled in. */
export type Settings = Omit<Required<Options>, "getHistory" | "environment"> &
  Pick<Options, "getHistory"> & { environment: Environment };

/** Options that are undefined count as not given. */
export function withDefaults(options: Options): Settings {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return {
    waitTime: 20,
    visibilityTimeout: 30,
    deleteDelay: 5,
    maxAttempts: 3,
    maxInFlight: 100,
    dedupeSize: 5000,
    renewBefore: 300,
    messageRetentionPeriod: 3600,
    pauseWhenHidden: false,
    shareTabs: true,
    minBackoff: 0.5,
    maxBackoff: 30,
    ...(Object.fromEntries(given) as Options),
    environment: { ...browserEnvironment(), ...options.environment },
  };
}
