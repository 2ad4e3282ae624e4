import type { BrowserEventsError } from "./errors.js";
import type { Id } from "./session.js";

/** A message as published. The service gives it a `messageId` when its publisher did not. */
export interface Message {
  messageId: string;
  [field: string]: unknown;
}

/** What is known about a message besides its content. Times are epoch seconds by the service's clock. */
export interface Metadata {
  /** The key by which duplicates are recognised. */
  messageId: string;
  /**
   * The JSON text as published. Integers beyond 2^53 are exact here and rounded in the parsed message.
   * For messages from the history it is the parsed message turned back into JSON.
   */
  text: string;
  /** `queue`: pushed to this session. `history`: filled in by `getHistory` after a gap. */
  source: "queue" | "history";
  /** When the queue accepted the message; undefined for messages from the history. */
  sentAt?: number;
  /** When this browser received the message. */
  receivedAt: number;
  /** How often the queue has handed the message out, 1 or more; 0 for messages from the history. */
  deliveries: number;
}

/**
 * - `disconnected`: before `connect()`, after `disconnect()`, or after an {@link UnrecoverableError}.
 * - `connecting`: getting a session, or trying again after a failure or while offline.
 * - `connected`: this tab, or the tab that polls for it, receives.
 * - `paused`: not polling, since the page is hidden (option `pauseWhenHidden`) or frozen by the browser.
 */
export type State = "disconnected" | "connecting" | "connected" | "paused";

export interface StateChange {
  state: State;
  previous: State;
  /** What went wrong, when the change follows from a failure. */
  reason?: unknown;
}

/** Messages that the user has read, in this or in another session. */
export interface Receipt {
  userId: Id;
  /** The `messageId`s that are newly read. */
  ids: string[];
}

/** A time in which messages may have been sent that this client cannot receive any more. */
export interface Gap {
  /** Nothing was missed before this moment, epoch seconds. */
  since: number;
  /**
   * - `queue`: the queue was replaced by a new one.
   * - `retention`: nothing was received for longer than the queue keeps messages.
   * - `asleep`: this page was frozen, and another tab may have polled meanwhile.
   */
  reason: "queue" | "retention" | "asleep";
}

/** The arguments of each event's handlers. */
export interface EventMap<M = Message> {
  /** A message. It is deleted once every handler has returned, and its promise, if any, has resolved. */
  message: [message: M, metadata: Metadata];
  /** Read receipts; delivered with the same guarantee as messages. */
  receipt: [receipt: Receipt, metadata: Metadata];
  state: [change: StateChange];
  /** New access keys are in use; they expire at `expires`, epoch seconds. */
  renewed: [renewal: { expires: number }];
  gap: [gap: Gap];
  error: [error: BrowserEventsError];
}

/** A handler of event `E`. `message` and `receipt` wait for a returned promise, the others do not. */
export type Handler<E extends keyof EventMap<M>, M = Message> = (...args: EventMap<M>[E]) => unknown;
