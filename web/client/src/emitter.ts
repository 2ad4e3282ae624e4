import { BrowserEventsError, type ErrorCode } from "./errors.js";
import type { Message, Metadata, NamedEvents } from "./events.js";

/** Says that a message was left unhandled on purpose: not an error to report, nor one to count. */
export const UNDONE = Symbol("undone");

/** Messages of one `_type` are `type:` and that type. */
const EVENTS = /^(message|type:.*|receipt|state|retry|renewed|gap|error)$/;

type AnyHandler = (...args: unknown[]) => unknown;

/** How a handler is called. */
export interface Calling {
  once?: boolean;
  /** It takes messages at its own pace, so that the time until its promise resolves tells nothing. */
  queues?: boolean;
}

/** Handlers by event. What a handler throws never reaches the caller of `emit`. */
export class Emitter {
  readonly #handlers = new Map<string, Map<AnyHandler, Calling>>();
  readonly #report: (error: unknown) => void;
  /** Resolves when the next handler of messages is added. */
  #added: Promise<void>;
  #tellAdded!: () => void;
  /** Follows a message while a handler has it, until the returned function is called. */
  watch: (message: Message, messageId: string) => () => void = () => () => {};

  /** @param report - takes what handlers throw, and errors that nobody listens for */
  constructor(report: (error: unknown) => void) {
    this.#report = report;
    this.#added = this.#nextAdded();
  }

  /** @throws TypeError when there is no such event */
  on(event: string, handler: AnyHandler, calling: Calling = {}): () => void {
    if (!EVENTS.test(event)) throw new TypeError(`there is no event ${event}, only ${EVENTS.source}`);
    const handlers = this.#handlers.get(event) ?? new Map();
    this.#handlers.set(event, handlers.set(handler, calling));
    if (takesMessages(event)) this.#tellAdded();
    return () => this.off(event, handler);
  }

  off(event: string, handler: AnyHandler): void {
    this.#handlers.get(event)?.delete(handler);
  }

  /** Whether somebody takes messages, of whatever type. */
  get takesMessages(): boolean {
    return [...this.#handlers].some(([event, handlers]) => takesMessages(event) && handlers.size > 0);
  }

  /** Resolves when another handler of messages is added. */
  get added(): Promise<void> {
    return this.#added;
  }

  /** Calls the handlers without waiting for them. An error that nobody listens for is reported. */
  emit<E extends keyof NamedEvents>(event: E, ...args: NamedEvents[E]): void {
    const [first] = args;
    if (first instanceof BrowserEventsError && !this.#handlers.get(event)?.size) this.#report(first);
    void this.deliver([event], args, new Set());
  }

  /** Tells of an error. */
  fail(code: ErrorCode, text: string, cause?: unknown, id?: string, message?: Message): void {
    this.emit("error", new BrowserEventsError(code, text, cause, id, message));
  }

  /**
   * Calls the handlers that are not in `done`, in their order, and waits for all. Those that succeed are
   * added to `done`, so that a next attempt calls only the ones that failed.
   * @param allDone - is called once all have succeeded: in the same turn, if none returned a promise
   * @returns what the others threw
   */
  async deliver(
    events: string[],
    args: unknown[],
    done: Set<unknown>,
    allDone = () => {},
  ): Promise<unknown[]> {
    const failures: unknown[] = [];
    const messageId = (args[1] as Metadata | undefined)?.messageId;
    const run = async (event: string, handler: AnyHandler, { once, queues }: Calling) => {
      const stop = queues || !messageId ? undefined : this.watch(args[0] as Message, messageId);
      try {
        if (once) this.off(event, handler);
        const returned = handler(...args);
        // Only a promise, as waiting takes a turn.
        if ((returned as PromiseLike<unknown> | undefined)?.then) await returned;
        done.add(handler);
        if (--left === 0) allDone();
      } catch (error) {
        if (error !== UNDONE) this.#report(error);
        failures.push(error);
      }
      stop?.();
    };
    const calls = events
      .flatMap((event) => [...(this.#handlers.get(event) ?? [])].map((entry) => [event, ...entry] as const))
      .filter(([, handler]) => !done.has(handler));
    let left = calls.length;
    if (left === 0) allDone();
    await Promise.all(calls.map((call) => run(...call)));
    return failures;
  }

  #nextAdded(): Promise<void> {
    return new Promise((resolve) => {
      this.#tellAdded = () => {
        this.#added = this.#nextAdded();
        resolve();
      };
    });
  }
}

function takesMessages(event: string): boolean {
  return /^(message$|type:)/.test(event);
}
