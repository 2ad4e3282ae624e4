// What docs/SECURITY.md says that can be checked.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { table } from "./queues.mjs";
import { root } from "./simulator.mjs";

const security = readFileSync(`${root}docs/SECURITY.md`, "utf8");
const section = (title) => security.split(`\n## ${title}\n`)[1].split("\n## ")[0];

/** The names of the checks that `sbe doctor` makes. */
const made = new Set(
  [...readFileSync(`${root}crates/cli/src/commands/doctor/mod.rs`, "utf8").matchAll(/\("([a-z-]+)", /g)].map(([, name]) => name),
);

/** What a point ends in: the names of checks, or where to look by hand. */
function shownBy(point) {
  const [, byHand] = point.match(/; no line: look by hand at\s+([^]+)$/) ?? [];
  const names = [...point.slice(point.lastIndexOf(": ")).matchAll(/`([a-z-]+)`/g)].map(([, name]) => name);
  return byHand ? { byHand } : { names };
}

test("whatever is not verified on AWS names a check that sbe doctor makes, or where to look by hand", () => {
  const points = section("Not verified on AWS").split("\n- ").slice(1).map(shownBy);
  const named = points.flatMap(({ names }) => names ?? []);
  assert.ok(points.length > 30 && named.length > 30);
  for (const { names, byHand } of points) assert.ok(byHand || names.length, JSON.stringify(points));
  assert.deepEqual(named.filter((name) => !made.has(name)), []);
  assert.equal(security.split("; no line: look by hand at").length - 1, points.filter(({ byHand }) => byHand).length, "in one list");
});

test("a point without an end is found", () => {
  assert.deepEqual(shownBy("That it works, as `sbe` says."), { names: [] });
  assert.deepEqual(shownBy("That it works: `own-queue` and `other-queue`.").names, ["own-queue", "other-queue"]);
  assert.equal(shownBy("That it works; no line: look by hand at the sky.").byHand, "the sky.");
});

test("docs/OPERATIONS.md says what each check looks at", () => {
  const rows = readFileSync(`${root}docs/OPERATIONS.md`, "utf8").split("\n| check | looks at |\n")[1].split("\n\n")[0];
  const told = new Set([...rows.matchAll(/^\| (.*?) \|/gm)].flatMap(([, names]) => names.match(/[a-z-]{3,}/g) ?? []));
  assert.deepEqual([...made].filter((name) => !told.has(name)), []);
});

test("the table of who may do what with a session's queue is the simulator's", async () => {
  assert.ok(security.includes(`\n\n${await table()}\n\n`), "npm run --silent queues prints it");
});

test("the probabilities that counters overlap are m² · b / 2^53", () => {
  const rows = [...section("What CTR gives, and what it does not").matchAll(/^\| (\d+): .* \| (\d+) \| ([\d.e-]+) \|$/gm)];
  assert.equal(rows.length, 6);
  for (const [row, messages, blocks, probability] of rows) {
    assert.equal(((messages ** 2 * blocks) / 2 ** 53).toExponential(1), probability, row);
  }
});

// Every pair of few places, counted out: pairs together are at most what the formula says.
test("the formula bounds the probability that two messages overlap", () => {
  const [places, blocks] = [4096, 8];
  let overlaps = 0;
  for (let distance = -places + 1; distance < places; distance += 1) {
    if (Math.abs(distance) < blocks) overlaps += places - Math.abs(distance);
  }
  const exact = overlaps / places ** 2;
  const pairs = (m) => (m * (m - 1)) / 2;
  for (const m of [2, 3, 10]) {
    const formula = (m ** 2 * blocks) / places;
    assert.ok(pairs(m) * exact <= formula, `${m}`);
  }
});
