import type { Environment } from "./environment.js";

/** Listens to events of the page until the signal is aborted. */
export function listen(
  env: Environment,
  signal: AbortSignal,
  listener: () => void,
  ...events: string[]
): void {
  // Captured, since `freeze` and `resume` are events of the document that do not bubble.
  for (const event of events) env.page?.addEventListener(event, listener, { capture: true, signal });
}
