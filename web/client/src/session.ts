/** An id of an account or a user. `"7"` and `7` are one, and come as `7`. Numbers beyond 2^53 are rounded. */
export type Id = number | string;

/**
 * What the backend returns when it creates, refreshes or renews a session. Pass it on unchanged.
 *
 * It holds secrets of this one browser session: keep it out of logs and of storage.
 */
export interface Session {
  /** URL of the session's queue. Its origin is the service endpoint that is called. */
  sqsUrl: string;
  sqsQueueName: string;
  /** AWS region of the queue, such as `eu-west-1`. */
  region: string;
  accessKey: string;
  secretKey: string;
  sessionToken: string;
  /** When the access keys stop working, epoch seconds. */
  expires: number;
  /** When the session and its queue are removed, epoch seconds; later than `expires`. */
  ttl: number;
  identityId: string;
  sessionId: string;
  accountId: Id;
  userId?: Id;
  /** AES-256 key of the session's messages, base64 of 32 bytes. */
  aesKey: string;
  /** After a rotation, the key before it: messages under it may still wait. */
  previousAesKey?: string;
}

/**
 * Why the client asks for a session.
 *
 * - `start`: after `connect()`.
 * - `renew`: the keys expire soon, or messages come under a key that the session does not hold; the keys still work,
 *   and the queue should stay.
 * - `expired`: the keys have expired or were refused, or the queue is gone.
 */
export type SessionReason = "start" | "renew" | "expired";

/**
 * A name that all tabs of one session have in common, and no other session has.
 * @internal
 */
export function sessionName(session: Session): string {
  // No account has control characters: `a/b` with `c` is not `a` with `b/c`.
  return `sqs-browser-events:${session.accountId}\n${session.sessionId}`;
}
