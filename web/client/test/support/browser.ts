import type { Channel, Environment, Locks } from "../../src/index.js";
import type { FakeClock } from "./clock.js";

interface Claim {
  tab: FakeTab;
  granted: boolean;
  grant: () => void;
  fail: () => void;
}

/** What the tabs of one browser share: locks, channels and storage. */
export class FakeBrowser {
  readonly storage: Record<string, string | number> = {};
  readonly claims = new Map<string, Claim[]>();
  readonly ports = new Set<Port>();

  release(gone: (claim: Claim) => boolean): void {
    for (const [name, claims] of this.claims) {
      const left = claims.filter((claim) => !gone(claim));
      this.claims.set(name, left);
      if (left[0] && !left[0].granted) left[0].grant();
    }
  }
}

class Port implements Channel {
  onmessage: ((event: MessageEvent) => void) | null = null;
  readonly #tab: FakeTab;
  readonly #name: string;

  constructor(tab: FakeTab, name: string) {
    this.#tab = tab;
    this.#name = name;
    tab.browser.ports.add(this);
  }

  postMessage(data: unknown): void {
    if (this.#tab.closed) return;
    if (!this.#tab.browser.ports.has(this)) throw new DOMException("closed", "InvalidStateError");
    const copy = structuredClone(data);
    for (const port of this.#tab.browser.ports) {
      if (port !== this && port.#name === this.#name) port.#deliver(copy);
    }
  }

  close(): void {
    this.#tab.browser.ports.delete(this);
  }

  belongsTo(tab: FakeTab): boolean {
    return this.#tab === tab;
  }

  #deliver(data: unknown): void {
    queueMicrotask(() => this.#tab.run(() => this.onmessage?.({ data } as MessageEvent)));
  }
}

/** One page: its events, its life, and the environment of a client in it. */
export class FakeTab {
  readonly browser: FakeBrowser;
  readonly environment: Environment;
  readonly reported: unknown[] = [];
  readonly #page = new EventTarget();
  readonly #network = new AbortController();
  #hidden = false;
  #frozen = false;
  closed = false;
  #held: (() => void)[] = [];

  constructor(browser: FakeBrowser, clock: FakeClock, fetch: Environment["fetch"]) {
    this.browser = browser;
    this.environment = {
      fetch: (url, init) => this.#fetch(fetch, url, init),
      now: clock.now,
      setTimeout: (callback, milliseconds) => clock.setTimeout(() => this.run(callback), milliseconds),
      clearTimeout: clock.clearTimeout,
      random: () => 0.5,
      locks: { request: (name, options, callback) => this.#request(name, options, callback) },
      channel: (name) => new Port(this, name),
      page: this.#page,
      hidden: () => this.#hidden,
      storage: () => browser.storage,
      report: (error) => void this.reported.push(error),
    };
  }

  fire(event: string): void {
    this.#page.dispatchEvent(new Event(event));
  }

  hide(): void {
    this.#hidden = true;
    this.fire("visibilitychange");
  }

  show(): void {
    this.#hidden = false;
    this.fire("visibilitychange");
  }

  /** Stops all that runs in the page, without a word to it. */
  freeze(): void {
    this.#frozen = true;
  }

  thaw(): void {
    this.#frozen = false;
    for (const callback of this.#held.splice(0)) callback();
  }

  close(): void {
    this.fire("pagehide");
    this.crash();
  }

  /** The page ends without knowing. */
  crash(): void {
    this.closed = true;
    this.#network.abort();
    this.browser.release((claim) => claim.tab === this);
    for (const port of this.browser.ports) if (port.belongsTo(this)) port.close();
  }

  run(callback: () => void): void {
    if (this.closed) return;
    if (this.#frozen) this.#held.push(callback);
    else callback();
  }

  async #fetch(fetch: Environment["fetch"], url: string, init: RequestInit): Promise<Response> {
    const never = new Promise<never>(() => {});
    if (this.closed) return never;
    const own = init.signal as AbortSignal;
    const signal = init.keepalive ? own : AbortSignal.any([own, this.#network.signal]);
    const response = await fetch(url, { ...init, signal });
    await new Promise<void>((resolve) => this.run(resolve));
    return response;
  }

  #request(
    name: string,
    { signal, steal }: Parameters<Locks["request"]>[1],
    callback: () => Promise<void>,
  ): Promise<unknown> {
    const { browser } = this;
    return new Promise((resolve, reject) => {
      const fail = () => this.run(() => reject(new DOMException("lock", "AbortError")));
      const claim: Claim = { tab: this, granted: false, grant, fail };
      function grant() {
        claim.granted = true;
        const done = () => browser.release((other) => other === claim);
        callback().finally(done).then(resolve, reject);
      }
      const claims = browser.claims.get(name) ?? [];
      browser.claims.set(name, claims);
      signal?.addEventListener("abort", () => {
        if (claim.granted) return;
        browser.release((other) => other === claim);
        fail();
      });
      if (steal) {
        const [holder] = claims;
        if (holder?.granted) claims.shift()?.fail();
        claims.unshift(claim);
      } else {
        claims.push(claim);
      }
      if (claims[0] === claim) grant();
    });
  }
}
