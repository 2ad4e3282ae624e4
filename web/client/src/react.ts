import {
  createContext,
  createElement,
  type DependencyList,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useSyncExternalStore,
} from "react";
import {
  type AnyEvents,
  BrowserEvents,
  type EventName,
  type Handler,
  type Options,
  type State,
} from "./index.js";

/** The client's options, and a handler for any of its events. */
export interface UseBrowserEventsOptions<E = AnyEvents> extends Options<E> {
  /** Whether to be connected; `false` while nobody has logged in, for instance. */
  enabled?: boolean;
  onMessage?: Handler<"message", E>;
  onReceipt?: Handler<"receipt", E>;
  onState?: Handler<"state", E>;
  onRetry?: Handler<"retry", E>;
  onRenewed?: Handler<"renewed", E>;
  onGap?: Handler<"gap", E>;
  onError?: Handler<"error", E>;
}

const HANDLERS = {
  onMessage: "message",
  onReceipt: "receipt",
  onState: "state",
  onRetry: "retry",
  onRenewed: "renewed",
  onGap: "gap",
  onError: "error",
} as const;

const NAMES = Object.keys(HANDLERS) as (keyof typeof HANDLERS)[];

type AnyFunction = (...args: unknown[]) => unknown;

/**
 * Receives events while the component is mounted. Handlers, `getSession` and `getHistory` may change with every render;
 * the other options are those of the first render, and of each in which a dependency changes. Safe under StrictMode: it
 * connects once.
 *
 * @param dependencies - reconnects when one changes, as when another user has logged in
 * @returns the connection's state
 * @example
 * ```tsx
 * const state = useBrowserEvents({ getSession, onMessage: (message) => add(message) }, [userId]);
 * ```
 */
export function useBrowserEvents<E = AnyEvents>(
  options: UseBrowserEventsOptions<E>,
  dependencies: DependencyList = [],
): State {
  const events = useClient(options, dependencies);
  return useStateOf(events);
}

const Shared = createContext<BrowserEvents | null>(null);

export interface BrowserEventsProviderProps extends UseBrowserEventsOptions {
  /** Reconnects when one changes. */
  dependencies?: DependencyList;
  children?: ReactNode;
}

/** One client for all components below: they take events by {@link useEvent}, and see its state. */
export function BrowserEventsProvider({
  dependencies = [],
  children,
  ...options
}: BrowserEventsProviderProps) {
  return createElement(Shared.Provider, { value: useClient(options, dependencies) }, children);
}

/**
 * The client of the {@link BrowserEventsProvider} above.
 * @throws where there is none
 */
export function useBrowserEventsClient<E = AnyEvents>(): BrowserEvents<E> {
  const events = useContext(Shared);
  if (!events) throw new Error("useEvent and its like need a BrowserEventsProvider above them");
  return events as BrowserEvents<unknown> as BrowserEvents<E>;
}

/**
 * Handles an event of the shared client while the component is mounted. The handler may change with every render.
 * @example
 * ```tsx
 * useEvent("type:order-shipped", ({ orderId }) => show(orderId));
 * ```
 */
export function useEvent<K extends EventName<E>, E = AnyEvents>(event: K, handler: Handler<K, E>): void {
  const events = useBrowserEventsClient<E>();
  const latest = useLatest(handler as AnyFunction);
  useEffect(
    () => events.on(event, ((...args: unknown[]) => latest.current(...args)) as Handler<K, E>),
    [events, event, latest],
  );
}

/** The state of the shared client. */
export function useBrowserEventsState(): State {
  return useStateOf(useBrowserEventsClient());
}

function useClient<E>(options: UseBrowserEventsOptions<E>, dependencies: DependencyList): BrowserEvents<E> {
  const latest = useLatest(options);
  const { enabled = true } = options;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the caller names the dependencies
  const events = useMemo(() => createClient(options, latest), dependencies);
  // Only what is given: messages that nobody handles are kept until somebody does.
  const given = NAMES.filter((name) => options[name]).join();
  useEffect(() => {
    const added = NAMES.filter((name) => given.split(",").includes(name)).map((name) =>
      events.on(HANDLERS[name], ((...args: unknown[]) =>
        (latest.current[name] as AnyFunction | undefined)?.(...args)) as never),
    );
    return () => {
      for (const remove of added) remove();
    };
  }, [events, given, latest]);
  useEffect(() => {
    if (!enabled) return undefined;
    let mounted = true;
    // StrictMode mounts, unmounts and mounts again at once: only what is still mounted then connects.
    queueMicrotask(() => mounted && events.connect());
    return () => {
      mounted = false;
      void events.disconnect();
    };
  }, [events, enabled]);
  return events;
}

function useStateOf<E>(events: BrowserEvents<E>): State {
  const subscribe = useCallback((changed: () => void) => events.on("state", changed), [events]);
  return useSyncExternalStore(
    subscribe,
    () => events.state,
    () => "disconnected",
  );
}

function useLatest<T>(value: T): { current: T } {
  const latest = useRef(value);
  useEffect(() => {
    latest.current = value;
  });
  return latest;
}

/**
 * A client with the options of the render that makes it: `latest` still has those of the one before. The calls of the
 * backend are those of the latest render.
 */
function createClient<E>(
  options: UseBrowserEventsOptions<E>,
  latest: { current: UseBrowserEventsOptions<E> },
): BrowserEvents<E> {
  const entries = Object.entries(options).filter(([name]) => name !== "enabled" && !(name in HANDLERS));
  const own = Object.fromEntries(entries) as unknown as Options<E>;
  // Refuses wrong options, which the calls below would hide.
  new BrowserEvents(own);
  return new BrowserEvents<E>({
    ...own,
    getSession: (request) => latest.current.getSession(request),
    getHistory: async (request) => (await latest.current.getHistory?.(request)) ?? [],
  });
}
