import { type Check, checkObject, checkPositiveNumber, invalidOption } from './validation.js';

/** A delay that grows: `initialMs` the first time, `multiplier` times as long each further time, never longer than `maxMs`. */
export interface GrowingDelay {
  /** Milliseconds, > 0. */
  readonly initialMs: number;
  /** Milliseconds; default 30,000. */
  readonly maxMs?: number | undefined;
  /** Default 2; at least 1. */
  readonly multiplier?: number | undefined;
  /** The part of each delay, 0 (default) to 1, that chance may take off it, so that many do not come back at once. */
  readonly jitter?: number | undefined;
}

export type CompleteGrowingDelay = { readonly [K in keyof GrowingDelay]-?: number };

/** @throws {VigilError} `InvalidConfiguration` that names the field. */
export const checkGrowingDelay: Check<CompleteGrowingDelay> = (name, value) => {
  const { initialMs, maxMs = 30_000, multiplier = 2, jitter = 0 }: Partial<Record<keyof GrowingDelay, unknown>> = checkObject(name, value);
  return {
    initialMs: checkPositiveNumber(`${name}.initialMs`, initialMs),
    maxMs: checkPositiveNumber(`${name}.maxMs`, maxMs),
    multiplier: checkBetween(`${name}.multiplier`, multiplier, 1, Number.MAX_VALUE),
    jitter: checkBetween(`${name}.jitter`, jitter, 0, 1),
  };
};

/**
 * How long to wait this time.
 *
 * @param times - how often there was a wait before this one.
 * @param chance - a number >= 0 and < 1.
 */
export function growingDelayMs({ initialMs, maxMs, multiplier, jitter }: CompleteGrowingDelay, times: number, chance: number): number {
  return Math.min(initialMs * multiplier ** times, maxMs) * (1 - jitter * chance);
}

function checkBetween(name: string, value: unknown, least: number, most: number): number {
  if (typeof value !== 'number' || !(value >= least && value <= most))
    throw invalidOption(name, `a number from ${least} to ${most}`, value);
  return value;
}
