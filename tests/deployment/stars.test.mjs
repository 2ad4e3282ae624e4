// A star in a resource is there where AWS leaves no other way, or where nothing else has the name. Stars for all resources are
// explained beside the documents and roles that have them. A star in an action is there for emulators alone.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { actionsOf, document, policiesOf, roles, root } from "./simulator.mjs";
import { SETS } from "./stacks.mjs";

const documents = readdirSync(`${root}docs/policies`)
  .filter((name) => name.endsWith(".json"))
  .map((name) => [name, document(name.slice(0, -".json".length)).Statement]);
const ofTemplate = Object.entries(roles(SETS["everything on"])).map(([name, role]) => [name, policiesOf(role).flatMap(({ Statement }) => Statement)]);

/** What an ARN with a star is of, and why it has the star. */
const EXPLAINED = [
  [/:execute-api:[^/]*\/prod\/\*\//, "GET and POST of a route do the same"],
  [/:execute-api:.*\/(create|renew|status|destroy|notify|presence|user|set-read)(\/42)?\/\*$/, "a path goes on with the ids of whom it is for"],
  [/:execute-api:[^/]*\/prod\/\*$/, "an operator may call every route of the environment, some of 30"],
  [/:sqs:.*:prod-brws-\*$/, "the queues of sessions have random names"],
  [/:sqs:.*:\*-brws-\*$/, "sessions of several environments may share a pool and its role; the queue's tag decides"],
  [/:sqs:.*:prod-sqs-browser-\*$/, "the template's two queues, which have the environment's name"],
  [/:dynamodb:.*:table\/prod-sqs-browser-\*$/, "the template's tables, with their indexes and changes, of which AWS makes names"],
  [/:dynamodb:.*:table\/prod-sqs-browser-sessions\/stream\/\*$/, "AWS names a table's stream after the time of its making: a table that was restored has another"],
  [/:lambda:.*:function:prod-sqs-browser-\*(:live)?$/, "the environment's six functions, with aliases and versions; their names would not fit into a policy for every statement"],
  [/:lambda:.*:event-source-mapping:\*$/, "AWS makes the id, and IAM knows no function of a mapping whose tags are asked for"],
  [/:logs:.*:log-group:\/aws\/(lambda|apigateway)\/prod-sqs-browser-?\*$/, "the log groups of the environment's functions and API, with AWS's suffix `:*`"],
  [/:logs:.*:log-group:\/aws\/lambda\/prod-sqs-browser-[a-z-]+:\*$/, "Lambda names the streams of a log group"],
  [/:cloudwatch:.*:alarm:prod-sqs-browser-\*$/, "the environment's alarms, some of 20"],
  [/:kinesis:.*\/consumer\/\*$/, "AWS puts the time of its making into the name of a stream's reader"],
  [/:events:.*:rule\/prod-sqs-browser-\*$/, "the environment's schedule, which has its name"],
  [/:events:.*:event-bus\/\*$/, "which bus is told is the deployment's parameter; a boundary opens nothing that a role does not name"],
  [/:cognito-identity:.*:identitypool\/\*$/, "AWS makes the pool's id, and it may be another stack's; a boundary opens nothing that a role does not name"],
  [/:iam:.*:role\/prod-sqs-browser\/(\*-BrowserRole-)?\*$/, "CloudFormation names the roles; the path is the environment's alone"],
  [/:iam:.*:role\/aws-service-role\/ops\.apigateway\.amazonaws\.com\/\*$/, "AWS names the role of its own service, which this is"],
  [/:apigateway:.*\/(restapis\/a1b2c3d4e5\/\*|tags\/\*a1b2c3d4e5\*)$/, "the parts of one API; of tags, the API's ARN is a part of the path, in an encoding of AWS's"],
  [/:codedeploy:.*:(application|deploymentgroup):prod-sqs-browser-events-[A-Za-z]*-?\*/, "CloudFormation names applications and groups, after the stack"],
  [/:codedeploy:.*:deploymentconfig:CodeDeployDefault\.Lambda\*$/, "AWS's ways to shift, of which TrafficShift chooses one"],
  [/:cloudformation:.*:stack\/prod-sqs-browser-events\/\*$/, "AWS makes the id of a stack"],
  [/:s3:::aws-sam-cli-managed-default-\*(\/prod-sqs-browser-events\/\*)?$/, "CloudFormation names SAM's bucket, and SAM the packages in the stack's folder; the bucket must be the account's"],
];

test("every star in a part of a resource is explained, and nothing is explained that is not there", () => {
  const used = new Set();
  for (const [name, statements] of [...documents, ...ofTemplate]) {
    for (const place of statements.flatMap(({ Resource = [] }) => Resource).filter((of) => of.includes("*") && of !== "*")) {
      const reasons = EXPLAINED.flatMap(([pattern], index) => (pattern.test(place) ? [index] : []));
      assert.ok(reasons.length > 0, `${name}: ${place}`);
      for (const reason of reasons) used.add(reason);
    }
  }
  assert.deepEqual(EXPLAINED.filter((_, index) => !used.has(index)), []);
});

const BATCHES = "SQS's batch call is the same permission on AWS, and the local system's emulator checks it by its own name";

/** Actions with a star, by who has them, each with why. */
const ACTIONS = {
  "BrowserRole sqs:DeleteMessage*": BATCHES,
  "BrowserRole sqs:ChangeMessageVisibility*": BATCHES,
  "SqsSenderRole sqs:SendMessage*": BATCHES,
};

test("every star in an action is explained, and allows what the action without it allows", async () => {
  const starred = [...documents, ...ofTemplate].flatMap(([name, statements]) =>
    statements.flatMap(({ Action = [] }) => Action).filter((action) => action.includes("*")).map((action) => [name, action]));
  assert.deepEqual(starred.map((of) => of.join(" ")).sort(), Object.keys(ACTIONS).sort());
  for (const [, action] of starred) {
    const [beginning] = action.split("*");
    const allowed = (await actionsOf(action.split(":")[0])).filter((of) => of.toLowerCase().startsWith(beginning.toLowerCase()));
    assert.deepEqual(allowed, [beginning]);
  }
});

test("whatever bucket of SAM's a deployer names, it must be the account's", () => {
  const [, statements] = documents.find(([name]) => name === "deployer.json");
  const ofBuckets = statements.filter(({ Resource }) => [].concat(Resource).some((place) => place.includes(":s3:::")));
  assert.deepEqual(ofBuckets.map(({ Condition }) => Condition.StringEquals["aws:ResourceAccount"]), ["111122223333", "111122223333"]);
});

test("the boundary leaves out the resource where a role does, and nowhere else", () => {
  const starred = (statements) => statements.filter(({ Resource }) => Resource === "*").flatMap(({ Action }) => Action);
  const [, boundary] = documents.find(([name]) => name === "boundary.json");
  const ofRoles = new Set(ofTemplate.flatMap(([, statements]) => starred(statements)));
  assert.deepEqual(starred(boundary).toSorted(), [...ofRoles].sort());
});
