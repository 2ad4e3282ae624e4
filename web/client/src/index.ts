/**
 * Browser client of sqs-browser-events.
 *
 * - `client.ts` the public class; `connection.ts` what runs between connect and disconnect
 * - `keeper.ts` the session; `poller.ts` the polling loop; `intake.ts` messages on their way to handlers;
 *   `inbox.ts` duplicates and retries; `deleter.ts` batched deletion; `history.ts`, `continuity.ts` gaps
 * - `group.ts` the tabs of a session: `election.ts` who polls, `tabs.ts` what they tell each other
 * - `sqs.ts`, `sigv4.ts`, `frame.ts` the wire; `environment.ts` everything taken from the browser
 *
 * @packageDocumentation
 */
export { BrowserEvents } from "./client.js";
export type { Channel, Environment, Locks } from "./environment.js";
export { BrowserEventsError, type ErrorCode, UnrecoverableError } from "./errors.js";
export type { EventMap, Gap, Handler, Message, Metadata, Receipt, State, StateChange } from "./events.js";
export type { Options } from "./options.js";
export type { Id, Session, SessionReason } from "./session.js";
