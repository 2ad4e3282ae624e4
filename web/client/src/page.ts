import type { Environment } from "./environment.js";

interface Hooks {
  /** The network has come or gone. */
  network(): void;
  hidden(): void;
  visible(): void;
  /** The page is about to be closed, kept for "back", or frozen: nothing may run after this. */
  freezing(): void;
  /** The page is back from that. */
  thawed(): void;
}

/** Watches the page's life until the signal is aborted. */
export function watchPage(env: Environment, signal: AbortSignal, hooks: Hooks): void {
  const listen = (listener: () => void, ...events: string[]) => {
    // Captured, since `freeze` and `resume` are events of the document that do not bubble.
    for (const event of events) env.page?.addEventListener(event, listener, { capture: true, signal });
  };
  listen(hooks.network, "online", "offline");
  listen(() => (env.hidden() ? hooks.hidden() : hooks.visible()), "visibilitychange");
  listen(hooks.freezing, "pagehide", "freeze");
  listen(hooks.thawed, "pageshow", "resume");
}
