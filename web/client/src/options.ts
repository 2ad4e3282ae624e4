import type { Environment } from "./environment.js";
import { browserEnvironment } from "./environment.js";
import type { AnyEvents, AnyMessage } from "./events.js";
import type { Session, SessionReason } from "./session.js";

/**
 * All times are in seconds. Wrong values and unknown names are refused when the client is made; numbers are from 1 to
 * 2,000,000, unless they say something else.
 */
export interface Options<E = AnyEvents> {
  /**
   * The application's call to its backend, which creates, refreshes or renews the session. It is called
   * again, after a growing pause, while it fails; throw an {@link UnrecoverableError} to end that.
   * An answer that takes longer than `answerTimeout` counts as a failure, and is still used when it comes.
   * `signal` is aborted by `disconnect()`, so that a call under way need not bring a session back.
   */
  getSession(request: { reason: SessionReason; signal: AbortSignal }): Promise<Session>;
  /**
   * Messages since a moment (epoch seconds), in any order; called after a gap. Those already seen are
   * dropped by their `messageId`, the others are delivered by their `created`, oldest first.
   */
  getHistory?(request: { since: number }): Promise<AnyMessage<E>[]>;
  /** Do not poll while the page is hidden; the queue keeps the messages. */
  pauseWhenHidden?: boolean;
  /**
   * Follows whether somebody uses the page, until the signal is aborted: then it polls at most once a minute.
   * It calls `changed` when that may have changed, and returns a function that says until when the page counts as
   * used, epoch milliseconds. `sqs-browser-events/economy` has one.
   */
  usedUntil?(environment: Environment, signal: AbortSignal, changed: () => void): () => number;
  /** How long a poll waits for a message, 1 to 20; each poll is billed. */
  waitTime?: number;
  /**
   * When a message comes again that a page took and never spoke of again, 1 to 43200. While a handler works it
   * is prolonged; a page that closes, or a handler that fails, gives its messages back at once.
   */
  visibilityTimeout?: number;
  /** How long a handled message may wait for others to be deleted with it, 0 or more; less than `visibilityTimeout`. */
  deleteDelay?: number;
  /** How often a message is tried before it is given up, 1 or more. */
  maxAttempts?: number;
  /** How many messages may be in handlers at a time, 1 or more; polling waits beyond that. */
  maxInFlight?: number;
  /** When a handler that has not finished is told of by an error, and no longer waited for by polling. */
  handlerTimeout?: number;
  /** How long another tab may take to handle a message before it is no longer waited for. */
  tabTimeout?: number;
  /** How long `getSession` and `getHistory` may take before that counts as a failure. */
  answerTimeout?: number;
  /** How many `messageId`s are remembered to drop duplicates. */
  dedupeSize?: number;
  /** Keys are renewed at a random moment between this time and half of it before they expire; 0 or more. */
  renewBefore?: number;
  /** The retention that the backend gave the queue: not receiving for longer is a gap; 60 or more. */
  messageRetentionPeriod?: number;
  /** Let one tab poll for all tabs of the session. */
  shareTabs?: boolean;
  /** The longest pause after a first failure, 0.1 or more; it doubles with each further one. */
  minBackoff?: number;
  /** The longest pause between tries, 0.1 or more. */
  maxBackoff?: number;
  /** Replaces parts of the browser, for tests. */
  environment?: Partial<Environment>;
}

/**
 * Options with every default filled in, and what is taken from the browser.
 * @internal
 */
export type Settings = Omit<Required<Options>, "environment"> & Environment;

/**
 * Of each option its default, which also shows its type, its least and its most. What has no default is a function that
 * must be given.
 */
const OPTIONS: Record<string, [standard?: unknown, least?: number, most?: number]> = {
  getSession: [],
  getHistory: [() => []],
  usedUntil: [() => () => Number.POSITIVE_INFINITY],
  pauseWhenHidden: [false],
  shareTabs: [true],
  waitTime: [20, 1, 20],
  visibilityTimeout: [30, 1, 43_200],
  deleteDelay: [5, 0],
  maxAttempts: [3],
  maxInFlight: [100],
  handlerTimeout: [60],
  tabTimeout: [30],
  answerTimeout: [15],
  dedupeSize: [5000],
  renewBefore: [300, 0],
  messageRetentionPeriod: [3600, 60],
  minBackoff: [0.5, 0.1],
  maxBackoff: [30, 0.1],
};

/** The timers of browsers take no more seconds than that, 23 days. */
const MOST = 2e6;

/**
 * Options that are undefined count as not given.
 * @throws TypeError that names an option that is wrong and what it must be, or one that there is not
 * @internal
 */
export function withDefaults(options: Options): Settings {
  const { environment, ...rest } = options;
  const given: Record<string, unknown> = rest;
  const settings: Record<string, unknown> = { ...browserEnvironment(), ...environment };
  for (const name in { ...OPTIONS, ...given }) {
    const option = OPTIONS[name];
    if (!option) throw new TypeError(`there is no option ${name}`);
    const [standard, least = 1, most = MOST] = option;
    const value = (given[name] ?? standard) as number;
    settings[name] = value;
    const type = typeof (standard ?? withDefaults);
    const isNumber = type === "number";
    if (typeof value !== type || (isNumber && !(value >= least && value <= most))) {
      const range = isNumber ? ` from ${least} to ${most}` : "";
      throw new TypeError(`${name} must be a ${type}${range}, not ${value}`);
    }
  }
  return settings as unknown as Settings;
}
