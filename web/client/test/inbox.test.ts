import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Inbox, type InboxBackend, type InboxPage } from "../src/inbox.js";
import type { Message, Options } from "../src/index.js";
import { ids, settle, World } from "./support/world.js";

// A thousand messages take their time where others use the machine as well.
vi.setConfig({ testTimeout: 60_000 });

let world: World;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
  world = new World();
});
afterEach(() => void vi.useRealTimers());

/** Lets the client's time and the inbox's pass. */
async function pass(seconds: number): Promise<void> {
  for (let i = 0; i < seconds * 2; i++) {
    await world.clock.advance(0.5);
    await vi.advanceTimersByTimeAsync(500);
    await settle();
  }
}

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

it("marks read what is not loaded, as what a notification has shown", async () => {
  const marked: string[] = [];
  const { own, shown } = await inbox({ markRead: async (ids) => marked.push(...ids) });
  await own.markRead(["c"]);
  await own.load();
  await own.markRead(["a"]);
  await own.markRead(["a"]);
  expect([marked, shown()]).toEqual([
    ["c", "a"],
    ["a", "b"],
  ]);
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
  await pass(1);
  await receipt("a", "far-away");
  expect(own.state.unread).toBe(5);
  await world.send("new");
  expect(own.state.unread).toBe(6);
});

/** A backend with all of a user's messages, which it pages newest first, as the service does. */
function backendOf(messages: Message[], size: number) {
  const place = ({ created }: Message) => Number(created);
  const asked: (string | undefined)[] = [];
  const getPage = async ({ next }: { next?: string }): Promise<InboxPage> => {
    asked.push(next);
    const older = messages.filter((message) => next === undefined || place(message) < Number(next));
    const page = older.sort((a, b) => place(b) - place(a)).slice(0, size);
    return { messages: page, next: older.length > size ? `${place(page.at(-1) as Message)}` : undefined };
  };
  return { asked, getPage, messages };
}
const numbered = (from: number, to: number): Message[] =>
  history(...Array.from({ length: to - from + 1 }, (_, i): [string, number] => [`h${from + i}`, from + i]));

const down = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, i) => from - i);

/** Has the client bring messages from its history, all in one turn. */
async function bring(): Promise<void> {
  world.sqs.deleteQueue(world.session);
  await world.clock.advance(25);
  await pass(1);
}

it("tells of a burst once, and does not sort what it has again", async () => {
  let reads = 0;
  const counted = ({ created, ...message }: Message): Message => ({
    ...message,
    get created() {
      reads++;
      return created;
    },
  });
  const getPage = async () => ({ messages: numbered(1, 300).map(counted) });
  const { own } = await inbox({ getPage }, { getHistory: async () => numbered(301, 600).reverse() });
  await own.load();
  expect(reads).toBeLessThanOrEqual(300);
  let changes = 0;
  own.subscribe(() => changes++);
  await bring();
  const created = own.state.items.map(({ message }) => Number(message.messageId.slice(1)));
  expect(created).toEqual(down(600, 1));
  expect(own.state.unread).toBe(600);
  // The others after it has loaded the newest page again, and counted.
  expect(changes).toBeLessThanOrEqual(3);
  expect(reads).toBeLessThanOrEqual(600);
});

it("has one state until something changes, and tells of it once in a turn", async () => {
  const { own } = await inbox();
  await own.load();
  const states = [own.state, own.state];
  const told: unknown[] = [];
  own.subscribe(() => told.push(own.state));
  void own.markRead(["a"]);
  states.push(own.state);
  expect(told).toEqual([]);
  await settle();
  states.push(own.state);
  expect([states[0] === states[1], states[1] === states[2], states[2] === states[3]]).toEqual([
    true,
    false,
    true,
  ]);
  expect(told).toEqual([states[3]]);
});

it("keeps the newest of a burst, and loads again what it has dropped", async () => {
  const backend = backendOf(numbered(1, 1300), 50);
  const { own } = await inbox(backend, { getHistory: async () => backend.messages });
  await bring();
  const { items, more, unread } = own.state;
  expect([items.length, items[0]?.message.messageId, more, unread]).toEqual([1000, "h1300", true, 1000]);
  await own.load();
  // Page by page down to the first that it did not have, and from there on.
  expect([own.state.items.length, backend.asked.length]).toEqual([1050, 21]);
  while (own.state.more) await own.load();
  expect(own.state.items.map(({ message }) => message.created)).toEqual(down(1300, 1));
  expect(backend.asked.length).toBe(26);
});

