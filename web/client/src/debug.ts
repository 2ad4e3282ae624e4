import { type AnyEvents, BrowserEvents, type Environment, type Options } from "./index.js";

/** Takes a line of what happens, and facts about it. */
export type Log = (text: string, ...facts: unknown[]) => void;

const EVENTS = ["state", "retry", "renewed", "gap"] as const;

/**
 * A client that tells what it does: its states, its requests to SQS with their answers, its calls of `getSession`
 * and `getHistory`. It tells no keys, tokens or messages.
 *
 * @param log - where to; the console by default, at the level "verbose"
 * @example
 * ```ts
 * const events = location.search.includes("debug") ? debugged(options) : new BrowserEvents(options);
 * ```
 */
export function debugged<E = AnyEvents>(options: Options<E>, log: Log = console.debug): BrowserEvents<E> {
  const say: Log = (text, ...facts) => log(`sqs-browser-events: ${text}`, ...facts);
  // Refuses wrong options, which the calls below would hide.
  new BrowserEvents(options);
  const { getHistory, environment } = options;
  const events = new BrowserEvents<E>({
    ...options,
    getSession: (request) =>
      timed(say, `getSession ${request.reason}`, async () => options.getSession(request)),
    getHistory: getHistory && ((request) => timed(say, "getHistory", async () => getHistory(request))),
    environment: { ...environment, fetch: loggedFetch(say, environment?.fetch) },
  });
  for (const event of EVENTS) {
    events.on(event, (fact) => say(event, fact));
  }
  return events;
}

async function timed<T>(say: Log, text: string, call: () => Promise<T>): Promise<T> {
  const start = Date.now();
  try {
    const result = await call();
    say(`${text}: ${Date.now() - start} ms`);
    return result;
  } catch (error) {
    say(`${text} failed after ${Date.now() - start} ms`, error);
    throw error;
  }
}

function loggedFetch(
  say: Log,
  own: Environment["fetch"] = (url, init) => fetch(url, init),
): Environment["fetch"] {
  return async (url, init) => {
    const { "x-amz-target": target = "" } = init.headers as Record<string, string>;
    const { Entries } = JSON.parse(init.body as string);
    const action = target.replace("AmazonSQS.", "") + (Entries ? ` of ${Entries.length}` : "");
    const start = Date.now();
    try {
      const response = await own(url, init);
      say(`${action}: ${response.status} after ${Date.now() - start} ms`);
      return response;
    } catch (error) {
      say(`${action}: no answer after ${Date.now() - start} ms`, (error as Error).name);
      throw error;
    }
  };
}
