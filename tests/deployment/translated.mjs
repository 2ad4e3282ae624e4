// The template as AWS deploys it.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { root } from "./simulator.mjs";

export const bin = `${root}.local/venv/bin/`;
const script = fileURLToPath(new URL("translated.py", import.meta.url));

/** The translated template for these parameters, such as `Env=prod`. */
export const translated = (...parameters) =>
  JSON.parse(execFileSync(`${bin}python`, [script, `${root}template.yaml`, ...parameters], { encoding: "utf8" }));
