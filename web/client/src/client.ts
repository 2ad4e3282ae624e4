import { type Client, type Connection, createConnection, setState } from "./connection.js";
import { createContinuity } from "./continuity.js";
import { createEmitter } from "./emitter.js";
import type { AnyEvents, EventName, Handler, State, Status } from "./events.js";
import { createHandling } from "./handling.js";
import { type Options, withDefaults } from "./options.js";
import { createClock } from "./time.js";

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
export class BrowserEvents<E = AnyEvents> {
  readonly #client: Client;
  #connection?: Connection;

  /** @throws TypeError that names an option that is wrong and what it must be, or one that there is not */
  constructor(options: Options<E>) {
    const settings = withDefaults(options as Options<unknown> as Options);
    const emitter = createEmitter(settings.report);
    this.#client = {
      settings,
      emitter,
      handling: createHandling(emitter, settings),
      clock: createClock(settings),
      continuity: createContinuity(settings.messageRetentionPeriod),
      status: { state: "disconnected" },
      end: (everywhere, reason) => this.#end(everywhere, reason),
    };
  }

  get state(): State {
    return this.status.state;
  }

  /** The state, what went wrong last, and when the next try is due. */
  get status(): Status {
    return this.#client.status;
  }

  /** Whether this tab is the one that polls for all tabs of the session. */
  get leader(): boolean {
    return this.#connection?.leading() ?? false;
  }

  /**
   * Starts to receive, unless it has already started. A message that nobody handles yet is kept until somebody does.
   * @param options - `signal` disconnects when it is aborted, whoever has connected
   * @throws where the browser offers no WebCrypto, that is outside of https and localhost
   */
  connect({ signal }: { signal?: AbortSignal } = {}): void {
    if (signal?.aborted) return;
    if (!globalThis.crypto?.subtle) throw new Error("WebCrypto needs https");
    const started = this.#connection;
    const connection = started ?? createConnection(this.#client);
    signal?.addEventListener("abort", () => void this.#end(false), { signal: connection.life });
    if (started) return;
    // It may be another session's that comes.
    this.#client.name = undefined;
    this.#connection = connection;
    connection.start();
  }

  /**
   * Resolves when it is connected.
   * @throws when it disconnects, or is not connecting: the reason, if there is one
   */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const { state, reason } = this.status;
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
   * @param options - `everywhere`: the session's other tabs disconnect as well, as for a log-out, also when this one has
   *   disconnected before; if it has not had a session yet, those of all sessions
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
    return this.#client.emitter.on(event as string, handler as () => unknown, true);
  }

  off<K extends EventName<E>>(event: K, handler: Handler<K, E>): void {
    this.#client.emitter.off(event as string, handler as () => unknown);
  }

  async #end(everywhere: boolean, reason?: unknown): Promise<void> {
    // The other tabs are to hear of it from one that has disconnected, too.
    if (everywhere) this.#connection ??= createConnection(this.#client);
    const connection = this.#connection;
    this.#connection = undefined;
    const stopped = connection?.stop(everywhere, reason);
    setState(this.#client, "disconnected", reason);
    await stopped;
  }
}
