import { beforeEach, describe, expect, it } from "vitest";
import { ids, type Page, settle, World } from "./support/world.js";

let world: World;
beforeEach(() => {
  world = new World();
});

/** Two tabs of one session, of which the first leads. */
async function twoPages(...options: Parameters<World["page"]>): Promise<[Page, Page]> {
  return [await world.page(...options).connect(), await world.page(...options).connect()];
}

const sorted = (names: string[]) => [...names].sort();

describe("two tabs", () => {
  it("have one poller, and both receive", async () => {
    const [leader, follower] = await twoPages();
    expect([leader.events.leader, follower.events.leader]).toEqual([true, false]);
    expect(follower.states).toEqual(["connecting", "connected"]);
    await world.send("a", "b");
    expect([leader.seen, follower.seen]).toEqual([
      ["a", "b"],
      ["a", "b"],
    ]);
    expect(follower.metadata).toEqual(leader.metadata);
    const before = world.sqs.receives().length;
    await world.clock.advance(60);
    expect(world.sqs.receives().length - before).toBe(3);
    expect(world.sqs.left(world.session)).toBe(0);
  });

  it("know a message without an id by the same name", async () => {
    const [leader, follower] = await twoPages();
    await world.sqs.send(world.session, { text: "x" });
    await settle();
    expect([leader.seen, follower.seen]).toEqual([["sqs-1"], ["sqs-1"]]);
  });

  it("are all waited for before a message is deleted", async () => {
    const [, follower] = await twoPages();
    const finish = follower.hold();
    await world.send("a");
    await world.clock.advance(20);
    expect(world.sqs.deletes()).toEqual([]);
    finish();
    await world.clock.advance(5);
    expect(world.sqs.left(world.session)).toBe(0);
  });

  it("try a message again only where it has failed", async () => {
    const [leader, follower] = await twoPages();
    let failures = 1;
    follower.handle = () => {
      if (failures-- > 0) throw new Error("not yet");
    };
    await world.send("a");
    await world.clock.advance(60);
    expect([leader.seen, follower.seen]).toEqual([["a"], ["a", "a"]]);
    expect(world.sqs.left(world.session)).toBe(0);
  });

  it("give a message up when the failing one does", async () => {
    const [leader, follower] = await twoPages();
    follower.handle = () => {
      throw new Error("cannot");
    };
    await world.send("a");
    await world.clock.advance(100);
    expect(follower.errors).toMatchObject([{ code: "handler", messageId: "a" }]);
    expect(leader.errors).toEqual([]);
    expect(world.sqs.left(world.session)).toBe(0);
  });

  it("see the same states", async () => {
    const [leader, follower] = await twoPages({ environment: { random: () => 0.5 } });
    world.sqs.cut();
    leader.tab.fire("offline");
    await world.clock.advance(60);
    expect(follower.events.state).toBe("connecting");
    world.sqs.offline = false;
    leader.tab.fire("online");
    await settle();
    expect(follower.events.state).toBe("connected");
  });

  it("of different sessions do not know each other", async () => {
    const page = await world.page().connect();
    const stranger = await world
      .page({ getSession: async () => ({ ...world.session, sessionId: "s-2" }) })
      .connect();
    expect([page.events.leader, stranger.events.leader]).toEqual([true, true]);
  });

  it("poll for themselves where tabs cannot share, or shall not", async () => {
    const alone = [
      { shareTabs: false },
      { environment: { locks: undefined } },
      { environment: { channel: undefined } },
    ];
    for (const options of alone) {
      world = new World();
      const shared = { getSession: async () => world.session, ...options };
      const pages = await twoPages(shared);
      expect(pages.map(({ events }) => [events.leader, events.state])).toEqual([
        [true, "connected"],
        [true, "connected"],
      ]);
    }
  });

  it("poll for themselves where the browser refuses locks, or channels", async () => {
    const refused = new DOMException("opaque origin", "SecurityError");
    const channel = () => {
      throw refused;
    };
    for (const environment of [{ locks: { request: () => Promise.reject(refused) } }, { channel }]) {
      const page = await world.page({ environment }).connect();
      expect(page.events.state).toBe("connected");
      await page.events.disconnect({ everywhere: true });
    }
  });
});

