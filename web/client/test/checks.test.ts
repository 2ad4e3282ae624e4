import { expect, it } from "vitest";
import { BrowserEvents, type Options } from "../src/index.js";

const client = (options: object = {}) =>
  new BrowserEvents({ getSession: () => Promise.reject(new Error()), ...options } as Options);

it.each<[object, string]>([
  [{ waitTime: "abc" }, "waitTime must be a number from 1 to 20, not abc"],
  [{ waitTime: 21 }, "waitTime must be a number from 1 to 20, not 21"],
  [{ visibilityTimeout: Number.NaN }, "visibilityTimeout must be a number from 1 to 43200, not NaN"],
  [{ shareTabs: 1 }, "shareTabs must be a boolean, not 1"],
  [{ getHistory: [] }, "getHistory must be a function, not "],
  [{ getSession: undefined }, "getSession must be a function, not undefined"],
  [{ waittime: 20 }, "there is no option waittime"],
])("names a wrong option: %j", (options, text) => {
  expect(() => client(options)).toThrow(text);
});

it("takes an option that is undefined as not given", () => {
  expect(() => client({ waitTime: undefined, getHistory: undefined, environment: {} })).not.toThrow();
});

it("names a wrong event", () => {
  expect(() => client().on("mesage" as "message", () => {})).toThrow("there is no event mesage");
});
