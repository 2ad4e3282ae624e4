import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import { extname, join } from "node:path";
import { expect } from "vitest";
import { ROOT } from "./system.js";

const CLIENT = join(ROOT, "web/client");
const TYPES: Record<string, string> = { ".html": "text/html", ".js": "text/javascript" };

/** Runs a program of the packages. What it prints is in the error if it fails. */
export function run(command: string, args: string[], cwd: string): string {
  try {
    const PATH = `${join(ROOT, "web/node_modules/.bin")}:${process.env.PATH}`;
    // Tools would take the tests' environment for the application's.
    const env = { ...process.env, PATH, NODE_ENV: undefined };
    return execFileSync(command, args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(" ")}: ${stdout}${stderr}`);
  }
}

/** A directory with the packed client. It is in the workspace, so that an application there finds React as its own. */
export class Packed {
  readonly dir = mkdtempSync(join(ROOT, "web/e2e/.app-"));
  readonly tarball: string;

  constructor() {
    run("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", this.dir], CLIENT);
    this.tarball = join(this.dir, readdirSync(this.dir).find((name) => name.endsWith(".tgz")) as string);
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** Installs the client in a directory. */
  install(into: string): string {
    const installed = join(into, "node_modules/sqs-browser-events");
    mkdirSync(installed, { recursive: true });
    run("tar", ["xzf", this.tarball, "--strip-components=1", "-C", installed], this.dir);
    return installed;
  }

  /** Checks and builds the application of `web/e2e/app` with the package and its README's code; returns what serves it. */
  application(): RequestListener {
    const app = join(this.dir, "app");
    cpSync(join(ROOT, "web/e2e/app"), app, { recursive: true });
    const readme = readFileSync(join(this.install(app), "README.md"), "utf8");
    const [, code = ""] = /```tsx\n(.*?)```/s.exec(readme) ?? [];
    writeFileSync(join(app, "App.tsx"), code);
    run("tsc", ["-p", "tsconfig.json"], app);
    run("vite", ["build", "--logLevel", "error"], app);
    return files(join(app, "dist"));
  }

  /** The application's code, as it was built. */
  built(): string {
    const assets = join(this.dir, "app/dist/assets");
    return readdirSync(assets)
      .map((name) => readFileSync(join(assets, name), "utf8"))
      .join("");
  }
}

/** A bundle has the client once, though entries import it as well. */
export function expectOnce(code: string): void {
  expect(code.split("AWS4-HMAC-SHA256").length - 1).toBe(1);
}

const files =
  (dir: string): RequestListener =>
  (incoming, outgoing) => {
    const { pathname } = new URL(incoming.url ?? "", "http://localhost");
    const path = pathname === "/" ? "/index.html" : pathname;
    outgoing.writeHead(200, { "content-type": TYPES[extname(path)] ?? "text/plain" });
    outgoing.end(readFileSync(join(dir, path)));
  };
