import * as api from "./api.js";
import { find, fromTemplate, part, textOf } from "./dom.js";

/** How often the list is asked for, milliseconds. */
const PERIOD = 3000;

/** Shows the messages whose users were not there, as the bus was told of them. */
export function showUnreached() {
  const list = find("#unreached");
  let known = "";
  const show = async () => {
    if (document.hidden) return;
    const events = await api.unreached();
    const now = JSON.stringify(events);
    if (now === known) return;
    known = now;
    list.replaceChildren(...events.map(item));
  };
  const ask = () => void show().catch((error) => console.warn(`Unreached messages: ${textOf(error)}`));
  setInterval(ask, PERIOD);
  ask();
}

/** @param {import("./api.js").Unreached} event */
function item({ userId, created, message }) {
  const element = fromTemplate("unreached-message");
  part(element, "user").textContent = `user ${userId}`;
  part(element, "text").textContent = String(message?.text ?? "");
  const time = new Date(created * 1000);
  part(element, "time").textContent = time.toLocaleTimeString([], { hourCycle: "h23" });
  part(element, "time").setAttribute("datetime", time.toISOString());
  return element;
}
