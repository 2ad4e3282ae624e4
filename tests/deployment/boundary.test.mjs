// What holds deployers back: the boundary of the roles that they make, and who may become one.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { allowed, arn, document, forIdentity, policiesOf, roles, root } from "./simulator.mjs";
import { SETS } from "./stacks.mjs";
import { translated } from "./translated.mjs";

const boundary = document("boundary");
const BOUNDARY = arn("iam", "policy/prod-sqs-browser-boundary", { region: "" });
const role = arn("iam", "role/prod-sqs-browser/prod-sqs-browser-events-SqsSenderRole-1A2B3C4D5E6F", { region: "" });
const readme = readFileSync(`${root}docs/policies/README.md`, "utf8");

test("every role of the template has the boundary that is given, and none is there without", () => {
  const boundaries = (...parameters) =>
    Object.values(translated(...parameters).Resources)
      .filter(({ Type }) => Type === "AWS::IAM::Role")
      .map(({ Properties }) => Properties.PermissionsBoundary);
  assert.deepEqual(boundaries(`PermissionsBoundary=${BOUNDARY}`), Array(7).fill(BOUNDARY));
  assert.deepEqual(boundaries(), Array(7).fill(undefined));
});

/** Each right of a role: what its policies let it do, and a place where. */
function rightsOf(policies) {
  const each = (of) => [].concat(of);
  return policies.flatMap(({ Statement }) => Statement).flatMap(({ Action, Resource }) =>
    // The stars behind actions are for emulators.
    each(Action).map((action) => action.replace(/\*$/, "")).flatMap((action) =>
      each(Resource).map((place) => [action, place.replace(/(log-group:.*:)\*$/, "$1log-stream:x").replace(/(.)\*/g, "$1x")])));
}

/** The simulator cannot tell an alias's ARN from a version's, and asks for one of them. */
const AMBIGUOUS = "lambda:GetProvisionedConcurrencyConfig";

test("within the boundary every role may do what its policies say", async () => {
  const identity = "eu-west-1:aaaaaaaa-0000-4000-8000-000000000000";
  const context = { "aws:ResourceTag/identityId": identity };
  const bounded = boundary.Statement.find(({ Sid }) => Sid === "Functions").Action;
  let rights = 0;
  for (const [name, of] of Object.entries(roles(SETS["everything on"]))) {
    const policies = policiesOf(of).map((policy) => forIdentity(policy, identity));
    for (const [action, place] of rightsOf(policies)) {
      rights += 1;
      if (action === AMBIGUOUS) {
        assert.ok(bounded.includes(action), action);
        continue;
      }
      for (const bounds of [undefined, boundary]) {
        assert.ok(await allowed(policies, action, place, { context, boundary: bounds }), `${name}: ${action} on ${place}`);
      }
    }
  }
  assert.ok(rights > 90, `${rights} rights`);
});

test("within the boundary a role with all rights has those of the system, and no others", async () => {
  const everything = [{ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] }];
  const calls = [
    ["dynamodb:GetItem", arn("dynamodb", "table/prod-sqs-browser-sessions"), true],
    ["dynamodb:GetItem", arn("dynamodb", "table/test-sqs-browser-sessions"), false],
    ["dynamodb:DeleteTable", arn("dynamodb", "table/prod-sqs-browser-sessions"), false],
    ["iam:CreateUser", arn("iam", "user/somebody", { region: "" }), false],
    ["iam:PutRolePolicy", role, false],
    ["sts:AssumeRole", arn("iam", "role/administrator", { region: "" }), false],
    ["s3:GetObject", "arn:aws:s3:::a-bucket/object", false],
    ["lambda:UpdateFunctionCode", arn("lambda", "function:prod-sqs-browser-sqs-sender"), false],
  ];
  for (const [action, place, may] of calls) {
    assert.equal(await allowed(everything, action, place, { boundary }), may, `${action} on ${place}`);
  }
});

test("with the README's condition a deployer makes and changes no role without the boundary", async () => {
  const [, text] = readme.match(/```json\n("Condition": [^`]*)```/);
  const { Condition } = JSON.parse(`{${text.replace("${Partition}", "aws").replace("${AccountId}", "111122223333").replace("${Env}", "prod")}}`);
  const deployer = document("deployer");
  Object.assign(deployer.Statement.find(({ Sid }) => Sid === "RolePolicies"), { Condition });
  for (const action of ["iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary", "iam:DeleteRolePolicy"]) {
    const by = (arn) => allowed([deployer], action, role, { context: arn ? { "iam:PermissionsBoundary": arn } : {} });
    assert.deepEqual(await Promise.all([by(BOUNDARY), by(`${BOUNDARY}-2`), by()]), [true, false, false], action);
  }
});

test("the role of deployers is for the workflow deploy, in GitHub's environment of this name", async () => {
  const [{ Principal, ...statement }, ...others] = document("deployer-trust").Statement;
  assert.deepEqual([Object.keys(Principal), others], [["Federated"], []]);
  assert.match(Principal.Federated, /^arn:aws:iam::111122223333:oidc-provider\/token\.actions\.githubusercontent\.com$/);
  // The simulator knows neither such principals nor what GitHub's tokens claim: it is asked of the conditions, on the
  // claims of a provider that it knows.
  const Condition = JSON.parse(JSON.stringify(statement.Condition).replaceAll("token.actions.githubusercontent.com", "cognito-identity.amazonaws.com"));
  const policy = { Version: "2012-10-17", Statement: [{ ...statement, Condition, Resource: "*" }] };
  const opens = (sub, aud = "sts.amazonaws.com") => {
    const context = { "cognito-identity.amazonaws.com:sub": sub, "cognito-identity.amazonaws.com:aud": aud };
    return allowed([policy], "sts:AssumeRoleWithWebIdentity", role, { context });
  };
  const repository = "repo:example/sqs-browser-events";
  assert.ok(await opens(`${repository}:environment:prod`));
  for (const sub of [`${repository}:environment:dev`, `${repository}:ref:refs/heads/main`, `${repository}:pull_request`, "repo:example/another:environment:prod"]) {
    assert.ok(!(await opens(sub)), sub);
  }
  assert.ok(!(await opens(`${repository}:environment:prod`, "another")));
  const workflow = readFileSync(`${root}.github/workflows/deploy.yml`, "utf8");
  assert.match(workflow, /^ {4}environment: \$\{\{ inputs\.environment \}\}$/m);
  assert.match(workflow, /^ {6}id-token: write$/m);
  assert.doesNotMatch(workflow, /audience:/);
});
