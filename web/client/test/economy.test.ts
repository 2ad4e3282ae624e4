import { beforeEach, describe, expect, it } from "vitest";
import { type EconomyOptions, economy } from "../src/economy.js";
import { ids, type Page, settle, World } from "./support/world.js";

let world: World;
beforeEach(() => {
  world = new World();
});

/** A connected page that has made its first poll, which does not wait. */
async function saving(options: EconomyOptions = {}): Promise<Page> {
  return world.page(economy(options)).connect();
}

/** How many requests of a kind are made meanwhile. */
async function during(seconds: number, action = "ReceiveMessage"): Promise<number> {
  const count = () => world.sqs.requests.filter((request) => request.action === action).length;
  const before = count();
  await world.clock.advance(seconds);
  return count() - before;
}

describe("a hidden page", () => {
  it("polls once a minute, and at once when it is shown", async () => {
    const page = await saving();
    expect(await during(600)).toBe(30);
    page.tab.hide();
    await world.clock.advance(60);
    expect(await during(600)).toBe(10);
    // Between two polls.
    await world.clock.advance(30);
    await world.send("a");
    expect(page.seen).toEqual([]);
    page.tab.show();
    await settle();
    expect(page.seen).toEqual(["a"]);
    expect(page.states).toEqual(["connecting", "connected"]);
  });

  it("does not fall behind many messages", async () => {
    const page = await saving();
    page.tab.hide();
    for (let minute = 0; minute < 10; minute++) {
      await world.send(...ids(25, `m-${minute}`));
      await world.clock.advance(60);
    }
    await world.clock.advance(60);
    expect(page.seen).toHaveLength(250);
    expect(await during(600)).toBe(10);
  });

  it("has a message again soon whose handler fails after the page was hidden and shown", async () => {
    const page = world.page(economy({ hidden: "pause" }));
    const finish = page.hold();
    await page.connect();
    await world.send("a");
    page.tab.hide();
    await world.clock.advance(5);
    page.tab.show();
    await world.clock.advance(1);
    finish(new Error("not yet"));
    page.handle = () => {};
    await world.clock.advance(5);
    expect(page.seen).toEqual(["a", "a"]);
  });

  it("waits no longer than maxBackoff after a handler's failure, however often the message was handed out", async () => {
    let page = world.page(economy());
    for (let reload = 0; reload < 9; reload++) {
      page.hold();
      await page.connect();
      await world.send(...(reload ? [] : ["a"]));
      await world.clock.advance(1);
      page.tab.close();
      page = world.page(economy());
    }
    page.handle = ({ messageId }) => {
      if (page.seen.length === 1) throw new Error(messageId);
    };
    await page.connect();
    await world.clock.advance(40);
    expect(page.seen).toEqual(["a", "a"]);
  });

  it("does not poll with pause", async () => {
    const page = await saving({ hidden: "pause" });
    page.tab.hide();
    expect(await during(600)).toBe(0);
    expect(page.events.state).toBe("paused");
  });

  it("polls as ever with poll", async () => {
    const page = await saving({ hidden: "poll" });
    page.tab.hide();
    expect(await during(600)).toBe(30);
  });

  it("polls as ever for a visible tab", async () => {
    const leader = await saving();
    const follower = await saving();
    leader.tab.hide();
    await world.clock.advance(60);
    expect(await during(600)).toBe(30);
    follower.tab.hide();
    await world.clock.advance(60);
    expect(await during(600)).toBe(10);
    await world.clock.advance(30);
    await world.send("a");
    follower.tab.show();
    await settle();
    expect([leader.events.leader, leader.seen, follower.seen]).toEqual([true, ["a"], ["a"]]);
    leader.tab.close();
    await world.clock.advance(60);
    expect(await during(600)).toBe(30);
  });
});

describe("a visible tab that is killed", () => {
  it("soon no longer keeps a hidden leader polling", async () => {
    const leader = await saving();
    const follower = await saving();
    leader.tab.hide();
    expect(await during(600)).toBe(30);
    follower.tab.crash();
    await world.clock.advance(120);
    expect(await during(600)).toBe(10);
  });

  it("by what the visible ones say again does not cut pauses short after failures", async () => {
    const options = { ...economy(), minBackoff: 30, environment: { random: () => 1 } };
    const leader = await world.page(options).connect();
    await world.page(options).connect();
    leader.tab.hide();
    world.sqs.cut();
    await world.clock.advance(60);
    expect(await during(600)).toBe(20);
  });
});

