import { StrictMode, useState } from "react";
import { createRoot, type Root } from "react-dom/client";
import { useBrowserEvents } from "sqs-browser-events/react";
import { getSession, root } from "../backend.js";

function Feed() {
  const [texts, setTexts] = useState<string[]>([]);
  const state = useBrowserEvents({
    getSession,
    onMessage: ({ text }) => setTexts((texts) => [...texts, String(text)]),
  });
  return (
    <section>
      <p>{state}</p>
      {texts.map((text) => (
        <li key={text}>{text}</li>
      ))}
    </section>
  );
}

let mounted: Root;
const mount = () => {
  mounted = createRoot(root);
  mounted.render(
    <StrictMode>
      <Feed />
    </StrictMode>,
  );
};
Object.assign(globalThis, { mount, unmount: () => mounted.unmount() });
