import { beforeEach, describe, expect, it } from "vitest";
import { UNHANDLED } from "../src/index.js";
import { messages } from "../src/iterate.js";
import { encrypt } from "./support/sqs.js";
import { ids, settle, World } from "./support/world.js";

let world: World;
beforeEach(() => {
  world = new World();
});

describe("receiving", () => {
  it("connects with a poll that does not wait, then polls for 20 seconds at a time", async () => {
    const page = await world.page().connect();
    expect(page.states).toEqual(["connecting", "connected"]);
    await world.clock.advance(60);
    expect(world.sqs.receives().map(({ wait }) => wait)).toEqual([0, 20, 20, 20, 20]);
    expect(world.asked).toEqual(["start"]);
  });

  it("brings messages in their order, parsed, with what is known about them", async () => {
    const page = await world.page().connect();
    await world.clock.advance(5);
    const text = '{"messageId":"a","account":9007199254740993}';
    world.sqs.sendBody(world.session, await encrypt(text));
    await settle();
    await world.send(...ids(20));
    expect(page.seen).toEqual(["a", ...ids(20)]);
    const { now } = world.sqs;
    expect(page.metadata[0]).toEqual({
      messageId: "a",
      text,
      source: "queue",
      sentAt: now,
      receivedAt: now,
      deliveries: 1,
    });
  });

  it("does without what SQS may not say of a message", async () => {
    const tab = world.tab();
    const { fetch } = tab.environment;
    const bare: typeof fetch = async (url, init) => {
      const response = await fetch(url, init);
      const { Messages = [], ...body } = await response.json();
      const json = async () => ({
        ...body,
        Messages: Messages.map(({ Attributes, ...rest }: object & { Attributes: object }) => rest),
      });
      return { ...response, json };
    };
    const page = await world.page({ environment: { fetch: bare } }, tab).connect();
    await world.send("a");
    expect(page.metadata).toMatchObject([{ sentAt: undefined, deliveries: 1 }]);
  });

  it("turns read receipts into an event of their own", async () => {
    const page = await world.page().connect();
    const receipt = {
      _type: "message-read-receipt",
      userId: 42,
      "messages-receipted": ["a", "b"],
      _sqs_only: 1,
    };
    await world.sqs.send(world.session, { messageId: "r", ...receipt });
    await world.clock.advance(10);
    expect(page.receipts).toEqual([{ userId: 42, ids: ["a", "b"] }]);
    expect(page.seen).toEqual([]);
    expect(world.sqs.left(world.session)).toBe(0);
  });

  it("drops a message that was sent twice, and deletes both", async () => {
    const page = await world.page().connect();
    await world.send("a", "b");
    await world.send("a");
    await world.clock.advance(5);
    expect(page.seen).toEqual(["a", "b"]);
    expect(world.sqs.left(world.session)).toBe(0);
  });

  it("remembers no more messages than it is told to", async () => {
    const page = await world.page({ dedupeSize: 2 }).connect();
    for (const id of ["a", "b", "b", "a", "c", "b", "a"]) await world.send(id);
    expect(page.seen).toEqual(["a", "b", "c", "a"]);
  });

  it("does not forget a message while it is in handlers", async () => {
    const page = world.page({ dedupeSize: 1 });
    page.handle = () => new Promise(() => {});
    await page.connect();
    for (const id of ["a", "b", "a"]) await world.send(id);
    expect(page.seen).toEqual(["a", "b"]);
  });

  it("takes a message without an id by the id that SQS gave it", async () => {
    const page = await world.page().connect();
    await world.sqs.send(world.session, { text: "x" });
    await settle();
    expect(page.seen).toEqual(["sqs-1"]);
  });

  it("stops at disconnect, and starts anew at connect", async () => {
    const page = await world.page().connect();
    await page.events.disconnect();
    await world.send("a");
    await world.clock.advance(100);
    expect(page.states).toEqual(["connecting", "connected", "disconnected"]);
    expect(page.seen).toEqual([]);
    await page.connect();
    expect(page.seen).toEqual(["a"]);
    expect(world.asked).toEqual(["start", "start"]);
  });

  it("brings nothing after disconnect, not even what has just arrived", async () => {
    const page = await world.page().connect();
    const sent = world.send("a");
    page.events.disconnect();
    await sent;
    expect(page.seen).toEqual([]);
    expect(world.sqs.left(world.session)).toBe(1);
  });

  it("brings nothing when the application disconnects while an answer is being read", async () => {
    const tab = world.tab();
    const fetch: typeof tab.environment.fetch = async (url, init) => {
      const response = await tab.environment.fetch(url, init);
      const json = async () => {
        const body = await response.json();
        if (body.Messages) page.events.disconnect();
        return body;
      };
      return { ...response, json };
    };
    const page = await world.page({ environment: { fetch } }, tab).connect();
    await world.send("a");
    expect(page.events.state).toBe("disconnected");
    expect(page.seen).toEqual([]);
  });

  it("connects once however often it is told to", async () => {
    const page = world.page();
    page.events.connect();
    await page.connect();
    expect(world.asked).toEqual(["start"]);
    expect(world.sqs.receives()).toHaveLength(2);
  });
});

