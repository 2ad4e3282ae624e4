import { createHash, createHmac } from "node:crypto";
import type { Message, Session } from "sqs-browser-events";
import { inject } from "vitest";
import { amzDate, sign } from "../../client/src/sigv4.js";

export interface Visitor {
  account: number | string;
  user: number | string;
  session: string;
}

let made = 0;

/**
 * How long a session lasts that is to be renewed in a test, seconds: it begins after half of it, and a machine that is busy
 * with something else has a quarter for it.
 */
export const SOON = 24;

/** A visitor that no other test has. */
export function visitor() {
  const unique = Date.now() * 1000 + made++;
  return { account: unique, user: unique, session: "browser" } satisfies Visitor;
}

/** The example backend, called as the page calls it. */
async function call(path: string, body?: object) {
  const init = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  const response = await fetch(new URL(path, inject("stack").demoUrl), init);
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  return response.json();
}

/** Publishes messages with `n` from `first` on, to all sessions of a user, or of an account. */
export function publish(
  { account, user }: Pick<Visitor, "account"> & Partial<Visitor>,
  count: number,
  { first = 0, by = "http", text = "" } = {},
) {
  const messages = Array.from({ length: count }, (_, i) => ({ n: first + i, text }));
  return call("/api/publish", { by, account, user, messages });
}

/** Marks what is in a user's history read, all or some; returns the ids that were not. */
export async function markRead(
  user: Visitor["user"],
  which: (message: Message) => boolean = () => true,
): Promise<string[]> {
  const url = new URL(`/api/history?${new URLSearchParams({ user: `${user}` })}`, inject("stack").demoUrl);
  const messages: Message[] = await (await fetch(url)).json();
  return call("/api/read", { user, ids: messages.filter(which).map(({ messageId }) => messageId) });
}

/** How many messages are unread in a user's history. */
export async function unreadOf(user: Visitor["user"]): Promise<number> {
  const url = new URL(`/api/unread?${new URLSearchParams({ user: `${user}` })}`, inject("stack").demoUrl);
  return (await (await fetch(url)).json()).unread;
}

/** Refreshes a session, which shuts out its former keys. */
export function refresh(visitor: Visitor) {
  const fields = Object.entries(visitor).map(([name, value]) => [name, String(value)]);
  return call(`/api/session?${new URLSearchParams(fields)}`);
}

/** Renews a session with another key for its messages, as a backend does; the page does not hear of it. */
export async function rotate({ account, session }: Visitor): Promise<Session> {
  return (await api("POST", `/renew/${account}/${session}?rotate=1`)).session;
}

/** A page of a user's history, newest first, of so many messages. */
export const historyPage = (user: Visitor["user"], limit: number, next: string | null) =>
  api("GET", `/messages/user/${user}?${new URLSearchParams({ limit: `${limit}`, ...(next && { next }) })}`);

/** Calls the HTTP API as a backend does. Names in the query are in alphabetical order, as signatures need it. */
async function api(method: "GET" | "POST", path: string) {
  const url = new URL(`${inject("stack").apiUrl}${path}`);
  const response = await fetch(url, { method, headers: signedWithQuery(method, url) });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

/** Headers for a call without a body. The client's own signatures cover no query, as it needs none. */
function signedWithQuery(method: string, url: URL): Record<string, string> {
  const { region, accessKey, secretKey } = inject("stack");
  const date = amzDate(Date.now() / 1000);
  const scope = `${date.slice(0, 8)}/${region}/execute-api/aws4_request`;
  const names = "host;x-amz-date";
  const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
  const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
  const lines = `host:${url.host}\nx-amz-date:${date}\n`;
  const canonical = [method, url.pathname, url.search.slice(1), lines, names, sha256("")].join("\n");
  const toSign = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(canonical)}`;
  const key = scope.split("/").reduce<string | Buffer>(hmac, `AWS4${secretKey}`);
  const signature = hmac(key, toSign).toString("hex");
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKey}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  return { "x-amz-date": date, authorization };
}

/** Calls SQS with the operator's keys. */
export const sqs = (action: string, content: object) => aws("sqs", `AmazonSQS.${action}`, content);

/** Calls a service with the operator's keys. */
export async function aws(service: string, target: string, content: object) {
  const { endpoint, region, accessKey, secretKey } = inject("stack");
  const url = `${endpoint}/`;
  const body = JSON.stringify(content);
  const headers = { "content-type": "application/x-amz-json-1.0", "x-amz-target": target };
  const scope = { region, service, date: amzDate(Date.now() / 1000) };
  const signed = await sign({ method: "POST", url, headers, body }, { accessKey, secretKey }, scope);
  const response = await fetch(url, { method: "POST", headers: signed, body });
  const text = await response.text();
  if (!response.ok) throw new Error(`${target}: ${text}`);
  return text ? JSON.parse(text) : {};
}

/** Ends a session, as at a log-out. */
export async function destroy(visitor: Visitor): Promise<void> {
  const fields = Object.entries(visitor).map(([name, value]) => [name, String(value)]);
  const url = new URL(`/api/session?${new URLSearchParams(fields)}`, inject("stack").demoUrl);
  const response = await fetch(url, { method: "DELETE" });
  if (!response.ok) throw new Error(await response.text());
}

export const FREE = "ApproximateNumberOfMessages";
const TAKEN = "ApproximateNumberOfMessagesNotVisible";

/** How many messages a queue holds, in handlers or not; or of which kind. */
export async function waiting(QueueUrl: string, names = [FREE, TAKEN]): Promise<number> {
  const { Attributes } = await sqs("GetQueueAttributes", { QueueUrl, AttributeNames: names });
  return names.reduce((sum, name) => sum + Number(Attributes[name]), 0);
}

/** How many messages of a queue some receiver has taken. */
export const taken = (queue: string): Promise<number> => waiting(queue, [TAKEN]);
