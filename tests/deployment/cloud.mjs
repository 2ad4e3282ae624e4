// An AWS on this machine, and the AWS CLI that talks to it: what scripts and documents say is run.

import { execFile, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { root } from "./simulator.mjs";
import { bin } from "./translated.mjs";

/** Commands of `scripts` take this `aws` for the one on the PATH. */
const aws = `${root}.local/awscli/bin`;

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts MiniStack, which also ends when this process does; `run` runs a program there, and `stop` ends it. */
export async function start() {
  const [port, dir] = [await freePort(), mkdtempSync(join(tmpdir(), "cloud-"))];
  const log = openSync(join(dir, "log"), "w");
  const env = {
    ...process.env, GATEWAY_PORT: port, BIND_HOST: "127.0.0.1", MINISTACK_HOST: "localhost", TMPDIR: dir,
    STARTED_BY: process.pid, IOT_MTLS_ENABLED: "0", SFTP_ENABLED: "0",
  };
  const server = spawn(`${bin}python`, [`${root}crates/local/python/emulator.py`], { env, stdio: ["ignore", log, log] });
  closeSync(log);
  const stop = async () => {
    const ended = server.exitCode ?? new Promise((resolve) => server.once("exit", resolve));
    server.kill("SIGKILL");
    await ended;
    rmSync(dir, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  const keys = { AWS_ENDPOINT_URL: url, AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test", AWS_DEFAULT_REGION: "eu-west-1" };
  for (let tries = 0; !(await isThere(`${url}/_ministack/health`)); tries++) {
    if (server.exitCode !== null || tries > 600) throw new Error(`MiniStack does not answer: ${readFileSync(join(dir, "log"), "utf8")}`);
    await sleep(100);
  }
  const run = (program, args = [], cwd = dir) => outcome(program, args, { cwd, env: { ...process.env, ...keys, PATH: `${aws}:${process.env.PATH}` } });
  return { dir, run, stop };
}

const isThere = (url) => fetch(url).then(({ ok }) => ok, () => false);

/** What a program prints, and its exit code. It has no terminal. */
export function outcome(program, args, options) {
  return new Promise((resolve) => {
    const child = execFile(program, args, { ...options, encoding: "utf8" }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }));
    child.stdin.end();
  });
}
