import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const PLACES = [
  process.env.SBE_CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
const HOW = "Debian/Ubuntu: apt install chromium. Or name one by SBE_CHROMIUM.";
/** It asks nobody but the pages. */
const QUIET = [
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const ROOT_NEEDS = process.getuid?.() === 0 ? ["--no-sandbox"] : [];

/** Starts the installed Chromium. */
export function launch(): Promise<Browser> {
  const executablePath = PLACES.find((place) => place && existsSync(place));
  if (!executablePath) throw new Error(`Chromium is not there. ${HOW}`);
  return chromium.launch({
    executablePath,
    args: ["--disable-gpu", "--no-first-run", ...QUIET, ...ROOT_NEEDS],
  });
}
