import { beforeEach, describe, expect, it } from "vitest";
import { type Options, UnrecoverableError } from "../src/index.js";
import { type Page, settle, World } from "./support/world.js";

let world: World;
beforeEach(() => {
  world = new World();
});

const stateOf = ({ events }: Page) => events.state;
const refused = (message?: string) => () => Promise.reject(new UnrecoverableError(message));

describe("a log-out", () => {
  it("is over for a tab that asks for a session after it", async () => {
    const hidden = world.page({ pauseWhenHidden: true });
    hidden.tab.hide();
    await hidden.connect();
    const page = await world.page().connect();
    await page.events.disconnect({ everywhere: true });
    await page.connect();
    hidden.tab.show();
    await world.clock.advance(60);
    expect([page, hidden].map(stateOf)).toEqual(["connected", "connected"]);
  });

  it("reaches a tab that is asking, also when another session ends after it", async () => {
    let answer = () => {};
    const asking = world.page({
      getSession: async (request) => {
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
        return world.getSession(request);
      },
    });
    await asking.connect();
    const page = await world.page().connect();
    const other = await world
      .page({ getSession: async () => ({ ...world.session, sessionId: "s-2" }) })
      .connect();
    await page.events.disconnect({ everywhere: true });
    await other.events.disconnect({ everywhere: true });
    await settle();
    answer();
    await world.clock.advance(5);
    expect(stateOf(asking)).toBe("disconnected");
  });

  it("by a tab that asks for another session does not end the one it had before", async () => {
    let logged = true;
    const getSession: Options["getSession"] = (request) =>
      logged ? world.getSession(request) : refused("no such user")();
    const page = await world.page().connect();
    const former = await world.page({ getSession }).connect();
    await former.events.disconnect();
    logged = false;
    await former.connect();
    await world.clock.advance(30);
    expect([page, former].map(stateOf)).toEqual(["connected", "disconnected"]);
  });

  it("that is heard soon after a doubt is asked for later", async () => {
    let out = false;
    const getSession: Options["getSession"] = (request) =>
      out ? refused("logged out")() : world.getSession(request);
    const page = await world.page({ getSession }).connect();
    await world.clock.advance(60);
    // Each time the next one is put off for longer, a minute at most.
    for (let i = 0; i < 5; i++) {
      await world.clock.advance(60);
      const before = world.asked.length;
      await world.page({ getSession: refused("not this one") }).connect();
      for (let s = 0; s < 90 && world.asked.length === before; s++) await world.clock.advance(1);
    }
    await world.clock.advance(5);
    out = true;
    await world.page({ getSession }).connect();
    await world.clock.advance(120);
    expect(stateOf(page)).toBe("disconnected");
  });

  it("is none when a tab without a session throws an error without a message", async () => {
    const page = await world.page().connect();
    await world.page({ getSession: () => Promise.reject({ unrecoverable: true }) }).connect();
    await world.clock.advance(30);
    expect(stateOf(page)).toBe("connected");
  });

  it("can be told where the context is not secure", async () => {
    const { randomUUID } = crypto;
    Object.defineProperty(crypto, "randomUUID", { value: undefined, configurable: true });
    try {
      await expect(world.page().events.disconnect({ everywhere: true })).resolves.toBeUndefined();
    } finally {
      Object.defineProperty(crypto, "randomUUID", { value: randomUUID, configurable: true });
    }
  });
});

it("is not told of messages that are gone with their queue before they could be deleted", async () => {
  const page = world.page({ deleteDelay: 0 });
  const finish = page.hold();
  await page.connect();
  await world.send("a");
  await page.events.disconnect();
  world.sqs.deleteQueue(world.session);
  finish();
  await world.clock.advance(5);
  expect(world.sqs.deletes()).toHaveLength(1);
  expect(page.errors).toEqual([]);
});

it("is not told that the network was lost before a message could be deleted", async () => {
  const page = await world.page().connect();
  await world.send("a");
  world.sqs.cut();
  await world.clock.advance(10);
  expect(page.errors).toEqual([]);
});

describe("the tabs' common channel", () => {
  it("may carry words of others", async () => {
    const page = await world.page().connect();
    const port = world.tab().environment.channel("sqs-browser-events");
    for (const word of [null, undefined, 1, "text", {}]) port?.postMessage(word);
    await world.clock.advance(5);
    expect(stateOf(page)).toBe("connected");
  });
});
