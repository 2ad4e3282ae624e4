import { beforeEach, describe, expect, it } from "vitest";
import { encrypt } from "./support/sqs.js";
import { ids, settle, World } from "./support/world.js";

let world: World;
beforeEach(() => {
  world = new World();
});

/** The moments when a session was asked for, seconds from now on. */
function asking(): { getSession: World["getSession"]; at: number[] } {
  const start = world.clock.seconds;
  const at: number[] = [];
  const getSession: World["getSession"] = (request) => {
    at.push(world.clock.seconds - start);
    return world.getSession(request);
  };
  return { getSession, at };
}

describe("a session whose key was rotated", () => {
  it("reads what waits under either key, in its order", async () => {
    await world.send("a", "b");
    world.rotate();
    await world.send("c", "d");
    const page = await world.page().connect();
    expect(page.seen).toEqual(["a", "b", "c", "d"]);
    expect(world.asked).toEqual(["start"]);
  });

  it("reads what was sent before a renewal that rotates, and after it", async () => {
    world.lifetime = 600;
    world.newQueue();
    const getSession: World["getSession"] = (request) => {
      if (request.reason === "renew") world.rotate();
      return world.getSession(request);
    };
    const page = await world.page({ getSession }).connect();
    for (const id of ids(60)) {
      await world.send(id);
      await world.clock.advance(10);
    }
    expect(page.seen).toEqual(ids(60));
    expect(world.asked.slice(0, 2)).toEqual(["start", "renew"]);
  });
});

it("a key that comes with a renewal while a poll by the former one is open is not asked for again", async () => {
  world.lifetime = 600;
  world.newQueue();
  let answer: (() => void) | undefined;
  const reasons: string[] = [];
  const getSession: World["getSession"] = async (request) => {
    reasons.push(request.reason);
    if (request.reason === "renew") {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      world.rotate();
    }
    return world.getSession(request);
  };
  const page = await world.page({ getSession }).connect();
  while (!answer) await world.clock.advance(1);
  // Longer than polling waits for it.
  await world.clock.advance(5);
  answer();
  await settle();
  await world.send("a");
  await world.clock.advance(5);
  expect(page.seen).toEqual(["a"]);
  expect(reasons).toEqual(["start", "renew"]);
});

describe("a key that was rotated without our asking", () => {
  it("is asked for once, and nothing is lost, told as an error or shown twice", async () => {
    const page = await world.page().connect();
    await world.send("a");
    world.rotate();
    await world.send(...ids(30));
    await world.clock.advance(60);
    expect([...page.seen].sort()).toEqual(["a", ...ids(30)].sort());
    expect(world.asked).toEqual(["start", "renew"]);
    expect(page.errors).toEqual([]);
    expect(page.states).toEqual(["connecting", "connected"]);
    expect(world.sqs.left(world.session)).toBe(0);
  });

  it("is there within seconds", async () => {
    const page = await world.page().connect();
    world.rotate();
    await world.send("a");
    await world.clock.advance(2);
    expect(page.seen).toEqual(["a"]);
  });

  it("reaches the tabs that do not poll", async () => {
    const leader = await world.page().connect();
    const follower = await world.page({}, world.tab()).connect();
    await world.clock.advance(10);
    world.rotate();
    await world.send("a");
    await world.clock.advance(2);
    leader.tab.crash();
    await world.clock.advance(1);
    await world.send("b");
    await world.clock.advance(120);
    expect([...follower.seen].sort()).toEqual(["a", "b"]);
    expect(follower.errors).toEqual([]);
  });

  it("does not count a frame towards its end while the session cannot be had", async () => {
    let down = true;
    const getSession: World["getSession"] = async (request) => {
      if (request.reason === "renew" && down) throw new Error("down");
      return world.getSession(request);
    };
    const page = await world.page({ getSession }).connect();
    world.rotate();
    await world.send("a");
    await world.clock.advance(300);
    expect(world.sqs.left(world.session)).toBe(1);
    expect(page.errors.map(({ code }) => code)).not.toContain("decrypt");
    down = false;
    await world.clock.advance(60);
    expect(page.seen).toEqual(["a"]);
    expect(world.sqs.left(world.session)).toBe(0);
  });

  it("is asked for less and less often where that does not help", async () => {
    const { getSession, at } = asking();
    const page = await world.page({ getSession }).connect();
    for (let minute = 0; minute < 6; minute += 0.5) {
      world.sqs.sendBody(world.session, await encrypt("hello"));
      await world.clock.advance(30);
    }
    const pauses = at.slice(1).map((moment, i) => moment - (at[i] ?? 0));
    expect(at.length).toBeLessThanOrEqual(10);
    expect(Math.max(...pauses)).toBeLessThan(65);
    // A rotation is found in spite of it, and the pauses are short again.
    world.rotate();
    await world.send("a");
    await world.clock.advance(95);
    expect(page.seen).toEqual(["a"]);
    const before = at.length;
    world.rotate();
    await world.send("b");
    await world.clock.advance(20);
    expect(page.seen).toEqual(["a", "b"]);
    expect(at.length).toBeGreaterThan(before);
    await settle();
  });
});
