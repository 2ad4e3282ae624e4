import { readFileSync } from "node:fs";
import type { Browser, BrowserContext, Page } from "playwright-core";
import type { BrowserEvents, Options, Session, SessionReason, State } from "sqs-browser-events";
import type { EconomyOptions } from "sqs-browser-events/economy";
import { test as base, expect, inject } from "vitest";
import { rotate, type Visitor, waiting } from "./backend.js";
import { launch } from "./chromium.js";
import { proxyTo, TestServer } from "./server.js";

/** What a test's page is to do; see `page.js`. */
export interface Setup {
  visitor: Visitor;
  options?: Omit<Options, "getSession" | "getHistory" | "environment">;
  economy?: EconomyOptions;
  /**
   * Whose numbers the page goes on with: this tab's, as after a reload, or those of any
   * tab before it, or of none. */
  keep?: "tab" | "browser" | "nowhere";
  /** Which of a browser's tabs it is, where each keeps its own numbers. */
  tab?: number;
  /** Polls go here instead of to the endpoint. */
  endpoint?: string;
  /** How often the handler throws, by the message's number. */
  throwing?: Record<number, number>;
  /** The calls of getSession that never answer, from 1. */
  hanging?: number[];
  /** The first call of getHistory never answers. */
  hangingHistory?: boolean;
  /** The messages whose handler never ends. */
  stuck?: number[];
  /** How long each handler works, milliseconds. */
  slow?: number;
  /** The page handles no messages. */
  idle?: boolean;
  /** Where the page goes by itself when it has so many messages: itself is a reload. */
  leave?: { at: number; to: "itself" | "about:blank" };
  /** What the first session says of its expiry, in seconds. */
  expireIn?: number;
  /** Each renewal rotates the key of messages. */
  rotating?: boolean;
}

/** What a test's page writes down. */
export interface Log {
  numbers: number[];
  /** How many of them were there when the page was loaded. */
  restored: number;
  fromHistory: number[];
  receipts: string[];
  states: State[];
  reasons: SessionReason[];
  gaps: string[];
  errors: { code: string; messageId: string | undefined; message: string }[];
  /** When each message came, epoch milliseconds. */
  at: Record<number, number>;
  renewals: number;
  queue: string;
}

declare global {
  var log: Log;
  var events: BrowserEvents;
  var messages: typeof import("sqs-browser-events/iterate").messages;
  /** Whether the backend says that nobody is logged in. */
  var loggedOut: boolean | undefined;
  /** The backend's renewal that rotates. */
  var rotateKey: () => Promise<Session>;
}

/** Where a page finds what it is to do. */
export const hash = (setup: Setup): string => `#${encodeURIComponent(JSON.stringify(setup))}`;

const html = (script: string) => `<!doctype html><title>test</title>
<link rel="icon" href="data:,">
<script type="importmap">{"imports":{"sqs-browser-events":"/client/index.js","sqs-browser-events/economy":"/client/economy.js","sqs-browser-events/iterate":"/client/iterate.js"}}</script>
<script type="module">${script}</script>`;

/** An application's origin: a page that runs a module, in front of the example backend and the client. */
export function application(script: string): Promise<TestServer> {
  const others = proxyTo(inject("stack").demoUrl);
  return TestServer.start((incoming, outgoing) => {
    if (incoming.url !== "/") return others(incoming, outgoing);
    outgoing.writeHead(200, { "content-type": "text/html" }).end(html(script));
  });
}

export async function connected(page: Page): Promise<void> {
  await page.waitForFunction(() => globalThis.events?.state === "connected");
}

export async function disconnected(page: Page): Promise<void> {
  await page.waitForFunction(() => globalThis.events?.state === "disconnected");
}

/** Waits until so many messages have come. */
export async function came(page: Page, count: number): Promise<void> {
  await page.waitForFunction((count) => globalThis.log?.numbers.length >= count, count);
}

export const logOf = (page: Page): Promise<Log> => page.evaluate(() => globalThis.log);

/**
 * All messages have come to the page, none of them twice. It waits until the queue is empty, since what
 * is not deleted could come again.
 */
export async function expectAll(page: Page, count: number): Promise<void> {
  await came(page, count);
  const { queue } = await logOf(page);
  await expect.poll(() => waiting(queue)).toBe(0);
  const { numbers } = await logOf(page);
  expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
}

/** Opens a page of the tests' application, and waits until it is connected unless told otherwise. */
export type Open = (context: BrowserContext, setup: Setup, wait?: boolean) => Promise<Page>;

interface Fixtures {
  browser: Browser;
  open: Open;
  /** A browser's profile: its tabs share storage, locks and channels. */
  context: BrowserContext;
}

/** A test in Chromium. */
export const test = base.extend<Fixtures>({
  browser: [
    // biome-ignore lint/correctness/noEmptyPattern: the form that Vitest reads
    async ({}, use) => {
      const browser = await launch();
      await use(browser);
      await browser.close();
    },
    { scope: "file" },
  ],
  open: [
    // biome-ignore lint/correctness/noEmptyPattern: the form that Vitest reads
    async ({}, use) => {
      const app = await application(readFileSync(new URL("page.js", import.meta.url), "utf8"));
      await use(async (context, setup, wait = true) => {
        const page = await context.newPage();
        if (setup.rotating) await page.exposeFunction("rotateKey", () => rotate(setup.visitor));
        await page.goto(`${app.url}/${hash(setup)}`);
        if (wait) await connected(page);
        return page;
      });
      app.stop();
    },
    { scope: "file" },
  ],
  context: async ({ browser }, use) => {
    const context = await browser.newContext();
    context.setDefaultTimeout(40_000);
    await use(context);
    await context.close();
  },
});
