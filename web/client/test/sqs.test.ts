import { beforeEach, describe, expect, it } from "vitest";
import { sign } from "../src/sigv4.js";
import { createSqs, type Sqs, SqsError } from "../src/sqs.js";
import { createClock, type ServiceClock } from "../src/time.js";
import { World } from "./support/world.js";

const SESSION = { ...new World().session, sqsUrl: "http://localhost:4566/000000000000/queue" };
const never = new AbortController().signal;

let calls: { url: string; init: RequestInit }[];
let answer: Response;
let clock: ServiceClock;
let sqs: Sqs;
beforeEach(() => {
  calls = [];
  answer = Response.json({});
  const { environment: env } = new World().tab();
  clock = createClock(env);
  const fetch = async (url: string, init: RequestInit) => {
    calls.push({ url, init });
    return answer;
  };
  sqs = createSqs({ ...env, fetch }, clock);
});

const failure = (status: number, body: BodyInit, headers: HeadersInit = {}): Response =>
  new Response(body, { status, headers });
const refused = async (): Promise<SqsError> => {
  const error = await sqs.receive(SESSION, 0, 30, never).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(SqsError);
  return error as SqsError;
};

describe("a request", () => {
  it("goes to the origin of the queue's URL, in the AWS JSON 1.0 protocol", async () => {
    await sqs.receive(SESSION, 20, 30, never);
    const [{ url, init }] = calls as [(typeof calls)[0]];
    expect(url).toBe("http://localhost:4566/");
    expect(init.method).toBe("POST");
    expect(init.headers).toMatchObject({
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": "AmazonSQS.ReceiveMessage",
      "x-amz-security-token": SESSION.sessionToken,
    });
    expect(JSON.parse(init.body as string)).toEqual({
      QueueUrl: SESSION.sqsUrl,
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: 20,
      VisibilityTimeout: 30,
      MessageSystemAttributeNames: ["SentTimestamp", "ApproximateReceiveCount"],
    });
  });

  it("is signed over all its headers and its body", async () => {
    await sqs.receive(SESSION, 20, 30, never);
    const [{ url, init }] = calls as [(typeof calls)[0]];
    const { authorization, "x-amz-date": date = "", ...rest } = init.headers as Record<string, string>;
    expect(authorization).toContain(
      "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target,",
    );
    expect(authorization).toContain("/eu-west-1/sqs/aws4_request");
    const again = { method: "POST", url, headers: rest, body: init.body as string };
    const scope = { region: SESSION.region, service: "sqs", date };
    expect((await sign(again, SESSION, scope)).authorization).toBe(authorization);
  });

  it("deletes up to ten messages", async () => {
    const entries = [{ ReceiptHandle: "x" }, { ReceiptHandle: "y" }];
    await sqs.send(await sqs.signBatch(SESSION, "DeleteMessageBatch", entries), true);
    const [{ init }] = calls as [(typeof calls)[0]];
    expect(init.keepalive).toBe(true);
    expect(JSON.parse(init.body as string).Entries).toEqual([
      { Id: "0", ReceiptHandle: "x" },
      { Id: "1", ReceiptHandle: "y" },
    ]);
  });
});

describe("an answer", () => {
  it("may lack messages, and messages their attributes", async () => {
    expect(await sqs.receive(SESSION, 0, 30, never)).toEqual([]);
    answer = Response.json({ Messages: [{ MessageId: "i", ReceiptHandle: "r", Body: "b" }] });
    expect(await sqs.receive(SESSION, 0, 30, never)).toEqual([
      { MessageId: "i", ReceiptHandle: "r", Body: "b" },
    ]);
  });

  it("may report deletions that failed, though the request succeeded", async () => {
    answer = Response.json({ Successful: [], Failed: [{ Id: "0", Code: "ReceiptHandleIsInvalid" }] });
    const request = await sqs.signBatch(SESSION, "DeleteMessageBatch", [{ ReceiptHandle: "x" }]);
    await expect(sqs.send(request)).rejects.toThrow("200 ReceiptHandleIsInvalid: ");
  });
});

describe("an error", () => {
  it("is read from the body, if it can be", async () => {
    answer = failure(400, '{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"gone"}');
    expect(await refused()).toMatchObject({ message: "400 QueueDoesNotExist: gone", needsSession: true });
    answer = failure(502, "<html>Bad Gateway</html>");
    expect(await refused()).toMatchObject({ message: "502 : ", needsSession: false });
    answer = failure(500, "null");
    expect(await refused()).toMatchObject({ message: "500 : " });
  });

  it.each([
    ["QueueDoesNotExist", true],
    ["ExpiredToken", true],
    ["InvalidToken", true],
    ["InvalidClientTokenId", true],
    ["UnrecognizedClientException", true],
    ["AccessDenied", true],
    ["RequestExpired", true],
    ["InvalidSignatureException", true],
    ["RequestThrottled", false],
    ["InvalidParameterValue", false],
    ["InternalError", false],
  ])("%s: a new session may help: %s", async (type, needed) => {
    answer = failure(400, JSON.stringify({ __type: type }));
    expect((await refused()).needsSession).toBe(needed);
  });

  it("that comes from a wrong clock corrects it", async () => {
    const message = "Signature expired: 20260101T000000Z is now earlier than ... (20260102T000000Z - 5 min.)";
    answer = failure(403, JSON.stringify({ __type: "InvalidSignatureException", message }));
    expect(await refused()).toMatchObject({ clockWasOff: true });
    expect(clock.now()).toBe(Date.parse("2026-01-02T00:00:00Z") / 1000);
    answer = failure(403, JSON.stringify({ __type: "InvalidSignatureException", message }));
    expect(await refused()).toMatchObject({ clockWasOff: false });
  });
});

describe("the clock", () => {
  it("is not to blame for a refusal when it is nearly right", async () => {
    const date = new Date((clock.now() + 30) * 1000).toUTCString();
    answer = failure(403, '{"__type":"AccessDenied"}', { date });
    expect(await refused()).toMatchObject({ clockWasOff: false, needsSession: true });
  });

  it("follows the service's Date header, but not its rounding", async () => {
    const local = clock.now();
    const date = (seconds: number) => ({ date: new Date(seconds * 1000).toUTCString() });
    answer = new Response("{}", { headers: date(local - 2) });
    await sqs.receive(SESSION, 0, 30, never);
    expect(clock.now()).toBe(local);
    answer = new Response("{}", { headers: date(local + 40) });
    await sqs.receive(SESSION, 0, 30, never);
    expect(clock.now()).toBe(local + 40);
  });
});
