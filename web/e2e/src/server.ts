import { createServer, type RequestListener, request, type Server } from "node:http";
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

/** What a server in front of the AWS endpoint has seen of polls. */
export class PollCount {
  /** How many were asked for. */
  total = 0;
  /** The most that were open at a time. */
  most = 0;
  #open = 0;

  /** Counts what passes on its way to `target`. */
  before(target: string): RequestListener {
    const pass = proxyTo(target);
    return (incoming, outgoing) => {
      if (incoming.headers["x-amz-target"] === "AmazonSQS.ReceiveMessage") {
        this.total++;
        this.#open++;
        this.most = Math.max(this.most, this.#open);
        outgoing.once("close", () => this.#open--);
      }
      pass(incoming, outgoing);
    };
  }
}
