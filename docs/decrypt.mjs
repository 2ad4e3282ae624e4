// Decrypts what a session's queue delivered, with WebCrypto as a browser has it.
// Usage: node decrypt.mjs session.json messages.json
//   session.json   the reply of /create
//   messages.json  the reply of SQS ReceiveMessage (JSON protocol)
import { readFileSync } from "node:fs";

async function decrypt(aesKey, body) {
  const [counter, cipherText] = body.split("|");
  const bytes = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const block = new Uint8Array(16);
  for (let i = 15, n = BigInt(counter); i >= 0; i--, n >>= 8n) block[i] = Number(n & 255n);
  const key = await crypto.subtle.importKey("raw", bytes(aesKey), "AES-CTR", false, ["decrypt"]);
  const text = await crypto.subtle.decrypt({ name: "AES-CTR", counter: block, length: 128 }, key, bytes(cipherText));
  return new TextDecoder().decode(text);
}

const read = (path) => JSON.parse(readFileSync(path, "utf8"));
const [sessionFile, messagesFile] = process.argv.slice(2);
const { session } = read(sessionFile);
for (const { Body } of read(messagesFile).Messages ?? []) console.log(await decrypt(session.aesKey, Body));
