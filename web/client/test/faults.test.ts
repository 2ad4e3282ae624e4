import { beforeEach, describe, expect, it } from "vitest";
import { type Options, type Session, UnrecoverableError } from "../src/index.js";
import { messages } from "../src/iterate.js";
import { ids, type Page, settle, World } from "./support/world.js";

let world: World;
beforeEach(() => {
  world = new World();
});

/** A client without the handlers of the tests' page. */
async function bare(options: Partial<Options> = {}) {
  const tab = world.tab();
  const { BrowserEvents } = await import("../src/index.js");
  const environment = { ...tab.environment, ...options.environment };
  const events = new BrowserEvents({ getSession: world.getSession, ...options, environment });
  return { tab, events };
}

describe("messages that nobody handles", () => {
  it("are kept until somebody does, hidden from others for longer and longer", async () => {
    const { events } = await bare();
    events.connect();
    await world.send("a", "b");
    await world.clock.advance(600);
    expect(world.sqs.left(world.session)).toBe(2);
    // At 2, 17, 47, 107, 227 and 467 seconds.
    expect(world.sqs.changes().length).toBeLessThanOrEqual(7);
    const seen: string[] = [];
    events.on("message", ({ messageId }) => seen.push(messageId));
    await world.clock.advance(10);
    expect(seen).toEqual(["a", "b"]);
    expect(world.sqs.left(world.session)).toBe(0);
  });

  it("do not keep others from theirs for ever, and are told of", async () => {
    const { tab, events } = await bare({ maxInFlight: 1 });
    events.connect();
    const other = await world.page({ maxInFlight: 1 }).connect();
    await world.send("a");
    await world.send("b");
    expect(other.seen).toEqual(["a"]);
    await world.clock.advance(61);
    expect(other.seen).toEqual(["a", "b"]);
    expect(tab.reported).toMatchObject([{ code: "slow", payload: { messageId: "a" } }]);
  });

  it("come again where the page goes before anybody handles them", async () => {
    const { tab, events } = await bare();
    events.connect();
    await world.send("a");
    await world.clock.advance(60);
    tab.close();
    const page = await world.page().connect();
    expect(page.seen).toEqual(["a"]);
  });

  it("wait for the next loop, though other handlers have finished with them", async () => {
    const page = await world.page().connect();
    const { events } = page;
    const seen: string[] = [];
    const loop = async (most: number) => {
      for await (const { messageId } of messages(events)) if (seen.push(messageId) === most) break;
    };
    const first = loop(2);
    await world.send(...ids(6));
    await first;
    await world.clock.advance(300);
    expect(world.sqs.left(world.session)).toBe(5);
    void loop(99);
    await world.clock.advance(10);
    expect(seen).toEqual(["m-0", "m-1", "m-1", "m-2", "m-3", "m-4", "m-5"]);
    expect(page.seen).toEqual(ids(6));
    await events.disconnect();
    expect(world.sqs.left(world.session)).toBe(0);
  });

  it("are receipts that count as handled", async () => {
    const { events } = await bare();
    events.connect();
    await world.sqs.send(world.session, { messageId: "r", _type: "message-read-receipt", userId: 1 });
    await world.clock.advance(10);
    expect(world.sqs.left(world.session)).toBe(0);
  });
});

describe("messages that nobody has handled at disconnect", () => {
  it("are given back, and not kept for a handler to come", async () => {
    const { tab, events } = await bare();
    events.connect();
    await world.send("a");
    await events.disconnect();
    const seen: string[] = [];
    events.on("message", ({ messageId }) => seen.push(messageId));
    await world.clock.advance(300);
    expect(seen).toEqual([]);
    expect(tab.reported).toEqual([]);
    events.connect();
    await world.clock.advance(10);
    expect(seen).toEqual(["a"]);
    expect(world.sqs.left(world.session)).toBe(0);
  });

  it("are given back by a loop, too, to the next connection's", async () => {
    const { tab, events } = await bare();
    const seen: string[] = [];
    const loop = async () => {
      for await (const { messageId } of messages(events)) {
        seen.push(messageId);
        await new Promise(() => {});
      }
    };
    void loop();
    events.connect();
    await world.send("a", "b");
    await events.disconnect();
    await world.clock.advance(300);
    expect(tab.reported).toEqual([]);
    events.on("message", ({ messageId }) => seen.push(messageId));
    await world.clock.advance(300);
    expect(seen).toEqual(["a"]);
    events.connect();
    await world.clock.advance(10);
    // The loop's body still has the first one.
    expect(seen).toEqual(["a", "b"]);
  });

  it("leave no timer behind, nor do those that handlers still have", async () => {
    const { tab, events } = await bare();
    events.connect();
    await world.send("a");
    events.once("message", () => new Promise(() => {}));
    await world.send("b");
    await events.disconnect();
    await world.clock.advance(5);
    expect(world.clock.timers).toBe(0);
    expect(tab.reported).toEqual([]);
  });
});