describe("handlers", () => {
  it("are added, called once, and removed", async () => {
    const { events } = await world.page().connect();
    const calls: string[] = [];
    const first = () => calls.push("on");
    const off = events.on("message", () => calls.push("off"));
    events.on("message", first);
    events.once("message", () => calls.push("once"));
    off();
    await world.send("a", "b");
    events.off("message", first);
    await world.send("c");
    expect(calls).toEqual(["on", "once", "on"]);
  });

  it("do no harm to others, whatever event they fail at", async () => {
    const page = world.page();
    const failure = new Error("in a state handler");
    page.events.on("state", () => {
      throw failure;
    });
    await page.connect();
    await world.send("a");
    expect(page.seen).toEqual(["a"]);
    expect(page.tab.reported).toEqual([failure, failure]);
  });
});

describe("for await", () => {
  it("takes messages one after the other, and one is handled when the next is asked for", async () => {
    const { events } = await world.page().connect();
    const loop = messages(events);
    const first = loop.next();
    await world.send("a", "b");
    expect(await first).toMatchObject({ value: { messageId: "a" } });
    await world.clock.advance(10);
    expect(world.sqs.left(world.session)).toBe(2);
    expect(await loop.next()).toMatchObject({ value: { messageId: "b" } });
    await world.clock.advance(10);
    expect(world.sqs.left(world.session)).toBe(1);
  });

  it("leaves to the next loop what a loop has not finished", async () => {
    const page = await world.page().connect();
    const { events } = page;
    const seen: string[] = [];
    const loop = (async () => {
      for await (const { messageId } of messages(events)) if (seen.push(messageId) === 2) break;
    })();
    await world.send("a", "b", "c");
    await loop;
    const rest = (async () => {
      for await (const { messageId } of messages(events)) seen.push(messageId);
    })();
    await world.clock.advance(60);
    await events.disconnect();
    await rest;
    expect(seen).toEqual(["a", "b", "b", "c"]);
    expect(page.seen).toEqual(["a", "b", "c"]);
    expect(page.errors).toEqual([]);
    expect(page.tab.reported).toEqual([]);
  });
});

describe("a handler that leaves a message", () => {
  it("keeps it for one that is added later, and is not called again itself once it has finished", async () => {
    const page = await world.page({ maxAttempts: 1 }).connect();
    const seen: string[] = [];
    const off = page.events.on("message", () => {
      throw UNHANDLED;
    });
    await world.send("a");
    off();
    await world.clock.advance(60);
    expect(world.sqs.left(world.session)).toBe(1);
    page.events.on("message", ({ messageId }) => seen.push(messageId));
    await world.clock.advance(10);
    expect([seen, page.seen, page.errors.map(({ code }) => code)]).toEqual([["a"], ["a"], ["slow"]]);
    expect(page.tab.reported).toEqual([]);
    expect(world.sqs.left(world.session)).toBe(0);
  });
});

