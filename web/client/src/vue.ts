import { getCurrentScope, onScopeDispose, type Ref, readonly, ref, watchEffect } from "vue";
import { type AnyEvents, BrowserEvents, type Options, type State } from "./index.js";

/**
 * A client that is connected while the component, or another effect scope, lives.
 *
 * @param enabled - whether to be connected, as a function that is tracked; always by default
 * @returns the client, to add handlers to, and its state as a ref
 * @example
 * ```ts
 * const { events, state } = useBrowserEvents({ getSession }, () => user.value !== null);
 * events.on("message", (message) => messages.value.push(message));
 * ```
 */
export function useBrowserEvents<E = AnyEvents>(
  options: Options<E>,
  enabled: () => boolean = () => true,
): { events: BrowserEvents<E>; state: Readonly<Ref<State>> } {
  const events = new BrowserEvents<E>(options);
  const state = ref(events.state);
  events.on("state", (change) => {
    state.value = change.state;
  });
  // On a server there is nobody to receive for.
  if (typeof window !== "undefined") {
    watchEffect(() => {
      if (enabled()) events.connect();
      else void events.disconnect();
    });
  }
  if (getCurrentScope()) onScopeDispose(() => void events.disconnect());
  return { events, state: readonly(state) };
}
