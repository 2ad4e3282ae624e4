import { rolldown } from "rolldown";
import { development, production } from "../../rolldown.config.js";

/** Builds what the tests of the bundles run on. */
export default async function setup(): Promise<void> {
  for (const build of [development, production]) {
    const bundle = await rolldown(build);
    await bundle.write(build.output);
    await bundle.close();
  }
}
