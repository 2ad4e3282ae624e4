import { beforeEach, describe, expect, it } from "vitest";
import { UnrecoverableError } from "../src/index.js";
import { sessionName } from "../src/session.js";
import { settle, World } from "./support/world.js";

class LoggedOut extends UnrecoverableError {
  override readonly name = "LoggedOut";
}

let world: World;
beforeEach(() => {
  world = new World();
});

describe("the name that a session's tabs share", () => {
  it("is no other session's, whatever is in their ids", () => {
    const name = (accountId: number | string, sessionId: string) =>
      sessionName({ ...world.session, accountId, sessionId });
    expect(name("a/b", "c")).not.toBe(name("a", "b/c"));
    expect(name(7, "c")).toBe("sqs-browser-events:7\nc");
  });
});

describe("renewal", () => {
  it.each([
    ["earliest", 0.999999, 3600 - 300],
    ["latest", 0, 3600 - 150],
  ])("happens once, before the keys expire, at a random moment (%s)", async (_, random, due) => {
    const page = await world.page({ environment: { random: () => random } }).connect();
    const { accessKey } = world.session;
    await world.clock.advance(due - 21);
    expect(world.asked).toEqual(["start"]);
    await world.clock.advance(42);
    expect(world.asked).toEqual(["start", "renew"]);
    expect(page.renewals).toEqual([{ expires: world.session.expires }]);
    expect(page.states).toEqual(["connecting", "connected"]);
    expect(world.session.accessKey).not.toBe(accessKey);
    expect(world.sqs.receives().at(-1)?.accessKey).toBe(world.session.accessKey);
  });

  it("comes in time for keys that last for five minutes only", async () => {
    world.lifetime = 300;
    world.newQueue();
    const page = await world.page().connect();
    await world.clock.advance(1800);
    expect(new Set(world.asked.slice(1))).toEqual(new Set(["renew"]));
    expect(page.states).toEqual(["connecting", "connected"]);
  });

  it("goes on trying, and polling, while the backend is down", async () => {
    const page = world.page({
      getSession: async (request) => {
        if (request.reason === "renew" && world.asked.push("renew") < 4) throw new Error("down");
        return world.getSession(request);
      },
    });
    await page.connect();
    await world.clock.advance(3500);
    expect(world.asked).toEqual(["start", "renew", "renew", "renew", "renew"]);
    expect(page.errors).toMatchObject([{ code: "session", cause: { message: "down" } }, { code: "session" }]);
    expect(page.states).toEqual(["connecting", "connected"]);
  });

  it("asks once though receiving and deleting find the keys refused at the same moment", async () => {
    await world.page({ deleteDelay: 0.1 }).connect();
    world.sqs.validKeys.clear();
    await world.send("a");
    await world.clock.advance(30);
    expect(world.asked).toEqual(["start", "expired"]);
    expect(world.sqs.left(world.session)).toBe(0);
  });

  it("asks for a new session when the keys have expired during a sleep", async () => {
    await world.page().connect();
    await world.clock.sleep(5000);
    expect(world.asked).toEqual(["start", "expired"]);
    // Refused keys would have cost a request to find out.
    expect(
      new Set(
        world.sqs
          .receives()
          .slice(2)
          .map(({ accessKey }) => accessKey),
      ),
    ).toEqual(new Set([world.session.accessKey]));
  });
});

describe("a wrong clock", () => {
  it.each([
    ["behind, and the Date header is shown", 7200, true],
    ["ahead, and the Date header is shown", -7200, true],
    ["behind, and only the refusal tells the time", 7200, false],
    ["ahead, and only the refusal tells the time", -7200, false],
  ])("is corrected: %s", async (_, ahead, showDate) => {
    world.sqs.ahead = ahead;
    world.sqs.showDate = showDate;
    world.newQueue();
    const page = await world.page().connect();
    expect(page.states).toEqual(["connecting", "connected"]);
    expect(world.sqs.receives()).toHaveLength(3);
    await world.clock.advance(3250);
    expect(world.asked).toEqual(["start"]);
    await world.clock.advance(200);
    expect(world.asked).toEqual(["start", "renew"]);
    expect(page.errors).toEqual([]);
  });

  it("is not trusted when keys work that seem to have expired long ago", async () => {
    world.lifetime = -100;
    world.newQueue();
    world.sqs.showDate = false;
    const page = await world.page().connect();
    await world.clock.advance(600);
    expect(world.asked).toEqual(["start"]);
    expect(page.states).toEqual(["connecting", "connected"]);
  });
});

