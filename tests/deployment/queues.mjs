// Who may do what with the queue of a session: every role of the template and every document of docs/policies, asked
// about every action of SQS. `npm run --silent queues` prints the table of docs/SECURITY.md.

import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { actionsOf, allowed, arn, document, forIdentity, policiesOf, roles, root } from "./simulator.mjs";

export const OWN = "eu-west-1:aaaaaaaa-0000-4000-8000-000000000000";
export const OTHER = "eu-west-1:bbbbbbbb-0000-4000-8000-000000000000";

/** What AWS puts on top of the role of a guest: one policy that lists SQS, and one that does not. */
export const sessionPolicy = (action) => ({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: action, Resource: "*" }] });

/** The queue of the session, of another one, and one without a tag. */
const QUEUES = { own: { "aws:ResourceTag/identityId": OWN }, other: { "aws:ResourceTag/identityId": OTHER }, untagged: {} };

/** Who may take a role, and the bounds of what others grant. */
const GRANT_NOTHING = ["boundary.json", "deployer-trust.json"];

function principals() {
  const ofTemplate = Object.entries(roles()).filter(([, role]) => role.Policies);
  const ofDocuments = readdirSync(`${root}docs/policies`)
    .filter((name) => name.endsWith(".json") && !GRANT_NOTHING.includes(name))
    .map((name) => [`docs/policies/${name}`, { policies: [document(name.slice(0, -5))] }]);
  const [browser, ...functions] = ofTemplate
    .map(([name, role]) => [name, { policies: policiesOf(role).map((policy) => forIdentity(policy, OWN)) }])
    .sort(([left], [right]) => (right === "BrowserRole") - (left === "BrowserRole"));
  const guest = (action) => ({ ...browser[1], sessionPolicy: sessionPolicy(action) });
  return [
    browser,
    ["BrowserRole, a guest, session policy with `sqs:*`", guest("sqs:*")],
    ["BrowserRole, a guest, session policy without SQS", guest("polly:*")],
    ...functions,
    ...ofDocuments,
  ];
}

/** The actions of SQS that are allowed on a session's queue with these tags. */
async function open({ policies, sessionPolicy }, context, actions) {
  const answers = await Promise.all(
    actions.map((action) => allowed(policies, action, arn("sqs", "prod-brws-x"), { context, sessionPolicy })),
  );
  return actions.filter((_, index) => answers[index]).map((action) => action.slice("sqs:".length)).sort();
}

/** The table, in Markdown. */
export async function table() {
  const actions = await actionsOf("sqs");
  const head = ["who", "the session's own queue", "another session's", "without a tag"];
  const cell = (names) => names.map((name) => `\`${name}\``).join(" ") || "nothing";
  const rows = principals().map(async ([name, principal]) => {
    const answers = Object.values(QUEUES).map(async (context) => cell(await open(principal, context, actions)));
    const [own, ...others] = await Promise.all(answers);
    return [name, own, ...others.map((other) => (other === own && own !== "nothing" ? "the same" : other))];
  });
  const lines = [head, head.map(() => "---"), ...(await Promise.all(rows))];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(await table());
}
