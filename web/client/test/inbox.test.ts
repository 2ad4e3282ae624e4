import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Inbox, type InboxBackend, type InboxPage } from "../src/inbox.js";
import type { Message, Options } from "../src/index.js";
import { ids, settle, World } from "./support/world.js";

let world: World;
beforeEach(() => {
  world = new World();
});

const history = (...names: [string, number, number?][]): Message[] =>
  names.map(([messageId, created, is_read = 0]) => ({ messageId, created, is_read }));

async function inbox(backend: Partial<InboxBackend> = {}, client: Partial<Options> = {}) {
  const page = await world.page(client).connect();
  const marked: string[][] = [];
  const own = new Inbox(page.events, {
    getPage: async ({ next }) =>
      next ? { messages: history(["c", 1]) } : { messages: history(["a", 3], ["b", 2, 1]), next: "older" },
    markRead: async (ids) => marked.push(ids),
    ...backend,
  });
  const shown = () => own.state.items.map(({ message, read }) => `${message.messageId}${read ? "" : "*"}`);
  return { own, marked, shown };
}
const receipt = async (...read: string[]) => {
  const content = { _type: "message-read-receipt", userId: 42, "messages-receipted": read };
  await world.sqs.send(world.session, { messageId: `r-${read}`, ...content });
  await settle();
};

it("loads page by page, newest first, and takes in what comes", async () => {
  const { own, shown } = await inbox();
  await own.load();
  expect([shown(), own.state.unread, own.state.more]).toEqual([["a*", "b"], 1, true]);
  await world.send("new");
  expect([shown(), own.state.unread]).toEqual([["new*", "a*", "b"], 2]);
  await Promise.all([own.load(), own.load()]);
  expect([shown(), own.state.more]).toEqual([["new*", "a*", "b", "c*"], false]);
  await own.load();
  expect(shown()).toHaveLength(4);
});

it("does not take in what no history keeps", async () => {
  const { shown } = await inbox();
  await world.sqs.send(world.session, { messageId: "passing", _sqs_only: 1 });
  await settle();
  expect(shown()).toEqual([]);
});

it("marks read at once, and takes it back when the backend refuses", async () => {
  let down = true;
  const { own, shown } = await inbox({
    markRead: () => (down ? Promise.reject(new Error("down")) : Promise.resolve()),
  });
  await own.load();
  const marking = own.markRead();
  expect(shown()).toEqual(["a", "b"]);
  await expect(marking).rejects.toThrow("down");
  expect(shown()).toEqual(["a*", "b"]);
  down = false;
  await own.markRead(["a", "b", "unknown"]);
  expect([shown(), own.state.unread]).toEqual([["a", "b"], 0]);
});

it("follows the receipts of other sessions, also those that come first", async () => {
  const { own, shown } = await inbox();
  await receipt("c");
  await own.load();
  await receipt("a");
  await own.load();
  expect([shown(), own.state.unread]).toEqual([["a", "b", "c"], 0]);
});

it("counts with the backend what is not loaded", async () => {
  const { own } = await inbox({ getUnread: async () => 7 });
  await own.load();
  expect(own.state.unread).toBe(7);
  await receipt("a", "far-away");
  expect(own.state.unread).toBe(5);
  await world.send("new");
  expect(own.state.unread).toBe(6);
});

