// Everything says whose it is, and which release made it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SETS } from "./stacks.mjs";
import { translated } from "./translated.mjs";

/** What has no tags, by type, each with why. */
const WITHOUT = {
  "AWS::ApiGateway::Deployment": "takes none",
  "AWS::Cognito::IdentityPoolRoleAttachment": "takes none",
  "AWS::Events::Rule": "SAM makes it of a function's event, and has no tags for it",
  "AWS::Lambda::Alias": "takes none",
  "AWS::Lambda::EventInvokeConfig": "takes none",
  "AWS::Lambda::EventSourceMapping": "SAM makes it of a function's event, and has no tags for it",
  "AWS::Lambda::Permission": "takes none",
  "AWS::Lambda::Version": "takes none",
};

/** The tags of a resource, whichever way its type writes them. */
function tagsOf({ Tags, IdentityPoolTags, ResourceTags }) {
  const tags = Tags ?? IdentityPoolTags ?? ResourceTags ?? {};
  return Array.isArray(tags) ? Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value])) : tags;
}

test("every resource has the three tags, but those that take none", () => {
  const resources = Object.entries(translated(...SETS["everything on"], "Version=1.2.3").Resources);
  const tags = { application: "sqs-browser-events", environment: "prod", "release-tag": "1.2.3" };
  for (const [name, { Type, Properties }] of resources) {
    const expected = Type in WITHOUT ? {} : tags;
    for (const key of Object.keys(tags)) assert.equal(tagsOf(Properties)[key], expected[key], `${name}: ${key}`);
  }
  const types = new Set(resources.map(([, { Type }]) => Type));
  assert.deepEqual(Object.keys(WITHOUT).filter((type) => !types.has(type)), []);
});
