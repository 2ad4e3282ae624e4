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

/** As SQS does while it does not know of a moved tag. */
function refuse(outgoing: ServerResponse): void {
  const headers = { "content-type": "application/x-amz-json-1.0", "access-control-allow-origin": "*" };
  const type = "com.amazon.coral.service#AccessDeniedException";
  outgoing.writeHead(403, headers).end(JSON.stringify({ __type: type, message: "not yet" }));
}
