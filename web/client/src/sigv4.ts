import { toHex, utf8 } from "./bytes.js";

const ALGORITHM = "AWS4-HMAC-SHA256";

/** A request to be signed. Header names are in lower case, without `host`, which the URL gives. */
export interface SignableRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string;
}

export interface Credentials {
  accessKey: string;
  secretKey: string;
  sessionToken?: string;
}

/** What a signature is valid for. */
export interface Scope {
  region: string;
  service: string;
  /** `YYYYMMDDTHHMMSSZ`, as {@link amzDate} writes it. */
  date: string;
}

/** Epoch seconds as `YYYYMMDDTHHMMSSZ`. */
export function amzDate(time: number): string {
  return new Date(time * 1000).toISOString().replace(/[-:]|\.\d+/g, "");
}

/**
 * Signs by AWS Signature Version 4 and returns all headers to send: those given, the date, the session
 * token if there is one, and `authorization`. Every given header is signed. The path and the headers' values are
 * taken as they are: there must be no query, and no spaces to be folded.
 */
export async function sign(
  { method, url, headers, body }: SignableRequest,
  { accessKey, secretKey, sessionToken }: Credentials,
  { region, service, date }: Scope,
): Promise<Record<string, string>> {
  const { host, pathname } = new URL(url);
  const sent: Record<string, string> = { ...headers, "x-amz-date": date };
  if (sessionToken) sent["x-amz-security-token"] = sessionToken;
  const signed = Object.entries({ ...sent, host }).sort();
  const lines = signed.map((header) => header.join(":"));
  const names = signed.map(([name]) => name).join(";");
  const canonical = [method, pathname, "", ...lines, "", names, await sha256(body)].join("\n");
  const scope = [date.slice(0, 8), region, service, "aws4_request"];
  const toSign = [ALGORITHM, date, scope.join("/"), await sha256(canonical)].join("\n");
  let key: ArrayBuffer | Uint8Array<ArrayBuffer> = utf8(`AWS4${secretKey}`);
  for (const text of [...scope, toSign]) key = await hmac(key, text);
  const credential = `${accessKey}/${scope.join("/")}`;
  sent.authorization = `${ALGORITHM} Credential=${credential}, SignedHeaders=${names}, Signature=${toHex(key)}`;
  return sent;
}

async function hmac(key: BufferSource, text: string): Promise<ArrayBuffer> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", key, algorithm, false, ["sign"]);
  return crypto.subtle.sign("HMAC", imported, utf8(text));
}

async function sha256(text: string): Promise<string> {
  return toHex(await crypto.subtle.digest("SHA-256", utf8(text)));
}
