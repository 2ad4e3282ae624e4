// The template as AWS's translator makes it, for several sets of its parameters.

import { execFileSync } from "node:child_process";
import { root } from "./simulator.mjs";
import { bin } from "./translated.mjs";

const EVERYTHING = [
  "Env=prod", "KeepData=always", "StreamRetentionHours=336", "SenderConcurrency=50", "HistoryConcurrency=20",
  "ApiRateLimit=100", "ApiBurstLimit=200", "ParallelizationFactor=4", "StreamReader=fan-out",
  "TableCapacity=provisioned", "SessionsReadUnits=11", "SessionsWriteUnits=12", "MessagesReadUnits=13",
  "MessagesWriteUnits=14", "Tracing=1", "ApiAccessLogs=1", "EventBusName=events",
  "AlarmEmail=operators@example.com", "MonthlyBudget=500", "GradualDeployment=true",
];

/** What samconfig.toml sets for an environment. */
export const setting = (environment, name) =>
  execFileSync(`${bin}python`, [`${root}scripts/setting`, environment, name], { encoding: "utf8" }).split("\n").slice(0, -1);

/** The parameters that an environment of samconfig.toml sets. */
export const configured = (environment) => setting(environment, "parameter_overrides");

export const SETS = {
  "no parameters": [],
  dev: configured("dev"),
  staging: configured("staging"),
  prod: configured("prod"),
  "everything on": EVERYTHING,
};
