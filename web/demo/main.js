/**
 * The page: opens sessions, publishes, and shows what arrives.
 *
 * - `session.js` a session and its card; `messages.js` its lists; `presence.js` what is known of its user;
 *   `chart.js` latencies; `network.js` their requests
 * - `unreached.js` messages whose users were not there; `cost.js` the calculator
 * - `api.js` calls of the backend; `dom.js` helpers
 */
import * as api from "./api.js";
import { Chart, milliseconds } from "./chart.js";
import { showCosts } from "./cost.js";
import { find, say, textOf } from "./dom.js";
import { Network } from "./network.js";
import { SessionCard } from "./session.js";
import { showUnreached } from "./unreached.js";

/** @typedef {import("./api.js").Visitor} Visitor */

/** Browsers open six connections to a host over HTTP/1.1. Each session polls on one; one is left for deletions. */
const MOST = 5;
const STORE = "sessions";
/** How long messages are collected before they are announced, milliseconds. */
const QUIET = 2000;
/** Another browser's sessions have other names: two that poll one queue would take each other's messages. */
const BROWSER = Math.random().toString(36).slice(2, 6);
const NAMES = ["laptop", "phone", "tablet", "desktop", "watch", "kiosk"];

const chart = new Chart();
const network = new Network();
/** @type {Set<SessionCard>} */
const cards = new Set();

/** @param {Visitor} visitor */
function open(visitor) {
  const colors = [...cards].map((card) => card.color);
  const color = [0, 1, 2, 3, 4].find((one) => !colors.includes(one)) ?? 0;
  const card = new SessionCard(visitor, {
    color,
    network,
    news,
    latency: (value) => chart.add(value, color),
    ended: () => {
      cards.delete(card);
      changed();
    },
  });
  cards.add(card);
  find(".sessions .new").before(card.element);
  changed();
}

/** What came since the last announcement. @type {string[]} */
let unsaid = [];

/** Tells those who do not see the page, at most once in a while. @param {string} text */
function news(text) {
  if (unsaid.push(text) > 1) return;
  setTimeout(() => {
    const more = unsaid.length > 1 ? `${unsaid.length} messages, the last in ` : "New in ";
    find("#news").textContent = more + unsaid.at(-1);
    unsaid = [];
  }, QUIET);
}

/** Another tab, or this one after a reload, has the same sessions. */
function changed() {
  const visitors = [...cards].map(({ visitor }) => visitor);
  localStorage.setItem(STORE, JSON.stringify(visitors));
  offerAudiences(visitors);
  const name = NAMES.find((name) => !visitors.some(({ session }) => session.startsWith(name)));
  /** @type {HTMLInputElement} */ (find('#open [name="session"]')).value = name ? `${name}-${BROWSER}` : "";
}

/** @param {Visitor[]} visitors */
function offerAudiences(visitors) {
  /** @type {Map<string, import("./api.js").Audience>} */
  const audiences = new Map([["everyone", {}]]);
  for (const { account } of visitors) audiences.set(`account ${account}`, { account });
  for (const { account, user } of visitors) {
    if (user !== undefined) audiences.set(`user ${user} of account ${account}`, { account, user });
  }
  for (const { account, session } of visitors) {
    audiences.set(`session ${session} of account ${account}`, { account, session });
  }
  audiences.set("user nobody, who is offline", { account: 1, user: "nobody" });
  const select = /** @type {HTMLSelectElement} */ (find('#publish [name="to"]'));
  const chosen = select.selectedOptions[0]?.text;
  const options = [...audiences].map(
    ([name, audience]) => new Option(name, JSON.stringify(audience), false, name === chosen),
  );
  select.replaceChildren(...options);
}

/** @param {SubmitEvent} event */
async function publish(event) {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.currentTarget);
  const fields = new FormData(form, event.submitter);
  const by = fields.get("by") === "kinesis" ? "kinesis" : "http";
  const audience = JSON.parse(String(fields.get("to")));
  const times = Number(fields.get("times"));
  const start = Date.now();
  const to = /** @type {HTMLSelectElement} */ (find('[name="to"]', form)).selectedOptions[0]?.text;
  const messages = Array.from({ length: times }, (_, i) => ({
    text: times === 1 ? fields.get("text") : `${fields.get("text")} ${i + 1}`,
    // If the user has no session, the bus is told.
    ...{ by, to, publishedAt: start, _offline: 1 },
    ...(fields.has("keep") ? {} : { _sqs_only: 1 }),
  }));
  try {
    const reply = await api.publish(by, audience, messages);
    say("#published", published(by, messages.length, reply, here(audience), Date.now() - start));
  } catch (error) {
    say("#published", `Not published: ${textOf(error)}`, true);
  }
}

