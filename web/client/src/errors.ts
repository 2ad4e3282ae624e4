/**
 * - `session`: `getSession` failed; it is called again, unless it threw an {@link UnrecoverableError}.
 * - `service`: SQS answered a receive with an error that new keys are not expected to mend; polling goes on.
 * - `delete`: handled messages could not be deleted; they come again, are recognised and deleted then.
 * - `handler`: a message was given up, since a handler failed at it `maxAttempts` times.
 * - `decrypt`: a frame could not be decrypted or is not a JSON object; dropped after `maxAttempts` tries.
 * - `history`: `getHistory` failed; it is called again, unless it threw an {@link UnrecoverableError}.
 */
export type ErrorCode = "session" | "service" | "delete" | "handler" | "decrypt" | "history";

/** What `error` handlers receive. `cause` is the error behind it. */
export class BrowserEventsError extends Error {
  override readonly name = "BrowserEventsError";
  readonly code: ErrorCode;
  /** The message concerned; for `decrypt` the id that SQS gave it. */
  readonly messageId?: string;

  constructor(code: ErrorCode, message: string, cause: unknown, messageId?: string) {
    super(message, { cause });
    this.code = code;
    this.messageId = messageId;
  }
}

/**
 * Throw this from `getSession` when trying again is pointless, as after a log-out: the client disconnects.
 * Thrown from `getHistory`, it ends the attempts to fill that gap.
 */
export class UnrecoverableError extends Error {
  override readonly name = "UnrecoverableError";
}

/** By name, so that an error class of a second copy of this package counts too. */
export function isUnrecoverable(error: unknown): boolean {
  return error instanceof Error && error.name === "UnrecoverableError";
}