describe("the session", () => {
  it("that another tab joins again does not take a message from the handler that failed at it here", async () => {
    const [, follower] = await twoPages();
    const failures = [new Error("not yet")];
    follower.handle = () => {
      const failure = failures.shift();
      if (failure) throw failure;
    };
    await world.send("a");
    await follower.events.disconnect();
    await follower.connect();
    await world.clock.advance(30);
    expect(follower.seen).toEqual(["a", "a"]);
  });

  it("of a new tab, which ended the old keys, is used by all", async () => {
    const [leader, follower] = await twoPages();
    expect(world.asked).toEqual(["start", "start"]);
    await world.clock.advance(40);
    expect(world.asked).toEqual(["start", "start"]);
    expect(leader.renewals).toEqual([{ expires: world.session.expires }]);
    expect(follower.renewals).toEqual([]);
    expect(leader.errors).toEqual([]);
    expect(world.sqs.receives().at(-1)?.accessKey).toBe(world.session.accessKey);
  });

  it("is renewed once for all tabs", async () => {
    const [leader, follower] = await twoPages();
    await world.clock.advance(3600);
    expect(world.asked).toEqual(["start", "start", "renew"]);
    expect(leader.renewals).toHaveLength(2);
    expect(follower.renewals).toEqual([{ expires: world.session.expires }]);
    const { accessKey } = world.session;
    leader.tab.close();
    await settle();
    expect(follower.events.state).toBe("connected");
    expect(world.sqs.receives().at(-1)?.accessKey).toBe(accessKey);
    expect(world.asked).toHaveLength(3);
  });
});

describe("a leader that goes", () => {
  it.each(["close", "crash"] as const)("in mid-burst loses nothing (%s)", async (end) => {
    const [leader, follower] = await twoPages();
    const all = ids(50);
    const seen: string[] = [];
    leader.handle = ({ messageId }) => {
      if (seen.push(messageId) === 15) leader.tab[end]();
    };
    await world.send(...all);
    await world.clock.advance(60);
    expect(follower.events.leader).toBe(true);
    expect(sorted(follower.seen)).toEqual(sorted(all));
    expect(new Set(follower.seen).size).toBe(50);
    expect(world.sqs.left(world.session)).toBe(0);
  });

  it("hands over though it is stuck in handlers", async () => {
    const [leader, follower] = await twoPages({ maxInFlight: 1, pauseWhenHidden: true });
    leader.handle = () => new Promise(() => {});
    await world.send("a");
    leader.tab.hide();
    await world.send("b");
    expect(follower.seen).toEqual(["a", "b"]);
  });

  it("is followed by one that waits for all tabs, also those that came before it", async () => {
    const [leader, second] = await twoPages({ pauseWhenHidden: true });
    const third = await world.page({ pauseWhenHidden: true }).connect();
    second.tab.hide();
    second.handle = () => new Promise(() => {});
    leader.tab.close();
    await world.send("a");
    await world.clock.advance(20);
    expect(third.events.leader).toBe(true);
    expect([second.seen, third.seen]).toEqual([["a"], ["a"]]);
    expect(world.sqs.left(world.session)).toBe(1);
  });

  it("has told the others what time it is", async () => {
    world.sqs.ahead = 7200;
    world.newQueue();
    const [leader, follower] = await twoPages();
    const before = world.sqs.receives().length;
    leader.tab.close();
    await settle();
    expect(follower.events.leader).toBe(true);
    // With a wrong clock there would have been a refused one before these.
    expect(
      world.sqs
        .receives()
        .slice(before)
        .map(({ wait }) => wait),
    ).toEqual([0, 20]);
  });

  it("by disconnecting leaves to the next leader what a tab has not finished", async () => {
    const [leader, follower] = await twoPages();
    let fail = (_: Error) => {};
    follower.handle = () =>
      new Promise<void>((_, reject) => {
        fail = reject;
      });
    await world.send("a");
    await leader.events.disconnect();
    await world.clock.advance(29);
    fail(new Error("not yet"));
    follower.handle = () => {};
    await world.clock.advance(60);
    expect(follower.seen).toEqual(["a", "a"]);
    expect(world.sqs.left(world.session)).toBe(0);
  });

  it("by disconnecting hands over at once", async () => {
    const [leader, follower] = await twoPages();
    await leader.events.disconnect();
    await world.send("a");
    expect(follower.events.leader).toBe(true);
    expect([leader.seen, follower.seen]).toEqual([[], ["a"]]);
  });

  it("into the background with pauseWhenHidden hands over to a visible tab, and still receives", async () => {
    const [leader, follower] = await twoPages({ pauseWhenHidden: true });
    leader.tab.hide();
    await world.send("a");
    expect([leader.events.state, follower.events.state]).toEqual(["paused", "connected"]);
    expect([leader.seen, follower.seen]).toEqual([["a"], ["a"]]);
    leader.tab.show();
    await settle();
    expect([leader.events.leader, follower.events.leader]).toEqual([false, true]);
    expect(leader.events.state).toBe("connected");
  });

  it("when it freezes, of which the browser tells it, hands over and catches up later", async () => {
    const history = ids(1, "while-frozen").map((messageId) => ({ messageId }));
    const [leader, follower] = await twoPages({ getHistory: async () => history });
    leader.tab.fire("freeze");
    leader.tab.freeze();
    await world.send("a");
    await world.clock.advance(60);
    expect(follower.seen).toEqual(["a"]);
    expect(world.sqs.left(world.session)).toBe(0);
    leader.tab.fire("resume");
    leader.tab.thaw();
    await settle();
    expect(leader.gaps).toMatchObject([{ reason: "asleep" }]);
    expect(follower.gaps).toEqual([]);
    expect(sorted(leader.seen)).toEqual(["a", "while-frozen-0"]);
    expect(follower.seen).toEqual(["a"]);
    expect(leader.events.state).toBe("connected");
    expect(follower.events.leader).toBe(true);
  });

  it("when it freezes without a word is replaced, and loses nothing", async () => {
    const [leader, follower] = await twoPages();
    const all = ids(30);
    leader.handle = () => {
      if (leader.seen.length === 5) leader.tab.freeze();
    };
    await world.send(...all);
    await world.clock.advance(90 + 15 + 30);
    expect(follower.events.leader).toBe(true);
    await world.clock.advance(30);
    expect(sorted(follower.seen)).toEqual(sorted(all));
    expect(world.sqs.left(world.session)).toBe(0);
    leader.tab.thaw();
    await world.clock.advance(30);
    expect([leader.events.leader, follower.events.leader]).toEqual([false, true]);
    expect(new Set(leader.seen).size).toBe(leader.seen.length);
    await world.send("after");
    expect(leader.seen.at(-1)).toBe("after");
  });
});

