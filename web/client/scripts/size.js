/** Prints the compressed size of what a page loads, and fails if it exceeds the limit. */
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import config from "../rolldown.config.js";

/** Bytes of gzip: 8 KB. */
export const LIMIT = 8000;

/** Gzipped bytes by entry. */
export async function sizes() {
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  const bundle = await rolldown({ ...config, cwd });
  const { output } = await bundle.generate({ ...config.output, sourcemap: false });
  await bundle.close();
  const chunks = output.filter((chunk) => chunk.type === "chunk");
  return Object.fromEntries(chunks.map((chunk) => [chunk.name, gzipSync(chunk.code, { level: 9 }).length]));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { index, react } = await sizes();
  console.log(`sqs-browser-events: ${index} bytes gzip (limit ${LIMIT}); the React hook adds ${react}`);
  if (index > LIMIT) process.exitCode = 1;
}
