import { Connection } from "./connection.js";
import { Continuity } from "./continuity.js";
import { Emitter } from "./emitter.js";
import type { EventMap, Handler, Message, State } from "./events.js";
import { Inbox } from "./inbox.js";
import { iterate } from "./iterate.js";
import { type Options, type Settings, withDefaults } from "./options.js";
import { ServiceClock } from "./time.js";

/**
 * Receives the events of one session.
 *
 * Delivery is at least once: a message is deleted after its handlers have finished, and comes again
 * otherwise. Within a tab, duplicates are dropped by `messageId`.
 *
 * @typeParam M - the shape of the messages, which is not checked
 * @example
 * ```ts
 * const events = new BrowserEvents({ getSession: () => fetch("/session").then((reply) => reply.json()) });
 * events.on("message", (message) => console.log(message));
 * events.connect();
 * ```
 */
export class BrowserEvents<M = Message> implements AsyncIterable<M> {
  readonly #settings: Settings;
  readonly #emitter: Emitter;
  readonly #inbox: Inbox;
  readonly #clock: ServiceClock;
  readonly #continuity: Continuity;
  #state: State = "disconnected";
  #connection?: Connection;

  constructor(options: Options<M>) {
    this.#settings = withDefaults(options as Options<unknown> as Options);
    const { environment, maxAttempts, dedupeSize, messageRetentionPeriod } = this.#settings;
    this.#emitter = new Emitter((error) => environment.report(error));
    this.#inbox = new Inbox(this.#emitter, maxAttempts, dedupeSize);
    this.#clock = new ServiceClock(environment);
    this.#continuity = new Continuity(messageRetentionPeriod);
  }

  get state(): State {
    return this.#state;
  }

  /** Whether this tab is the one that polls for all tabs of the session. */
  get leader(): boolean {
    return this.#connection?.leading ?? false;
  }

  /**
   * Starts to receive; no effect when already started. Add the handlers first: a message is deleted when
   * all handlers have finished, even if there are none.
   * @throws where the browser offers no WebCrypto, that is outside of https and localhost
   */
  connect(): void {
    if (this.#connection) return;
    if (!globalThis.crypto?.subtle)
      throw new Error("BrowserEvents needs a secure context: https or localhost");
    this.#connection = new Connection({
      settings: this.#settings,
      emitter: this.#emitter,
      inbox: this.#inbox,
      clock: this.#clock,
      continuity: this.#continuity,
      state: () => this.#state,
      setState: (state, reason) => this.#setState(state, reason),
      fail: (reason) => void this.#end(reason),
    });
    this.#connection.start();
  }

  /**
   * Stops to receive. Messages still in handlers are deleted when those finish, if the page lives that long.
   * @returns a promise that resolves when the waiting deletions have been answered
   */
  disconnect(): Promise<void> {
    return this.#end();
  }

  /**
   * Adds a handler; the same one is added once.
   * @returns a function that removes it
   */
  on<E extends keyof EventMap>(event: E, handler: Handler<E, M>): () => void {
    return this.#emitter.on(event, handler as Handler<E>);
  }

  /** Adds a handler for the next event only. It is removed when called, also if it then fails. */
  once<E extends keyof EventMap>(event: E, handler: Handler<E, M>): () => void {
    return this.#emitter.on(event, handler as Handler<E>, true);
  }

  off<E extends keyof EventMap>(event: E, handler: Handler<E, M>): void {
    this.#emitter.off(event, handler as Handler<E>);
  }

  /**
   * The messages from now on. One is handled when the loop asks for the next; leaving the loop leaves the
   * current one unhandled, so that it comes again. The loop ends when the client disconnects.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<M> {
    return iterate<M>(this.#emitter);
  }

  async #end(reason?: unknown): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    const stopped = connection?.stop();
    this.#setState("disconnected", reason);
    await stopped;
  }

  #setState(state: State, reason?: unknown): void {
    const previous = this.#state;
    if (state === previous) return;
    this.#state = state;
    this.#emitter.emit("state", reason === undefined ? { state, previous } : { state, previous, reason });
  }
}
