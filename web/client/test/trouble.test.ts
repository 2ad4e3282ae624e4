import { beforeEach, describe, expect, it } from "vitest";
import { type Message, UnrecoverableError } from "../src/index.js";
import { ids, settle, World } from "./support/world.js";

let world: World;
beforeEach(() => {
  world = new World();
});

describe("refused keys", () => {
  it.each([
    [400, "com.amazon.coral.service#ExpiredToken"],
    [403, "com.amazon.coral.service#ExpiredTokenException"],
    [403, "InvalidClientTokenId"],
    [400, "com.amazon.coral.service#UnrecognizedClientException"],
    [400, "com.amazon.coral.service#AccessDeniedException"],
    [403, "SignatureDoesNotMatch"],
    [403, undefined],
  ])("are replaced at once: %i %s", async (status, type) => {
    const page = await world.page().connect();
    await world.clock.advance(30);
    world.sqs.failures.push({ status, type });
    await world.clock.advance(20);
    expect(world.asked).toEqual(["start", "expired"]);
    expect(page.events.state).toBe("connected");
    expect(page.errors).toEqual([]);
  });

  it("are given a moment when they are new and have never worked", async () => {
    world.sqs.failures.push(...Array(4).fill({ status: 400, type: "AccessDenied" }));
    const page = await world.page().connect();
    await world.clock.advance(8);
    expect(world.asked).toEqual(["start"]);
    expect(page.events.state).toBe("connected");
  });

  it.each([1, 10, 60])(
    "are tried again while SQS does not know them yet, for %i s, and tabs do not chase each other",
    async (spreading) => {
      world.spreading = spreading;
      world.newQueue();
      const pages = [await world.page().connect(), await world.page().connect()];
      await world.clock.advance(spreading * 1.5 + 2);
      expect(world.asked).toEqual(["start", "start"]);
      for (const { events, errors } of pages) {
        expect(events.state).toBe("connected");
        // It is told after ten seconds, for it may be a mistake of the application's.
        expect(errors.length > 0).toBe(spreading > 10 && events.leader);
        expect(errors.every(({ code }) => code === "service")).toBe(true);
      }
      await world.send("a");
      expect(pages.map(({ seen }) => seen)).toEqual([["a"], ["a"]]);
      const { accessKey } = world.session;
      const tries = world.sqs.receives().filter((request) => request.accessKey === accessKey);
      expect(tries.length).toBeLessThan(15);
    },
  );

  it("that were renewed by a refresh are waited for too", async () => {
    const page = await world.page().connect();
    world.spreading = 60;
    await world.clock.advance(3600);
    expect(world.asked).toEqual(["start", "renew"]);
    expect(page.events.state).toBe("connected");
  });

  it("do not make a storm of requests when new ones are refused too", async () => {
    const page = await world.page({ environment: { random: () => 1 } }).connect();
    world.sqs.failures.push(...Array(1000).fill({ status: 403, type: "AccessDenied" }));
    await world.clock.advance(600);
    expect(page.events.state).toBe("connecting");
    expect(world.sqs.receives().length).toBeLessThan(40);
    expect(world.asked.length).toBeLessThan(30);
    expect(page.errors[0]).toMatchObject({
      code: "service",
      cause: { message: expect.stringMatching(/^403 AccessDenied/) },
    });
  });
});

describe("a service in trouble", () => {
  it.each([
    [500, "InternalFailure"],
    [503, "ServiceUnavailable"],
    [400, "RequestThrottled"],
    [429, undefined],
  ])("is asked again after growing pauses: %i %s", async (status, type) => {
    const page = await world.page({ environment: { random: () => 1 } }).connect();
    await world.clock.advance(20);
    const before = world.sqs.receives().length;
    world.sqs.failures.push(...Array(4).fill({ status, type }));
    await world.clock.advance(20 + 10);
    const at = world.sqs
      .receives()
      .slice(before)
      .map((request) => request.at);
    expect(at.map((time) => time - (at[0] ?? 0)).slice(0, 5)).toEqual([0, 0.5, 1.5, 3.5, 7.5]);
    expect(page.states).toEqual(["connecting", "connected", "connecting", "connected"]);
    expect(page.errors.map(({ code }) => code)).toEqual(Array(4).fill("service"));
    expect(world.asked).toEqual(["start"]);
  });

  it("is asked again soon when the trouble is a new one", async () => {
    const page = await world.page({ environment: { random: () => 1 } }).connect();
    for (let i = 0; i < 6; i++) {
      world.sqs.failures.push({ status: 500 });
      await world.clock.advance(21);
      expect(page.events.state).toBe("connected");
    }
  });

  it("is given up on when it does not answer at all", async () => {
    let hang = false;
    const tab = world.tab();
    const fetch: typeof tab.environment.fetch = (url, init) => {
      if (!hang) return tab.environment.fetch(url, init);
      hang = false;
      return new Promise((_, reject) => {
        init.signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
      });
    };
    const page = await world.page({ environment: { fetch } }, tab).connect();
    hang = true;
    await world.clock.advance(20 + 29);
    expect(page.events.state).toBe("connected");
    await world.clock.advance(2);
    expect(page.states).toEqual(["connecting", "connected", "connecting", "connected"]);
  });

  it("may answer what is no JSON", async () => {
    const tab = world.tab();
    let portal = false;
    const fetch: typeof tab.environment.fetch = async (url, init) =>
      portal ? new Response("<html>please log in</html>") : tab.environment.fetch(url, init);
    const page = await world.page({ environment: { fetch } }, tab).connect();
    portal = true;
    await world.clock.advance(60);
    expect(page.events.state).toBe("connecting");
    portal = false;
    await world.clock.advance(60);
    expect(page.events.state).toBe("connected");
  });
});