it("drops nothing while a page is on its way", async () => {
  const backend = backendOf(numbered(1, 30), 10);
  let go = () => {};
  let held = Promise.resolve();
  const getPage = (request: { next?: string }) => held.then(() => backend.getPage(request));
  const { own } = await inbox({ getPage }, { getHistory: async () => numbered(31, 1100) });
  await own.load();
  held = new Promise((resolve) => {
    go = resolve;
  });
  const loading = own.load();
  await bring();
  go();
  await loading;
  expect(own.state.items.map(({ message }) => message.created)).toEqual(down(1100, 11));
});

it("counts those that it has dropped, where the backend counts", async () => {
  const backend = backendOf(numbered(1, 1080), 10);
  let counts = 0;
  const getUnread = () => (counts++ === 0 ? Promise.resolve(1080) : Promise.reject(new Error("down")));
  const { own } = await inbox({ ...backend, getUnread }, { getHistory: async () => numbered(21, 1070) });
  await own.load();
  await bring();
  expect([own.state.items.length, own.state.unread]).toEqual([1010, 1080]);
});

it("goes on to the first page that has something new, and ends where a backend repeats itself", async () => {
  const pages: Record<string, InboxPage> = {
    "": { messages: history(["a", 3]), next: "empty" },
    empty: { messages: [], next: "known" },
    known: { messages: history(["a", 3]), next: "last" },
    last: { messages: history(["b", 2]), next: "last" },
  };
  const { own, shown } = await inbox({ getPage: async ({ next = "" }) => pages[next] as InboxPage });
  await own.load();
  expect([shown(), own.state.more]).toEqual([["a*"], true]);
  await own.load();
  expect([shown(), own.state.more]).toEqual([["a*", "b*"], false]);
});

it("remembers the latest receipts of what is not loaded", async () => {
  const getPage = async () => ({ messages: history(["x-0", 2], ["x-5001", 1]) });
  const { own, shown } = await inbox({ getPage });
  await receipt(...ids(5002, "x"));
  await own.load();
  expect(shown()).toEqual(["x-0*", "x-5001"]);
});

