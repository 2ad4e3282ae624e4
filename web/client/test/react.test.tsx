// @vitest-environment happy-dom
import { act, StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { beforeEach, expect, it } from "vitest";
import {
  BrowserEventsProvider,
  type UseBrowserEventsOptions,
  useBrowserEvents,
  useBrowserEventsState,
  useEvent,
} from "../src/react.js";
import { settle, World } from "./support/world.js";

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

let world: World;
let root: ReturnType<typeof createRoot>;
let container: HTMLElement;
beforeEach(() => {
  world = new World();
  container = document.createElement("div");
  root = createRoot(container);
});

interface Props extends Partial<UseBrowserEventsOptions> {
  user?: number;
}

function Feed({ user, ...options }: Props) {
  return useBrowserEvents({ getSession: world.getSession, ...options }, [user]);
}

function Reader({ name, seen }: { name: string; seen: string[] }) {
  useEvent("message", ({ messageId }) => seen.push(`${name} ${messageId}`));
  return useBrowserEventsState();
}

async function render(props: Props): Promise<void> {
  const { environment } = world.tab();
  const feed = <Feed environment={environment} {...props} />;
  await act(async () => root.render(<StrictMode>{feed}</StrictMode>));
  await act(settle);
}

it("connects once under StrictMode, shows the state, and disconnects when unmounted", async () => {
  await render({});
  expect(world.asked).toEqual(["start"]);
  expect(container.textContent).toBe("connected");
  await act(async () => root.unmount());
  await world.send("a");
  await world.clock.advance(60);
  expect(world.sqs.left(world.session)).toBe(1);
});

it("calls the handlers of the latest render, without connecting anew", async () => {
  const seen: string[] = [];
  await render({ onMessage: ({ messageId }) => seen.push(`first ${messageId}`) });
  await act(() => world.send("a"));
  await render({ onMessage: ({ messageId }) => seen.push(`second ${messageId}`) });
  await act(() => world.send("b"));
  expect(seen).toEqual(["first a", "second b"]);
  expect(world.asked).toEqual(["start"]);
});

it("waits for a handler's promise before a message is deleted", async () => {
  let finish = () => {};
  await render({
    onMessage: () =>
      new Promise<void>((resolve) => {
        finish = resolve;
      }),
  });
  await act(() => world.send("a"));
  await act(() => world.clock.advance(10));
  expect(world.sqs.left(world.session)).toBe(1);
  finish();
  await act(() => world.clock.advance(10));
  expect(world.sqs.left(world.session)).toBe(0);
});

it("connects anew when a dependency changes", async () => {
  await render({ user: 1 });
  await render({ user: 2 });
  expect(world.asked).toEqual(["start", "start"]);
  expect(container.textContent).toBe("connected");
});

it("takes all options of the render in which a dependency changes", async () => {
  await render({ user: 1, waitTime: 20 });
  let asked = 0;
  const getHistory = async () => {
    asked++;
    return [];
  };
  await render({ user: 2, waitTime: 7, getHistory });
  await act(() => world.clock.advance(25));
  expect(world.sqs.receives().at(-1)?.wait).toBe(7);
  world.sqs.deleteQueue(world.session);
  await act(() => world.clock.advance(25));
  expect(asked).toBe(1);
});

it.each([
  [{ getSession: undefined }, "getSession must be a function, not undefined"],
  [{ getSession: 1 }, "getSession must be a function, not 1"],
  [{ getHistory: [] }, "getHistory must be a function"],
  [{ waitTime: 21 }, "waitTime must be a number from 1 to 20, not 21"],
])("refuses what the client refuses: %j", async (options, text) => {
  await expect(render(options as Props)).rejects.toThrow(text);
});

it("passes the other events on", async () => {
  const heard: string[] = [];
  await render({
    getHistory: async ({ since }) => {
      heard.push(`history ${typeof since}`);
      return [];
    },
    onState: ({ state }) => heard.push(state),
    onGap: ({ reason }) => heard.push(reason),
    onError: ({ code }) => heard.push(code),
  });
  world.sqs.deleteQueue(world.session);
  await act(() => world.clock.advance(25));
  expect(heard).toEqual(["connecting", "connected", "connecting", "connected", "queue", "history number"]);
});

it("is not connected while it is not enabled", async () => {
  await render({ enabled: false });
  expect([container.textContent, world.asked]).toEqual(["disconnected", []]);
  const { environment } = world.tab();
  await render({ enabled: true, environment });
  expect(container.textContent).toBe("connected");
  await render({ enabled: false, environment });
  expect(container.textContent).toBe("disconnected");
});

it("keeps messages until a render handles them", async () => {
  const { environment } = world.tab();
  await render({ environment });
  await act(() => world.send("a"));
  await act(() => world.clock.advance(60));
  expect(world.sqs.left(world.session)).toBe(1);
  const seen: string[] = [];
  await render({ environment, onMessage: ({ messageId }) => seen.push(messageId) });
  await act(() => world.clock.advance(10));
  expect(seen).toEqual(["a"]);
  expect(world.sqs.left(world.session)).toBe(0);
});

it("shares one client below a provider", async () => {
  const { environment } = world.tab();
  const seen: string[] = [];
  const readers = (names: string[]) => (
    <StrictMode>
      <BrowserEventsProvider getSession={world.getSession} environment={environment}>
        {names.map((name) => (
          <Reader key={name} name={name} seen={seen} />
        ))}
      </BrowserEventsProvider>
    </StrictMode>
  );
  await act(async () => root.render(readers(["one", "two"])));
  await act(settle);
  expect(container.textContent).toBe("connectedconnected");
  await act(() => world.send("a"));
  await act(async () => root.render(readers(["two"])));
  await act(() => world.send("b"));
  expect(seen).toEqual(["one a", "two a", "two b"]);
  expect(world.asked).toEqual(["start"]);
});

it("says that a provider is missing", async () => {
  const failing = act(async () => root.render(<Reader name="" seen={[]} />));
  await expect(failing).rejects.toThrow("BrowserEventsProvider");
});
