/**
 * The application of the tests' pages: it writes down what its client tells, and keeps the numbers of
 * messages across reloads. Its handlers are synchronous, so that a message counts when it is written down.
 */
import { BrowserEvents, UnrecoverableError } from "sqs-browser-events";
import { economy } from "sqs-browser-events/economy";
import { messages } from "sqs-browser-events/iterate";

/** @type {import("./pages.js").Setup} */
const {
  visitor,
  options,
  endpoint,
  expireIn,
  leave,
  throwing = {},
  hanging = [],
  hangingHistory = false,
  stuck = [],
  idle = false,
  slow = 0,
  economy: saving,
  keep = "tab",
  tab = 0,
  rotating = false,
} = JSON.parse(decodeURIComponent(location.hash.slice(1)));

const storage = keep === "nowhere" ? undefined : keep === "tab" ? sessionStorage : localStorage;
/** @type {number[]} */
const numbers = JSON.parse(storage?.getItem(`numbers ${tab}`) ?? "[]");
/** @type {import("./pages.js").Log} */
const log = {
  numbers,
  restored: numbers.length,
  fromHistory: [],
  receipts: [],
  states: [],
  reasons: [],
  gaps: [],
  errors: [],
  renewals: 0,
  queue: "",
  at: {},
};

/** @param {string} path @param {Record<string, unknown>} query */
async function ask(path, query, method = "GET") {
  const fields = Object.entries(query).map(([name, value]) => [name, String(value)]);
  const response = await fetch(`${path}?${new URLSearchParams(fields)}`, { method });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

const events = new BrowserEvents({
  getSession: async ({ reason }) => {
    log.reasons.push(reason);
    if (globalThis.loggedOut) throw new UnrecoverableError("logged out");
    if (hanging.includes(log.reasons.length)) await new Promise(() => {});
    const rotated = rotating && reason === "renew";
    const session = await (rotated ? rotateKey() : ask("/api/session", { ...visitor, reason }, "POST"));
    log.queue = session.sqsUrl;
    if (endpoint) session.sqsUrl = session.sqsUrl.replace(new URL(session.sqsUrl).origin, endpoint);
    if (reason === "start" && expireIn) session.expires = Date.now() / 1000 + expireIn;
    return session;
  },
  getHistory: async ({ since }) => {
    if (hangingHistory && log.errors.length === 0) await new Promise(() => {});
    return ask("/api/history", { user: visitor.user, since });
  },
  ...(saving && economy(saving)),
  ...options,
});
/** @type {import("sqs-browser-events").Handler<"message">} */
function onMessage({ n }, { source }) {
  const number = Number(n);
  if (stuck.includes(number)) return new Promise(() => {});
  if ((throwing[number] ?? 0) > 0) {
    throwing[number] = (throwing[number] ?? 0) - 1;
    throw new Error(`no ${number}`);
  }
  numbers.push(number);
  storage?.setItem(`numbers ${tab}`, JSON.stringify(numbers));
  if (source === "history") log.fromHistory.push(number);
  log.at[number] = Date.now();
  if (slow > 0) return new Promise((resolve) => setTimeout(resolve, slow));
  if (numbers.length !== leave?.at) return undefined;
  if (leave.to === "itself") location.reload();
  else location.href = leave.to;
  return undefined;
}
if (!idle) events.on("message", onMessage);
events.on("receipt", ({ ids }) => log.receipts.push(...ids));
events.on("state", ({ state }) => log.states.push(state));
events.on("gap", ({ reason }) => log.gaps.push(reason));
events.on("error", ({ code, messageId, message }) => log.errors.push({ code, messageId, message }));
events.on("renewed", () => log.renewals++);
events.connect();
Object.assign(globalThis, { log, events, messages });