describe("after a gap", () => {
  /** An inbox that has loaded a page, and its backend, which has some more. */
  async function loaded(size: number, hold: () => Promise<void> = async () => {}) {
    const backend = backendOf(numbered(1, size + 1), size);
    const getPage = async (request: { next?: string }) => {
      const page = await backend.getPage(request);
      await hold();
      return page;
    };
    const { own } = await inbox({ getPage });
    await own.load();
    const shown = () => own.state.items.map(({ message }) => Number(message.messageId.slice(1)));
    return { own, shown, backend };
  }

  it("loads pages up to what it had", async () => {
    const { own, shown, backend } = await loaded(2);
    await own.load();
    expect([shown(), own.state.more]).toEqual([[3, 2, 1], false]);
    backend.messages.push(...numbered(4, 9));
    await bring();
    expect([shown(), own.state.unread, own.state.more]).toEqual([down(9, 1), 9, false]);
    backend.asked.length = 0;
    backend.messages.push(...numbered(10, 10));
    await bring();
    expect([shown(), backend.asked.length]).toEqual([down(10, 1), 1]);
  });

  it("is not misled by what has come since the gap", async () => {
    const { own, shown, backend } = await loaded(2);
    backend.messages.push(...numbered(4, 10));
    world.sqs.deleteQueue(world.session);
    await world.clock.advance(25);
    await world.send("h10");
    expect(shown()).toEqual([10, 3, 2]);
    await pass(1);
    expect([shown(), own.state.more]).toEqual([down(10, 2), true]);
    await own.load();
    expect([shown(), own.state.more]).toEqual([down(10, 1), false]);
  });

  it("shows the newest alone when too much was missed, and loads the rest", async () => {
    const { own, shown, backend } = await loaded(100);
    await own.load();
    expect([shown(), own.state.more]).toEqual([down(101, 1), false]);
    backend.messages.push(...numbered(102, 1250));
    await bring();
    expect([shown(), own.state.unread, own.state.more]).toEqual([down(1250, 251), 1000, true]);
    await own.load();
    expect(shown()).toEqual(down(1250, 151));
    while (own.state.more) await own.load();
    expect(shown()).toEqual(down(1250, 1));
  });

  it("leaves no hole above a page that was on its way", async () => {
    let held: Promise<void> | undefined;
    let go = () => {};
    const { own, shown, backend } = await loaded(100, async () => {
      const wait = held;
      held = undefined;
      await wait;
    });
    held = new Promise((resolve) => {
      go = resolve;
    });
    const loading = own.load();
    await settle();
    backend.messages.push(...numbered(102, 1250));
    await bring();
    expect(shown()).toEqual(down(1250, 251));
    go();
    await loading;
    expect(shown()).toEqual(down(1250, 151));
  });

  it("loads one page when there was none before", async () => {
    const backend = backendOf(numbered(1, 30), 2);
    let go = () => {};
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    const getPage = async (request: { next?: string }) => {
      const page = await backend.getPage(request);
      if (backend.asked.length === 1) await held;
      return page;
    };
    const { own } = await inbox({ getPage });
    const loading = own.load();
    await settle();
    backend.messages.push(...numbered(31, 40));
    await bring();
    go();
    await loading;
    const created = own.state.items.map(({ message }) => message.created);
    expect([created, backend.asked]).toEqual([down(40, 37), [undefined, undefined, "39"]]);
  });

  it("looks again when a page fails, and when there is another gap meanwhile", async () => {
    const faults = [
      async () => {},
      async () => {
        throw new Error("down");
      },
      // After the backend has read the page.
      async () => {
        backend.messages.push(...numbered(10, 13));
        world.sqs.deleteQueue(world.session);
        await world.clock.advance(25);
      },
    ];
    let faulty = false;
    const { shown, backend } = await loaded(2, async () => {
      if (faulty) await faults.shift()?.();
    });
    backend.messages.push(...numbered(4, 9));
    faulty = true;
    await bring();
    await pass(5);
    expect([shown(), faults.length]).toEqual([down(13, 2), 0]);
  });

  it("looks behind empty pages, and keeps what it has where the history is empty", async () => {
    let pages: Record<string, InboxPage> = { "": { messages: numbered(1, 2) } };
    const { own, shown } = await inbox({ getPage: async ({ next = "" }) => pages[next] as InboxPage });
    await own.load();
    pages = { "": { messages: [], next: "a" }, a: { messages: [], next: "b" }, b: { messages: [] } };
    await bring();
    expect([shown(), own.state.more]).toEqual([["h2*", "h1*"], false]);
    // The last one leads to itself.
    pages.b = { messages: numbered(8, 9).reverse(), next: "c" };
    pages.c = { messages: [], next: "c" };
    await bring();
    expect([shown(), own.state.more]).toEqual([["h9*", "h8*"], true]);
    pages = { "": { messages: [], next: "d" }, d: { messages: [], next: "d" } };
    await bring();
    expect([shown(), own.state.more]).toEqual([["h9*", "h8*"], true]);
  });
});

describe("that counts with the backend", () => {
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
    const tell = async () => {
      backend.count();
      backend.answer();
      await settle();
    };
    return { backend, getUnread, tell };
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
    await vi.advanceTimersByTimeAsync(300_000);
    const pauses = asked.map((at, i) => at - (asked[i - 1] ?? at));
    expect([pauses.slice(2, 5), pauses.at(-1)]).toEqual([[2000, 4000, 8000], 60_000]);
    down = false;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(own.state.unread).toBe(7);
    const { length } = asked;
    await vi.advanceTimersByTimeAsync(120_000);
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
    const { backend, getUnread, tell } = counting(7);
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
    await tell();
    expect([own.state.unread, backend.asked]).toEqual([8, 2]);
    await pass(10);
    expect(backend.asked).toBe(2);
  });

  it("counts once what is counted while it is on its way", async () => {
    const { backend, getUnread, tell } = counting(7);
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
    await tell();
    expect([own.state.unread, backend.asked]).toEqual([8, 2]);
  });

  it("counts what is marked read while it counts", async () => {
    const { backend, getUnread, tell } = counting(7);
    const { own } = await inbox({ getUnread });
    const loading = own.load();
    await settle();
    backend.count();
    await own.markRead(["a"]);
    backend.unread--;
    backend.answer();
    await loading;
    await pass(1);
    await tell();
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
    await vi.advanceTimersByTimeAsync(120_000);
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
