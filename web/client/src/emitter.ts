import type { EventMap, Handler } from "./events.js";

/** Says that a message was left unhandled on purpose: not an error to report, nor one to count. */
export const UNDONE = Symbol("undone");

type AnyHandler = (...args: unknown[]) => unknown;

/** Handlers by event. What a handler throws never reaches the caller of `emit`. */
export class Emitter {
  /** By event: each handler, and whether it is to be called only once. */
  readonly #handlers = new Map<keyof EventMap, Map<AnyHandler, boolean>>();
  readonly #report: (error: unknown) => void;

  /** @param report - takes what handlers throw */
  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  on<E extends keyof EventMap>(event: E, handler: Handler<E>, once = false): () => void {
    const handlers = this.#handlers.get(event) ?? new Map();
    this.#handlers.set(event, handlers.set(handler, once));
    return () => this.off(event, handler);
  }

  off<E extends keyof EventMap>(event: E, handler: Handler<E>): void {
    this.#handlers.get(event)?.delete(handler as AnyHandler);
  }

  /** Calls the handlers without waiting for them. */
  emit<E extends keyof EventMap>(event: E, ...args: EventMap[E]): void {
    void this.deliver(event, args, new Set());
  }

  /**
   * Calls the handlers that are not in `done`, in their order, and waits for all. Those that succeed are
   * added to `done`, so that a next attempt calls only the ones that failed.
   * @returns what the others threw
   */
  async deliver<E extends keyof EventMap>(
    event: E,
    args: EventMap[E],
    done: Set<unknown>,
  ): Promise<unknown[]> {
    const handlers = this.#handlers.get(event) ?? new Map<AnyHandler, boolean>();
    const failures: unknown[] = [];
    const run = async ([handler, once]: [AnyHandler, boolean]) => {
      try {
        if (once) handlers.delete(handler);
        await handler(...args);
        done.add(handler);
      } catch (error) {
        if (error !== UNDONE) this.#report(error);
        failures.push(error);
      }
    };
    await Promise.all([...handlers].filter(([handler]) => !done.has(handler)).map(run));
    return failures;
  }
}
