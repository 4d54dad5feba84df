import type { Inbox, QueueFigures, Timer } from '../core/index.js';
import type { ProcessGroup } from '../messaging/index.js';
import type { Bulkhead, CircuitBreaker, KeyedRateLimiter, RateLimiter } from '../resilience/index.js';
import { Roster } from './roster.js';

/** An inbox that somebody built, in whatever memory. */
export interface BuiltInbox extends Inbox {
  queues(): QueueFigures[];
}

/** What was made for a runtime and is still used. Trees are not among it: they enter and leave `environment.roots` by themselves. */
export class RuntimeParts {
  readonly inboxes: Roster<BuiltInbox> = new Roster();
  readonly groups: Roster<ProcessGroup<never>> = new Roster();
  readonly circuits: Roster<CircuitBreaker> = new Roster();
  readonly bulkheads: Roster<Bulkhead> = new Roster();
  readonly rateLimiters: Roster<RateLimiter> = new Roster();
  readonly keyedRateLimiters: Roster<KeyedRateLimiter> = new Roster();
  readonly timers: Roster<Timer> = new Roster();
}
