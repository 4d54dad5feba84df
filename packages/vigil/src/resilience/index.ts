/**
 * What keeps a fault or a flood elsewhere from becoming one's own. Each pattern is a thing of its own, which takes time and chance from the
 * environment that it was made with. Which one helps against what: `docs/reliability.md`.
 */
export type { Backoff, BackoffFunction } from './backoff.js';
export * from './bulkhead.js';
export * from './circuit-breaker.js';
export type { CircuitBreakerOptions, FailureRate } from './circuit-options.js';
export type { CircuitSnapshot, CircuitState } from './circuit-snapshot.js';
export type { FailureKind } from './failure-kind.js';
export * from './fallback.js';
export * from './hedge.js';
export { FlowControlledInbox } from './flow-controlled-inbox.js';
export { KeyedRateLimiter, type KeyedRateLimiterOptions } from './keyed-rate-limiter.js';
export * from './policy.js';
export { RateLimiter, type RateLimiterOptions, type RateWaitOptions } from './rate-limiter.js';
export * from './retry.js';
export { RetryBudget, type RetryBudgetOptions } from './retry-budget.js';
export type { SliceCounts } from './rolling-counts.js';
export type { Attempt, PolicyPart, Work } from './run.js';
export * from './timeout.js';
