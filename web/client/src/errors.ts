import type { Message } from "./events.js";

/**
 * - `session`: `getSession` failed, or took too long; it is called again, unless it threw an {@link UnrecoverableError}.
 * - `service`: SQS answered a receive with an error that new keys are not expected to mend; polling goes on.
 * - `delete`: handled messages could not be deleted; they come again, are recognised and deleted then.
 * - `handler`: a message was given up, since a handler failed at it `maxAttempts` times.
 * - `slow`: a handler has had a message for `handlerTimeout`, or nobody handles it; polling no longer waits for it.
 * - `decrypt`: a frame could not be decrypted or is not a JSON object, also after another session was asked for; dropped
 *   after `maxAttempts` tries.
 * - `history`: `getHistory` failed, or took too long; it is called again, unless it threw an {@link UnrecoverableError}.
 */
export type ErrorCode = "session" | "service" | "delete" | "handler" | "slow" | "decrypt" | "history";

/** What `error` handlers receive. `cause` is the error behind it. */
export class BrowserEventsError extends Error {
  override readonly name = "BrowserEventsError";
  declare readonly code: ErrorCode;
  /** The message concerned; for `decrypt` the id that SQS gave it. */
  declare readonly messageId?: string;
  /** The message itself, where it can be read: with `handler` it is given up, and this is the last that is seen of it. */
  declare readonly payload?: Message;

  constructor(code: ErrorCode, cause: unknown, messageId?: string, payload?: Message) {
    super(`${code}: ${(cause as Partial<Error> | undefined)?.message ?? cause}`, { cause });
    this.code = code;
    this.messageId = messageId;
    this.payload = payload;
  }
}

/**
 * Throw this from `getSession` when trying again is pointless, as after a log-out: the client disconnects,
 * in all tabs of the session. Thrown from `getHistory`, it ends the attempts to fill that gap.
 */
export class UnrecoverableError extends Error {
  override readonly name: string = "UnrecoverableError";
  /** By this it is known: a subclass may have another name, and a second copy of this package another class. */
  readonly unrecoverable = true;
}

/** @internal */
export function isUnrecoverable(error: unknown): boolean {
  return !!(error as Partial<UnrecoverableError> | undefined)?.unrecoverable;
}

/**
 * Throw this from a handler of messages to leave one to handlers that are added later: it is kept as if nobody had
 * handled it yet, and that is neither reported nor counted as a failure. Handlers that have finished with it are not
 * called again.
 */
export const UNHANDLED: unique symbol = Symbol.for("UNHANDLED");
