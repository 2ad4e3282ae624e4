import { type DependencyList, useEffect, useRef, useState } from "react";
import {
  BrowserEvents,
  type EventMap,
  type Handler,
  type Message,
  type Options,
  type State,
} from "./index.js";

/** The client's options, and a handler for any of its events. */
export interface UseBrowserEventsOptions<M = Message> extends Options<M> {
  onMessage?: Handler<"message", M>;
  onReceipt?: Handler<"receipt", M>;
  onState?: Handler<"state", M>;
  onRenewed?: Handler<"renewed", M>;
  onGap?: Handler<"gap", M>;
  onError?: Handler<"error", M>;
}

type HandlerName = Exclude<keyof UseBrowserEventsOptions, keyof Options>;

const HANDLERS: Record<keyof EventMap, HandlerName> = {
  message: "onMessage",
  receipt: "onReceipt",
  state: "onState",
  renewed: "onRenewed",
  gap: "onGap",
  error: "onError",
};

/**
 * Receives events while the component is mounted. Handlers and `getSession` may change with every render;
 * the other options are read when it connects. Safe under StrictMode: it connects once.
 *
 * @param dependencies - reconnects when one changes, as when another user has logged in
 * @returns the connection's state
 * @example
 * ```tsx
 * const state = useBrowserEvents({ getSession, onMessage: (message) => add(message) }, [userId]);
 * ```
 */
export function useBrowserEvents<M = Message>(
  options: UseBrowserEventsOptions<M>,
  dependencies: DependencyList = [],
): State {
  const latest = useRef(options);
  const [state, setState] = useState<State>("disconnected");
  useEffect(() => {
    latest.current = options;
  });
  const connect = () => {
    const events = followingLatest(latest);
    events.on("state", (change) => setState(change.state));
    let mounted = true;
    // StrictMode mounts, unmounts and mounts again at once: only what is still mounted then connects.
    queueMicrotask(() => mounted && events.connect());
    return () => {
      mounted = false;
      void events.disconnect();
    };
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: the caller names the dependencies
  useEffect(connect, dependencies);
  return state;
}

function followingLatest<M>(latest: { current: UseBrowserEventsOptions<M> }): BrowserEvents<M> {
  const events = new BrowserEvents<M>({
    ...latest.current,
    getSession: (request) => latest.current.getSession(request),
    getHistory: async (request) => (await latest.current.getHistory?.(request)) ?? [],
  });
  for (const [event, name] of Object.entries(HANDLERS) as [keyof EventMap, HandlerName][]) {
    events.on(event, (...args: unknown[]) => (latest.current[name] as AnyHandler)?.(...args));
  }
  return events;
}

type AnyHandler = ((...args: unknown[]) => unknown) | undefined;
