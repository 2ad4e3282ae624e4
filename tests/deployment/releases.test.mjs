// How releases go live: every call goes by the alias, which is moved at once or by CodeDeploy.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ALARMS, alias, aliases, atOnce, entries, functions, gradual, isOfCodeDeploy, ofType } from "./releases.mjs";
import { allowed, arn, document, policiesOf, roles, root } from "./simulator.mjs";
import { bin, translated } from "./translated.mjs";

test("every function has the alias, at the version that is published", () => {
  assert.equal(functions.length, 6);
  for (const name of functions) {
    const { Name, FunctionName, FunctionVersion } = atOnce[alias(name)].Properties;
    assert.deepEqual([Name, FunctionName], ["live", { Ref: name }]);
    const version = atOnce[FunctionVersion["Fn::GetAtt"][0]];
    assert.deepEqual([version.Type, version.Properties.FunctionName], ["AWS::Lambda::Version", { Ref: name }]);
    assert.equal(version.DeletionPolicy, "Retain", "what was live before can be live again");
  }
});

test("all that calls a function calls its alias", () => {
  const callers = {
    "AWS::Events::Rule": ({ Targets }) => Targets.map(({ Arn }) => Arn.Ref),
    "AWS::Lambda::EventSourceMapping": ({ FunctionName }) => [FunctionName.Ref],
    "AWS::Lambda::Permission": ({ FunctionName }) => [FunctionName.Ref],
    "AWS::ApiGateway::RestApi": ({ Body }) =>
      [...JSON.stringify(Body).matchAll(/functions\/\$\{(\w+)\}\/invocations/g)].map(([, name]) => name),
  };
  const called = Object.entries(callers).map(([type, names]) =>
    ofType(atOnce, type).flatMap(({ Properties }) => names(Properties)));
  for (const names of called) {
    assert.ok(names.length > 0);
    for (const name of names) assert.ok(aliases.includes(name), name);
  }
  const methods = Object.values(atOnce.Api.Properties.Body.paths).flatMap((path) => Object.keys(path));
  assert.equal(called[3].length, methods.length, "every method of the API");
});

test("what Lambda gives up is parked, for the alias, and for whoever invokes the dispatcher without it", () => {
  const configs = ofType(atOnce, "AWS::Lambda::EventInvokeConfig").map(({ Properties }) => Properties);
  const of = ({ FunctionName, Qualifier }) => `${FunctionName.Ref}:${Qualifier}`;
  const asynchronous = ["EventDispatcher", "SessionManager", "SqsSender", "UserHistoryAdder"];
  const expected = [...asynchronous.map((name) => `${name}:live`), "EventDispatcher:$LATEST"];
  assert.deepEqual(configs.map(of).sort(), expected.sort());
  for (const { DestinationConfig } of configs) {
    assert.deepEqual(DestinationConfig.OnFailure.Destination, { "Fn::GetAtt": ["FailedQueue", "Arn"] });
  }
});

test("functions and operators invoke aliases, and nothing else", async () => {
  const documents = Object.entries({ ...roles(), operators: { Policies: [{ PolicyDocument: document("operator-change") }] } });
  for (const [name, role] of documents) {
    for (const of of ["event-dispatcher", "sqs-sender", "user-history-adder", "session-manager"]) {
      for (const qualifier of ["", ":$LATEST", ":1"]) {
        const resource = arn("lambda", `function:prod-sqs-browser-${of}${qualifier}`);
        assert.ok(!(await allowed(policiesOf(role), "lambda:InvokeFunction", resource)), `${name}: ${resource}`);
      }
    }
  }
});

test("without GradualDeployment all calls go to a new version at once", () => {
  assert.deepEqual(Object.values(atOnce).filter(isOfCodeDeploy), []);
  for (const name of ["CodeDeployRole", "ReleaseAlarm", "ReleaseWorkAlarm"]) assert.equal(atOnce[name], undefined, name);
  for (const name of aliases) assert.equal(atOnce[name].UpdatePolicy, undefined, name);
});

test("with it CodeDeploy shifts the calls of each function, and back when an alarm sounds", () => {
  for (const name of functions) {
    const { ApplicationName, DeploymentGroupName } = gradual[alias(name)].UpdatePolicy.CodeDeployLambdaAliasUpdate;
    assert.equal(gradual[ApplicationName.Ref].Properties.ComputePlatform, "Lambda");
    const group = gradual[DeploymentGroupName.Ref].Properties;
    assert.deepEqual(group.AlarmConfiguration, { Enabled: true, Alarms: ALARMS.map((Ref) => ({ Name: { Ref } })) });
    assert.ok(group.AutoRollbackConfiguration.Enabled);
    assert.ok(group.AutoRollbackConfiguration.Events.includes("DEPLOYMENT_STOP_ON_ALARM"));
    assert.deepEqual(group.ServiceRoleArn, { "Fn::GetAtt": ["CodeDeployRole", "Arn"] });
    assert.match(JSON.stringify(group.DeploymentConfigName), /"Linear10PercentEvery3Minutes"/);
  }
  assert.equal(ofType(gradual, "AWS::CodeDeploy::DeploymentGroup").length, functions.length);
  assert.equal(gradual.CodeDeployServiceRole, undefined, "SAM's own role may change every alias of the account");
});

