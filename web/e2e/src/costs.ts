/**
 * The units that a scenario uses, counted where AWS would bill them: at the endpoint, which meters calls, consumed
 * capacity, payload units, invocations and their logs (`crates/local/python/emulator.py`).
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, Page } from "playwright-core";
import { expect, inject } from "vitest";
import { aws, publish, visitor } from "./backend.js";
import { came, type Open } from "./pages.js";

export interface Plan {
  browsers: number;
  /** How long each page is open, minutes of the scenario. */
  minutes: number;
  /** So many minutes of the scenario pass in one: waits and pauses are shorter by it. 20 must be divisible by it. */
  speed: number;
  by: "http" | "kinesis";
}

/** What AWS bills, by the names of `docs/prices.json`. */
const PRICES = [
  "sqsRequest",
  "apiRequest",
  "kinesisPutUnit",
  "lambdaRequest",
  "dynamodbRead",
  "dynamodbWrite",
];
const BYTES = 1024;
/** Seconds that the client waits for others before it deletes a message: it takes messages for four. */
const DELETE_DELAY = 3;
/** No message is published in the last part of a page's last minute, so that it is deleted before the page closes. */
const LAST = 0.95;

type Units = Record<string, number>;

interface Line {
  price: string;
  units: number;
  dollars: number;
}

/**
 * Runs the standard scenario, and returns each unit counted and calculated, with its dollars; and `missed`: how many more there
 * may have been, had the machine been in time.
 */
export async function countedAndCalculated(browser: Browser, open: Open, plan: Plan) {
  const before = await billed();
  const visits = Array.from({ length: plan.browsers }, (_, index) => visit(browser, open, plan, index));
  let missedPolls = 0;
  for (const { user, missed } of await Promise.all(visits)) {
    missedPolls += missed;
    await expire(user);
  }
  const after = await billed();
  const lines = await calculated(plan);
  return PRICES.flatMap((price) => {
    const ours = lines.filter((line) => line.price === price);
    const units = ours.reduce((sum, line) => sum + line.units, 0);
    if (units === 0) return [];
    const dollars = ours.reduce((sum, line) => sum + line.dollars, 0) / units;
    const counted = (after[price] ?? 0) - (before[price] ?? 0);
    const missed = price === "sqsRequest" ? missedPolls : 0;
    return [{ price, counted, missed, calculated: units, millionths: dollars * 1e6 }];
  });
}

/** A page, from its beginning to its end; returns whose it was, and how many polls it missed. */
async function visit(browser: Browser, open: Open, { minutes, speed, by }: Plan, index: number) {
  const user = visitor();
  const random = randomFrom(index + 1);
  const minute = 60_000 / speed;
  // Sessions do not begin at the same moment.
  await sleep(index * 600);
  const context = await browser.newContext();
  context.setDefaultTimeout(60_000);
  const waitTime = 20 / speed;
  const options = { waitTime, deleteDelay: DELETE_DELAY / speed };
  const page = await open(context, { visitor: user, options });
  const start = Date.now();
  const until = (time: number) => sleep(Math.max(0, start + time * minute - Date.now()));
  for (let i = 0; i < minutes; i++) {
    await until(i + LAST * random());
    await publish(user, 1, { first: i, by, text: "x".repeat(BYTES - 80) });
  }
  await until(minutes);
  await came(page, minutes);
  const missed = (await late(page, waitTime * 1000)) / (waitTime * 1000);
  await context.close();
  return { user, missed };
}

/** By how much a page's polls, without a message, took longer than they wait; all together, milliseconds. */
function late(page: Page, wait: number): Promise<number> {
  const setup = { sqs: `${inject("stack").endpoint}/`, wait };
  return page.evaluate(({ sqs, wait }) => {
    const beyond = performance.getEntriesByName(sqs).map(({ duration }) => duration - wait);
    return beyond.filter((time) => time > 0).reduce((sum, time) => sum + time, 0);
  }, setup);
}

/** Random numbers from 0 to 1, the same in each run: mulberry32. Messages come at random times of their minutes. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** As the table does to a session whose time is over. Its queue is deleted in consequence. */
async function expire({ account, session }: { account: number; session: string }) {
  const { sessionTable } = inject("stack");
  const { ended = 0 } = await billed();
  const key = { accountId: { S: `${account}` }, sessionId: { S: session } };
  await aws("dynamodb", "DynamoDB_20120810.DeleteItem", { TableName: sessionTable, Key: key });
  await expect.poll(async () => (await billed()).ended ?? 0).toBeGreaterThan(ended);
}

/** Units since the system's start. What operators and tests call is not the system's, but for what they publish. */
async function billed(): Promise<Units> {
  const { endpoint, accessKey } = inject("stack");
  const response = await fetch(`${endpoint}/_billed`);
  const all: { caller: string; unit: string; count: number }[] = await response.json();
  const units: Units = {};
  for (const { caller, unit, count } of all) {
    const price = priceOf(unit);
    const published = ["apiRequest", "kinesisPutUnit"].includes(price);
    if (!published && (caller === accessKey || caller.startsWith("AKIALOCALROOT"))) continue;
    units[price] = (units[price] ?? 0) + count;
    if (unit === "lambda.session-update-processor") units.ended = (units.ended ?? 0) + count;
  }
  return units;
}

function priceOf(unit: string): string {
  const [service, kind] = unit.split(".");
  const names: Record<string, string> = {
    apigateway: "apiRequest",
    sqs: "sqsRequest",
    kinesis: "kinesisPutUnit",
    lambda: "lambdaRequest",
    dynamodb: kind === "read" ? "dynamodbRead" : "dynamodbWrite",
  };
  return names[service ?? ""] ?? unit;
}

async function calculated({ browsers, minutes, by }: Plan): Promise<Line[]> {
  const scenario = { users: browsers, hours: minutes / 60, days: 1, hidden: 0, bytes: BYTES, publish: by };
  const init = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(scenario),
  };
  const response = await fetch(new URL("/api/cost", inject("stack").demoUrl), init);
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()).systems[0].lines;
}
