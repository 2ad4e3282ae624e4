import { describe, expect, it } from "vitest";
import vectors from "../../../tests/vectors/frames.json";
import { decodeFrame, importKey } from "../src/frame.js";

const WRAPPED = "340282366920938463463374607431768211455|nfGBPT/CE7U94zEZMeA0hdLlc9NZafy/3J3uD68ODeWCMg==";
const key = importKey("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");

describe("decodeFrame", () => {
  it.each(vectors)("decrypts $name", async ({ aesKey, counter, cipherText, text }) => {
    expect(await decodeFrame(await importKey(aesKey), `${counter}|${cipherText}`)).toBe(text);
  });

  it("uses all 128 bits of the counter block", async () => {
    expect(await decodeFrame(await key, WRAPPED)).toBe("the second block uses counter zero");
  });

  it.each([
    ["no separator", "nw7xCnVR0m/YrGgG"],
    ["no counter", "|nw7xCnVR0m/YrGgG"],
    ["a negative counter", "-1|nw7xCnVR0m/YrGgG"],
    ["a counter that is not decimal", "0x10|nw7xCnVR0m/YrGgG"],
    ["a counter beyond 128 bits", "340282366920938463463374607431768211456|nw7x"],
    ["what is not base64", "1|n:7x"],
    ["base64 cut short", "1|nw7xC"],
  ])("refuses %s", async (_, frame) => {
    await expect(decodeFrame(await key, frame)).rejects.toThrow();
  });

  it("refuses what a wrong key turns into bytes that are no text", async () => {
    const [{ counter, cipherText }] = vectors.filter(({ name }) => name.startsWith("longer")) as [
      (typeof vectors)[0],
    ];
    const wrong = await importKey("LkWUsGQKi8E9QoMJEeY1HLL8rdJNJr3fzDp+F9CpkCY=");
    await expect(decodeFrame(wrong, `${counter}|${cipherText}`)).rejects.toThrow();
  });
});
