import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A proxy in front of the AWS endpoint, which counts polls as the server sees them. */
export class CountingProxy {
  /** How many polls were asked for. */
  polls = 0;
  /** The most that were open at a time. */
  most = 0;
  #open = 0;
  readonly #target: URL;
  readonly #server: Server;

  private constructor(endpoint: string) {
    this.#target = new URL(endpoint);
    this.#server = createServer((incoming, outgoing) => this.#pass(incoming, outgoing));
  }

  static async start(endpoint: string): Promise<CountingProxy> {
    const proxy = new CountingProxy(endpoint);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get url(): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    this.#count(incoming, outgoing);
    const { method, url: path, headers } = incoming;
    const { hostname, port } = this.#target;
    const forward = request({ hostname, port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    forward.on("error", () => outgoing.destroy());
    outgoing.on("close", () => forward.destroy());
    incoming.pipe(forward);
  }

  #count(incoming: IncomingMessage, outgoing: ServerResponse): void {
    if (incoming.headers["x-amz-target"] !== "AmazonSQS.ReceiveMessage") return;
    this.polls++;
    this.#open++;
    this.most = Math.max(this.most, this.#open);
    outgoing.once("close", () => this.#open--);
  }
}
