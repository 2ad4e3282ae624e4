import { type Client, Connection } from "./connection.js";
import { Continuity } from "./continuity.js";
import { Emitter } from "./emitter.js";
import type { AnyEvents, AnyMessage, EventName, Handler, State, Status } from "./events.js";
import { Handling } from "./handling.js";
import { iterate } from "./iterate.js";
import { type Options, withDefaults } from "./options.js";
import { ServiceClock } from "./time.js";

/**
 * Receives the events of one session.
 *
 * Delivery is at least once: a message is deleted after its handlers have finished, and comes again
 * otherwise. Within a browser, duplicates are dropped by `messageId`.
 *
 * @typeParam E - the fields of messages by their `_type`, which are not checked
 * @example
 * ```ts
 * interface Events {
 *   "order-shipped": { orderId: number };
 * }
 * const events = new BrowserEvents<Events>({ getSession });
 * events.on("type:order-shipped", ({ orderId }) => console.log(orderId));
 * events.connect();
 * ```
 */
export class BrowserEvents<E = AnyEvents> implements AsyncIterable<AnyMessage<E>> {
  readonly #client: Client;
  #status: Status = { state: "disconnected" };
  #connection?: Connection;

  /** @throws TypeError that names the option and what it must be */
  constructor(options: Options<E>) {
    const settings = withDefaults(options as Options<unknown> as Options);
    const { maxAttempts, dedupeSize, messageRetentionPeriod } = settings;
    const emitter = new Emitter(settings.report);
    this.#client = {
      settings,
      emitter,
      handling: new Handling(emitter, maxAttempts, dedupeSize),
      clock: new ServiceClock(settings),
      continuity: new Continuity(messageRetentionPeriod),
      state: () => this.state,
      setState: (state, reason) => this.#setState(state, reason),
      retrying: (reason, at) => {
        this.#status = { state: this.state, reason, retryAt: at };
        emitter.emit("retry", { reason, at });
      },
      end: (everywhere, reason) => this.#end(everywhere, reason),
    };
  }

  get state(): State {
    return this.#status.state;
  }

  /** The state, what went wrong last, and when the next try is due. */
  get status(): Status {
    return this.#status;
  }

  /** Whether this tab is the one that polls for all tabs of the session. */
  get leader(): boolean {
    return this.#connection?.leading ?? false;
  }

  /**
   * Starts to receive; no effect when already started. A message that nobody handles yet is kept until
   * somebody does.
   * @param options - `signal` disconnects when it is aborted
   * @throws where the browser offers no WebCrypto, that is outside of https and localhost
   */
  connect({ signal }: { signal?: AbortSignal } = {}): void {
    if (this.#connection || signal?.aborted) return;
    if (!globalThis.crypto?.subtle)
      throw new Error("BrowserEvents needs a secure context: https or localhost");
    const connection = new Connection(this.#client);
    this.#connection = connection;
    signal?.addEventListener("abort", () => this.#connection === connection && void this.#end(false));
    connection.start();
  }

  /**
   * Resolves when it is connected.
   * @throws when it disconnects, or is not connecting: the reason, if there is one
   */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const { state, reason } = this.#status;
        if (state === "connected") resolve();
        else if (state === "disconnected" && !this.#connection) reject(reason ?? new Error(state));
        else return;
        off();
      };
      const off = this.#client.emitter.on("state", look);
      look();
    });
  }

  /**
   * Stops to receive, and gives back what has not been handled. What is in handlers is deleted when those finish,
   * if the page lives that long.
   * @param options - `everywhere`: the session's other tabs disconnect as well, as for a log-out
   * @returns a promise that resolves when all that waited has been answered
   */
  disconnect({ everywhere = false } = {}): Promise<void> {
    return this.#end(everywhere);
  }

  /**
   * Adds a handler; the same one is added once.
   * @returns a function that removes it
   * @throws TypeError when there is no such event
   */
  on<K extends EventName<E>>(event: K, handler: Handler<K, E>): () => void {
    return this.#client.emitter.on(event as string, handler as () => unknown);
  }

  /** Adds a handler for the next event only. It is removed when called, also if it then fails. */
  once<K extends EventName<E>>(event: K, handler: Handler<K, E>): () => void {
    return this.#client.emitter.on(event as string, handler as () => unknown, { once: true });
  }

  off<K extends EventName<E>>(event: K, handler: Handler<K, E>): void {
    this.#client.emitter.off(event as string, handler as () => unknown);
  }

  /**
   * The messages from now on. One is handled when the loop asks for the next; leaving the loop leaves the
   * current one, and those not yet taken, to the next loop. The loop ends when the client disconnects.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<AnyMessage<E>> {
    return iterate(this.#client.emitter);
  }

  async #end(everywhere: boolean, reason?: unknown): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    const stopped = connection?.stop(
      everywhere ? { reason: (reason as Error | undefined)?.message } : undefined,
    );
    this.#setState("disconnected", reason);
    await stopped;
  }

  #setState(state: State, reason?: unknown): void {
    const previous = this.state;
    if (state === previous) return;
    this.#status = { state, reason };
    this.#client.emitter.emit("state", { state, previous, reason });
  }
}