describe("a handler that works for long", () => {
  it("keeps its message from coming again", async () => {
    const page = world.page({ visibilityTimeout: 10, handlerTimeout: 1000 });
    const finish = page.hold();
    await page.connect();
    await world.send("a");
    await world.clock.advance(500);
    expect(page.metadata.map(({ deliveries }) => deliveries)).toEqual([1]);
    finish();
    await world.clock.advance(5);
    expect(world.sqs.left(world.session)).toBe(0);
  });

  it("is not called again when the message comes again all the same, and its newest handle deletes it", async () => {
    const page = world.page();
    const finish = page.hold();
    await page.connect();
    await world.send("a");
    // What would hide it for longer fails.
    world.sqs.failures.push({ status: 500 });
    await world.clock.advance(10);
    finish();
    await world.clock.advance(5);
    expect(page.seen).toEqual(["a"]);
    expect(world.sqs.deletes()).toMatchObject([{ handles: ["sqs-1/2"] }]);
    expect(page.errors).toEqual([]);
  });

  it("is told of once, and polling goes on without it", async () => {
    const page = world.page({ maxInFlight: 1, handlerTimeout: 20 });
    page.handle = ({ messageId }) => (messageId === "stuck" ? new Promise(() => {}) : undefined);
    await page.connect();
    await world.send("stuck");
    await world.send("next");
    await world.clock.advance(19);
    expect(page.seen).toEqual(["stuck"]);
    await world.clock.advance(2);
    expect(page.seen).toEqual(["stuck", "next"]);
    await world.clock.advance(300);
    expect(page.errors).toMatchObject([
      { code: "slow", messageId: "stuck", payload: { messageId: "stuck" } },
    ]);
    expect(world.sqs.left(world.session)).toBe(1);
  });

  it("is a loop that is behind, too, and more messages come all the same", async () => {
    const page = await world.page({ handlerTimeout: 20, maxInFlight: 2 }).connect();
    const loop = messages(page.events);
    const first = loop.next();
    await world.send("a", "b");
    await world.send("c");
    await first;
    await world.clock.advance(19);
    expect(page.seen).toEqual(["a", "b"]);
    expect(page.errors).toEqual([]);
    await world.clock.advance(2);
    expect(page.seen).toEqual(["a", "b", "c"]);
    expect(page.errors).toMatchObject([
      { code: "slow", messageId: "a" },
      { code: "slow", messageId: "b" },
    ]);
  });
});

describe("a failing handler", () => {
  it("has failures of one moment given back by one request", async () => {
    const page = world.page({ maxAttempts: 2 });
    page.handle = () => {
      if (page.seen.length <= 10) throw new Error("not yet");
    };
    await world.send(...ids(10));
    await page.connect();
    await world.clock.advance(5);
    expect(page.seen).toHaveLength(20);
    expect(world.sqs.changes()).toMatchObject([{ visibility: Array(10).fill(1) }]);
  });

  it("has the message in the error that gives it up", async () => {
    const page = world.page({ maxAttempts: 1 });
    page.handle = () => {
      throw new Error("cannot");
    };
    await page.connect();
    await world.sqs.send(world.session, { messageId: "a", text: "precious" });
    await settle();
    expect(page.errors[0]).toMatchObject({ code: "handler", payload: { text: "precious" } });
    expect(page.errors[0]?.message).toBe("handler: cannot");
  });
});

