import { isVigilError } from '../core/index.js';

/** Why a call has failed: its time was over, a circuit was open, a bulkhead was full, or the work itself failed for good. */
export type FailureKind = 'timeout' | 'circuit_open' | 'bulkhead_full' | 'permanent_failure';

export function failureKind(error: unknown): FailureKind {
  if (isVigilError(error, 'OperationTimeout')) return 'timeout';
  if (isVigilError(error, 'CircuitOpen')) return 'circuit_open';
  if (isVigilError(error, 'BulkheadFull')) return 'bulkhead_full';
  return 'permanent_failure';
}
