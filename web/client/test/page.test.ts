// @vitest-environment happy-dom
import { expect, it } from "vitest";
import { browserEnvironment } from "../src/environment.js";
import { watchPage } from "../src/page.js";

it("hears the events of a real window and document, until it is told to stop", () => {
  const heard: string[] = [];
  const life = new AbortController();
  watchPage(browserEnvironment(), life.signal, {
    network: () => heard.push("network"),
    hidden: () => heard.push("hidden"),
    visible: () => heard.push("visible"),
    freezing: () => heard.push("freezing"),
    thawed: () => heard.push("thawed"),
  });
  const fire = () => {
    for (const event of ["online", "offline", "pagehide", "pageshow"]) window.dispatchEvent(new Event(event));
    for (const event of ["visibilitychange", "freeze", "resume"]) document.dispatchEvent(new Event(event));
  };
  fire();
  const all = ["network", "network", "freezing", "thawed", "visible", "freezing", "thawed"];
  expect(heard).toEqual(all);
  life.abort();
  fire();
  expect(heard).toEqual(all);
});