describe("a backend that does not answer", () => {
  const never = () => new Promise<never>(() => {});

  it("is asked again after 15 seconds", async () => {
    let calls = 0;
    const getSession: typeof world.getSession = (request) =>
      ++calls < 3 ? never() : world.getSession(request);
    const page = await world.page({ getSession }).connect();
    await world.clock.advance(35);
    expect(page.events.state).toBe("connected");
    expect(page.errors.map(({ message }) => message)).toEqual(Array(2).fill("session: no answer for 15 s"));
  });

  it("is taken at its word when it answers late, since it may have ended the old keys", async () => {
    let answer: (session: Session) => void = () => {};
    const late = new Promise<Session>((resolve) => {
      answer = resolve;
    });
    let calls = 0;
    const page = await world.page({ getSession: () => (++calls === 1 ? late : never()) }).connect();
    await world.clock.advance(20);
    answer(await world.getSession({ reason: "start" }));
    await settle();
    expect(page.events.state).toBe("connected");
  });

  it("does not keep a page from polling with the keys that it has", async () => {
    let hang = false;
    const getSession: typeof world.getSession = (request) => (hang ? never() : world.getSession(request));
    const page = await world.page({ getSession }).connect();
    hang = true;
    await world.clock.advance(3500);
    await world.send("a");
    expect(page.seen).toEqual(["a"]);
    expect(page.states).toEqual(["connecting", "connected"]);
    expect(page.errors[0]?.code).toBe("session");
  });

  it("is asked for its history again", async () => {
    let calls = 0;
    const getHistory = () => (++calls === 1 ? never() : Promise.resolve([{ messageId: "missed" }]));
    const page = await world.page({ getHistory }).connect();
    world.sqs.deleteQueue(world.session);
    await world.clock.advance(60);
    expect(page.seen).toEqual(["missed"]);
    expect(page.errors.map(({ code }) => code)).toEqual(["history"]);
  });
});

describe("what is told", () => {
  it("goes to the console when nobody listens for errors", async () => {
    const { tab, events } = await bare({ getSession: () => Promise.reject(new Error("HTTP 401")) });
    events.connect();
    await settle();
    expect(tab.reported[0]).toMatchObject({ code: "session", message: "session: HTTP 401" });
    events.on("error", () => {});
    const before = tab.reported.length;
    await world.clock.advance(60);
    expect(tab.reported).toHaveLength(before);
  });
});

describe("events by type", () => {
  interface Events {
    shipped: { orderId: number };
    paid: { amount: number };
  }

  it("go to the handlers of their type, and to those of all messages", async () => {
    const { BrowserEvents } = await import("../src/index.js");
    const events = new BrowserEvents<Events>({
      getSession: world.getSession,
      environment: world.tab().environment,
    });
    const heard: unknown[] = [];
    events.on("type:shipped", ({ orderId }) => heard.push(["shipped", orderId]));
    events.on("message", (message) => heard.push(message._type === "paid" ? message.amount : "other"));
    events.connect();
    await world.sqs.send(world.session, { _type: "shipped", orderId: 7 }, { _type: "paid", amount: 9 });
    await world.clock.advance(10);
    expect(heard).toEqual(["other", ["shipped", 7], 9]);
    expect(world.sqs.left(world.session)).toBe(0);
  });
});

describe("ready", () => {
  it("resolves once connected, and at once when it is", async () => {
    const { events } = await bare();
    events.connect();
    await events.ready();
    await events.ready();
    expect(events.state).toBe("connected");
  });

  it("rejects with the reason when it cannot connect, and when nothing is connecting", async () => {
    const { events } = await bare({ getSession: () => Promise.reject(new UnrecoverableError("out")) });
    events.on("error", () => {});
    await expect(events.ready()).rejects.toThrow("disconnected");
    events.connect();
    await expect(events.ready()).rejects.toThrow("out");
  });
});

describe("connect", () => {
  it("takes a signal that disconnects", async () => {
    const page = world.page();
    const control = new AbortController();
    page.events.connect({ signal: control.signal });
    await settle();
    control.abort();
    expect(page.events.state).toBe("disconnected");
    page.events.connect({ signal: control.signal });
    expect(page.events.state).toBe("disconnected");
  });
});

