import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { LIMIT, sizes } from "../scripts/size.js";

const all = await sizes();
const { index, ...entries } = all;

it("stays within its size", () => {
  console.table(all);
  expect(index?.gzip).toBeLessThanOrEqual(LIMIT);
  for (const { gzip } of Object.values(entries)) expect(gzip).toBeLessThan(1800);
});

it("is as large as the README says, but for what compressors differ in", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const rows = [...readme.matchAll(/^\| (\S+) +\| (\d+) +\| (\d+) +\|$/gm)];
  const said = Object.fromEntries(
    rows.map(([, name = "", gzip]) => [name.replaceAll("`", ""), Number(gzip)]),
  );
  const { "(client)": client, ...others } = said;
  const named = { index: client, ...others };
  expect(Object.keys(named).sort()).toEqual(Object.keys(all).sort());
  for (const [name, { gzip }] of Object.entries(all)) {
    expect(Math.abs(gzip / Number(named[name as keyof typeof named]) - 1), name).toBeLessThan(0.02);
  }
});
