/** Every entry of the package, as a program uses it; it must type-check. */
import { BrowserEvents, type Session, UnrecoverableError } from "sqs-browser-events";
import { debugged } from "sqs-browser-events/debug";
import { economy } from "sqs-browser-events/economy";
import { Inbox } from "sqs-browser-events/inbox";
import { messages } from "sqs-browser-events/iterate";
import { inOrder } from "sqs-browser-events/order";
import { browserEvents } from "sqs-browser-events/svelte";

interface Events {
  "order-shipped": { orderId: number };
  "chat-message": { from: string; text: string };
}

const getSession = async (): Promise<Session> => {
  throw new UnrecoverableError("nobody is logged in");
};
const events = new BrowserEvents<Events>({ getSession, ...economy({ hidden: "slow" }) });
events.on("type:order-shipped", ({ orderId }) => orderId.toFixed());
events.on("message", (message) => {
  if (message._type === "chat-message") message.from.toUpperCase();
});
events.on("error", ({ code, payload }) => [code, payload?.messageId]);
// @ts-expect-error there is no such type of message
events.on("type:order-shiped", () => {});
// @ts-expect-error there is no such event
events.on("mesage", () => {});

const untyped = debugged({ getSession });
untyped.on("type:anything", ({ messageId }) => messageId);
untyped.on(
  "message",
  inOrder(
    ({ orderId }) => orderId,
    () => {},
  ),
);
export async function loop(): Promise<void> {
  for await (const message of messages(events)) {
    if (message._type === "order-shipped") message.orderId.toFixed();
  }
}
export const inbox = new Inbox(untyped, {
  getPage: async () => ({ messages: [] }),
  markRead: async () => {},
});
export const store = browserEvents({ getSession });
