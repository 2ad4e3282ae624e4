// The template for releases that go live at once, and for those that are shifted.

import { translated } from "./translated.mjs";

export const atOnce = translated().Resources;
export const gradual = translated("GradualDeployment=true", "TrafficShift=Linear10PercentEvery3Minutes").Resources;

export const entries = (resources, type) => Object.entries(resources).filter(([, { Type }]) => Type === type);
export const ofType = (resources, type) => entries(resources, type).map(([, resource]) => resource);
export const functions = entries(atOnce, "AWS::Lambda::Function").map(([name]) => name);
export const alias = (name) => `${name}Aliaslive`;
export const aliases = functions.map(alias);
export const isOfCodeDeploy = ({ Type }) => Type.startsWith("AWS::CodeDeploy::");

/** The alarms by which CodeDeploy takes a release back. */
export const ALARMS = ["ReleaseAlarm", "ReleaseWorkAlarm", "LostAlarm"];