describe("a loop's end", () => {
  it("comes at once, also while it waits for a message", async () => {
    const { events } = await world.page().connect();
    const loop = messages(events);
    const next = loop.next();
    const end = { done: true, value: undefined };
    expect(await loop.return?.()).toEqual(end);
    expect(await next).toEqual(end);
    expect(await loop.next()).toEqual(end);
    await world.send("a");
    await world.clock.advance(10);
    expect(world.sqs.left(world.session)).toBe(0);
  });

  it("comes after messages that were asked for at the same time, each of which is handled", async () => {
    const { events } = await world.page().connect();
    const loop = messages(events);
    const asked = [loop.next(), loop.next(), loop.next()];
    await world.send("a", "b");
    await world.clock.advance(10);
    expect(world.sqs.left(world.session)).toBe(0);
    await events.disconnect();
    expect((await Promise.all(asked)).map(({ value }) => value?.messageId)).toEqual(["a", "b", undefined]);
  });

  it("comes with disconnect, also when the loop is busy then", async () => {
    const { events } = await world.page().connect();
    const loop = messages(events);
    const first = loop.next();
    await world.send("a");
    await first;
    events.disconnect();
    expect(await loop.next()).toEqual({ done: true, value: undefined });
    await world.clock.advance(10);
    expect(world.sqs.left(world.session)).toBe(0);
  });
});

describe("deletion", () => {
  it("waits for every handler's promise", async () => {
    const page = world.page();
    const finish: (() => void)[] = [];
    page.handle = () => new Promise<void>((resolve) => finish.push(resolve));
    await page.connect();
    await world.send("a");
    await world.clock.advance(20);
    expect(world.sqs.deletes()).toEqual([]);
    finish[0]?.();
    await world.clock.advance(5);
    expect(world.sqs.left(world.session)).toBe(0);
  });

  it("does not bring a message again while it is being handled, and deletes both copies", async () => {
    const page = world.page({ visibilityTimeout: 10 });
    const finish = page.hold();
    await page.connect();
    await world.send("a");
    await world.clock.advance(15);
    finish();
    await world.clock.advance(30);
    expect(page.seen).toEqual(["a"]);
    expect(world.sqs.left(world.session)).toBe(0);
  });

  it("goes in batches of ten at once, and of fewer after a while, before they come again", async () => {
    await world.page({ deleteDelay: 7 }).connect();
    const sent = world.clock.seconds;
    await world.send(...ids(25));
    await world.clock.advance(20);
    const batches = world.sqs.deletes().map(({ handles, at }) => [handles.length, at - sent]);
    expect(batches).toEqual([
      [10, 0],
      [10, 0],
      [5, 3],
    ]);
  });

  it("goes out in the very turn in which the page hides, and outlives the page", async () => {
    const page = await world.page().connect();
    await world.send("a", "b");
    page.tab.hide();
    expect(world.sqs.deletes()).toMatchObject([{ keepalive: true, handles: ["sqs-1/1", "sqs-2/1"] }]);
    await world.send("c");
    page.tab.hide();
    expect(world.sqs.deletes()[1]).toMatchObject({ keepalive: true, handles: ["sqs-3/1"] });
  });

  it("is not given up when it fails: the messages come again and are deleted without being shown", async () => {
    const page = await world.page().connect();
    await world.send("a", "b");
    world.sqs.failures.push({ status: 500, type: "InternalFailure" });
    await world.clock.advance(5);
    expect(page.errors).toMatchObject([
      { code: "delete", cause: { message: expect.stringMatching(/^500 /) } },
    ]);
    await world.clock.advance(60);
    expect(page.seen).toEqual(["a", "b"]);
    expect(world.sqs.left(world.session)).toBe(0);
  });

  it("is flushed by disconnect", async () => {
    const page = await world.page().connect();
    await world.send("a");
    await page.events.disconnect();
    expect(world.sqs.left(world.session)).toBe(0);
  });
});

