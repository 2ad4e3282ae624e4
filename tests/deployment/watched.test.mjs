// What can go wrong or cost is watched by an alarm or shown by the dashboard, for all that the template has.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { dimension, evaluate, expression, shown, statsOf, widgets } from "./metrics.mjs";
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

/** The tables that a statement of a role is on, by their ARNs or those of their indexes; a table's stream is not the table. */
const tablesOf = ({ Resource }) => {
  const places = [Resource].flat().map((place) => JSON.stringify(place)).filter((place) => !place.includes("/stream/"));
  const isOf = (name) => (place) => place.includes(`"Fn::GetAtt":["${name}","Arn"]`) || place.includes(`\${${name}.Arn}`);
  return TABLES.filter((name) => places.some(isOf(name)));
};

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

/**
 * The dimensions under which DynamoDB publishes what a table's reads and writes take: those of a table leave its global indexes
 * out, which have their own. A local index is counted as its table.
 */
const PARTS = entries(atOnce, "AWS::DynamoDB::Table").flatMap(([name, { Properties }]) => [
  name,
  ...(Properties.GlobalSecondaryIndexes ?? []).map(({ IndexName }) => `${name} ${IndexName}`),
]);
const eachPart = (...metrics) => sorted(PARTS.flatMap((part) => metrics.map((metric) => `${metric} ${part}`)));

test("throttles of each table are watched, and of each of its global indexes", () => {
  assert.ok(PARTS.length > TABLES.length);
  const watched = metricsOf("TableThrottlesAlarm").map((metric) =>
    [metric.MetricName, dimension(metric, "TableName"), dimension(metric, "GlobalSecondaryIndexName")].filter(Boolean).join(" "));
  assert.deepEqual(sorted(watched), eachPart("ReadThrottleEvents", "WriteThrottleEvents"));
});

test("the dashboard shows the units of each table, and of each of its global indexes", () => {
  const units = shown(widgets(atOnce)).filter(([namespace, name]) => namespace === "AWS/DynamoDB" && name.startsWith("Consumed"));
  const parts = units.map(([, name, , table, , index]) => [name, table.replace(/\$\{(\w+)\}/, "$1"), index].filter(Boolean).join(" "));
  assert.deepEqual(sorted(parts), eachPart("ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"));
  const dimensions = new Set(units.map((metric) => metric.filter((_, at) => at > 1 && at % 2 === 0).join(" ")));
  assert.deepEqual(dimensions, new Set(["TableName", "TableName GlobalSecondaryIndexName"]));
});

test("what cannot be parked is watched of each function that parks what it gives up", () => {
  const parking = ofType(atOnce, "AWS::Lambda::EventInvokeConfig").concat(ofType(atOnce, "AWS::Lambda::EventSourceMapping"));
  const functionOf = ({ FunctionName }) => FunctionName.Ref.replace(/Aliaslive$/, "");
  const due = new Set(parking.filter(({ Properties }) => Properties.DestinationConfig?.OnFailure).map(({ Properties }) => functionOf(Properties)));
  const watched = metricsOf("LostAlarm").filter(({ MetricName }) => MetricName === "DestinationDeliveryFailures");
  assert.deepEqual(sorted(watched.map((metric) => dimension(metric, "FunctionName"))), sorted(due));
});

/** What an alarm comes to for these values of its metrics, by their names and functions or streams, and whether it sounds. */
const comesTo = (name, values) => {
  const { Threshold } = alarm(name);
  const of = ({ Metric }) => values[`${Metric.MetricName} ${Metric.Dimensions.at(-1).Value.Ref}`];
  const value = evaluate(expression(alarm(name)), Object.fromEntries(statsOf(alarm(name)).map((stat) => [stat.Id, of(stat)])));
  return [value, value > Number(Threshold)];
};
const lasting = (name) => {
  const { EvaluationPeriods, DatapointsToAlarm, ComparisonOperator, TreatMissingData } = alarm(name);
  assert.deepEqual([ComparisonOperator, TreatMissingData], ["GreaterThanThreshold", "notBreaching"]);
  return [Number(DatapointsToAlarm), Number(EvaluationPeriods), ...new Set(statsOf(alarm(name)).map(({ Period }) => Number(Period)))];
};

