import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";

/** The root of the repository. */
export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** What `stack.json` says about a running system. */
export interface Stack {
  endpoint: string;
  region: string;
  accessKey: string;
  secretKey: string;
  demoUrl: string;
  apiUrl: string;
  sessionTable: string;
}

declare module "vitest" {
  export interface ProvidedContext {
    stack: Stack;
  }
}

/** Tests run against the system that SBE_STACK names, or against one that they start and that ends with them. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const path = process.env.SBE_STACK;
  if (path) {
    project.provide("stack", read(path));
    return undefined;
  }
  const dir = mkdtempSync(join(tmpdir(), "sbe-e2e-"));
  const system = start(dir);
  await ready(system);
  project.provide("stack", read(join(dir, "stack.json")));
  return async () => {
    await end(system);
    rmSync(dir, { recursive: true, force: true });
  };
}

function read(path: string): Stack {
  const stack = JSON.parse(readFileSync(path, "utf8"));
  if (!stack.demoUrl) throw new Error(`the system of ${path} serves no page: start it without --no-demo`);
  return stack;
}

function start(dir: string): ChildProcess {
  const binaries = process.env.SBE_BINARIES ?? "target/debug";
  const options = [
    "--env",
    "e2e",
    "--port",
    "0",
    "--until-stdin-closes",
    "--dir",
    dir,
    "--binaries",
    binaries,
  ];
  return spawn(join(ROOT, binaries, "sbe-local"), options, { cwd: ROOT, stdio: ["pipe", "pipe", "inherit"] });
}

/** It prints its first line when it is ready. */
function ready(system: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    system.stdout?.on("data", resolve);
    system.once("error", reject);
    system.once("exit", (code) => reject(new Error(`the local system ended with ${code}`)));
  });
}

function end(system: ChildProcess): Promise<unknown> {
  return new Promise((resolve) => {
    system.once("exit", resolve);
    system.stdin?.end();
  });
}
