import { BrowserEvents } from "sqs-browser-events";
import { Inbox, type InboxPage } from "sqs-browser-events/inbox";
import { call, getSession, root, visitor } from "../backend.js";

const headers = { "content-type": "application/json" };
const events = new BrowserEvents({ getSession });
const inbox = new Inbox(events, {
  getPage: ({ next }) => call<InboxPage>("page", {}, next ? { next } : {}),
  markRead: (ids) =>
    call("read", { method: "POST", headers, body: JSON.stringify({ user: visitor.user, ids }) }),
  getUnread: async () => (await call<{ unread: number }>("unread")).unread,
});
/** For instance: `2 unread: *new, *second, first, …`. */
inbox.subscribe(() => {
  const { items, unread, more } = inbox.state;
  const names = items.map(({ message, read }) => `${read ? "" : "*"}${message.n}`);
  root.textContent = `${unread} unread: ${[...names, ...(more ? ["…"] : [])].join(" ")}`;
});
await inbox.load();
events.connect();
await events.ready();
Object.assign(globalThis, { inbox });