describe("an idle page", () => {
  it("polls once a minute after a while without input, and at once after the first", async () => {
    const page = await saving({ idle: "slow", idleAfter: 120 });
    expect(await during(120)).toBe(6);
    await world.clock.advance(60);
    expect(await during(600)).toBe(10);
    await world.clock.advance(30);
    await world.send("a");
    page.tab.fire("pointerdown");
    await settle();
    expect(page.seen).toEqual(["a"]);
    expect(await during(100)).toBeGreaterThanOrEqual(5);
  });

  it("counts as used while another tab is", async () => {
    await saving({ idle: "slow" });
    const follower = await saving({ idle: "slow" });
    for (let minute = 0; minute < 10; minute++) {
      await world.clock.advance(60);
      follower.tab.fire("keydown");
    }
    expect(await during(100)).toBe(5);
    await world.clock.advance(120);
    expect(await during(600)).toBe(10);
  });
});

describe("deletions", () => {
  it("go by ten, or when the page hides, by a signature that is young", async () => {
    const page = await saving();
    for (const id of ids(9)) {
      await world.send(id);
      await world.clock.advance(60);
    }
    expect(world.sqs.deletes()).toEqual([]);
    await world.send("tenth");
    expect(world.sqs.deletes().map(({ handles }) => handles.length)).toEqual([10]);
    await world.send("a");
    await world.clock.advance(590);
    page.tab.hide();
    const [, last] = world.sqs.deletes();
    expect(last).toMatchObject({ keepalive: true, handles: ["sqs-11/1"] });
    expect(world.clock.seconds - (last?.signedAt ?? 0)).toBeLessThanOrEqual(120);
    await settle();
    expect(world.sqs.left(world.session)).toBe(0);
  });

  it("go after ten minutes, and change nothing of the messages before", async () => {
    await saving();
    await world.send("a");
    await world.clock.advance(599);
    expect(world.sqs.left(world.session)).toBe(1);
    await world.clock.advance(2);
    expect(world.sqs.left(world.session)).toBe(0);
    expect(world.sqs.changes()).toEqual([]);
  });

  it("that a killed page did not send are made by the next, which shows nothing again", async () => {
    const before = await saving();
    await world.send("a");
    await world.clock.advance(300);
    before.tab.crash();
    const after = await saving();
    await world.send("b");
    await world.clock.advance(1500);
    expect(after.seen).toEqual(["b"]);
    expect(world.sqs.left(world.session)).toBe(0);
  });
});

it("what a killed page had handled is known after hundreds of others, and another kill", async () => {
  const first = await saving();
  await world.send("a");
  first.tab.crash();
  const second = await saving();
  for (let n = 0; n < 300; n += 10) await world.send(...ids(10).map((id) => `${id}-${n}`));
  expect(second.seen).toHaveLength(300);
  second.tab.crash();
  const third = await saving();
  await world.clock.advance(1500);
  expect(third.seen).toEqual([]);
  expect(world.sqs.left(world.session)).toBe(0);
});

it("what is on its way in a burst when its page goes comes again within seconds", async () => {
  await saving();
  await world.send(...ids(14));
  const receives = world.sqs.requests.filter(({ action }) => action === "ReceiveMessage");
  // The first answer has many, so that the next poll hides what it takes for a few seconds only.
  expect(receives.slice(-3).map(({ visibility }) => visibility)).toEqual([[900], [4], [900]]);
});

it.each<[object, string]>([
  [{ hidden: "never" }, 'hidden must be one of poll, slow, pause, not "never"'],
  [{ idle: "pause" }, 'idle must be one of poll, slow, not "pause"'],
  [{ idleAfter: 0 }, "idleAfter must be a number from 1, not 0"],
])("a wrong option is named: %j", (options, text) => {
  expect(() => economy(options)).toThrow(text);
});
