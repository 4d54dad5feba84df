import type { TelemetryEvents } from '../core/index.js';
import type { AbortScope } from './abort-scope.js';
import type { CircuitRules } from './circuit-options.js';
import { RollingCounts } from './rolling-counts.js';

/**
 * The decisions of a circuit breaker: functions of its phase, its rules and the time.
 *
 *     closed ──failures──▶ open ──first call after resetTimeoutMs──▶ half_open ──successes──▶ closed
 *                           ▲                                            │
 *                           └──────────────── a failure ─────────────────┘
 *
 * A phase counts what belongs to it and to no other: a result counts only in the phase that let its call through.
 */
export type Phase = ClosedPhase | OpenPhase | HalfOpenPhase;

export interface ClosedPhase {
  readonly kind: 'closed';
  /** In a row. */
  failures: number;
  /** Absent when the rate of failures does not matter. */
  readonly recent: RollingCounts | undefined;
}

export interface OpenPhase {
  readonly kind: 'open';
  readonly failures: number;
  readonly sinceMs: number;
}

export interface HalfOpenPhase {
  readonly kind: 'half_open';
  readonly failures: number;
  successes: number;
  /** Invariant: no more than `halfOpenRequests`, in the order of their beginning. */
  readonly probes: Set<Probe>;
}

/** A call that is tried while the circuit is half open. */
export interface Probe {
  readonly sinceMs: number;
  /** Ends when it has not ended by itself in time and another call gets its place. */
  readonly scope: AbortScope;
}

export type OpeningCause = TelemetryEvents['circuit_opened']['because'];

export function closedPhase({ failureRate }: CircuitRules): ClosedPhase {
  return { kind: 'closed', failures: 0, recent: failureRate === undefined ? undefined : new RollingCounts(failureRate.windowMs) };
}

export function halfOpenPhase(failures: number): HalfOpenPhase {
  return { kind: 'half_open', failures, successes: 0, probes: new Set() };
}

export function countSuccess(phase: ClosedPhase, nowMs: number): void {
  phase.failures = 0;
  phase.recent?.add(nowMs, false);
}

/** Counts a failure; tells why the circuit opens, if it does. */
export function countFailure(phase: ClosedPhase, rules: CircuitRules, nowMs: number): OpeningCause | undefined {
  phase.failures += 1;
  phase.recent?.add(nowMs, true);
  if (phase.failures >= rules.failureThreshold) return 'failures';
  return isTooOften(phase.recent, rules.failureRate, nowMs) ? 'failure_rate' : undefined;
}

/** Whether an open circuit lets the next call through, to try. */
export function isTimeToTry(phase: OpenPhase, rules: CircuitRules, nowMs: number): boolean {
  return nowMs - phase.sinceMs >= rules.resetTimeoutMs;
}

/**
 * Those who have to make room for one more probe: nobody while there is room, otherwise all that are overdue.
 *
 * @returns `undefined` when there is no room for one more.
 */
export function roomForProbe(phase: HalfOpenPhase, rules: CircuitRules, nowMs: number): Probe[] | undefined {
  if (phase.probes.size < rules.halfOpenRequests) return [];
  const overdue = [...phase.probes].filter(({ sinceMs }) => nowMs - sinceMs >= rules.probeTimeoutMs);
  return overdue.length > 0 ? overdue : undefined;
}

/** Counts the success of a probe; tells whether the circuit closes. */
export function countProbeSuccess(phase: HalfOpenPhase, rules: CircuitRules): boolean {
  phase.successes += 1;
  return phase.successes >= rules.halfOpenSuccessThreshold;
}

/** Milliseconds until an open circuit lets a call through; of a half open one until the place of a probe falls free at the latest. */
export function retryInMs(phase: OpenPhase | HalfOpenPhase, rules: CircuitRules, nowMs: number): number {
  if (phase.kind === 'open') return Math.max(phase.sinceMs + rules.resetTimeoutMs - nowMs, 0);
  const [first] = phase.probes;
  return first === undefined || phase.probes.size < rules.halfOpenRequests ? 0 : Math.max(first.sinceMs + rules.probeTimeoutMs - nowMs, 0);
}

function isTooOften(recent: RollingCounts | undefined, rate: CircuitRules['failureRate'], nowMs: number): boolean {
  if (recent === undefined || rate === undefined) return false;
  const total = recent.total(nowMs);
  return total >= rate.minCalls && recent.marked(nowMs) >= rate.threshold * total;
}
