import { fromBase64, fromHex } from "./bytes.js";
import type { Message } from "./events.js";
import type { Session } from "./session.js";

const FRAME = /^(\d+)\|(.*)$/;

/** @param aesKey - base64 of 32 bytes */
export function importKey(aesKey: string): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", fromBase64(aesKey), "AES-CTR", false, ["decrypt"]);
}

/**
 * Decrypts a queue message body, `<counter>|<base64 of AES-256-CTR(key, text)>`, where the decimal counter
 * is the initial 128-bit big-endian counter block.
 *
 * The cipher does not authenticate. A wrong key shows as a text that is not UTF-8 or not JSON.
 * @throws when the body is not such a frame, or the text not UTF-8
 */
export async function decodeFrame(key: CryptoKey, body: string): Promise<string> {
  const [, counter, ciphertext = ""] = FRAME.exec(body) ?? [];
  if (!counter) throw new Error("not a frame");
  // One that is too large gives a block that is too long, which is refused.
  const block = fromHex(BigInt(counter).toString(16).padStart(32, "0"));
  const algorithm = { name: "AES-CTR", counter: block, length: 128 };
  const plain = await crypto.subtle.decrypt(algorithm, key, fromBase64(ciphertext));
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(plain);
}

/** The session's key, and after a rotation the one before it. */
export function importKeys({ aesKey, previousAesKey }: Session): Promise<CryptoKey[]> {
  return Promise.all([aesKey, previousAesKey ?? []].flat().map(importKey));
}

/**
 * Reads a frame by the first key that makes a JSON object of it.
 * @param id - stands in for a messageId that is missing
 * @returns its text, and the message that this is
 * @throws what the first key failed with, when none does
 */
export async function readFrame(keys: CryptoKey[], body: string, id: string): Promise<[string, Message]> {
  let failure: unknown;
  for (const key of keys) {
    try {
      const text = await decodeFrame(key, body);
      return [text, parseMessage(text, id)];
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

function parseMessage(text: string, id: string): Message {
  const message = JSON.parse(text);
  if (!/^\s*{/.test(text)) throw new Error("not an object");
  return typeof message.messageId === "string" ? message : { ...message, messageId: id };
}
