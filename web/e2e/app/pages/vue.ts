import { useBrowserEvents } from "sqs-browser-events/vue";
import { type App, createApp, defineComponent, h, ref } from "vue";
import { getSession, root } from "../backend.js";

const Feed = defineComponent(() => {
  const texts = ref<string[]>([]);
  const { events, state } = useBrowserEvents({ getSession });
  events.on("message", ({ text }) => texts.value.push(String(text)));
  return () => h("section", [h("p", state.value), texts.value.map((text) => h("li", text))]);
});

let mounted: App;
const mount = () => {
  mounted = createApp(Feed);
  mounted.mount(root);
};
Object.assign(globalThis, { mount, unmount: () => mounted.unmount() });
