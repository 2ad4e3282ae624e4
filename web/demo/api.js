/**
 * What the page asks of its backend.
 *
 * @typedef {import("sqs-browser-events").Id} Id
 * @typedef {{ account: Id, user?: Id, session: string }} Visitor
 * @typedef {{ account?: Id, user?: Id, session?: string }} Audience
 * @typedef {import("sqs-browser-events").Session} Session
 * @typedef {import("sqs-browser-events").Message} Message
 * @typedef {{ online?: boolean, count: number, next?: string }} Presence
 * @typedef {{ userId: Id, created: number, message?: Message }} Unreached
 * @typedef {{ users: number, hours: number, messages: number, hidden: number, bytes: number, history: boolean,
 *   receipts: boolean, publish: string, client: string }} Scenario
 * @typedef {{ dollars: number, withoutHistory: number }} Sums
 * @typedef {{ prices: string, systems: (Sums & { name: string })[],
 *   settings: (Sums & { client: "default" | "slow" | "pause" })[], remarks: string[] }} Estimate
 */

/** An answer of the backend that is not a success. */
export class Refusal extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }

  /** Whether the same call cannot succeed later. */
  get final() {
    return this.status >= 400 && this.status < 500 && this.status !== 429;
  }
}

/** @param {Visitor} visitor @param {string} reason @returns {Promise<Session>} */
export const openSession = (visitor, reason) => call("POST", `/api/session?${query({ ...visitor, reason })}`);

/** @param {Visitor} visitor */
export const endSession = (visitor) => call("DELETE", `/api/session?${query(visitor)}`);

/**
 * @param {"http" | "kinesis"} by
 * @param {Audience} audience
 * @param {object[]} messages
 * @returns {Promise<{ messages?: { success: boolean, message?: string, sessions?: number }[] }>}
 */
export const publish = (by, audience, messages) =>
  call("POST", "/api/publish", { by, ...audience, messages });

/** @param {Id} user @param {number} since epoch seconds @returns {Promise<Message[]>} newest first */
export const history = (user, since) => call("GET", `/api/history?${query({ user, since })}`);

/** @param {Id} user @param {string[]} ids @returns {Promise<string[]>} those that are newly read */
export const markRead = (user, ids) => call("POST", "/api/read", { user, ids });

/** @param {Id} user @returns {Promise<Presence>} */
export const presence = (user) => call("GET", `/api/presence?${query({ user })}`);

/** Messages whose users were not there, newest first. @returns {Promise<Unreached[]>} */
export const unreached = () => call("GET", "/api/unreached");

/** @param {Scenario} scenario @returns {Promise<Estimate>} */
export const cost = (scenario) => call("POST", "/api/cost", scenario);

/** @returns {Promise<{ prices: Record<"sqsRequest", { usd: number, per: number }> }>} `docs/prices.json` */
export const prices = () => call("GET", "/api/prices");

/** @param {string} method @param {string} path @param {object} [body] */
async function call(method, path, body) {
  const init = { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(path, init).catch(() => {
    throw new Refusal(0, "The page's backend does not answer. Is make run still running?");
  });
  const text = await response.text();
  if (!response.ok) throw new Refusal(response.status, messageOf(text) || `HTTP status ${response.status}`);
  return JSON.parse(text);
}

/** @param {string} text */
function messageOf(text) {
  try {
    return String(JSON.parse(text).message);
  } catch {
    return text;
  }
}

/** @param {Record<string, string | number | undefined>} fields */
function query(fields) {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
}
