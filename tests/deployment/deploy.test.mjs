// scripts/deploy and scripts/check-tools. SAM is a program that notes its arguments; AWS is on this machine.

import assert from "node:assert/strict";
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { outcome, start } from "./cloud.mjs";
import { root } from "./simulator.mjs";
import { configured } from "./stacks.mjs";

const STACK = "prod-sqs-browser-events";
const RESOURCES = { Resources: { Topic: { Type: "AWS::SNS::Topic" } } };
let cloud, tree, programs;

/** A program of this name, on the PATH. */
function program(name, script) {
  writeFileSync(join(programs, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(programs, name), 0o755);
}

before(async () => {
  cloud = await start();
  [tree, programs] = [join(cloud.dir, "tree"), join(cloud.dir, "programs")];
  for (const dir of [".aws-sam/build", "docs"]) mkdirSync(join(tree, dir), { recursive: true });
  mkdirSync(programs);
  for (const name of ["scripts", "template.yaml", "samconfig.toml", "docs/stack-policy.json"]) cpSync(root + name, join(tree, name), { recursive: true });
  await makeStack();
});
after(() => cloud.stop());

async function aws(...args) {
  const { code, stdout, stderr } = await cloud.run("aws", [...args, "--output", "json"]);
  assert.equal(code, 0, stderr);
  return stdout && JSON.parse(stdout);
}

const makeStack = () => aws("cloudformation", "create-stack", "--stack-name", STACK, "--template-body", JSON.stringify(RESOURCES));
const noted = () => readFileSync(join(tree, "noted"), "utf8").split("\n").slice(0, -1);

/** Deploys prod with these variables, by a SAM that exits so; what SAM was told, and which digest it was given. */
async function deploy(variables = [], code = 0) {
  cpSync(`${root}template.yaml`, join(tree, ".aws-sam/build/template.yaml"));
  rmSync(join(tree, "noted"), { force: true });
  program("sam", `printf '%s\\n' "$@" > noted; exit ${code}`);
  const path = `PATH=${programs}:${root}.local/awscli/bin:${root}.local/venv/bin:${process.env.PATH}`;
  const done = await cloud.run("env", [path, ...variables, join(tree, "scripts/deploy"), "prod"]);
  const [, digest] = readFileSync(join(tree, ".aws-sam/build/template.yaml"), "utf8").match(/CONFIGURATION_DIGEST: (.*)/);
  return { ...done, digest };
}

const POLICY = JSON.parse(readFileSync(`${root}docs/stack-policy.json`, "utf8"));
/** For an update that means to replace something. */
const OPEN = { Statement: [{ Effect: "Allow", Action: "Update:*", Principal: "*", Resource: "*" }] };
const setPolicy = (policy) => aws("cloudformation", "set-stack-policy", "--stack-name", STACK, "--stack-policy-body", JSON.stringify(policy));
const policyOf = async (stack) => JSON.parse((await aws("cloudformation", "get-stack-policy", "--stack-name", stack)).StackPolicyBody);

test("a deployment is as samconfig.toml says, and sets the stack policy", async () => {
  const { code, stderr } = await deploy(["AGAIN=", "AT_ONCE="]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(noted(), ["deploy", "--config-env", "prod"]);
  assert.deepEqual(await policyOf(STACK), POLICY);
});

test("a deployment that fails leaves no policy that allows everything, and is a failure", async () => {
  await setPolicy(OPEN);
  assert.equal((await deploy([], 3)).code, 3);
  assert.deepEqual(await policyOf(STACK), POLICY);
});

test("where there is no stack, a deployment that fails is the failure that is told", async () => {
  await aws("cloudformation", "delete-stack", "--stack-name", STACK);
  const { code, stderr } = await deploy([], 4);
  assert.deepEqual([code, stderr], [4, ""]);
  await makeStack();
});

test("a policy that cannot be set is a failure", async () => {
  program("aws", "exit 5");
  try {
    const [passed, failed] = [await deploy(), await deploy([], 3)];
    assert.deepEqual([passed.code, failed.code], [5, 3]);
    assert.match(failed.stderr, /policy of prod-sqs-browser-events was not set/);
  } finally {
    rmSync(join(programs, "aws"));
  }
});

test("what OPERATIONS deploys by SAM alone gets the stack policy as well", () => {
  const blocks = readFileSync(`${root}docs/OPERATIONS.md`, "utf8").match(/^```sh\n[^]*?^```/gm).filter((block) => /^sam deploy /m.test(block));
  assert.equal(blocks.length, 1);
  assert.match(blocks[0], /^sam deploy .*\naws cloudformation set-stack-policy .* file:\/\/docs\/stack-policy\.json$/m);
});

test("a deployment at once has all other parameters, and one that is made again a digest of its own", async () => {
  const usual = await deploy();
  const { code, stderr, digest } = await deploy(["AT_ONCE=true", "AGAIN=2"]);
  assert.equal(code, 0, stderr);
  // SAM takes the last value of a parameter.
  assert.deepEqual(noted(), ["deploy", "--config-env", "prod", "--parameter-overrides", ...configured("prod"), "GradualDeployment=false"]);
  assert.equal(digest, `${usual.digest}-2`);
  assert.equal((await deploy(["AT_ONCE=false"])).code, 0);
  assert.deepEqual(noted().slice(3), []);
});

test("what is not understood deploys nothing", async () => {
  for (const variable of ["AT_ONCE=yes", "AGAIN=a/b"]) {
    const { code, stderr } = await deploy([variable]);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`^${variable.split("=")[0]} is `));
    assert.ok(!existsSync(join(tree, "noted")));
  }
});

test("a version of SAM that is too old is named", async () => {
  const check = async (version) => {
    program("sam", `echo "SAM CLI, version ${version}"`);
    const env = { ...process.env, PATH: `${programs}:${process.env.PATH}` };
    return outcome(`${root}scripts/check-tools`, ["sam"], { env });
  };
  for (const version of ["1.166.2", "1.166.10", "1.170.0", "2.0.0"]) assert.equal((await check(version)).code, 0, version);
  for (const version of ["1.166.1", "1.99.10", "0.200.3"]) {
    const { code, stderr } = await check(version);
    assert.deepEqual([code, stderr.includes(`1.166.2 or newer, for this one is ${version}: `)], [1, true], stderr);
  }
});

test("rolling back is where samconfig.toml says, and nowhere if it cannot be read", async () => {
  program("aws", 'echo "asked in $AWS_REGION" >&2; exit 9');
  const path = `PATH=${programs}:${root}.local/venv/bin:${process.env.PATH}`;
  const [file, settings] = [join(tree, "samconfig.toml"), readFileSync(`${root}samconfig.toml`, "utf8")];
  const rollBack = async (text) => {
    writeFileSync(file, text);
    const { code, stderr } = await cloud.run("env", [path, join(tree, "scripts/roll-back"), "prod"]);
    assert.notEqual(code, 0);
    return stderr;
  };
  try {
    const elsewhere = settings.replace("[prod.deploy.parameters]", '$&\nregion = "eu-north-1"');
    assert.match(await rollBack(elsewhere), /^asked in eu-north-1$/m);
    const stderr = await rollBack(`${elsewhere}\nregion = `);
    assert.match(stderr, /^samconfig\.toml cannot be read, so that the region of prod is not known$/m);
    assert.doesNotMatch(stderr, /asked/);
  } finally {
    writeFileSync(file, settings);
    rmSync(join(programs, "aws"));
  }
});
