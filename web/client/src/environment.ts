/** The part of the Web Locks API that is used. */
export interface Locks {
  request(
    name: string,
    options: { signal?: AbortSignal; steal?: boolean },
    callback: () => Promise<void>,
  ): Promise<unknown>;
}

/** The part of a `BroadcastChannel` that is used. */
export interface Channel {
  postMessage(data: unknown): void;
  onmessage: ((event: MessageEvent) => void) | null;
  close(): void;
}

/** Everything the client takes from its surroundings. Tests replace it; an application need not. */
export interface Environment {
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** The local clock, epoch milliseconds. */
  now(): number;
  setTimeout(callback: () => void, milliseconds: number): unknown;
  clearTimeout(timer: unknown): void;
  /** Uniform in [0, 1). */
  random(): number;
  /** Where it is missing, or `channel` fails, each tab polls for itself. */
  locks?: Locks;
  channel(name: string): Channel;
  /** Where page events arrive: `online`, `offline`, `visibilitychange`, `pagehide`, `pageshow`, `freeze`, `resume`; for `usedUntil` input. */
  page?: EventTarget;
  hidden(): boolean;
  /** Storage that all tabs share and that outlives them; its keys are its own properties. It may throw. */
  storage(): Record<string, string | number>;
  /** Takes what handlers throw, and errors that nobody listens for, as the DOM does for its own listeners. */
  report(error: unknown): void;
}

/**
 * The running browser, or Node where a test runs.
 * @internal
 */
export function browserEnvironment(): Environment {
  const scope: Partial<typeof globalThis> = globalThis;
  const { document, navigator } = scope;
  return {
    fetch: (url, init) => fetch(url, init),
    now: Date.now,
    setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds),
    clearTimeout: (timer) => clearTimeout(timer as number),
    random: Math.random,
    locks: navigator?.locks as Locks | undefined,
    channel: (name) => new BroadcastChannel(name),
    page: document && window,
    hidden: () => !!document?.hidden,
    // Merely reading it throws where site data is blocked.
    storage: () => localStorage,
    report: (error) => (scope.reportError ?? console.error)(error),
  };
}