describe("the status", () => {
  it("says why nothing is received while expired keys cannot be replaced", async () => {
    let trouble: (() => Promise<never>) | undefined;
    const getSession: typeof world.getSession = async (request) =>
      trouble ? trouble() : world.getSession(request);
    const options = { environment: { random: () => 1 }, getSession };
    for (const [message, how] of [
      ["down", () => Promise.reject(new Error("down"))],
      ["no answer for 15 s", () => new Promise<never>(() => {})],
    ] as const) {
      world = new World();
      trouble = undefined;
      const pages = [await world.page(options).connect(), await world.page(options).connect()];
      const leader = pages[0] as Page;
      await world.clock.advance(30);
      trouble = how;
      await world.clock.advance(3700);
      expect(leader.events.status).toMatchObject({ state: "connecting", reason: { message } });
      const { retryAt = 0 } = leader.events.status;
      expect(Math.abs(retryAt - world.clock.now())).toBeLessThanOrEqual(30_000);
      expect(pages[1]?.events.state).toBe("connecting");
      trouble = undefined;
      await world.clock.advance(60);
      expect(pages.map(({ events }) => events.status)).toEqual(Array(2).fill({ state: "connected" }));
      expect(leader.states).toEqual(["connecting", "connected", "connecting", "connected"]);
      await Promise.all(pages.map(({ events }) => events.disconnect()));
    }
  });

  it("keeps the time of the next try when the keys expire meanwhile", async () => {
    let down = false;
    const page = world.page({
      maxBackoff: 600,
      minBackoff: 600,
      environment: { random: () => 1 },
      getSession: async (request) => {
        if (down) throw new Error("down");
        return world.getSession(request);
      },
    });
    await page.connect();
    down = true;
    await world.clock.advance(3400);
    const { status } = page.events;
    expect(status).toMatchObject({ state: "connected", reason: { message: "down" } });
    await world.clock.advance(300);
    expect(page.events.status).toEqual({ ...status, state: "connecting" });
    expect(page.changes.at(-1)).toMatchObject({ state: "connecting", reason: { message: "down" } });
  });

  it("forgets a failure that is over, though the state was the same all the time", async () => {
    let failures = 2;
    const page = world.page({
      getSession: async (request) => {
        if (request.reason === "renew" && failures-- > 0) throw new Error("down");
        return world.getSession(request);
      },
    });
    const told: unknown[] = [];
    page.events.on("retry", () => told.push(page.events.status));
    await page.connect();
    await world.clock.advance(3500);
    expect(told).toMatchObject(Array(2).fill({ state: "connected", reason: { message: "down" } }));
    expect(page.events.status).toEqual({ state: "connected" });
    expect(page.states).toEqual(["connecting", "connected"]);
  });

  it("has the reason, and when it is tried again", async () => {
    const page = await world.page({ environment: { random: () => 1 } }).connect();
    const retries: unknown[] = [];
    page.events.on("retry", (retry) => retries.push(retry));
    world.sqs.cut();
    await settle();
    const retryAt = world.clock.now() + 500;
    expect(page.events.status).toEqual({ state: "connecting", reason: new TypeError("network"), retryAt });
    expect(retries).toEqual([{ reason: new TypeError("network"), at: retryAt }]);
    world.sqs.offline = false;
    await world.clock.advance(1);
    expect(page.events.status).toEqual({ state: "connected" });
  });
});

