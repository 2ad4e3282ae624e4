import { createServer, type RequestListener, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A server of a test, on a free port. */
export class TestServer {
  readonly #server: Server;

  private constructor(listener: RequestListener) {
    this.#server = createServer(listener);
  }

  static async start(listener: RequestListener): Promise<TestServer> {
    const server = new TestServer(listener);
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get url(): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** Passes all requests on. */
export function proxyTo(target: string): RequestListener {
  const { hostname, port } = new URL(target);
  return (incoming, outgoing) => {
    const { method, url: path, headers } = incoming;
    const forward = request({ hostname, port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    forward.on("error", () => outgoing.destroy());
    outgoing.on("close", () => forward.destroy());
    incoming.pipe(forward);
  };
}

/** A request to SQS, as a server in front of it saw it. */
export interface SqsCall {
  action: string;
  accessKey: string;
  /** Epoch milliseconds. */
  at: number;
  /** How old its signature was, seconds. */
  signatureAge: number;
}

/** What a server in front of the AWS endpoint has seen. */
export class SqsCalls {
  readonly all: SqsCall[] = [];
  /** Refuses a call in the place of SQS. */
  refuse: (call: SqsCall) => boolean = () => false;
  /** The most polls that were open at a time. */
  most = 0;
  /** How many polls are open. */
  open = 0;

  /** The calls of an action. */
  of(action: string): SqsCall[] {
    return this.all.filter((call) => call.action === action);
  }

  /** How many calls there were of an action. */
  count(action: string): number {
    return this.of(action).length;
  }

  /** For how long nobody has polled, milliseconds. */
  quiet(): number {
    return this.open > 0 ? 0 : Date.now() - (this.of("ReceiveMessage").at(-1)?.at ?? 0);
  }

  /** Notes what passes on its way to `target`. */
  before(target: string): RequestListener {
    const pass = proxyTo(target);
    return (incoming, outgoing) => {
      const action = String(incoming.headers["x-amz-target"] ?? "").replace("AmazonSQS.", "");
      if (!action) return pass(incoming, outgoing);
      const accessKey = /Credential=([^/]+)/.exec(incoming.headers.authorization ?? "")?.[1] ?? "";
      const at = Date.now();
      const signedAt = String(incoming.headers["x-amz-date"]).replace(
        /(....)(..)(..T..)(..)/,
        "$1-$2-$3:$4:",
      );
      const signatureAge = (at - Date.parse(signedAt)) / 1000;
      const call = { action, accessKey, at, signatureAge };
      this.all.push(call);
      if (action === "ReceiveMessage") this.#opened(outgoing);
      if (this.refuse(call)) return refuse(outgoing);
      pass(incoming, outgoing);
    };
  }

  #opened(outgoing: ServerResponse): void {
    this.open++;
    this.most = Math.max(this.most, this.open);
    outgoing.once("close", () => this.open--);
  }
}

/** SQS, which does not know at first that a queue's tag has been moved to new keys. */
export class MovedTag {
  readonly calls = new SqsCalls();
  readonly #first = new Map<string, number>();
  readonly #milliseconds: number;

  /** @param seconds - for how long it refuses each keys, from their first call on */
  constructor(seconds: number) {
    this.#milliseconds = seconds * 1000;
    this.calls.refuse = ({ accessKey, at }) => {
      if (!this.#first.has(accessKey)) this.#first.set(accessKey, at);
      return at - (this.#first.get(accessKey) ?? 0) < this.#milliseconds;
    };
  }

  /** When it knows of all, epoch milliseconds; 0 if it always did. */
  over(): number {
    return this.#milliseconds && Math.max(0, ...this.#first.values()) + this.#milliseconds;
  }
}

/** As SQS does while it does not know of a moved tag. */
function refuse(outgoing: ServerResponse): void {
  const headers = { "content-type": "application/x-amz-json-1.0", "access-control-allow-origin": "*" };
  const type = "com.amazon.coral.service#AccessDeniedException";
  outgoing.writeHead(403, headers).end(JSON.stringify({ __type: type, message: "not yet" }));
}
