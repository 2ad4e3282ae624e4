// @vitest-environment happy-dom
import { expect, it } from "vitest";
import { browserEnvironment } from "../src/environment.js";
import { listen } from "../src/page.js";

it("hears the events of a real window and document, until it is told to stop", () => {
  const heard: string[] = [];
  const life = new AbortController();
  const ofWindow = ["online", "offline", "pagehide", "pageshow"];
  const ofDocument = ["visibilitychange", "freeze", "resume"];
  const all = [...ofWindow, ...ofDocument];
  for (const event of all) listen(browserEnvironment(), life.signal, () => heard.push(event), event);
  const fire = () => {
    for (const event of ofWindow) window.dispatchEvent(new Event(event));
    for (const event of ofDocument) document.dispatchEvent(new Event(event));
  };
  fire();
  expect(heard).toEqual(all);
  life.abort();
  fire();
  expect(heard).toEqual(all);
});
