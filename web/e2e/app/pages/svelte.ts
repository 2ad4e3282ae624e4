import * as svelte from "svelte";
import { getSession, root } from "../backend.js";
import Feed from "./Feed.svelte";

let mounted: object;
const mount = () => {
  mounted = svelte.mount(Feed, { target: root, props: { getSession } });
};
Object.assign(globalThis, { mount, unmount: () => svelte.unmount(mounted) });
