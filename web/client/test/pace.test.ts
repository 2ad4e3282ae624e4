import { expect, it } from "vitest";
import { createEmitter } from "../src/emitter.js";
import type { Status } from "../src/index.js";
import { withDefaults } from "../src/options.js";
import { createPace } from "../src/pace.js";
import { World } from "./support/world.js";

it("keeps in the status what still fails when something else works again", async () => {
  const world = new World();
  const environment = { ...world.tab().environment, random: () => 1 };
  const settings = withDefaults({ environment, getSession: world.getSession });
  const client = {
    settings,
    emitter: createEmitter(() => {}),
    status: { state: "connected" } as Status,
  };
  const { retry } = createPace(client);
  const { signal } = new AbortController();
  const failing = (message: string, times: number) => {
    let left = times;
    const call = async () => {
      if (left-- > 0) throw new Error(message);
    };
    return retry(signal, call, () => {});
  };
  const first = failing("the first", 1);
  const second = failing("the second", 4);
  await world.clock.advance(1);
  await first;
  expect(client.status).toMatchObject({ reason: { message: "the second" }, retryAt: expect.any(Number) });
  await world.clock.advance(20);
  await second;
  expect(client.status).toEqual({ state: "connected" });
});
