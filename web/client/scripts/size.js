/** Prints the compressed size of each entry. A test holds them to their limits: compressors differ by some bytes. */
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import configs from "../rolldown.config.js";

/** What a page loads for `sqs-browser-events`, in bytes of gzip. */
export const LIMIT = 8500;

/** Compressed bytes by entry. */
export async function sizes() {
  const chunks = (await Promise.all(configs.map(generate))).flat();
  return Object.fromEntries(
    chunks.map(({ name, code }) => [
      name,
      { gzip: gzipSync(code, { level: 9 }).length, brotli: brotliCompressSync(code).length },
    ]),
  );
}

async function generate(config) {
  const bundle = await rolldown({ ...config, cwd: fileURLToPath(new URL("..", import.meta.url)) });
  const { output } = await bundle.generate(config.output);
  await bundle.close();
  return output.filter((chunk) => chunk.type === "chunk");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.table(await sizes());
