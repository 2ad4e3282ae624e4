// The alarms that take a release back: what they watch, and what they cost.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { statsOf } from "./metrics.mjs";
import { ALARMS, alias, aliases, atOnce, functions, gradual, isOfCodeDeploy, ofType } from "./releases.mjs";
import { root } from "./simulator.mjs";

const sorted = (names) => [...names].sort();

/** The resources that one names, and those that these name. */
function reached(resources, name, found = new Set()) {
  if (!resources[name] || found.has(name)) return found;
  found.add(name);
  const text = JSON.stringify(resources[name]);
  const names = [...text.matchAll(/"Ref":"(\w+)"|"Fn::GetAtt":\["(\w+)"|\$\{(\w+)[.}]/g)].map((match) => match.slice(1).find(Boolean));
  for (const next of names) reached(resources, next, found);
  return found;
}

test("alarms are there before what they watch is shifted, and a release that mends is not kept away by what waits", () => {
  for (const name of ALARMS) {
    const waits = [...reached(gradual, name)].filter((of) => aliases.includes(of) || isOfCodeDeploy(gradual[of]));
    assert.deepEqual(waits, [], name);
    assert.ok(!/ApproximateNumberOfMessages/.test(JSON.stringify(gradual[name])), name);
  }
});

/** The functions of which an alarm that takes a release back watches this metric. */
const watched = (metric) =>
  sorted(ALARMS.flatMap((name) => statsOf(gradual[name].Properties))
    .filter(({ Metric }) => Metric.MetricName === metric)
    .map(({ Metric }) => Metric.Dimensions.at(-1).Value.Ref));

test("alarms of releases sound within the shortest shift, and add up all that they watch", () => {
  for (const name of ["ReleaseAlarm", "ReleaseWorkAlarm"]) {
    const { EvaluationPeriods, Metrics } = gradual[name].Properties;
    const stats = statsOf(gradual[name].Properties);
    assert.ok(stats.every(({ Period }) => Number(Period) === 60) && Number(EvaluationPeriods) <= 5, name);
    const [{ Expression }] = Metrics.filter((of) => of.Expression);
    const summed = [...Expression.matchAll(/\bFILL\((m\d+), 0\)/g)].map(([, id]) => id);
    assert.deepEqual(summed, Metrics.filter(({ MetricStat }) => MetricStat).map(({ Id }) => Id), name);
  }
});

/** The source of a function, which says what it counts. */
const source = (name) => {
  const dir = `${root}crates/${name.replace(/(?!^)[A-Z]/g, "-$&").toLowerCase()}/src/`;
  return readdirSync(dir).map((file) => readFileSync(dir + file, "utf8")).join("");
};
const emits = (metric) => sorted(functions.filter((name) => source(name).includes(`("${metric}", `)));

test("a release is taken back by whatever fails, in whole or in part", () => {
  assert.deepEqual(watched("Errors"), sorted(functions));
  // Lambda counts a batch as done that names what has failed in it.
  const inParts = ofType(gradual, "AWS::Lambda::EventSourceMapping")
    .filter(({ Properties }) => Properties.FunctionResponseTypes?.includes("ReportBatchItemFailures"))
    .map(({ Properties }) => functions.find((name) => alias(name) === Properties.FunctionName.Ref));
  assert.deepEqual(sorted(inParts), ["EventDispatcher", "SessionUpdateProcessor"]);
  for (const name of inParts) assert.ok(watched("Failed").includes(name), name);
  for (const metric of ["Failed", "Parked"]) assert.deepEqual(watched(metric), emits(metric), metric);
});

test("whatever parks work by itself counts it", () => {
  const parks = functions.filter((name) => "FAILED_QUEUE_URL" in gradual[name].Properties.Environment.Variables);
  assert.deepEqual(sorted(parks), emits("Parked"));
});

test("alarms are billed as the file of prices says", () => {
  const { fixed } = JSON.parse(readFileSync(`${root}docs/prices.json`, "utf8"));
  const bill = (resources) => ofType(resources, "AWS::CloudWatch::Alarm").map(({ Properties }) => statsOf(Properties).length);
  const sum = (numbers) => numbers.reduce((left, right) => left + right, 0);
  const [usual, shifted] = [bill(atOnce), bill(gradual)];
  const text = readFileSync(`${root}docs/COST.md`, "utf8").replaceAll("\n", " ");
  assert.equal(sum(usual), fixed.alarms);
  assert.ok(text.includes(`(${sum(usual)} metrics in ${usual.length} of them; \`GradualDeployment\` has two more, with ${sum(shifted) - sum(usual)})`));
});
