import { checkCount, checkDuration, checkObject, checkOneOf, invalidOption } from '../core/index.js';
import type { SliceCounts } from './rolling-counts.js';

export type CircuitState = 'closed' | 'open' | 'half_open';

/** What a circuit breaker knows, as data that goes through JSON: to be kept over a restart. */
export type CircuitSnapshot =
  | {
      readonly state: 'closed';
      readonly failures: number;
      /** Of a circuit that minds the rate of failures: the calls of its window, and how many of them failed. */
      readonly recent?: readonly SliceCounts[];
    }
  | {
      readonly state: 'open';
      readonly failures: number;
      /** Milliseconds until it lets calls through to try. The time for which nobody ran does not count. */
      readonly retryInMs: number;
    }
  | { readonly state: 'half_open'; readonly failures: number; readonly successes: number };

const checkState = checkOneOf<CircuitState>(['closed', 'open', 'half_open']);

/** @throws {VigilError} `InvalidConfiguration` for what no circuit breaker has saved. */
export function checkSnapshot(value: unknown): CircuitSnapshot {
  const fields: { readonly [K in string]?: unknown } = { ...checkObject('snapshot', value) };
  const state = checkState('snapshot.state', fields.state);
  const failures = checkCount('snapshot.failures', fields.failures);
  switch (state) {
    case 'closed':
      return { state, failures, ...(fields.recent !== undefined && { recent: checkSlices(fields.recent) }) };
    case 'open':
      return { state, failures, retryInMs: checkDuration('snapshot.retryInMs', fields.retryInMs) };
    case 'half_open':
      return { state, failures, successes: checkCount('snapshot.successes', fields.successes) };
  }
}

function checkSlices(value: unknown): SliceCounts[] {
  if (!Array.isArray(value)) throw invalidOption('snapshot.recent', 'an array', value);
  return value.map((slice: unknown) => {
    const { ageMs, total, marked }: Partial<Record<keyof SliceCounts, unknown>> = checkObject('a slice of snapshot.recent', slice);
    return {
      ageMs: checkDuration('snapshot.recent.ageMs', ageMs),
      total: checkCount('snapshot.recent.total', total),
      marked: checkCount('snapshot.recent.marked', marked),
    };
  });
}
