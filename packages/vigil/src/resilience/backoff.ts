import {
  type Check,
  checkDuration,
  checkFunction,
  checkGrowingDelay,
  checkObject,
  checkOneOf,
  checkOr,
  checkPositiveNumber,
  type CompleteGrowingDelay,
  type GrowingDelay,
  growingDelayMs,
} from '../core/index.js';

/** A function of the number of the retry, which is 1 for the first, and of the error that the try before it ended with: milliseconds >= 0. */
export type BackoffFunction = (retry: number, error: unknown) => number;

/**
 * How long to wait before a retry.
 *
 * - `fixed`: always `delayMs`, milliseconds >= 0.
 * - `exponential`: grows, see {@link GrowingDelay}. With `jitter: 1` it is chance that chooses between nothing and the whole of it.
 * - `decorrelated`: chance chooses between `initialMs` and three times the delay before, at most `maxMs` (default 30,000). Callers that failed
 *   together do not come back together.
 */
export type Backoff =
  | { readonly kind: 'fixed'; readonly delayMs: number }
  | ({ readonly kind: 'exponential' } & GrowingDelay)
  | { readonly kind: 'decorrelated'; readonly initialMs: number; readonly maxMs?: number | undefined }
  | BackoffFunction;

export type CompleteBackoff =
  | { readonly kind: 'fixed'; readonly delayMs: number }
  | { readonly kind: 'exponential'; readonly delay: CompleteGrowingDelay }
  | { readonly kind: 'decorrelated'; readonly initialMs: number; readonly maxMs: number }
  | { readonly kind: 'custom'; readonly delayMs: BackoffFunction };

const checkKind = checkOneOf(['fixed', 'exponential', 'decorrelated']);

/** @throws {VigilError} `InvalidConfiguration` that names the field. */
export const checkBackoff: Check<CompleteBackoff> = (name, value) => {
  if (typeof value === 'function') return { kind: 'custom', delayMs: checkFunction<BackoffFunction>()(name, value) };
  const fields: { readonly [K in string]?: unknown } = { ...checkObject(name, value) };
  const kind = checkKind(`${name}.kind`, fields.kind);
  switch (kind) {
    case 'fixed':
      return { kind, delayMs: checkDuration(`${name}.delayMs`, fields.delayMs) };
    case 'exponential':
      return { kind, delay: checkGrowingDelay(name, value) };
    case 'decorrelated':
      return {
        kind,
        initialMs: checkPositiveNumber(`${name}.initialMs`, fields.initialMs),
        maxMs: checkOr(checkPositiveNumber, `${name}.maxMs`, fields.maxMs, 30_000),
      };
  }
};

/**
 * How long to wait before a retry.
 *
 * @param retry - 1 for the first.
 * @param previousMs - how long the wait before the last retry was; 0 before the first.
 * @param chance - a number >= 0 and < 1.
 * @throws {VigilError} `InvalidConfiguration` when a function gives no duration.
 */
export function backoffMs(backoff: CompleteBackoff, retry: number, previousMs: number, chance: number, error: unknown): number {
  switch (backoff.kind) {
    case 'fixed':
      return backoff.delayMs;
    case 'exponential':
      return growingDelayMs(backoff.delay, retry - 1, chance);
    case 'decorrelated':
      return decorrelatedMs(backoff.initialMs, backoff.maxMs, previousMs, chance);
    case 'custom':
      return checkDuration('the result of backoff', backoff.delayMs(retry, error));
  }
}

/** @see Marc Brooker, "Exponential Backoff And Jitter", whose name for it this is. */
function decorrelatedMs(initialMs: number, maxMs: number, previousMs: number, chance: number): number {
  // Not Infinity, which times a chance of 0 would be no number.
  const most = Math.min(Math.max(previousMs, initialMs) * 3, Number.MAX_VALUE);
  return Math.min(initialMs + (most - initialMs) * chance, maxMs);
}
