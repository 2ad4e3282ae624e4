/** What an application may get wrong, or have got wrong by its surroundings. */
import { afterEach, expect, it, vi } from "vitest";
import { BrowserEvents, type Options } from "../src/index.js";
import { settle, World } from "./support/world.js";

const client = (options: object = {}) =>
  new BrowserEvents({ getSession: () => Promise.reject(new Error()), ...options } as Options);

afterEach(() => void vi.unstubAllGlobals());

it.each<[object, string]>([
  [{ waitTime: "abc" }, "waitTime must be a number from 1 to 20, not abc"],
  [{ waitTime: 0 }, "waitTime"],
  [{ waitTime: 21 }, "waitTime"],
  [{ waitTime: Number.NaN }, "waitTime must be a number from 1 to 20, not NaN"],
  [{ visibilityTimeout: 0 }, "visibilityTimeout"],
  [{ visibilityTimeout: Number.NaN }, "visibilityTimeout must be a number from 1 to 43200, not NaN"],
  [{ visibilityTimeout: 43_201 }, "visibilityTimeout"],
  [{ deleteDelay: -1 }, "deleteDelay"],
  [{ maxAttempts: 0 }, "maxAttempts must be a number from 1 to 2000000, not 0"],
  [{ maxInFlight: 0 }, "maxInFlight"],
  [{ handlerTimeout: Number.POSITIVE_INFINITY }, "handlerTimeout"],
  // A browser's timer would fire at once.
  [{ handlerTimeout: 2 ** 31 }, "handlerTimeout"],
  [{ tabTimeout: Number.NaN }, "tabTimeout"],
  [{ answerTimeout: Number.NaN }, "answerTimeout"],
  [{ dedupeSize: 0 }, "dedupeSize"],
  [{ renewBefore: -1 }, "renewBefore"],
  [{ messageRetentionPeriod: 59 }, "messageRetentionPeriod"],
  [{ minBackoff: Number.NaN }, "minBackoff"],
  [{ minBackoff: 0 }, "minBackoff"],
  [{ maxBackoff: 0 }, "maxBackoff"],
  [{ shareTabs: 1 }, "shareTabs must be a boolean, not 1"],
  [{ pauseWhenHidden: "yes" }, "pauseWhenHidden"],
  [{ getHistory: [1] }, "getHistory must be a function, not 1"],
  [{ usedUntil: 1 }, "usedUntil must be a function, not 1"],
  [{ getSession: undefined }, "getSession must be a function, not undefined"],
  [{ waittime: 20 }, "there is no option waittime"],
  // Those of another entry, which have the names of parts of the environment.
  [{ hidden: "pause" }, "there is no option hidden"],
  [{ fetch: () => {} }, "there is no option fetch"],
])("refuses a wrong option, and says what it must be: %j", (options, text) => {
  expect(() => client(options)).toThrow(text);
});

it("takes an option that is undefined as not given", () => {
  const options = { waitTime: undefined, getHistory: undefined, usedUntil: undefined, environment: {} };
  expect(() => client(options)).not.toThrow();
});

it("takes the least and the most of a number", () => {
  expect(() => client({ waitTime: 1, deleteDelay: 0, renewBefore: 0, minBackoff: 0.1 })).not.toThrow();
  expect(() => client({ waitTime: 20, visibilityTimeout: 43_200, handlerTimeout: 2e6 })).not.toThrow();
});

it("refuses a wrong event", () => {
  for (const name of ["mesage", "type", "messages", ""]) {
    expect(() => client().on(name as "message", () => {})).toThrow(`there is no event ${name}`);
  }
  for (const name of ["message", "type:order", "type:", "state", "error"]) {
    expect(() => client().on(name as "message", () => {})).not.toThrow();
  }
});

it.each([
  ["crypto", undefined],
  ["crypto.subtle", { getRandomValues: () => {} }],
])("says what is missing where there is no %s", async (_, crypto) => {
  const world = new World();
  const { events } = world.page();
  vi.stubGlobal("crypto", crypto);
  expect(() => events.connect()).toThrow("WebCrypto needs https");
  expect(events.state).toBe("disconnected");
  vi.unstubAllGlobals();
  events.connect();
  await settle();
  expect(events.state).toBe("connected");
});

it("can be imported where there is no crypto", async () => {
  vi.stubGlobal("crypto", undefined);
  vi.resetModules();
  const { BrowserEvents: Fresh } = await import("../src/index.js");
  expect(Fresh).not.toBe(BrowserEvents);
  expect(new Fresh({ getSession: () => Promise.reject(new Error()) }).state).toBe("disconnected");
});
