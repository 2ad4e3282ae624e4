import { beforeEach, describe, expect, it } from "vitest";
import { createEmitter } from "../src/emitter.js";
import type { Session, SessionReason } from "../src/index.js";
import { createKeeper, type SessionKeeper } from "../src/keeper.js";
import { withDefaults } from "../src/options.js";
import { createPace } from "../src/pace.js";
import { createClock } from "../src/time.js";
import { settle, World } from "./support/world.js";

let world: World;
let asked: SessionReason[];
let renewed: unknown[];
/** What the next calls of getSession do; afterwards they succeed. */
let script: (() => Promise<never>)[];
let keeper: SessionKeeper;

const fails = () => Promise.reject(new Error("down"));
const hangs = () => new Promise<never>(() => {});

beforeEach(() => {
  world = new World();
  asked = [];
  renewed = [];
  script = [];
  const settings = withDefaults({
    environment: world.tab().environment,
    getSession: async ({ reason }) => {
      asked.push(reason);
      const { session } = world;
      const number = asked.length;
      await script.shift()?.();
      return { ...session, accessKey: `key-${number}`, expires: world.clock.seconds + 3600 };
    },
  });
  const clock = createClock(settings);
  const emitter = createEmitter(() => {});
  emitter.on("renewed", (renewal) => renewed.push(renewal));
  const client = { settings, clock, emitter, status: { state: "connecting" as const }, end: async () => {} };
  keeper = createKeeper(client, createPace(client), new AbortController().signal);
});

/** A session that has worked, at the time when it is due for renewal. */
async function due(): Promise<Session> {
  const session = (await keeper.ready()) as Session;
  keeper.worked(session);
  await world.clock.advance(3400);
  return session;
}

describe("SessionKeeper", () => {
  it("gets one session, however many ask for it at the same moment", async () => {
    const sessions = await Promise.all([keeper.ready(), keeper.ready(), keeper.ready()]);
    expect(asked).toEqual(["start"]);
    expect(new Set(sessions).size).toBe(1);
  });

  it("renews once, however many find it due or refused at the same moment", async () => {
    const session = await due();
    await Promise.all([keeper.ready(), keeper.refused(session), keeper.ready(), keeper.refused(session)]);
    expect(asked).toEqual(["start", "renew"]);
    expect(renewed).toHaveLength(1);
  });

  it("lends the old keys while renewal fails, or takes its time", async () => {
    const session = await due();
    script = [fails, hangs];
    const ready = keeper.ready();
    await world.clock.advance(3);
    expect(await ready).toBe(session);
    await world.clock.advance(12);
    expect(asked).toEqual(["start", "renew", "renew"]);
    expect(await keeper.ready()).toBe(session);
  });

  it("asks no more once the session has been refused and replaced", async () => {
    const session = await due();
    expect(await keeper.refused(session)).toBe(true);
    expect(await keeper.refused(session)).toBe(true);
    expect(asked).toEqual(["start", "expired"]);
  });

  it("renews in time the session that replaced a refused one", async () => {
    const session = await due();
    await keeper.refused(session);
    await due();
    await keeper.ready();
    expect(asked).toEqual(["start", "expired", "renew"]);
  });

  it("does not lend expired keys", async () => {
    await due();
    await world.clock.advance(200);
    script = [fails, fails];
    const waiting = keeper.ready();
    await world.clock.advance(10);
    expect((await waiting)?.accessKey).toBe("key-4");
    expect(asked).toEqual(["start", "expired", "expired", "expired"]);
  });

  it("asks no more once another tab has got a session", async () => {
    const session = await due();
    script = [fails, fails, fails];
    const waiting = keeper.refused(session);
    await settle();
    keeper.adopt({ ...session, accessKey: "theirs", expires: session.expires + 1 }, false);
    await world.clock.advance(120);
    expect(await waiting).toBe(true);
    expect(asked).toEqual(["start", "expired"]);
    expect(keeper.session?.accessKey).toBe("theirs");
  });

  it("adopts a session that lasts longer, or as long if it is told to", async () => {
    const session = (await keeper.ready()) as Session;
    const theirs = (accessKey: string, more: number) => ({
      ...session,
      accessKey,
      expires: session.expires + more,
    });
    keeper.adopt(theirs("shorter", -1), true);
    keeper.adopt(theirs("as long", 0), false);
    expect(keeper.session).toBe(session);
    keeper.adopt(theirs("as long", 0), true);
    expect(keeper.session?.accessKey).toBe("as long");
    keeper.adopt(theirs("longer", 1), false);
    expect(keeper.session?.accessKey).toBe("longer");
    expect(renewed).toHaveLength(2);
  });
});