test("a stream that takes records while nobody reads it sounds, and no other", () => {
  const name = "StreamNotReadAlarm";
  assert.deepEqual(lasting(name), [3, 3, 300]);
  const stats = statsOf(alarm(name)).map(({ Metric, Stat }) => [Metric.Namespace, Metric.MetricName, Stat, ...Metric.Dimensions.map(({ Name }) => Name)]);
  assert.deepEqual(stats, [["AWS/Kinesis", "IncomingRecords", "Sum", "StreamName"], ["AWS/Lambda", "IteratorAge", "Maximum", "FunctionName"]]);
  const sounds = (records, age) => comesTo(name, { "IncomingRecords Stream": records, "IteratorAge EventDispatcher": age })[1];
  assert.ok(sounds(7, undefined));
  // Read at once, read late, idle, and with the last of what came before.
  for (const [records, age] of [[7, 0], [7, 90_000], [0, undefined], [undefined, undefined], [0, 5]]) assert.ok(!sounds(records, age), `${records}, ${age}`);
});

test("a tenth of the work that is handed back sounds, be it much or little, and no work does not", () => {
  const name = "HandedBackAlarm";
  assert.deepEqual(lasting(name), [6, 6, 300]);
  const sounds = ([sent, backOfSent], [entries, backOfEntries]) =>
    comesTo(name, {
      "Sent SqsSender": sent,
      "HandedBack SqsSender": backOfSent,
      "Entries UserHistoryAdder": entries,
      "HandedBack UserHistoryAdder": backOfEntries,
    });
  const none = [undefined, undefined];
  // Sent, and handed back beside it.
  assert.deepEqual(sounds([8, 2], none), [20, true]);
  assert.deepEqual(sounds([undefined, 5], none), [100, true]);
  assert.deepEqual(sounds([99_000, 1000], none), [1, false]);
  // Entries, some of them handed back.
  assert.deepEqual(sounds(none, [10, 2]), [20, true]);
  assert.deepEqual(sounds([1000, 0], [10, 2]), [20, true], "much of one does not hide the other");
  for (const idle of [none, [0, 0]]) assert.deepEqual(sounds(idle, idle), [0, false]);
});

const FUNCTIONS = ["SessionManager", "EventDispatcher", "SqsSender", "UserHistoryAdder", "SessionUpdateProcessor", "MessagesApi"];
/** The widgets that show a metric by this statistic. */
const showing = (name, stat) => widgets(atOnce).filter((of) => of.stat === stat && of.metrics.some(([, shown]) => shown === name));

test("the dashboard shows what the functions' time and logs cost", () => {
  const [time, ...others] = showing("Duration", "Sum");
  assert.deepEqual([time.view, time.stacked, others], ["timeSeries", true, []]);
  assert.deepEqual(shown([time]), FUNCTIONS.map((name) => ["AWS/Lambda", "Duration", "FunctionName", `\${${name}}`]));
  const [logs] = showing("IncomingBytes", "Sum").filter(({ metrics }) => metrics.every(([namespace]) => namespace === "AWS/Logs"));
  const groups = entries(atOnce, "AWS::Logs::LogGroup").map(([name]) => ["AWS/Logs", "IncomingBytes", "LogGroupName", `\${${name}}`]);
  assert.equal(groups.length, FUNCTIONS.length);
  assert.deepEqual(sorted(shown([logs])), sorted(groups));
});

test("the dashboard's sessions that ended are no changes of others", () => {
  const ofProcessor = shown(widgets(atOnce)).filter((metric) => metric.includes("${SessionUpdateProcessor}") && metric[0] === "sqs-browser-events");
  assert.deepEqual(sorted(ofProcessor.map(([, name]) => name)), ["Ended", "Failed"]);
});

test("no widget of the dashboard covers another one", () => {
  const cells = widgets(atOnce).flatMap(({ x, y, width, height }) =>
    Array.from({ length: width * height }, (_, at) => `${x + (at % width)} ${y + Math.floor(at / width)}`));
  assert.equal(new Set(cells).size, cells.length);
});