describe("a network that comes and goes", () => {
  it("is noticed at once in both directions, and loses nothing", async () => {
    const page = await world.page({ environment: { random: () => 1 } }).connect();
    world.sqs.cut();
    page.tab.fire("offline");
    await settle();
    expect(page.events.state).toBe("connecting");
    await world.clock.advance(600);
    await world.send(...ids(12));
    world.sqs.offline = false;
    page.tab.fire("online");
    await settle();
    expect(page.events.state).toBe("connected");
    expect(page.seen).toEqual(ids(12));
    expect(page.errors).toEqual([]);
    expect(page.gaps).toEqual([]);
    expect(world.asked).toEqual(["start"]);
  });

  it("is tried soon again when it comes back shakily", async () => {
    const page = await world.page({ environment: { random: () => 1 } }).connect();
    world.sqs.cut();
    await world.clock.advance(600);
    page.tab.fire("online");
    await settle();
    world.sqs.offline = false;
    await world.clock.advance(0.5);
    expect(page.events.state).toBe("connected");
  });

  it("is tried at most twice a minute in the long run", async () => {
    await world.page({ environment: { random: () => 1 } }).connect();
    world.sqs.cut();
    await world.clock.advance(120);
    const before = world.sqs.requests.length;
    await world.clock.advance(600);
    expect(world.sqs.requests.length - before).toBeLessThanOrEqual(20);
  });
});

describe("a deleted queue", () => {
  const history = (...names: [string, number][]): Message[] =>
    names.map(([messageId, created]) => ({ messageId, created, from: "history" }));

  it("is replaced, and the gap filled from the history without duplicates", async () => {
    const since: number[] = [];
    const page = world.page({
      getHistory: async (request) => {
        since.push(request.since);
        return history(["late", 3], ["a", 1], ["missed", 2]);
      },
    });
    await page.connect();
    await world.send("a");
    world.sqs.deleteQueue(world.session);
    // The poll in progress does not notice.
    const last = world.clock.seconds + 20;
    await world.clock.advance(25);
    await world.send("late", "new");
    expect(world.asked).toEqual(["start", "expired"]);
    expect(page.gaps).toEqual([{ since: last - 60, reason: "queue" }]);
    expect(since).toEqual([last - 60]);
    expect(page.seen).toEqual(["a", "missed", "late", "new"]);
    expect(page.metadata[1]).toMatchObject({ source: "history", deliveries: 0, messageId: "missed" });
    await world.clock.advance(30);
    expect(world.sqs.left(world.session)).toBe(0);
  });

  it("also fills a gap when the history is down for a while, or a handler fails", async () => {
    let down = 2;
    const page = world.page({
      getHistory: async () => {
        if (down-- > 0) throw new Error("down");
        return history(["missed", 1]);
      },
    });
    page.handle = () => {
      if (page.seen.length < 3) throw new Error("not yet");
    };
    await page.connect();
    world.sqs.deleteQueue(world.session);
    await world.clock.advance(120);
    expect(page.seen).toEqual(["missed", "missed", "missed"]);
    expect(page.errors.map(({ code }) => code)).toEqual(["history", "history"]);
  });

  it("leaves the gap when the history says that it cannot help", async () => {
    let asked = 0;
    const page = world.page({
      getHistory: async () => {
        asked++;
        throw new UnrecoverableError("no history here");
      },
    });
    await page.connect();
    world.sqs.deleteQueue(world.session);
    await world.clock.advance(120);
    expect(asked).toBe(1);
    expect(page.events.state).toBe("connected");
  });

  it("is not asked to delete what was in it", async () => {
    const page = await world.page({ deleteDelay: 40 }).connect();
    await world.send("a", "b");
    world.sqs.deleteQueue(world.session);
    await world.clock.advance(100);
    expect(world.sqs.deletes()).toEqual([]);
    expect(page.errors).toEqual([]);
  });

  it("is not asked to delete what was in it, together with what is in the new one", async () => {
    const page = await world.page({ deleteDelay: 40 }).connect();
    await world.send("a");
    world.sqs.deleteQueue(world.session);
    await world.clock.advance(21);
    await world.send("b");
    await world.clock.advance(60);
    expect(page.seen).toEqual(["a", "b"]);
    expect(world.sqs.deletes()).toMatchObject([{ queue: world.session.sqsUrl, handles: ["sqs-2/1"] }]);
  });
});