describe("getSession", () => {
  it("is called again after growing pauses while it fails", async () => {
    const calls: number[] = [];
    const start = world.clock.seconds;
    const page = world.page({
      environment: { random: () => 1 },
      getSession: async (request) => {
        if (calls.push(world.clock.seconds - start) < 9) throw new Error("down");
        return world.getSession(request);
      },
    });
    await page.connect();
    await world.clock.advance(120);
    expect(calls).toEqual([0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 61.5, 91.5]);
    expect(page.errors.map(({ code }) => code)).toEqual(Array(8).fill("session"));
    expect(page.events.state).toBe("connected");
  });

  it("is called at once when the network is back", async () => {
    let calls = 0;
    const page = world.page({
      getSession: async (request) => {
        if (calls++ < 8) throw new Error("down");
        return world.getSession(request);
      },
    });
    await page.connect();
    for (let i = 0; i < 8; i++) {
      page.tab.fire("online");
      await settle();
    }
    expect(page.events.state).toBe("connected");
  });

  it("ends everything by an UnrecoverableError, until connect is called again", async () => {
    let loggedIn = false;
    const page = world.page({
      getSession: async (request) => {
        if (!loggedIn) throw new UnrecoverableError("logged out");
        return world.getSession(request);
      },
    });
    await page.connect();
    await world.clock.advance(1000);
    expect(page.errors).toMatchObject([{ code: "session", cause: { message: "logged out" } }]);
    expect(page.changes.at(-1)).toMatchObject({ state: "disconnected", reason: { message: "logged out" } });
    loggedIn = true;
    await page.connect();
    expect(page.events.state).toBe("connected");
  });

  it.each([
    ["ends it", false],
    ["does not end a session that another call has brought", true],
  ])("an UnrecoverableError that comes late %s", async (_, isBrought) => {
    let calls = 0;
    const page = world.page({
      getSession: async (request) => {
        if (++calls > 1 && isBrought) return world.getSession(request);
        await new Promise<void>((late) => world.clock.setTimeout(late, 20_000));
        throw new UnrecoverableError("logged out");
      },
    });
    await page.connect();
    await world.clock.advance(30);
    const { state, reason } = page.events.status;
    expect([state, (reason as Error)?.message]).toEqual(
      isBrought ? ["connected", undefined] : ["disconnected", "logged out"],
    );
    expect(page.errors.map(({ cause }) => (cause as Error).message)).toEqual(
      isBrought ? ["no answer for 15 s"] : ["no answer for 15 s", "logged out"],
    );
  });

  it.each([
    ["without a text", new UnrecoverableError(), ""],
    ["of a subclass", new LoggedOut("bye"), "bye"],
    ["of another copy of this package", Object.assign(new Error("bye"), { unrecoverable: true }), "bye"],
  ])("ends all tabs by an UnrecoverableError %s", async (_, error, message) => {
    let out = false;
    const getSession: typeof world.getSession = async (request) => {
      if (out) throw error;
      return world.getSession(request);
    };
    const pages = [await world.page({ getSession }).connect(), await world.page({ getSession }).connect()];
    // New keys count as spreading until they have worked.
    await world.clock.advance(60);
    out = true;
    world.sqs.validKeys.clear();
    await world.clock.advance(60);
    for (const { changes } of pages) {
      expect(changes.at(-1)).toMatchObject({
        state: "disconnected",
        reason: { message, unrecoverable: true },
      });
    }
  });

  it.each(["queue-1", "arn:aws:sqs:eu-west-1:123456789012:queue-1", undefined])(
    "is told when its sqsUrl is %s",
    async (sqsUrl) => {
      const page = world.page({ getSession: async () => ({ ...world.session, sqsUrl }) as never });
      await page.connect();
      expect(page.errors[0]).toMatchObject({ code: "session", cause: { name: "TypeError" } });
      expect(page.events.status.reason).toBe(page.errors[0]?.cause);
    },
  );

  it("is told when it returns the backend's whole reply", async () => {
    const page = world.page({ getSession: async () => ({ success: true, session: world.session }) as never });
    await page.connect();
    expect(page.errors[0]?.cause).toMatchObject({
      message: expect.stringContaining("must resolve to a session"),
    });
    await page.events.disconnect();
  });

  it("is not waited for after disconnect", async () => {
    let answer = () => {};
    const page = world.page({
      getSession: async (request) => {
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
        return world.getSession(request);
      },
    });
    await page.connect();
    await page.events.disconnect();
    answer();
    await world.clock.advance(100);
    expect(world.sqs.requests).toEqual([]);
    expect(page.states).toEqual(["connecting", "disconnected"]);
  });
});
