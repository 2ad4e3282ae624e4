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
 * - `connecting`: getting a session, also when expired keys cannot be replaced, or trying again after a failure or while
 *   offline.
 * - `connected`: this tab, or the tab that polls for it, receives.
 * - `paused`: not polling, since the page is hidden (`hidden: "pause"`) or frozen by the browser.
 */
export type State = "disconnected" | "connecting" | "connected" | "paused";

export interface StateChange {
  state: State;
  previous: State;
  /** What went wrong, when the change follows from a failure. */
  reason?: unknown;
}

/** Something failed and is tried again. */
export interface Retry {
  /** What went wrong. */
  reason: unknown;
  /** When it is tried again at the latest, epoch milliseconds of the local clock; sooner when the network is back. */
  at: number;
}

/** How things are now. */
export interface Status {
  state: State;
  /** What went wrong last, until that is over. */
  reason?: unknown;
  /** When the next try is due, epoch milliseconds of the local clock. */
  retryAt?: number;
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

/**
 * The fields of messages by their `_type`, as in
 * `interface Events { "order-shipped": { orderId: number } }`. They are not checked.
 */
// biome-ignore lint/suspicious/noExplicitAny: an interface has no index signature
export type AnyEvents = Record<string, any>;

/** A message of one type. */
export type MessageOf<E, T extends keyof E> = Message & { _type: T } & E[T];

/** Any of the messages; by their `_type` TypeScript tells them apart. */
export type AnyMessage<E> = string extends keyof E ? Message : { [T in keyof E]: MessageOf<E, T> }[keyof E];

/** The arguments of the handlers of events with a name of their own. */
export interface NamedEvents<E = AnyEvents> {
  /** A message. It is deleted once every handler has returned, and its promise, if any, has resolved. */
  message: [message: AnyMessage<E>, metadata: Metadata];
  /** Read receipts; delivered with the same guarantee as messages. */
  receipt: [receipt: Receipt, metadata: Metadata];
  state: [change: StateChange];
  /** A try has failed, and the next one is planned. */
  retry: [retry: Retry];
  /** New access keys are in use; they expire at `expires`, epoch seconds. */
  renewed: [renewal: { expires: number }];
  gap: [gap: Gap];
  /** Where nobody listens, errors are reported to the console and to `window.onerror`. */
  error: [error: BrowserEventsError];
}

/**
 * The events with a name of their own, and for each `_type` of messages `type:` and that type. To a client that
 * listens for some types only, the others count as handled.
 */
export type EventName<E = AnyEvents> = keyof NamedEvents<E> | `type:${keyof E & string}`;

/** The arguments of an event's handlers. */
export type EventArgs<K, E = AnyEvents> = K extends keyof NamedEvents<E>
  ? NamedEvents<E>[K]
  : K extends `type:${infer T extends keyof E & string}`
    ? [message: MessageOf<E, T>, metadata: Metadata]
    : never;

/** A handler of an event. Those of messages and receipts are waited for when they return a promise. */
export type Handler<K, E = AnyEvents> = (...args: EventArgs<K, E>) => unknown;
