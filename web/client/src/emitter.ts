import { BrowserEventsError, type ErrorCode, UNHANDLED } from "./errors.js";
import type { Message, Metadata, NamedEvents } from "./events.js";

/** Messages of one `_type` are `type:` and that type. */
const EVENTS = /^(message|type:.*|receipt|state|retry|renewed|gap|error)$/;

type AnyHandler = (...args: unknown[]) => unknown;

/** Handlers by event. What a handler throws never reaches the caller of `emit`. */
export type Emitter = ReturnType<typeof createEmitter>;

/** @param report - takes what handlers throw, and errors that nobody listens for */
export function createEmitter(report: (error: unknown) => void) {
  const handlers = new Map<string, Map<AnyHandler, boolean>>();
  let tell = () => {};

  const emitter = {
    /** Follows a message while a handler has it, until the returned function is called. */
    watch: (() => () => {}) as (message: Message, messageId: string) => () => void,

    /** @throws TypeError when there is no such event */
    on(event: string, handler: AnyHandler, once = false): () => void {
      if (!EVENTS.test(event)) throw new TypeError(`there is no event ${event}`);
      const known = handlers.get(event) ?? new Map();
      // One that was added for good stays.
      handlers.set(event, known.set(handler, once && known.get(handler) !== false));
      if (takesMessages(event)) emitter.wake();
      return () => emitter.off(event, handler);
    },

    off(event: string, handler: AnyHandler): void {
      handlers.get(event)?.delete(handler);
    },

    /** Whether somebody takes messages, of whatever type. */
    takesMessages: (): boolean =>
      [...handlers].some(([event, handlers]) => takesMessages(event) && handlers.size > 0),

    /** Has those look again that wait for a handler of messages. */
    wake(): void {
      tell();
      emitter.woken = new Promise((resolve) => {
        tell = resolve;
      });
    },

    /** Resolves when another handler of messages is added, or the client disconnects. */
    woken: Promise.resolve(),

    /** Calls the handlers without waiting for them. */
    emit<E extends keyof NamedEvents>(event: E, ...args: NamedEvents[E]): void {
      void emitter.deliver([event], args);
    },

    /** Tells of an error; where nobody listens, it is reported. */
    fail(code: ErrorCode, cause: unknown, id?: string, message?: Message): void {
      const error = new BrowserEventsError(code, cause, id, message);
      if (!handlers.get("error")?.size) report(error);
      emitter.emit("error", error);
    },

    /**
     * Calls the handlers that are not in `done`, in their order, and waits for all. Those that succeed are
     * added to `done`, so that a next attempt calls only the ones that failed.
     * @param allDone - is called once all have succeeded: in the same turn, if none returned a promise
     * @returns what the others threw
     */
    async deliver(
      events: string[],
      args: unknown[],
      done = new Set<unknown>(),
      allDone = () => {},
    ): Promise<unknown[]> {
      const failures: unknown[] = [];
      const [message, metadata] = args as [Message, Metadata?];
      const calls = events
        .flatMap((event) => [...(handlers.get(event) ?? [])].map((entry) => [event, ...entry] as const))
        .filter(([, handler]) => !done.has(handler));
      let left = calls.length;
      if (left === 0) allDone();
      const call = async ([event, handler, once]: (typeof calls)[0]) => {
        const stop = metadata ? emitter.watch(message, metadata.messageId) : undefined;
        try {
          if (once) emitter.off(event, handler);
          const returned = handler(...args);
          // Only a promise, as waiting takes a turn.
          if ((returned as PromiseLike<unknown> | undefined)?.then) await returned;
          done.add(handler);
          if (--left === 0) allDone();
        } catch (error) {
          if (error === UNHANDLED) done.add(UNHANDLED);
          else {
            report(error);
            failures.push(error);
          }
        }
        stop?.();
      };
      await Promise.all(calls.map(call));
      return failures;
    },
  };
  emitter.wake();
  return emitter;
}

function takesMessages(event: string): boolean {
  return /^(message$|type:)/.test(event);
}
