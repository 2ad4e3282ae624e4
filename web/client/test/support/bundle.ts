import { rolldown } from "rolldown";
import { client } from "../../rolldown.config.js";

/** Builds what the tests of the bundle run on. */
export default async function setup(): Promise<void> {
  const bundle = await rolldown(client);
  await bundle.write(client.output);
  await bundle.close();
}
