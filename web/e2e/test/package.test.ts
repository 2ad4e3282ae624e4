import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject } from "vitest";
import { publish } from "../src/backend.js";
import { test } from "../src/pages.js";
import { proxyTo, TestServer } from "../src/server.js";
import { ROOT } from "../src/system.js";

const CLIENT = join(ROOT, "web/client");
const BIN = join(ROOT, "web/node_modules/.bin");
/** In the workspace, so that an application there finds React as its own. */
let dir: string;
let tarball: string;

const run = (command: string, args: string[], cwd: string) => {
  try {
    // Tools would take the tests' environment for the application's.
    const env = { ...process.env, NODE_ENV: undefined };
    return execFileSync(command, args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(" ")}: ${stdout}${stderr}`);
  }
};

beforeAll(() => {
  dir = mkdtempSync(join(ROOT, "web/e2e/.app-"));
  run("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", dir], CLIENT);
  tarball = join(dir, readdirSync(dir).find((name) => name.endsWith(".tgz")) as string);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("the package is as package managers, bundlers and TypeScript expect it", () => {
  run(join(BIN, "publint"), [tarball, "--strict"], dir);
  run(join(BIN, "attw"), [tarball, "--profile", "esm-only"], dir);
  const files = run("tar", ["tf", tarball], dir).split("\n");
  // Internals are in the bundle, not beside it.
  expect(files.filter((name) => /connection|leases|\.map$|\.ts\.ts$|test/.test(name))).toEqual([]);
});

test("a Vite application of React and TypeScript made from the package works as the README says", async ({
  context,
}) => {
  const app = join(dir, "app");
  cpSync(join(ROOT, "web/e2e/app"), app, { recursive: true });
  const installed = join(app, "node_modules/sqs-browser-events");
  mkdirSync(installed, { recursive: true });
  run("tar", ["xzf", tarball, "--strip-components=1", "-C", installed], dir);
  const readme = readFileSync(join(installed, "README.md"), "utf8");
  const [, code = ""] = /```tsx\n(.*?)```/s.exec(readme) ?? [];
  writeFileSync(join(app, "App.tsx"), code);
  run(join(BIN, "tsc"), ["-p", "tsconfig.json"], app);
  run(join(BIN, "vite"), ["build", "--logLevel", "error"], app);
  // It has the production build, and once, though entries import it as well.
  const assets = join(app, "dist/assets");
  const built = readdirSync(assets).map((name) => readFileSync(join(assets, name), "utf8"));
  expect(built.join().split("AWS4-HMAC-SHA256").length - 1).toBe(1);
  expect(built.join().includes("there is no option")).toBe(false);

  const others = proxyTo(inject("stack").demoUrl);
  const server = await TestServer.start((incoming, outgoing) => {
    if (incoming.url?.startsWith("/api/")) return others(incoming, outgoing);
    const path = incoming.url === "/" ? "/index.html" : (incoming.url ?? "");
    const type = path.endsWith(".js") ? "text/javascript" : "text/html";
    outgoing.writeHead(200, { "content-type": type }).end(readFileSync(join(app, "dist", path)));
  });
  const page = await context.newPage();
  await page.goto(server.url);
  await page.getByText("connected", { exact: true }).waitFor();
  const text = `hello ${Date.now()}`;
  await publish({ account: 1 }, 1, { text });
  await page.getByText(text).waitFor();
  server.stop();
});
