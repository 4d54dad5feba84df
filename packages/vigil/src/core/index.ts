/**
 * The words everything in Vigil uses: errors, time and chance, exit reasons, messages and their mailboxes, telemetry events.
 *
 * A mailbox is two layers. `ProcessMailbox` holds messages: bounded, by priority, with expiry, dead letters and books that
 * balance; nothing in it waits. `LocalInbox` puts promises around it: receivers in line while it is empty, senders in line
 * while it is full. A message's way is `send` → checks (closed, size, expiry, room) → its priority's ring → the first
 * waiting receiver, or a later one; every other end of it is counted, and most can be replayed.
 *
 * `FlowControl` stands before the checks of an engine that has it: the rate limit says when a send has its turn, the watermarks what becomes
 * of it then. Its figures are kept in books that are the engine's: fields, or words of the shared memory.
 */
export * from './clock.js';
export * from './close-callbacks.js';
export { type CrashDecision, type CrashedProcess, type CrashReport, type CrashReportOptions, CrashReports } from './crash-report.js';
export * from './dead-letter.js';
export * from './dead-letter-queue.js';
export type * from './environment.js';
export * from './errors.js';
export * from './exit-reason.js';
export {
  type BackpressureOptions,
  type BackpressureStrategy,
  checkBackpressure,
  checkRateLimit,
  type FlowStats,
  type RateLimitOptions,
} from './flow-settings.js';
export * from './growing-delay.js';
export * from './host-environment.js';
export type * from './inbox.js';
export * from './local-inbox.js';
export * from './logger.js';
export type * from './mailbox-stats.js';
export {
  checkSendOptions,
  MESSAGE_PRIORITIES,
  Message,
  mailboxAccess,
  type MessagePriority,
  messageOf,
  type SendOptions,
  SIGNALS,
  type Signal,
} from './message.js';
export type * from './name-directory.js';
export type * from './outpost.js';
export * from './path-to-sender.js';
export type * from './process-inbox.js';
export * from './process-mailbox.js';
export * from './random.js';
export * from './reply-exchange.js';
export { type MessageMetadata, type ReplyBox, type ReplyOutcome, ReplyPort, type ReplyRoute } from './reply-port.js';
export * from './ring-queue.js';
export { type Root, Roots } from './roots.js';
export type * from './sender.js';
export * from './shared/index.js';
export * from './telemetry-event.js';
export { type SendAfterOptions, Timer, type TimerSnapshot } from './timer.js';
export * from './timer-queue.js';
export * from './token-bucket.js';
export type * from './topic-exchange.js';
export { type TraceContext, type TraceSource, withTrace } from './trace-context.js';
export { type TracedRequest, type TracedStart, type TracedWork, type Tracer, Tracing } from './tracing.js';
export * from './validation.js';
export { WaitingLine } from './waiting-line.js';
