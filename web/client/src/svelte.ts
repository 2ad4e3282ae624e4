import { type AnyEvents, BrowserEvents, type Options, type State } from "./index.js";

/** A client, and its state as a store. */
export interface BrowserEventsStore<E = AnyEvents> {
  events: BrowserEvents<E>;
  /** The client is connected while somebody is subscribed, as a component is by `$store`. */
  subscribe(run: (state: State) => void): () => void;
}

/**
 * A store of the connection's state, which is connected while it is used.
 *
 * @example
 * ```svelte
 * <script>
 *   const connection = browserEvents({ getSession });
 *   connection.events.on("message", (message) => messages.push(message));
 * </script>
 * {$connection}
 * ```
 */
export function browserEvents<E = AnyEvents>(options: Options<E>): BrowserEventsStore<E> {
  const events = new BrowserEvents<E>(options);
  let users = 0;
  return {
    events,
    subscribe(run) {
      run(events.state);
      const off = events.on("state", ({ state }) => run(state));
      // On a server there is nobody to receive for.
      if (users++ === 0 && typeof window !== "undefined") events.connect();
      let used = true;
      return () => {
        off();
        if (used && --users === 0) void events.disconnect();
        used = false;
      };
    },
  };
}