describe("a log-out", () => {
  const out = () => Promise.reject(new UnrecoverableError("logged out"));
  const states = (pages: Page[]) => pages.map(({ events }) => events.state);
  /** Answers when it is told to. */
  function slow() {
    let answer = () => {};
    const signals: AbortSignal[] = [];
    const getSession: Options["getSession"] = async (request) => {
      signals.push(request.signal);
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return world.getSession(request);
    };
    return { getSession, signals, answer: () => answer() };
  }

  it.each([{}, { shareTabs: false }])("reaches all tabs %o", async (options) => {
    const pages = [0, 1, 2].map(() => world.page(options));
    for (const page of pages) await page.connect();
    await pages[1]?.events.disconnect({ everywhere: true });
    await world.clock.advance(60);
    expect(states(pages)).toEqual(Array(3).fill("disconnected"));
    expect(world.asked).toHaveLength(3);
  });

  it("reaches them from a tab that has no session yet, is hidden, or has disconnected", async () => {
    const { getSession } = slow();
    const hidden = world.page({ pauseWhenHidden: true });
    hidden.tab.hide();
    const gone = await world.page().connect();
    await gone.events.disconnect();
    for (const from of [await world.page({ getSession }).connect(), await hidden.connect(), gone]) {
      const pages = [await world.page().connect(), await world.page().connect()];
      expect(states(pages)).toEqual(["connected", "connected"]);
      await from.events.disconnect({ everywhere: true });
      await settle();
      expect(states([...pages, from])).toEqual(Array(3).fill("disconnected"));
    }
  });

  it("reaches a tab that is asking for the session", async () => {
    const { getSession, answer, signals } = slow();
    const page = await world.page().connect();
    const asking = await world.page({ getSession }).connect();
    await page.events.disconnect({ everywhere: true });
    answer();
    await settle();
    const polls = world.sqs.receives().length;
    await world.clock.advance(60);
    expect(states([page, asking])).toEqual(["disconnected", "disconnected"]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(world.sqs.receives()).toHaveLength(polls);
    expect(world.browser.ports.size).toBe(0);
    // Until it is told to connect.
    const again = asking.connect();
    answer();
    await again;
    answer();
    await settle();
    expect(asking.events.state).toBe("connected");
  });

  it("ends a renewal under way, whose answer changes nothing any more", async () => {
    const { getSession, answer, signals } = slow();
    const renewing: Options["getSession"] = (request) =>
      request.reason === "start" ? world.getSession(request) : getSession(request);
    const pages = [
      await world.page({ getSession: renewing }).connect(),
      await world.page({ getSession: renewing }).connect(),
    ];
    await world.clock.advance(3400);
    const { length } = signals;
    expect(signals[0]?.aborted).toBe(false);
    await pages[1]?.events.disconnect({ everywhere: true });
    await settle();
    expect(signals.every(({ aborted }) => aborted)).toBe(true);
    answer();
    await world.clock.advance(600);
    expect(states(pages)).toEqual(["disconnected", "disconnected"]);
    expect(pages[0]?.renewals).toHaveLength(1);
    expect(signals).toHaveLength(length);
  });

  it("reaches a frozen tab before it asks for a session again", async () => {
    const pages = [await world.page().connect(), await world.page().connect()];
    const [page, frozen] = pages as [Page, Page];
    frozen.tab.fire("freeze");
    frozen.tab.freeze();
    await world.clock.advance(5000);
    const asked = world.asked.length;
    await page.events.disconnect({ everywhere: true });
    await world.clock.advance(60);
    // Chromium brings what was said meanwhile, and then tells that the page runs again.
    frozen.tab.thaw();
    await Promise.resolve();
    frozen.tab.fire("resume");
    await world.clock.advance(60);
    expect(states(pages)).toEqual(["disconnected", "disconnected"]);
    expect(world.asked).toHaveLength(asked);
  });

  it("does not end other sessions", async () => {
    const page = await world.page().connect();
    const others = await Promise.all(
      ["s-2", "s-3"].map((sessionId) =>
        world.page({ getSession: async () => ({ ...world.session, sessionId }) }).connect(),
      ),
    );
    const { getSession, answer } = slow();
    const asking = await world
      .page({
        getSession: async (request) => ({ ...(await getSession(request)), sessionId: "s-4" }),
      })
      .connect();
    await page.events.disconnect({ everywhere: true });
    answer();
    await settle();
    expect(states([page, ...others, asking])).toEqual([
      "disconnected",
      "connected",
      "connected",
      "connected",
    ]);
  });

  it("that one tab hears of from the backend ends all, with its reason", async () => {
    let isOut = false;
    const getSession: typeof world.getSession = (request) => (isOut ? out() : world.getSession(request));
    const pages = [await world.page({ getSession }).connect(), await world.page({ getSession }).connect()];
    await world.clock.advance(60);
    isOut = true;
    world.sqs.validKeys.clear();
    await world.clock.advance(60);
    for (const { changes } of pages) {
      expect(changes.at(-1)).toMatchObject({ state: "disconnected", reason: { message: "logged out" } });
    }
    expect(pages.map(({ errors }) => errors.length).sort()).toEqual([0, 1]);
  });

  it("that a new tab hears of has the others ask their backend", async () => {
    let isOut = false;
    const getSession: typeof world.getSession = (request) => (isOut ? out() : world.getSession(request));
    const pages = [await world.page({ getSession }).connect(), await world.page({ getSession }).connect()];
    await world.clock.advance(60);
    isOut = true;
    pages.push(await world.page({ getSession }).connect());
    await world.clock.advance(20);
    for (const { changes } of pages) {
      expect(changes.at(-1)).toMatchObject({ state: "disconnected", reason: { message: "logged out" } });
    }
  });

  it("that a new tab hears of may be of another session: the others go on if their backend says so", async () => {
    const pages = [await world.page().connect(), await world.page().connect()];
    await world.clock.advance(60);
    const asked = world.asked.length;
    for (let i = 0; i < 100; i++) await world.page({ getSession: out }).connect();
    await world.clock.advance(40);
    expect(states(pages)).toEqual(["connected", "connected"]);
    expect(pages.flatMap(({ states }) => states)).toEqual([
      "connecting",
      "connected",
      "connecting",
      "connected",
    ]);
    expect(world.asked.slice(asked)).toEqual(["renew"]);
  });
});