describe("a reload", () => {
  it("shows no message again whose deletion did not get through, and loses none", async () => {
    const before = await world.page().connect();
    await world.send("a", "b");
    world.sqs.cut();
    before.tab.close();
    world.sqs.offline = false;
    const after = await world.page().connect();
    await world.send("c");
    await world.clock.advance(60);
    expect([before.seen, after.seen]).toEqual([["a", "b"], ["c"]]);
    expect(world.sqs.left(world.session)).toBe(0);
  });

  it("brings again what the old page had not finished", async () => {
    const before = world.page();
    before.handle = () => new Promise(() => {});
    await before.connect();
    await world.send("a");
    before.tab.close();
    const after = await world.page().connect();
    await world.clock.advance(60);
    expect(after.seen).toEqual(["a"]);
  });
});

describe("a failing handler", () => {
  it("does not stop the others, and sees the message again, a set number of times", async () => {
    const page = world.page();
    const tries: number[] = [];
    const start = world.clock.seconds;
    page.events.on("message", ({ messageId }) => {
      if (messageId !== "bad") return;
      tries.push(world.clock.seconds - start);
      throw new Error("cannot");
    });
    await page.connect();
    await world.send("bad", "good");
    await world.clock.advance(300);
    expect(tries.map(Math.round)).toEqual([0, 1, 3]);
    expect(page.seen).toEqual(["bad", "good"]);
    expect(page.errors).toMatchObject([{ code: "handler", messageId: "bad", cause: { message: "cannot" } }]);
    expect(page.tab.reported).toHaveLength(3);
    expect(world.sqs.left(world.session)).toBe(0);
  });

  it("may succeed when the message comes again", async () => {
    const page = world.page({ visibilityTimeout: 2 });
    let failures = 1;
    page.handle = async () => {
      if (failures-- > 0) throw new Error("not yet");
    };
    await page.connect();
    await world.send("a");
    await world.clock.advance(30);
    expect(page.seen).toEqual(["a", "a"]);
    expect(page.errors).toEqual([]);
    expect(world.sqs.left(world.session)).toBe(0);
  });
});

describe("a session whose AES key is none", () => {
  it.each(["AAAA", "no base64"])(
    "is asked for again, and told once a message has come: %s",
    async (aesKey) => {
      const getSession: typeof world.getSession = async (request) => ({
        ...(await world.getSession(request)),
        aesKey,
      });
      const page = await world.page({ getSession }).connect();
      expect(page.events.state).toBe("connected");
      await world.send("a");
      await world.clock.advance(60);
      expect(world.asked.length).toBeGreaterThan(1);
      expect(page.errors).toMatchObject([{ code: "decrypt" }]);
    },
  );
});

describe("a frame that cannot be read", () => {
  it.each([
    ["no frame", async () => "hello"],
    ["no JSON", () => encrypt("hello")],
    ["no object", () => encrypt("[1]")],
  ])("is told of once, tried again, and dropped (%s)", async (_, body) => {
    const page = await world.page().connect();
    world.sqs.sendBody(world.session, await body());
    await world.send("a");
    expect(page.errors).toEqual([]);
    await world.clock.advance(4);
    expect(page.errors).toMatchObject([{ code: "decrypt", messageId: "sqs-1" }]);
    expect(world.sqs.left(world.session)).toBe(1);
    await world.clock.advance(30);
    expect(world.sqs.left(world.session)).toBe(0);
    expect(page.errors).toHaveLength(1);
    expect(page.seen).toEqual(["a"]);
  });
});

describe("back-pressure", () => {
  it("stops polling while too many messages are in handlers", async () => {
    const page = world.page({ maxInFlight: 20, handlerTimeout: 600 });
    const finish: (() => void)[] = [];
    page.handle = () => new Promise<void>((resolve) => finish.push(resolve));
    await world.send(...ids(50));
    await page.connect();
    await world.clock.advance(60);
    expect(page.seen).toEqual(ids(20));
    finish[0]?.();
    await settle();
    expect(page.seen).toEqual(ids(30));
  });
});
