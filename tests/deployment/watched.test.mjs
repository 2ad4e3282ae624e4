// What can go wrong or cost is watched by an alarm or shown by the dashboard, for all that the template has.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { dimension, expression, statsOf } from "./metrics.mjs";
import { atOnce, entries, gradual, ofType } from "./releases.mjs";
import { root } from "./simulator.mjs";

const alarm = (name) => atOnce[name].Properties;
const sorted = (of) => [...of].sort();
const metricsOf = (name) => statsOf(alarm(name)).map(({ Metric }) => Metric);

test("an alarm by metric math uses each of its metrics, of which CloudWatch takes ten", () => {
  for (const [name, { Properties }] of entries(gradual, "AWS::CloudWatch::Alarm")) {
    const math = expression(Properties);
    if (!math) continue;
    const ids = statsOf(Properties).map(({ Id }) => Id);
    assert.ok(ids.length <= 10, name);
    assert.deepEqual(sorted(new Set(math.match(/\bm\d+\b/g))), sorted(ids), name);
  }
});

const TABLES = entries(atOnce, "AWS::DynamoDB::Table").map(([name]) => name);

/** The tables that a statement of a role is on, by their ARNs or those of their indexes; a stream has another one. */
const tablesOf = ({ Resource }) => TABLES.filter((name) => {
  const places = JSON.stringify(Resource);
  return places.includes(`"Fn::GetAtt":["${name}","Arn"]`) || places.includes(`\${${name}.Arn}`);
});

/** No call that reads or writes items: DynamoDB has no metrics by operation of it. */
const OF_NO_ITEMS = ["DescribeTable"];

test("errors of each operation on a table that a function's role grants are watched, and of no other", () => {
  const statements = ofType(atOnce, "AWS::IAM::Role").flatMap(({ Properties }) => Properties.Policies).flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
  const granted = statements.flatMap((statement) => {
    const actions = [].concat(statement.Action).filter((action) => action.startsWith("dynamodb:"));
    return tablesOf(statement).flatMap((table) => actions.map((action) => `${table} ${action.replace("dynamodb:", "")}`));
  });
  const due = new Set(granted.filter((pair) => !OF_NO_ITEMS.includes(pair.split(" ")[1])));
  const watched = metricsOf("TableErrorsAlarm").map((metric) => `${dimension(metric, "TableName")} ${dimension(metric, "Operation")}`);
  assert.deepEqual(sorted(watched), sorted(due));
});

test("each operation on a table that is watched is one that the code calls", () => {
  const dir = `${root}crates/aws/src/`;
  const code = readdirSync(dir).map((file) => readFileSync(dir + file, "utf8")).join("");
  const called = new Set([...code.matchAll(/\.((?:batch_)?(?:get|put|update|delete|write)_item|query|scan)\(\)/g)].map(([, name]) => name));
  const snake = (name) => name.replace(/(?!^)[A-Z]/g, "_$&").toLowerCase();
  assert.deepEqual(new Set(metricsOf("TableErrorsAlarm").map((metric) => snake(dimension(metric, "Operation")))), called);
});
