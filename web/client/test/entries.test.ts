import { get } from "svelte/store";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { effectScope, nextTick, ref } from "vue";
import { debugged } from "../src/debug.js";
import type { Message, Metadata, Options } from "../src/index.js";
import { inOrder } from "../src/order.js";
import { browserEvents } from "../src/svelte.js";
import { useBrowserEvents } from "../src/vue.js";
import { settle, World } from "./support/world.js";

let world: World;
beforeEach(() => {
  world = new World();
});
const options = () => ({ getSession: world.getSession, environment: world.tab().environment });

describe("in order", () => {
  const metadata = {} as Metadata;
  const message = (messageId: string, key?: string): Message => ({ messageId, key });

  it("takes messages of one key one after the other, and others at the same time", async () => {
    const log: string[] = [];
    const finish = new Map<string, () => void>();
    const handler = inOrder(
      ({ key }) => key,
      ({ messageId }) => {
        log.push(messageId);
        return new Promise<void>((resolve) => finish.set(messageId, resolve));
      },
    );
    for (const [id, key] of [["a1", "a"], ["a2", "a"], ["b1", "b"], ["x"], ["y"]] as [string, string?][]) {
      void handler(message(id, key), metadata);
    }
    expect(log).toEqual(["a1", "b1", "x", "y"]);
    finish.get("a1")?.();
    await settle();
    expect(log.at(-1)).toBe("a2");
  });

  it("tries one that fails again in its place, and goes on when it has failed for good", async () => {
    const log: string[] = [];
    const handler = inOrder(
      ({ key }) => key,
      ({ messageId }) => {
        log.push(messageId);
        if (messageId === "bad") throw new Error("cannot");
      },
      { attempts: 3, pause: 0.001 },
    );
    const results = ["bad", "good"].map((id) => handler(message(id, "a"), metadata));
    const [bad, good] = await Promise.allSettled(results);
    expect([bad?.status, good?.status]).toEqual(["rejected", "fulfilled"]);
    expect(log).toEqual(["bad", "bad", "bad", "good"]);
  });
});

describe("a debugged client", () => {
  it("tells what it does, but no keys and no messages", async () => {
    const log: string[] = [];
    const events = debugged(options(), (...facts) => log.push(JSON.stringify(facts)));
    events.on("message", () => {});
    events.connect();
    await settle();
    await world.sqs.send(world.session, { messageId: "a", text: "private" });
    await world.clock.advance(10);
    const text = log.join("\n");
    for (const said of [
      "getSession start",
      "ReceiveMessage: 200",
      "DeleteMessageBatch of 1: 200",
      "connected",
    ]) {
      expect(text).toContain(said);
    }
    const { accessKey, secretKey, sessionToken, aesKey } = world.session;
    for (const secret of [accessKey, secretKey, sessionToken, aesKey, "private"]) {
      expect(text).not.toContain(`"${secret}"`);
      expect(text).not.toContain(`=${secret}`);
    }
  });

  it.each([
    [{}, "getSession must be a function, not undefined"],
    [{ getSession: 1 }, "getSession must be a function, not 1"],
    [{ getSession: async () => world.session, getHistory: 1 }, "getHistory must be a function, not 1"],
  ])("refuses what the client refuses: %j", (options, text) => {
    expect(() => debugged(options as unknown as Options)).toThrow(new TypeError(text));
  });
});

describe("Vue", () => {
  beforeEach(() => void vi.stubGlobal("window", globalThis));
  afterEach(() => void vi.unstubAllGlobals());

  it("connects while the scope lives and it is enabled, and shows the state", async () => {
    const enabled = ref(false);
    const scope = effectScope();
    const used = scope.run(() => useBrowserEvents(options(), () => enabled.value));
    await settle();
    expect(used?.state.value).toBe("disconnected");
    enabled.value = true;
    await nextTick();
    await settle();
    expect(used?.state.value).toBe("connected");
    scope.stop();
    expect(used?.state.value).toBe("disconnected");
  });
});

describe("Svelte", () => {
  it("does not connect where a server renders", () => {
    const store = browserEvents(options());
    expect(get(store)).toBe("disconnected");
    expect(world.asked).toEqual([]);
  });

  it("connects while somebody is subscribed", async () => {
    vi.stubGlobal("window", globalThis);
    const store = browserEvents(options());
    expect(store.events.state).toBe("disconnected");
    expect(get(store)).toBe("connecting");
    expect(store.events.state).toBe("disconnected");
    const states: string[] = [];
    const stop = [store.subscribe((state) => states.push(state)), store.subscribe(() => {})];
    await settle();
    expect(states.at(-1)).toBe("connected");
    stop[0]?.();
    stop[0]?.();
    expect(store.events.state).toBe("connected");
    stop[1]?.();
    expect(store.events.state).toBe("disconnected");
    vi.unstubAllGlobals();
  });
});
