import {
  type Check,
  checkFunction,
  checkObject,
  checkOr,
  checkPositiveCount,
  checkPositiveNumber,
  invalidOption,
  optional,
} from '../core/index.js';

export interface FailureRate {
  /** The part of the calls in the window, more than 0 and at most 1, whose failure opens the circuit. */
  readonly threshold: number;
  /** Milliseconds that the window is long, in which calls count; default 10,000. It moves in tenths. */
  readonly windowMs?: number | undefined;
  /** Calls that must be in the window before the rate means anything; default 20. */
  readonly minCalls?: number | undefined;
}

export interface CircuitBreakerOptions {
  /** Failures in a row that open the circuit; default 5. */
  readonly failureThreshold?: number | undefined;
  /** A rate of failures that opens it, too; default: only failures in a row do. */
  readonly failureRate?: FailureRate | undefined;
  /** Milliseconds after which an open circuit lets calls through again to try; default 30,000. */
  readonly resetTimeoutMs?: number | undefined;
  /** Calls that may be tried at the same time while half open; default 3. */
  readonly halfOpenRequests?: number | undefined;
  /** Tries that must succeed before it closes; default 2, or `halfOpenRequests` if that is 1; at most `halfOpenRequests`. */
  readonly halfOpenSuccessThreshold?: number | undefined;
  /** Milliseconds after which a try that has not ended gives its place to another call; default `resetTimeoutMs`. */
  readonly probeTimeoutMs?: number | undefined;
  /** Which errors count. What it is not true of counts neither as failure nor as success. Default: all count. */
  readonly isFailure?: ((error: unknown) => boolean) | undefined;
}

/** What a circuit breaker goes by. */
export interface CircuitRules {
  readonly failureThreshold: number;
  readonly failureRate: { readonly [K in keyof FailureRate]-?: number } | undefined;
  readonly resetTimeoutMs: number;
  readonly halfOpenRequests: number;
  readonly halfOpenSuccessThreshold: number;
  readonly probeTimeoutMs: number;
  readonly isFailure: ((error: unknown) => boolean) | undefined;
}

/** @throws {VigilError} `InvalidConfiguration` that names the option. */
export function circuitRules(options: CircuitBreakerOptions): CircuitRules {
  checkObject('circuit breaker options', options);
  const halfOpenRequests = checkOr(checkPositiveCount, 'halfOpenRequests', options.halfOpenRequests, 3);
  const resetTimeoutMs = checkOr(checkPositiveNumber, 'resetTimeoutMs', options.resetTimeoutMs, 30_000);
  return {
    failureThreshold: checkOr(checkPositiveCount, 'failureThreshold', options.failureThreshold, 5),
    failureRate: optional(checkFailureRate)('failureRate', options.failureRate),
    resetTimeoutMs,
    halfOpenRequests,
    halfOpenSuccessThreshold: checkSuccessThreshold(options.halfOpenSuccessThreshold, halfOpenRequests),
    probeTimeoutMs: checkOr(checkPositiveNumber, 'probeTimeoutMs', options.probeTimeoutMs, resetTimeoutMs),
    isFailure: optional(checkFunction<(error: unknown) => boolean>())('isFailure', options.isFailure),
  };
}

const checkFailureRate: Check<NonNullable<CircuitRules['failureRate']>> = (name, value) => {
  const { threshold, windowMs, minCalls }: Partial<Record<keyof FailureRate, unknown>> = checkObject(name, value);
  if (typeof threshold !== 'number' || !(threshold > 0 && threshold <= 1)) {
    throw invalidOption(`${name}.threshold`, 'a number > 0 and <= 1', threshold);
  }
  return {
    threshold,
    windowMs: checkOr(checkPositiveNumber, `${name}.windowMs`, windowMs, 10_000),
    minCalls: checkOr(checkPositiveCount, `${name}.minCalls`, minCalls, 20),
  };
};

/** More successes than tries could never be seen. */
function checkSuccessThreshold(value: unknown, halfOpenRequests: number): number {
  const threshold = checkOr(checkPositiveCount, 'halfOpenSuccessThreshold', value, Math.min(2, halfOpenRequests));
  if (threshold <= halfOpenRequests) return threshold;
  throw invalidOption('halfOpenSuccessThreshold', `an integer from 1 to halfOpenRequests, which is ${halfOpenRequests}`, threshold);
}
