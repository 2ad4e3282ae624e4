import type { Session } from "sqs-browser-events";

/** Who the page is, as its address says. */
export const visitor = Object.fromEntries(new URLSearchParams(location.search));
export const root = document.querySelector("#root") as HTMLElement;

/** A call of the backend, for the visitor. */
export async function call<T>(
  path: string,
  init: RequestInit = {},
  fields: Record<string, string> = {},
): Promise<T> {
  const response = await fetch(`/api/${path}?${new URLSearchParams({ ...visitor, ...fields })}`, init);
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.json();
}

export async function getSession(): Promise<Session> {
  const session = await call<Session>("session", { method: "POST" });
  Object.assign(globalThis, { queue: session.sqsUrl });
  return session;
}
