import { checkBucket } from './token-bucket.js';
import { checkCount, checkDuration, checkObject, checkOneOf, checkOr, checkPositiveCount, invalidOption } from './validation.js';

const STRATEGIES = ['drop_oldest', 'drop_newest', 'block', 'return_error', 'adaptive'] as const;

/**
 * What becomes of a `send` at the high watermark, and how `sendWait` waits.
 *
 * - `return_error`: it throws `MailboxFull`.
 * - `drop_newest`: the new message is dropped, and the send gives `'dropped'`.
 * - `drop_oldest`: the oldest of the least urgent messages makes room, for `sendWait`, too; it becomes a dead letter where those are on. Where all
 *   that wait are more urgent than the new message, that one is dropped, or waits.
 * - `block`: it throws `MailboxFull`, since an event loop must not block; `sendWait` and `sendSync` wait until fewer wait than the low watermark says.
 * - `adaptive`: as `block`; and between the watermarks `sendWait` and `sendSync` are delayed, the longer the more wait.
 *
 * Otherwise `sendWait` waits for room, as it does in every inbox.
 */
export type BackpressureStrategy = (typeof STRATEGIES)[number];

export interface BackpressureOptions {
  readonly strategy: BackpressureStrategy;
  /** Messages that can wait before the strategy is applied; default: the capacity of the inbox, and not more than that. */
  readonly highWatermark?: number | undefined;
  /** Blocked senders go on when fewer messages wait than this; default: half of the high watermark, but at least 1. */
  readonly lowWatermark?: number | undefined;
  /** Milliseconds of the longest delay, just below the high watermark; only for `adaptive`. Default 100. */
  readonly maxDelayMs?: number | undefined;
}

export interface RateLimitOptions {
  /** Messages that come in in a second, in the long run; more than 0, fractions are fine. */
  readonly maxPerSecond: number;
  /** Messages that come in at once after a pause; default: those of a second, but at least one. */
  readonly burst?: number | undefined;
}

/** What flow control has done in an inbox. */
export interface FlowStats {
  /** Sends that the rate limit has refused. */
  readonly throttled: number;
  /** Messages that were dropped at the high watermark: new ones, which are in no other figure, and queued ones, which are in the books of the inbox, too. */
  readonly dropped: number;
  /** Calls of `sendWait` and `sendSync` that waited for the low watermark, or for room. */
  readonly blocked: number;
  /** Calls of `sendWait` and `sendSync` that were delayed, by the rate limit or between the watermarks. */
  readonly delayed: number;
}

export type FlowEvent = keyof FlowStats;

export interface Backpressure {
  readonly strategy: BackpressureStrategy;
  readonly highWatermark: number;
  readonly lowWatermark: number;
  /** Of `adaptive`. */
  readonly maxDelayMs: number | undefined;
}

export interface RateLimit {
  readonly maxPerSecond: number;
  readonly burst: number;
}

const DEFAULT_MAX_DELAY_MS = 100;
const LEAST_DELAY_MS = 1;

/** @throws {VigilError} `InvalidConfiguration` that names the option. */
export function checkBackpressure(options: unknown, capacity: number): Backpressure {
  const given: Partial<BackpressureOptions> = checkObject('backpressure', options);
  const strategy = checkOneOf(STRATEGIES)('backpressure.strategy', given.strategy);
  const highWatermark = checkOr(checkPositiveCount, 'backpressure.highWatermark', given.highWatermark, capacity);
  if (highWatermark > capacity)
    throw invalidOption('backpressure.highWatermark', `at most ${capacity}, the capacity of the inbox`, highWatermark);
  const lowWatermark = checkOr(checkCount, 'backpressure.lowWatermark', given.lowWatermark, Math.max(Math.floor(highWatermark / 2), 1));
  if (lowWatermark > highWatermark)
    throw invalidOption('backpressure.lowWatermark', `at most ${highWatermark}, the high watermark`, lowWatermark);
  if (lowWatermark === 0 && isBlocking(strategy))
    throw invalidOption('backpressure.lowWatermark', `at least 1 for '${strategy}': fewer than none never wait`, lowWatermark);
  if (given.maxDelayMs !== undefined && strategy !== 'adaptive')
    throw invalidOption('backpressure.maxDelayMs', `left out for '${strategy}', which delays nobody`, given.maxDelayMs);
  const maxDelayMs =
    strategy === 'adaptive' ? checkOr(checkDuration, 'backpressure.maxDelayMs', given.maxDelayMs, DEFAULT_MAX_DELAY_MS) : undefined;
  return { strategy, highWatermark, lowWatermark, maxDelayMs };
}

/** @throws {VigilError} `InvalidConfiguration` that names the option. */
export function checkRateLimit(options: unknown): RateLimit {
  const { maxPerSecond = Number.NaN, burst: given }: Partial<RateLimitOptions> = checkObject('rateLimit', options);
  const { burst } = checkBucket({ perSecond: 'rateLimit.maxPerSecond', burst: 'rateLimit.burst' }, maxPerSecond, given);
  return { maxPerSecond, burst };
}

export function isBlocking(strategy: BackpressureStrategy): boolean {
  return strategy === 'block' || strategy === 'adaptive';
}

/** Milliseconds for which `adaptive` holds a sender back at a depth; at the high watermark it waits for the low one instead. */
export function adaptiveDelayMs(depth: number, { highWatermark, lowWatermark, maxDelayMs = 0 }: Backpressure): number {
  if (depth < lowWatermark || depth >= highWatermark) return 0;
  return Math.max((maxDelayMs * (depth - lowWatermark + 1)) / (highWatermark - lowWatermark), LEAST_DELAY_MS);
}

/** What holds senders back, checked and with its defaults. */
export interface FlowSettings {
  readonly backpressure: Backpressure | undefined;
  readonly rateLimit: RateLimit | undefined;
}
