import { describe, expect, it } from "vitest";
import vectors from "../../../tests/vectors/sigv4.json";
import { amzDate, sign } from "../src/sigv4.js";

describe("the published SigV4 test suite", () => {
  // The client's calls have no query, and no header with spaces to be folded.
  const ours = vectors.filter(({ name, url }) => !url.includes("?") && name !== "get-header-value-trim");
  it.each(ours)("$name", async ({ authorization, ...vector }) => {
    expect((await sign(lowerCased(vector), vector, vector)).authorization).toBe(authorization);
  });
});

describe("dates", () => {
  it("are written as the service reads them", () => {
    expect(amzDate(1440938160.999)).toBe("20150830T123600Z");
  });
});

type Vector = (typeof vectors)[number];

function lowerCased({ method, url, body, headers }: Omit<Vector, "canonicalRequest" | "authorization">) {
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return { method, url, body, headers: Object.fromEntries(lower) as Record<string, string> };
}
