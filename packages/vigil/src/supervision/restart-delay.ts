import { type Check, checkObject, checkPositiveNumber, invalidOption } from '../core/index.js';

/**
 * How long a supervisor waits before it restarts a child: `initialMs` before the first restart, `multiplier` times as long before
 * each further one, never longer than `maxMs`. A child that ran for `maxMs` or longer begins anew.
 */
export interface RestartDelay {
  /** Milliseconds, > 0. */
  readonly initialMs: number;
  /** Milliseconds; default 30,000. */
  readonly maxMs?: number | undefined;
  /** Default 2; at least 1. */
  readonly multiplier?: number | undefined;
  /** The part of each delay, 0 (default) to 1, that chance may take off it, so that many children do not come back at once. */
  readonly jitter?: number | undefined;
}

export type CompleteRestartDelay = { readonly [K in keyof RestartDelay]-?: number };

/** @throws {VigilError} `InvalidConfiguration` that names the field. */
export const checkRestartDelay: Check<CompleteRestartDelay> = (name, value) => {
  const { initialMs, maxMs = 30_000, multiplier = 2, jitter = 0 }: Partial<Record<keyof RestartDelay, unknown>> = checkObject(name, value);
  return {
    initialMs: checkPositiveNumber(`${name}.initialMs`, initialMs),
    maxMs: checkPositiveNumber(`${name}.maxMs`, maxMs),
    multiplier: checkBetween(`${name}.multiplier`, multiplier, 1, Number.MAX_VALUE),
    jitter: checkBetween(`${name}.jitter`, jitter, 0, 1),
  };
};

/**
 * The delay before a restart.
 *
 * @param restartsInARow - restarts before this one without a long run in between.
 * @param chance - a number >= 0 and < 1.
 */
export function restartDelayMs(
  { initialMs, maxMs, multiplier, jitter }: CompleteRestartDelay,
  restartsInARow: number,
  chance: number,
): number {
  return Math.min(initialMs * multiplier ** restartsInARow, maxMs) * (1 - jitter * chance);
}

function checkBetween(name: string, value: unknown, least: number, most: number): number {
  if (typeof value !== 'number' || !(value >= least && value <= most))
    throw invalidOption(name, `a number from ${least} to ${most}`, value);
  return value;
}
