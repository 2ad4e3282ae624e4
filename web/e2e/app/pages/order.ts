import { BrowserEvents } from "sqs-browser-events";
import { inOrder } from "sqs-browser-events/order";
import { getSession } from "../backend.js";

/** The numbers as they arrive, and as the handler begins and ends with them; the even are of one key, the odd of another. */
const handled = { arrived: [] as number[], steps: [] as string[] };
const failing = new Set([3]);
const events = new BrowserEvents({ getSession });
events.on("message", ({ n }) => void handled.arrived.push(Number(n)));
events.on(
  "message",
  inOrder(
    ({ n }) => Number(n) % 2,
    async ({ n }) => {
      handled.steps.push(`${n} begins`);
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (failing.delete(Number(n))) throw new Error("not this time");
      handled.steps.push(`${n} ends`);
    },
    { pause: 0.05 },
  ),
);
events.connect();
await events.ready();
Object.assign(globalThis, { handled });
