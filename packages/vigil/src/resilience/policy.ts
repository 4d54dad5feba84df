import { invalidOption, type WaitOptions } from '../core/index.js';
import { type FailureKind, failureKind } from './failure-kind.js';
import { callThrough, checkCall, doWork, type Layer, type PolicyEnvironment, type PolicyPart, type Tally, type Work } from './run.js';

/** How a call went. */
export interface PolicyFigures {
  /** How often the work was begun. */
  readonly attempts: number;
  /** Attempts that were retries. */
  readonly retries: number;
  /** Attempts that were begun beside another one. */
  readonly hedges: number;
  /** Milliseconds that were waited between attempts. */
  readonly sleptMs: number;
}

/**
 * What a call came to.
 *
 * - `success`: the work gave `value`.
 * - `fallback`: the fallback gave `value` in place of `error`; `from` says what kind of failure that was.
 * - `timeout`, `circuit_open`, `bulkhead_full`, `rate_limited`: what the policy, or the work itself, ended with.
 * - `permanent_failure`: the work failed, and there was no retry left or none worth while; or the fallback itself failed.
 * - `aborted`: the caller's signal aborted; `error` is its reason.
 */
export type PolicyReport<T> = PolicyFigures &
  (
    | { readonly outcome: 'success'; readonly value: T }
    | { readonly outcome: 'fallback'; readonly value: T; readonly from: FailureKind; readonly error: unknown }
    | { readonly outcome: FailureKind | 'aborted'; readonly error: unknown }
  );

/** Gets work done under a policy. `F` is what its fallback gives; `never` without one. */
export interface Policy<F = never> {
  /**
   * Gives the result of the work, or of the fallback.
   *
   * @param work - a function that returns a value or a promise; it may be called several times, and is told which attempt it is and the
   *   `signal` that aborts when nobody waits for it any more.
   * @throws {VigilError} `OperationTimeout`, `CircuitOpen`, `BulkheadFull`, `RateLimitExceeded`; the error of the last attempt, unchanged; the reason of the
   *   options' signal, as soon as it aborts; `InvalidConfiguration` for work that is no function or options that are none.
   */
  <T>(work: Work<T>, options?: WaitOptions): Promise<T | F>;
  /** The same, but tells of a failure instead of throwing it, and what it took. Throws only `InvalidConfiguration`. */
  report<T>(work: Work<T>, options?: WaitOptions): Promise<PolicyReport<T | F>>;
}

/**
 * Puts patterns around each other: the first is the outermost, and does what it does to all that follow.
 *
 * @throws {VigilError} `InvalidConfiguration` for a part that is none.
 */
export function makePolicy<F>(environment: PolicyEnvironment, parts: readonly PolicyPart<F>[]): Policy<F> {
  const layer = parts.map(checkPart).reduceRight<Layer<F>>((next, part) => part.around(next, environment), doWork);
  const call = <T>(work: Work<T>, options?: WaitOptions) => callThrough(layer, work, options);
  return Object.assign(call, { report: <T>(work: Work<T>, options?: WaitOptions) => report(layer, work, options) });
}

async function report<T, F>(layer: Layer<F>, work: Work<T>, options?: WaitOptions): Promise<PolicyReport<T | F>> {
  const signal = checkCall(work, options);
  const tally: Tally = { attempts: 0, retries: 0, hedges: 0, sleptMs: 0, replaced: undefined, fallbackFailure: undefined };
  try {
    const value = await callThrough(layer, work, options, tally);
    const { replaced } = tally;
    if (replaced === undefined) return { outcome: 'success', value, ...figuresOf(tally) };
    return { outcome: 'fallback', value, from: failureKind(replaced.error), error: replaced.error, ...figuresOf(tally) };
  } catch (error) {
    return { outcome: outcomeOf(error, signal, tally), error, ...figuresOf(tally) };
  }
}

function outcomeOf(error: unknown, signal: AbortSignal | undefined, { fallbackFailure }: Tally): FailureKind | 'aborted' {
  if (signal?.aborted === true && error === signal.reason) return 'aborted';
  return fallbackFailure !== undefined && error === fallbackFailure.error ? 'permanent_failure' : failureKind(error);
}

function figuresOf({ attempts, retries, hedges, sleptMs }: Tally): PolicyFigures {
  return { attempts, retries, hedges, sleptMs };
}

function checkPart<F>(part: PolicyPart<F>, index: number): PolicyPart<F> {
  if (!(typeof part === 'object' && part !== null && 'around' in part)) {
    throw invalidOption(
      `part ${index + 1} of the policy`,
      'a CircuitBreaker, a Bulkhead, a RateLimiter, or made by vigil.retry, timeout, fallback or hedge',
      part,
    );
  }
  return part;
}
