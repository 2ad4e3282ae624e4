// What docs/SECURITY.md says that can be checked.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { table } from "./queues.mjs";
import { root } from "./simulator.mjs";

const security = readFileSync(`${root}docs/SECURITY.md`, "utf8");
const section = (title) => security.split(`\n## ${title}\n`)[1].split("\n## ")[0];

test("whatever is not verified on AWS names a check that sbe doctor makes", () => {
  const doctor = readFileSync(`${root}crates/cli/src/commands/doctor/mod.rs`, "utf8");
  const made = new Set([...doctor.matchAll(/\("([a-z-]+)", /g)].map(([, name]) => name));
  const points = section("Not verified on AWS").split("\n- ").slice(1);
  assert.ok(points.length > 0);
  for (const point of points) {
    // A point ends in the names of its checks.
    const names = [...point.slice(point.lastIndexOf(": ")).matchAll(/`([a-z-]+)`/g)].map(([, name]) => name);
    assert.ok(names.length > 0, point);
    for (const name of names) assert.ok(made.has(name), `${name}: ${point}`);
  }
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
