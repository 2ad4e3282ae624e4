// The template as AWS deploys it.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { root } from "./simulator.mjs";

export const bin = `${root}.local/venv/bin/`;
const script = fileURLToPath(new URL("translated.py", import.meta.url));

/** A template for these parameters. */
export const translatedFrom = (file, ...parameters) =>
  JSON.parse(execFileSync(`${bin}python`, [script, file, ...parameters], { encoding: "utf8" }));

/** template.yaml for these parameters. */
export const translated = (...parameters) => translatedFrom(`${root}template.yaml`, ...parameters);
