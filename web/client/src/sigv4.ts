import { toHex, utf8 } from "./bytes.js";

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

/** `YYYYMMDDTHHMMSSZ` as epoch seconds. */
export function parseAmzDate(date: string): number {
  return Date.parse(date.replace(/(....)(..)(..)T(..)(..)/, "$1-$2-$3T$4:$5:")) / 1000;
}

/**
 * Signs by AWS Signature Version 4 and returns all headers to send: those given, the date, the session
 * token if there is one, and `authorization`. Every given header is signed. The path is taken as it is;
 * a query there must not be.
 */
export async function sign(
  request: SignableRequest,
  credentials: Credentials,
  scope: Scope,
): Promise<Record<string, string>> {
  const headers: Record<string, string> = { ...request.headers, "x-amz-date": scope.date };
  if (credentials.sessionToken) headers["x-amz-security-token"] = credentials.sessionToken;
  const [canonical, signedHeaders] = await canonicalRequest({ ...request, headers });
  const scopeText = `${scope.date.slice(0, 8)}/${scope.region}/${scope.service}/aws4_request`;
  const toSign = `AWS4-HMAC-SHA256\n${scope.date}\n${scopeText}\n${await sha256(canonical)}`;
  const signature = toHex(await hmac(await signingKey(credentials.secretKey, scopeText), toSign));
  const credential = `Credential=${credentials.accessKey}/${scopeText}`;
  headers.authorization = `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
  return headers;
}

/** The canonical form of a request, and the list of its signed headers. */
export async function canonicalRequest(request: SignableRequest): Promise<[string, string]> {
  const url = new URL(request.url);
  const headers = Object.entries({ ...request.headers, host: url.host }).sort();
  const lines = headers.map(([name, value]) => `${name}:${value.trim().replace(/\s+/g, " ")}\n`).join("");
  const names = headers.map(([name]) => name).join(";");
  const parts = [request.method, url.pathname, "", lines, names];
  return [[...parts, await sha256(request.body)].join("\n"), names];
}

async function signingKey(secretKey: string, scopeText: string): Promise<ArrayBuffer> {
  let key: BufferSource = utf8(`AWS4${secretKey}`);
  for (const part of scopeText.split("/")) key = await hmac(key, part);
  return key as ArrayBuffer;
}

async function hmac(key: BufferSource, text: string): Promise<ArrayBuffer> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", key, algorithm, false, ["sign"]);
  return crypto.subtle.sign("HMAC", imported, utf8(text));
}

async function sha256(text: string): Promise<string> {
  return toHex(await crypto.subtle.digest("SHA-256", utf8(text)));
}
