/**
 * Where the parts meet. A `Runtime` owns what is shared; builders collect options and hand its environment to what they build; an
 * `App` is a supervision tree with a preset, a log and an orderly end. The functions of the default runtime are the API's front door.
 */
export { App, type AppOptions } from './app.js';
export { formatCrashReport } from './format-crash-report.js';
export type { RunOptions } from './run-program.js';
export * from './default-runtime.js';
export * as pubsub from './global-pubsub.js';
export * as shutdown from './global-shutdown.js';
export * as telemetry from './global-telemetry.js';
export type { InboxBuilder, SharedInboxBuilder } from './inbox-builder.js';
export {
  Bulkhead,
  CircuitBreaker,
  KeyedRateLimiter,
  ProcessGroup,
  ProcessMailbox,
  RateLimiter,
  RetryBudget,
  Subscriber,
  Supervisor,
  Timer,
} from './low-level.js';
export type { MessageBuilder } from './message-builder.js';
export type { PresetName } from './presets.js';
export { MAILBOX_PROFILES, type MailboxProfileName } from './mailbox-profiles.js';
export type { MessageTraceOptions, TracedMessage } from './message-trace.js';
export type { PlainSnapshot, RemoteSnapshot } from './remote-snapshot.js';
export type { QueueSnapshot } from './queue-ages.js';
export { Runtime, type RuntimeOptions } from './runtime.js';
export type { HealthReason, HealthReport, HealthSeverity } from './runtime-health.js';
export type { MailboxSnapshot, NameSnapshot, RuntimeSnapshot } from './runtime-snapshot.js';
export type { SupervisorBuilder } from './supervisor-builder.js';