describe("a long absence", () => {
  it("is a gap when the queue has not kept the messages for so long", async () => {
    const page = await world.page({ shareTabs: false, messageRetentionPeriod: 600 }).connect();
    await world.clock.sleep(500);
    expect(page.gaps).toEqual([]);
    const last = world.clock.seconds;
    await world.clock.sleep(700);
    expect(page.gaps).toEqual([{ since: last - 60, reason: "retention" }]);
  });

  it("is one gap only, where tabs share", async () => {
    const page = await world.page({ messageRetentionPeriod: 600 }).connect();
    await world.clock.sleep(1000);
    await world.clock.advance(60);
    expect(page.gaps).toMatchObject([{ reason: "asleep" }]);
  });

  it("is no gap when another session is connected then", async () => {
    const page = await world.page({ shareTabs: false }).connect();
    await page.events.disconnect();
    await world.clock.advance(10000);
    world.newQueue();
    world.session = { ...world.session, sessionId: "s-2" };
    world.asked.length = 0;
    await page.connect();
    expect(page.events.state).toBe("connected");
    expect(page.gaps).toEqual([]);
  });

  it("ends with a poll at once", async () => {
    const page = await world.page({ shareTabs: false }).connect();
    await world.clock.advance(10);
    const before = world.sqs.receives().length;
    await world.clock.sleep(100);
    expect(world.sqs.receives().at(-2)).toMatchObject({ wait: 0, at: world.clock.seconds });
    expect(world.sqs.receives().length).toBeGreaterThan(before);
    expect(page.events.state).toBe("connected");
  });
});

describe("a hidden page", () => {
  it("goes on by default", async () => {
    const page = await world.page().connect();
    page.tab.hide();
    await world.send("a");
    expect(page.seen).toEqual(["a"]);
    expect(page.events.state).toBe("connected");
  });

  it("gives back at once what it has not handled, and is told so by requests that outlive it", async () => {
    const page = world.page();
    page.handle = () => new Promise(() => {});
    await page.connect();
    await world.send("a", "b");
    await world.clock.advance(10);
    const before = world.sqs.changes().length;
    page.tab.fire("pagehide");
    expect(world.sqs.changes().slice(before)).toMatchObject([{ keepalive: true, visibility: [0, 0] }]);
  });

  it("costs nothing with pauseWhenHidden, and catches up when it is shown", async () => {
    const page = await world.page({ pauseWhenHidden: true }).connect();
    page.tab.hide();
    await settle();
    expect(page.events.state).toBe("paused");
    const before = world.sqs.requests.length;
    await world.send("a");
    await world.clock.advance(1800);
    expect(world.sqs.requests.length).toBe(before);
    page.tab.show();
    await settle();
    expect(page.seen).toEqual(["a"]);
    expect(page.states).toEqual(["connecting", "connected", "paused", "connecting", "connected"]);
    expect(world.asked).toEqual(["start"]);
  });

  it("does not start to poll when it was hidden before there was a session", async () => {
    let answer = () => {};
    const page = world.page({
      pauseWhenHidden: true,
      getSession: async (request) => {
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
        return world.getSession(request);
      },
    });
    await page.connect();
    page.tab.hide();
    answer();
    await settle();
    expect(world.sqs.requests).toEqual([]);
    page.tab.show();
    await settle();
    expect(page.events.state).toBe("connected");
    expect(world.asked).toEqual(["start"]);
  });

  it("does not even ask for a session before it is shown", async () => {
    const tab = world.tab();
    tab.hide();
    const page = await world.page({ pauseWhenHidden: true }, tab).connect();
    await world.clock.advance(60);
    expect(page.events.state).toBe("paused");
    expect(world.asked).toEqual([]);
    tab.show();
    await settle();
    expect(page.events.state).toBe("connected");
  });

  it("stops when it is put away, and goes on when it is brought back", async () => {
    const page = await world.page({ shareTabs: false }).connect();
    page.tab.fire("pagehide");
    await world.send("a");
    await world.clock.advance(30);
    expect(page.seen).toEqual([]);
    page.tab.fire("pageshow");
    await settle();
    expect(page.seen).toEqual(["a"]);
    expect(page.events.state).toBe("connected");
  });
});
