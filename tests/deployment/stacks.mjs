// The template as AWS's translator makes it, for several sets of its parameters.

import { readFileSync } from "node:fs";
import { root } from "./simulator.mjs";

const EVERYTHING = [
  "Env=prod", "KeepData=always", "StreamRetentionHours=336", "SenderConcurrency=50", "HistoryConcurrency=20",
  "ApiRateLimit=100", "ApiBurstLimit=200", "ParallelizationFactor=4", "StreamReader=fan-out",
  "TableCapacity=provisioned", "SessionsReadUnits=11", "SessionsWriteUnits=12", "MessagesReadUnits=13",
  "MessagesWriteUnits=14", "Tracing=1", "ApiAccessLogs=1", "EventBusName=events",
  "AlarmEmail=operators@example.com", "MonthlyBudget=500", "GradualDeployment=true",
];

/** The parameters that an environment of samconfig.toml sets. */
export function configured(environment) {
  const [, section] = readFileSync(`${root}samconfig.toml`, "utf8").split(`[${environment}.deploy.parameters]`);
  const [, list] = section.match(/^parameter_overrides = \[([^\]]*)\]/m);
  return [...list.matchAll(/"([^"]+)"/g)].map(([, parameter]) => parameter);
}

export const SETS = {
  "no parameters": [],
  dev: configured("dev"),
  staging: configured("staging"),
  prod: configured("prod"),
  "everything on": EVERYTHING,
};