describe("that counts with the backend", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] }));
  afterEach(() => void vi.useRealTimers());

  /** Lets the client's time and the inbox's pass. */
  const pass = async (seconds: number) => {
    for (let i = 0; i < seconds * 2; i++) {
      await world.clock.advance(0.5);
      await vi.advanceTimersByTimeAsync(500);
      await settle();
    }
  };
  /** A backend that answers a count when it is told to, with what it had counted when it was asked, or later. */
  function counting(unread: number) {
    const backend = { unread, count: () => {}, answer: () => {}, asked: 0 };
    const getUnread = async () => {
      backend.asked++;
      let counted = 0;
      await new Promise<void>((resolve) => {
        backend.count = () => {
          counted = backend.unread;
        };
        backend.answer = resolve;
      });
      return counted;
    };
    return { backend, getUnread };
  }

  it("shows a page whose count fails, goes on to the next one, and counts again until that works", async () => {
    let down = true;
    const asked: number[] = [];
    const { own, shown } = await inbox({
      getUnread: async () => {
        asked.push(Date.now());
        if (down) throw new Error("down");
        return 7;
      },
    });
    await own.load();
    expect([shown(), own.state.unread, own.state.more]).toEqual([["a*", "b"], 1, true]);
    await own.load();
    expect([shown(), own.state.unread, own.state.more]).toEqual([["a*", "b", "c*"], 2, false]);
    await pass(300);
    const pauses = asked.map((at, i) => at - (asked[i - 1] ?? at));
    expect([pauses.slice(2, 5), pauses.at(-1)]).toEqual([[2000, 4000, 8000], 60_000]);
    down = false;
    await pass(60);
    expect(own.state.unread).toBe(7);
    const { length } = asked;
    await pass(120);
    expect(asked).toHaveLength(length);
  });

  it("shows and loads pages while the backend is still counting", async () => {
    const { own, shown } = await inbox({ getUnread: () => new Promise(() => {}) });
    void own.load();
    await settle();
    expect(shown()).toEqual(["a*", "b"]);
    void own.load();
    await settle();
    expect(shown()).toEqual(["a*", "b", "c*"]);
  });

  it.each([
    ["before the backend counts", true],
    ["after the backend has counted", false],
  ])("counts once what comes %s, and before it answers", async (_, before) => {
    const { backend, getUnread } = counting(7);
    const { own } = await inbox({ getUnread });
    const loading = own.load();
    await pass(1);
    if (!before) backend.count();
    backend.unread++;
    await world.send("new");
    if (before) backend.count();
    backend.answer();
    await loading;
    await pass(1);
    backend.count();
    backend.answer();
    await settle();
    expect([own.state.unread, backend.asked]).toEqual([8, 2]);
    await pass(10);
    expect(backend.asked).toBe(2);
  });

  it("counts once what is counted while it is on its way", async () => {
    const { backend, getUnread } = counting(7);
    const { own } = await inbox({ getUnread });
    world.sqs.cut();
    const loading = own.load();
    await pass(1);
    await world.send("new");
    backend.unread++;
    await pass(1);
    backend.count();
    backend.answer();
    await loading;
    expect(own.state.unread).toBe(8);
    await pass(1);
    world.sqs.offline = false;
    await pass(5);
    expect(own.state.items[0]?.message.messageId).toBe("new");
    backend.count();
    backend.answer();
    await settle();
    expect([own.state.unread, backend.asked]).toEqual([8, 2]);
  });

  it("counts what is marked read while it counts", async () => {
    const { backend, getUnread } = counting(7);
    const { own } = await inbox({ getUnread });
    const loading = own.load();
    await settle();
    backend.count();
    await own.markRead(["a"]);
    backend.unread--;
    backend.answer();
    await loading;
    await pass(1);
    backend.count();
    backend.answer();
    await settle();
    expect(own.state.unread).toBe(6);
  });

  it.each([
    ["marks read", (own: Inbox) => own.markRead(["a"])],
    ["loads", (own: Inbox) => own.load()],
  ])("does not ask the backend once it is closed, also while it %s", async (_, act) => {
    let [asked, held] = [0, Promise.resolve()];
    let go = () => {};
    const { own } = await inbox({
      getPage: async ({ next }) => {
        if (next) await held;
        return { messages: history([next ? "b" : "a", 1]), next: "older" };
      },
      markRead: () => held,
      getUnread: async () => {
        asked++;
        if (asked > 1) await held;
        throw new Error("down");
      },
    });
    await own.load();
    held = new Promise((_, reject) => {
      go = () => reject(new Error("gone"));
    });
    held.catch(() => {});
    await pass(1);
    const acting = act(own).catch(() => {});
    await settle();
    own.close();
    const before = asked;
    go();
    await acting;
    await pass(120);
    expect(asked).toBe(before);
    await own.load();
    expect(asked).toBe(before);
  });

  it("counts again after a gap, and shows what came and what was read meanwhile", async () => {
    let unread = 7;
    const pages: InboxPage[] = [
      { messages: history(["a", 3], ["b", 2, 1]), next: "older" },
      { messages: history(["missed", 4], ["a", 3, 1], ["b", 2, 1]), next: "other" },
    ];
    const asked: (string | undefined)[] = [];
    const { own, shown } = await inbox({
      getUnread: async () => unread,
      getPage: async ({ next }) => {
        asked.push(next);
        return next ? { messages: history(["c", 1]) } : (pages.shift() as InboxPage);
      },
    });
    await own.load();
    world.sqs.deleteQueue(world.session);
    unread = 4;
    await pass(25);
    expect([shown(), own.state.unread]).toEqual([["missed*", "a", "b"], 4]);
    await own.load();
    expect(asked).toEqual([undefined, undefined, "older"]);
  });

  it("shows as read what the client's history says is read", async () => {
    let unread = 7;
    const getHistory = async () => history(["old", 5, 1], ["news", 6], ["a", 3, 1]);
    const { own, shown } = await inbox({ getUnread: async () => unread }, { getHistory });
    await own.load();
    world.sqs.deleteQueue(world.session);
    unread = 7;
    await pass(25);
    expect([shown(), own.state.unread]).toEqual([["news*", "old", "a", "b"], 7]);
  });
});

it("is the same in all tabs, and ends when it is closed", async () => {
  const tabs = [await inbox(), await inbox()];
  await world.send(...ids(2));
  await receipt("m-0");
  expect(tabs.map(({ shown }) => shown().sort())).toEqual([
    ["m-0", "m-1*"],
    ["m-0", "m-1*"],
  ]);
  let changes = 0;
  tabs[0]?.own.subscribe(() => changes++);
  tabs[0]?.own.close();
  await world.send("later");
  expect([changes, tabs[0]?.shown().length, tabs[1]?.shown().length]).toEqual([0, 2, 3]);
});
