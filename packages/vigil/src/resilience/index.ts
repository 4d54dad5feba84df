/**
 * What keeps a fault or a flood elsewhere from becoming one's own. Each pattern is a thing of its own, which takes time and chance from the
 * environment that it was made with. Which one helps against what: `docs/reliability.md`.
 */
export * from './bulkhead.js';
export * from './circuit-breaker.js';
export type { CircuitBreakerOptions, FailureRate } from './circuit-options.js';
export type { CircuitSnapshot, CircuitState } from './circuit-snapshot.js';
export type { SliceCounts } from './rolling-counts.js';
export type { Attempt, Work } from './run.js';
