/**
 * Browser client of sqs-browser-events.
 *
 * - `client.ts` the public class; `options.ts` what an application sets; `connection.ts` what runs between connect and
 *   disconnect
 * - `keeper.ts` the session; `poller.ts` the polling loop; `intake.ts` messages on their way to handlers;
 *   `handling.ts` duplicates and retries; `leases.ts` what is in handlers; `batch.ts` requests about messages;
 *   `history.ts`, `continuity.ts` gaps; `memory.ts` what outlives the page
 * - `group.ts` this tab among those of its session: `election.ts` who polls, `tabs.ts` messages on their way to the others
 * - `sqs.ts`, `sigv4.ts`, `frame.ts` the wire; `environment.ts` everything taken from the browser
 *
 * @packageDocumentation
 */
export { BrowserEvents } from "./client.js";
export type { Channel, Environment, Locks } from "./environment.js";
export { BrowserEventsError, type ErrorCode, UNHANDLED, UnrecoverableError } from "./errors.js";
export type {
  AnyEvents,
  AnyMessage,
  EventArgs,
  EventName,
  Gap,
  Handler,
  Message,
  MessageOf,
  Metadata,
  NamedEvents,
  Receipt,
  Retry,
  State,
  StateChange,
  Status,
} from "./events.js";
export type { Options } from "./options.js";
export type { Id, Session, SessionReason } from "./session.js";
