import { expect, it } from "vitest";
import { createEmitter } from "../src/emitter.js";
import type { Metadata } from "../src/events.js";
import { createHandling } from "../src/handling.js";
import type { Settings } from "../src/options.js";
import { ids } from "./support/world.js";

const metadata = (messageId: string) => ({ messageId }) as Metadata;

it("remembers what was settled last, however many messages are in handlers", async () => {
  const emitter = createEmitter(() => {});
  const handling = createHandling(emitter, { maxAttempts: 3, dedupeSize: 10 } as Settings);
  handling.life = new AbortController().signal;
  const calls: string[] = [];
  emitter.on("message", (message) => {
    const { messageId } = message as Metadata;
    calls.push(messageId);
    return messageId.startsWith("stuck") ? new Promise(() => {}) : undefined;
  });
  const handle = (id: string) => handling.handle({ messageId: id }, metadata(id));
  const quick = ids(10);
  for (const id of quick) await handle(id);
  for (const id of ids(100, "stuck")) void handle(id);
  calls.length = 0;
  for (const id of quick) expect(await handle(id)).toBe(true);
  expect(calls).toEqual([]);
  await handle("new");
  await handle("m-0");
  expect(calls).toEqual(["new", "m-0"]);
});