describe("a follower that goes", () => {
  it("is not waited for when it disconnects", async () => {
    const [, follower] = await twoPages();
    follower.handle = () => new Promise(() => {});
    await world.send("a");
    await follower.events.disconnect();
    await world.clock.advance(5);
    expect(world.sqs.left(world.session)).toBe(0);
  });

  it("to sleep fills the gap when it wakes", async () => {
    const [, follower] = await twoPages();
    follower.tab.fire("freeze");
    follower.tab.freeze();
    await world.clock.advance(20);
    follower.tab.fire("resume");
    follower.tab.thaw();
    expect(follower.gaps).toMatchObject([{ reason: "asleep" }]);
    await settle();
    expect(follower.events.state).toBe("connected");
  });

  it("is not waited for when it closes", async () => {
    const [, follower] = await twoPages();
    follower.handle = () => new Promise(() => {});
    await world.send("a");
    follower.tab.close();
    await world.clock.advance(5);
    expect(world.sqs.left(world.session)).toBe(0);
  });

  it("is waited for once when it crashes", async () => {
    const [, follower] = await twoPages();
    follower.tab.crash();
    await world.send("a");
    await world.clock.advance(29);
    expect(world.sqs.left(world.session)).toBe(1);
    await world.clock.advance(40);
    expect(world.sqs.left(world.session)).toBe(0);
    await world.send("b");
    await world.clock.advance(5);
    expect(world.sqs.left(world.session)).toBe(0);
  });

  it("is waited for again when it has only been slow", async () => {
    const [, follower] = await twoPages();
    const finish = follower.hold();
    await world.send("slow");
    await world.clock.advance(70);
    expect(world.sqs.left(world.session)).toBe(0);
    finish();
    await settle();
    await world.send("next");
    await world.clock.advance(20);
    expect(world.sqs.left(world.session)).toBe(1);
  });
});

describe("a gap", () => {
  it("of the queue is filled by each tab, also when the leader goes meanwhile", async () => {
    const leader = await world.page({ getHistory: () => new Promise(() => {}) }).connect();
    const follower = await world.page({ getHistory: async () => [{ messageId: "missed" }] }).connect();
    world.sqs.deleteQueue(world.session);
    await world.clock.advance(25);
    expect(follower.gaps).toEqual(leader.gaps);
    leader.tab.close();
    await world.clock.advance(60);
    expect(follower.seen).toEqual(["missed"]);
    expect(follower.gaps).toHaveLength(1);
  });
});