/**
 * @param {"http" | "kinesis"} by
 * @param {number} count
 * @param {Awaited<ReturnType<typeof api.publish>>} reply
 * @param {number} here how many of its sessions are this page's
 * @param {number} took
 */
function published(by, count, { messages = [] }, here, took) {
  const refused = messages.find(({ success }) => !success);
  if (refused) throw new Error(refused.message);
  const what = count === 1 ? "1 message" : `${count} messages`;
  if (by === "kinesis") return `Kinesis took ${what} in ${milliseconds(took)}.`;
  const sessions = messages[0]?.sessions;
  if (sessions === 0) return `HTTP took ${what} in ${milliseconds(took)}; nobody is there to receive it.`;
  // The reply to a wide audience comes before all its sessions are reached.
  const elsewhere = sessions === undefined ? "more" : Math.max(0, sessions - here);
  return `HTTP took ${what} for ${here} here, ${elsewhere} elsewhere, in ${milliseconds(took)}.`;
}

/** How many of the page's sessions an audience has. @param {import("./api.js").Audience} audience */
function here(audience) {
  // An id is the same as a number and as a string.
  const asked = Object.entries(audience).map(([name, id]) => [name, String(id)]);
  const matches = [...cards].filter(({ visitor }) => {
    const own = new Map(Object.entries(visitor).map(([name, id]) => [name, String(id)]));
    return asked.every(([name, id]) => own.get(String(name)) === id);
  });
  return matches.length;
}

/** @param {SubmitEvent} event */
function openAsked(event) {
  event.preventDefault();
  const fields = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
  const [account, session] = [String(fields.get("account")), String(fields.get("session"))];
  const user = fields.get("user") === "" ? undefined : String(fields.get("user"));
  const here = [...cards].some(
    ({ visitor }) => String(visitor.account) === account && visitor.session === session,
  );
  if (here) return say("#opened", `Session ${session} of account ${account} is open already.`, true);
  if (cards.size >= MOST) {
    const why = "browsers open six connections to a host, and each session polls on one";
    return say("#opened", `One page has ${MOST} sessions at most: ${why}.`, true);
  }
  open({ account, user, session });
  say("#opened", `Session ${session} is open.`);
}

/** Those of the last visit, or of a first one. @returns {Visitor[]} */
function remembered() {
  const stored = localStorage.getItem(STORE);
  return stored ? JSON.parse(stored) : firstVisit();
}

/** Two sessions of a user and one of another. @returns {Visitor[]} */
function firstVisit() {
  const users = [7, 7, 8];
  return users.map((user, i) => ({ account: 1, user, session: `${NAMES[i]}-${BROWSER}` }));
}

function loseNetwork() {
  network.toggle();
  const button = find("#lose");
  button.classList.toggle("lost", network.lost);
  button.textContent = network.lost ? "Bring the network back" : "Lose the network";
}

function showRequests() {
  for (const [name, count] of Object.entries(network.counts)) {
    find(`[data-requests="${name}"]`).textContent = String(count);
  }
  find('[data-requests="monthly"]').textContent = network.monthly.toFixed(2);
}

async function showPrice() {
  const { usd, per } = (await api.prices()).prices.sqsRequest;
  network.price = usd / per;
  find("#price").textContent =
    `If each minute of a month were like the last one, at ${((usd / per) * 1e6).toFixed(2)} USD for a million requests.`;
}

function openSome() {
  for (const visitor of firstVisit()) open(visitor);
  find(".session h2").focus();
}

find("#publish").addEventListener("submit", (event) => void publish(/** @type {SubmitEvent} */ (event)));
find("#open").addEventListener("submit", (event) => openAsked(/** @type {SubmitEvent} */ (event)));
// What was refused is no longer asked for.
find("#publish").addEventListener("input", () => say("#published", ""));
find("#open").addEventListener("input", () => say("#opened", ""));
find("#lose").addEventListener("click", loseNetwork);
find("#kill").addEventListener("click", () => network.kill());
find("#second").addEventListener("click", () => window.open(location.href));
find("#open-some").addEventListener("click", openSome);
setInterval(showRequests, 1000);
for (const visitor of remembered()) open(visitor);
if (cards.size === 0) changed();
showUnreached();
showCosts();
showPrice().catch((error) => console.warn(`Prices: ${textOf(error)}`));