test("CodeDeploy may move the aliases of this environment, and nothing else", async () => {
  const role = roles(["GradualDeployment=true"]).CodeDeployRole;
  assert.deepEqual(role.AssumeRolePolicyDocument.Statement.map(({ Principal }) => Principal), [{ Service: "codedeploy.amazonaws.com" }]);
  const lambda = (env) => arn("lambda", `function:${env}-sqs-browser-sqs-sender`);
  for (const action of ["lambda:UpdateAlias", "lambda:GetAlias"]) {
    assert.ok(await allowed(policiesOf(role), action, lambda("prod")), action);
    assert.ok(!(await allowed(policiesOf(role), action, lambda("test"))), action);
  }
  assert.ok(await allowed(policiesOf(role), "cloudwatch:DescribeAlarms", "*"), "as in AWS's own policy for it");
  for (const action of ["lambda:UpdateFunctionCode", "lambda:InvokeFunction", "lambda:DeleteAlias"]) {
    assert.ok(!(await allowed(policiesOf(role), action, lambda("prod"))), action);
  }
});

/** The versions that are published, by the names that SAM gives them. */
const versions = ({ Resources }) => entries(Resources, "AWS::Lambda::Version").map(([name]) => name).sort();

/**
 * The versions of a template that is stamped for an environment of samconfig.toml, as it is or changed, with one function's code.
 */
function stamped(environment, { change = (text) => text, again = "", code = "" } = {}) {
  const dir = mkdtempSync(join(tmpdir(), "template-"));
  try {
    const file = join(dir, "built.yaml");
    mkdirSync(join(dir, "scripts"));
    for (const name of ["scripts/stamp", "scripts/setting", "template.yaml"]) copyFileSync(root + name, join(dir, name));
    copyFileSync(`${root}template.yaml`, file);
    mkdirSync(join(dir, "SqsSender"));
    writeFileSync(join(dir, "SqsSender/bootstrap"), code);
    writeFileSync(join(dir, "samconfig.toml"), change(readFileSync(`${root}samconfig.toml`, "utf8")));
    execFileSync(join(dir, "scripts/stamp"), [environment, file], { env: { ...process.env, PATH: `${bin}:${process.env.PATH}`, AGAIN: again } });
    const script = `${root}tests/deployment/translated.py`;
    return versions(JSON.parse(execFileSync(`${bin}python`, [script, file], { encoding: "utf8" })));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** How many versions two deployments have published. */
const published = (...deployments) => new Set(deployments.flat()).size;

test("what changes in parameters alone is published, by the stamp", () => {
  // SAM names a version after what differs in the template: a parameter's value does not.
  assert.deepEqual(versions(translated("LogLevel=debug")), versions(translated()));
  const prod = stamped("prod");
  assert.equal(published(prod, stamped("prod")), functions.length);
  assert.equal(published(prod, stamped("dev")), 2 * functions.length, "each function has another version");
  assert.throws(() => stamped("nowhere"), /has no environment nowhere/);
});

test("a deployment of other code is told from the one before, by all functions", () => {
  assert.equal(published(stamped("prod", { code: "1" }), stamped("prod", { code: "2" })), 2 * functions.length);
});

test("a list of parameters may be over several lines", () => {
  const wrapped = (level) => (text) => text.replace(/\["Env=prod", /, `[\n  "LogLevel=${level}", # ]\n  "Env=prod",\n  `);
  const info = stamped("prod", { change: wrapped("info") });
  assert.equal(published(info, stamped("prod", { change: wrapped("debug") })), 2 * functions.length);
  const spread = (text) => text.replace(/\["Env=prod", /, '[\n  "Env=prod",\n  ');
  assert.equal(published(stamped("prod"), stamped("prod", { change: spread })), functions.length, "line ends are no change");
});

test("a release is published again where AGAIN says so", () => {
  const [first, second, third] = ["", "2", "3"].map((again) => stamped("prod", { again }));
  assert.equal(published(first, second, third), 3 * functions.length);
  assert.equal(published(second, stamped("prod", { again: "2" })), functions.length);
  assert.throws(() => stamped("prod", { again: "a/b" }), /AGAIN is letters and digits/);
});
