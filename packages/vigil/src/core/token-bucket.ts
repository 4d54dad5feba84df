import { checkOr, checkPositiveCount, checkPositiveNumber } from './validation.js';

/** A float of so many milliseconds is taken for none: times are sums, and sums are rounded. */
const ROUNDING_MS = 1e-6;

/** How fast tokens come, and how many there can be. */
export interface BucketSize {
  readonly perMs: number;
  readonly burst: number;
}

/**
 * A bucket that tokens flow into all the time is one number: when it is full again, if none is taken. That may lie in the past.
 *
 * @see the generic cell rate algorithm, which calls it the theoretical arrival time.
 */
export type FullAtMs = number;

/**
 * Checks a rate and gives its bucket.
 *
 * @param options - how the two are called.
 * @param burst - default: those of a second, but at least one.
 * @throws {VigilError} `InvalidConfiguration` that names the option.
 */
export function checkBucket(
  options: { readonly perSecond: string; readonly burst: string },
  perSecond: unknown,
  burst: unknown,
): BucketSize {
  const rate = checkPositiveNumber(options.perSecond, perSecond);
  return { perMs: rate / 1000, burst: checkOr(checkPositiveCount, options.burst, burst, Math.max(Math.floor(rate), 1)) };
}

/** Tokens that are there, with fractions. */
export function tokensAt(fullAtMs: FullAtMs, nowMs: number, { perMs, burst }: BucketSize): number {
  return burst - Math.max(fullAtMs - nowMs, 0) * perMs;
}

/** Takes tokens, all or none. @returns when the bucket is full then, or `undefined` when there are not so many. */
export function takeTokens(fullAtMs: FullAtMs, nowMs: number, tokens: number, size: BucketSize): FullAtMs | undefined {
  const nextMs = Math.max(fullAtMs, nowMs) + tokens / size.perMs;
  return nextMs - nowMs <= size.burst / size.perMs + ROUNDING_MS ? nextMs : undefined;
}

/** Milliseconds until so many are there, of which there can be so many. */
export function msUntilTokens(fullAtMs: FullAtMs, nowMs: number, tokens: number, { perMs, burst }: BucketSize): number {
  return Math.max(fullAtMs - nowMs - (burst - tokens) / perMs, 0);
}

/** Whole tokens of so many. */
export function wholeTokens(tokens: number, { perMs }: BucketSize): number {
  return Math.floor(tokens + ROUNDING_MS * perMs);
}
