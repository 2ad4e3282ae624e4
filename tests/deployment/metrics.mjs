// What alarms watch and the dashboard shows.

import { ofType } from "./releases.mjs";

/** The metrics of an alarm, each with its statistic and period. */
export const statsOf = ({ Metrics, Namespace, MetricName, Dimensions, Statistic, ExtendedStatistic, Period }) =>
  Metrics?.flatMap(({ Id, MetricStat }) => (MetricStat ? { Id, ...MetricStat } : [])) ??
  [{ Metric: { Namespace, MetricName, Dimensions }, Stat: Statistic ?? ExtendedStatistic, Period }];

/** The value of a metric's dimension: a text, or the logical name of a resource. */
export const dimension = ({ Dimensions }, name) => {
  const value = Dimensions.find(({ Name }) => Name === name)?.Value;
  return value?.Ref ?? value;
};

/** The expression of an alarm by metric math. */
export const expression = ({ Metrics }) => Metrics?.find(({ Expression }) => Expression)?.Expression;

/** What an expression comes to for these values of its metrics; one that is not given has no data. */
export function evaluate(expression, values) {
  const sum = (of) => of.reduce((left, right) => left + right, 0);
  const known = {
    FILL: (value, filling) => value ?? filling,
    IF: (condition, yes, no) => (condition ? yes : no),
    MAX: (of) => Math.max(...of),
    SUM: sum,
  };
  const ids = [...new Set(expression.match(/\bm\d+\b/g))];
  const script = expression.replaceAll(" AND ", " && ");
  return new Function(...Object.keys(known), ...ids, `return ${script}`)(...Object.values(known), ...ids.map((id) => values[id]));
}

/** The dashboard's widgets. Names of resources stay as in `${SqsSender}`. */
export const widgets = (resources) =>
  JSON.parse(ofType(resources, "AWS::CloudWatch::Dashboard")[0].Properties.DashboardBody["Fn::Sub"]).widgets.map(({ properties, ...place }) => ({ ...place, ...properties }));

/** The metrics of widgets: the texts of each, as `["AWS/Lambda", "Errors", "FunctionName", "${SqsSender}"]`. */
export const shown = (of) =>
  of.flatMap(({ metrics }) => metrics.map((metric) => metric.filter((text) => typeof text === "string")));
