/** Where the client runs apart from a page's own thread: as it is built, against the whole system. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { expect, inject } from "vitest";
import { publish, type Visitor, visitor } from "../src/backend.js";
import { application, test } from "../src/pages.js";
import { ROOT } from "../src/system.js";

const CLIENT = pathToFileURL(join(ROOT, "web/client/dist/index.js")).href;
const PROCESSES = {
  Node: [process.execPath],
  Deno: [join(ROOT, "web/node_modules/.bin/deno"), "run", "--no-config", "--allow-net"],
};

/** A module that receives, and says its states and the texts that come. */
const receiver = (client: string, backend: string, { account, user, session }: Visitor, say: string) => `
  import { BrowserEvents } from "${client}";
  const url = "${backend}/api/session?account=${account}&user=${user}&session=${session}";
  const events = new BrowserEvents({
    getSession: async () => (await fetch(url, { method: "POST" })).json(),
  });
  const say = ${say};
  events.on("message", ({ text }) => say(text));
  events.on("state", ({ state }) => say(state));
  events.connect();`;

async function expectToReceive(user: Visitor, said: string[]): Promise<void> {
  await expect.poll(() => said).toContain("connected");
  await publish(user, 1, { text: "for you" });
  await expect.poll(() => said).toContain("for you");
}

test.for(["Worker", "SharedWorker"])("it runs in a %s", async (kind, { context }) => {
  const user = visitor();
  const say = `(said) => channel.postMessage(said); const channel = new BroadcastChannel("said")`;
  const app = await application(`
    const code = ${JSON.stringify(receiver("ORIGIN/client/index.js", "ORIGIN", user, say))};
    const script = new Blob([code.replaceAll("ORIGIN", location.origin)], { type: "text/javascript" });
    globalThis.said = new BroadcastChannel("said");
    said.onmessage = ({ data }) => console.log(data);
    globalThis.worker = new ${kind}(URL.createObjectURL(script), { type: "module" });`);
  const page = await context.newPage();
  const said: string[] = [];
  page.on("console", (message) => said.push(message.text()));
  await page.goto(app.url);
  await expectToReceive(user, said);
  app.stop();
});

test.for(Object.entries(PROCESSES))("it runs in %s", async ([, command], { onTestFinished }) => {
  const user = visitor();
  const dir = mkdtempSync(join(tmpdir(), "sbe-runtime-"));
  const script = join(dir, "receive.mjs");
  writeFileSync(script, receiver(CLIENT, new URL(inject("stack").demoUrl).origin, user, "console.log"));
  const [file = "", ...args] = command;
  const child = spawn(file, [...args, script], {
    env: { ...process.env, DENO_DIR: dir, DENO_NO_UPDATE_CHECK: "1" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => {
    child.kill();
    rmSync(dir, { recursive: true, force: true });
  });
  const said: string[] = [];
  createInterface(child.stdout).on("line", (line) => said.push(line));
  await expectToReceive(user, said);
});
