import { beforeEach, describe, expect, it, vi } from "vitest";
import { economy } from "../src/economy.js";
import { type Message, type Options, type Session, UnrecoverableError } from "../src/index.js";
import { ids, settle, World } from "./support/world.js";

let world: World;
beforeEach(() => {
  world = new World();
});

/** The queue that user 2 has, after a log-in in this browser. */
function another(): Session {
  const session = { ...world.session, sessionId: "s-2", userId: 43, expires: world.session.expires + 10 };
  session.sqsUrl = "https://sqs.test/123456789012/queue-of-another";
  world.sqs.queues.set(session.sqsUrl, new Map());
  return session;
}

describe("a renewal that brings another session", () => {
  it("ends the client, in every tab of the former session, and shows nobody the other's messages", async () => {
    let other: Session | undefined;
    const getSession: Options["getSession"] = async (request) => {
      const session = await world.getSession(request);
      if (!other) return session;
      world.sqs.validKeys.add(other.accessKey);
      return other;
    };
    const pages = [
      await world.page({ getSession }).connect(),
      await world.page({ getSession }).connect(),
    ] as const;
    other = another();
    await world.clock.advance(3600);
    await world.sqs.send(other, { messageId: "private" });
    await world.clock.advance(30);
    for (const { events, seen } of pages) {
      expect(seen).toEqual([]);
      expect(events.status).toMatchObject({
        state: "disconnected",
        reason: { message: expect.stringContaining("another session") },
      });
    }
    expect(world.sqs.left(other)).toBe(1);
    const [page] = pages;
    await page.connect();
    await world.clock.advance(1);
    expect([page.events.state, page.seen]).toEqual(["connected", ["private"]]);
  });
});

describe("handlers that never end", () => {
  it.each(["hide and show", "disconnect and connect"])("let others pass, also after %s", async (how) => {
    const page = world.page({ pauseWhenHidden: true, maxInFlight: 2, handlerTimeout: 20 });
    page.handle = ({ messageId }) =>
      messageId === "a" || messageId === "b" ? new Promise(() => {}) : undefined;
    await page.connect();
    await world.send("a", "b");
    await world.clock.advance(30);
    if (how === "hide and show") {
      page.tab.hide();
      await world.clock.advance(5);
      page.tab.show();
    } else {
      await page.events.disconnect();
      await page.connect();
    }
    await world.clock.advance(5);
    await world.send("c");
    await world.clock.advance(60);
    expect(page.seen).toContain("c");
    expect(page.errors.filter(({ code }) => code !== "slow")).toEqual([]);
  });
});

describe("what is signed ahead", () => {
  it.each(["a renewal", "another tab"])("is signed by the newest keys after %s", async (how) => {
    const page = await world.page(economy()).connect();
    if (how === "a renewal") await world.clock.advance(3300);
    await world.send(...ids(5));
    if (how === "a renewal") await world.clock.advance(90);
    else await world.page(economy()).connect();
    await world.clock.advance(20);
    const before = world.sqs.requests.length;
    page.tab.close();
    const [deletion] = world.sqs.requests.slice(before);
    expect(deletion).toMatchObject({ action: "DeleteMessageBatch", accessKey: world.session.accessKey });
    await settle();
    expect(world.sqs.left(world.session)).toBe(0);
  });
});

describe("a session that is a framework's proxy", () => {
  it("is used like any other", async () => {
    const getSession: Options["getSession"] = async (request) =>
      new Proxy(await world.getSession(request), {});
    const page = await world.page({ getSession }).connect();
    await world.clock.advance(5);
    expect(page.events.state).toBe("connected");
    expect(page.errors).toEqual([]);
  });

  it("is told of where it cannot be copied", async () => {
    const getSession: Options["getSession"] = async (request) =>
      Object.assign(await world.getSession(request), { more: () => {} });
    const page = await world.page({ getSession }).connect();
    await world.clock.advance(5);
    expect(page.errors[0]).toMatchObject({ code: "session", cause: { name: "DataCloneError" } });
    expect(page.events.status).toMatchObject({ state: "disconnected", reason: { name: "DataCloneError" } });
  });
});

describe("a history that cannot be read", () => {
  const READABLE = [{ messageId: "a" }];
  it.each([
    ["is the backend's whole reply", { messages: READABLE }],
    ["has messages without an id", [{ id: "a" }, { id: "b" }]],
  ])("is told and asked for again when it %s", async (_, wrong) => {
    const answers: unknown[] = [wrong];
    const getHistory = async () => (answers.shift() ?? READABLE) as Message[];
    const page = await world.page({ getHistory }).connect();
    await world.clock.advance(5);
    world.sqs.deleteQueue(world.session);
    await world.clock.advance(60);
    expect(page.errors).toMatchObject([{ code: "history", cause: { name: "TypeError" } }]);
    expect(page.seen).toEqual(["a"]);
  });
});

describe("the status", () => {
  it("forgets a history that was given up", async () => {
    const answers = [new Error("HTTP 500"), new Error("HTTP 500"), new UnrecoverableError("none")];
    const page = await world.page({ getHistory: () => Promise.reject(answers.shift()) }).connect();
    await world.clock.advance(5);
    world.sqs.deleteQueue(world.session);
    await world.clock.advance(200);
    expect(answers).toEqual([]);
    expect(page.events.status).toEqual({ state: "connected" });
  });

  it("forgets a failed renewal when another tab has renewed", async () => {
    let down = false;
    const getSession: Options["getSession"] = async (request) => {
      if (down) throw new Error("HTTP 500");
      return world.getSession(request);
    };
    const page = await world.page({ getSession }).connect();
    await world.clock.advance(3300);
    down = true;
    await world.clock.advance(150);
    expect(page.events.status.reason).toMatchObject({ message: "HTTP 500" });
    await world.page().connect();
    await world.clock.advance(1);
    expect(page.events.status.reason).toBeUndefined();
  });
});

describe("a signal to connect with", () => {
  it("disconnects also who has connected before", async () => {
    const page = await world.page().connect();
    const controller = new AbortController();
    page.events.connect({ signal: controller.signal });
    expect(page.events.state).toBe("connected");
    controller.abort();
    expect(page.events.state).toBe("disconnected");
  });

  it("is not listened to after the connection", async () => {
    const page = world.page();
    const controller = new AbortController();
    const added = vi.spyOn(controller.signal, "addEventListener");
    for (let i = 0; i < 3; i++) {
      page.events.connect({ signal: controller.signal });
      await settle();
      await page.events.disconnect();
    }
    const ends = added.mock.calls.map(
      ([, , options]) => (options as AddEventListenerOptions).signal?.aborted,
    );
    expect(ends).toEqual([true, true, true]);
  });
});

describe("a handler", () => {
  it("that was added for good is not removed when it is added for once as well", async () => {
    const page = world.page();
    const seen = vi.fn();
    page.events.on("state", seen);
    page.events.once("state", seen);
    await page.connect();
    expect(seen).toHaveBeenCalledTimes(page.states.length);
  });
});
