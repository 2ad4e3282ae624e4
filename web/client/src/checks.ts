/**
 * What an application may have mistaken. The production build leaves these calls out: see `rolldown.config.js`.
 */

/** Messages of one `_type` are `type:` and that type. */
const EVENTS = /^(message|type:.*|receipt|state|retry|renewed|gap|error)$/;

/** Of each number its least, and its most if there is one; of the other options their type. */
const OPTIONS: Record<string, [number, number?] | string> = {
  waitTime: [1, 20],
  visibilityTimeout: [1, 43200],
  deleteDelay: [0],
  maxAttempts: [1],
  maxInFlight: [1],
  handlerTimeout: [1],
  tabTimeout: [1],
  answerTimeout: [1],
  dedupeSize: [1],
  renewBefore: [0],
  messageRetentionPeriod: [60],
  minBackoff: [0],
  maxBackoff: [0],
  pauseWhenHidden: "boolean",
  shareTabs: "boolean",
  getSession: "function",
  getHistory: "function",
  usedUntil: "function",
  environment: "object",
};

/**
 * Options that are undefined count as not given.
 * @throws TypeError that names the option and what it must be
 */
export function checkOptions(options: object): void {
  for (const [name, value] of Object.entries({ getSession: undefined, ...options })) {
    if (value !== undefined || name === "getSession") checkOption(name, value);
  }
}

function checkOption(name: string, value: unknown): void {
  const rule = OPTIONS[name];
  if (!rule) throw new TypeError(`there is no option ${name}`);
  const [least, most = Number.MAX_VALUE] = rule as [number, number?];
  const type = typeof rule === "string" ? rule : "number";
  const range = type === "number" ? ` from ${least} to ${most}` : "";
  if (typeof value !== type || (range && !((value as number) >= least && (value as number) <= most)))
    throw new TypeError(`${name} must be a ${type}${range}, not ${value}`);
}

/** @throws TypeError when there is no such event */
export function checkEvent(event: string): void {
  if (!EVENTS.test(event)) throw new TypeError(`there is no event ${event}, only ${EVENTS.source}`);
}
