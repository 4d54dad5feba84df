import { isVigilError } from '../core/index.js';

/** Why a call has failed: its time was over, a circuit was open, a bulkhead was full, a rate was reached, or the work itself failed for good. */
export type FailureKind = 'timeout' | 'circuit_open' | 'bulkhead_full' | 'rate_limited' | 'permanent_failure';

export function failureKind(error: unknown): FailureKind {
  if (isVigilError(error, 'OperationTimeout')) return 'timeout';
  if (isVigilError(error, 'CircuitOpen')) return 'circuit_open';
  if (isVigilError(error, 'BulkheadFull')) return 'bulkhead_full';
  if (isVigilError(error, 'RateLimitExceeded')) return 'rate_limited';
  return 'permanent_failure';
}
