import {
  type BucketSize,
  type Clock,
  checkCount,
  checkName,
  checkObject,
  checkOr,
  checkPositiveCount,
  type Environment,
  type FullAtMs,
  takeTokens,
  tokensAt,
  wholeTokens,
} from '../core/index.js';
import { bucketSizeOf, nameOf, type RateLimiterOptions } from './rate-limiter.js';

const DEFAULT_MAX_KEYS = 10_000;

export interface KeyedRateLimiterOptions extends RateLimiterOptions {
  /** Keys that are remembered at a time; default 10,000. */
  readonly maxKeys?: number | undefined;
}

/**
 * A rate limit for each key, such as an address or a user: one number of memory for each.
 *
 * A key whose bucket is full again is as good as one that was never seen. When there are more than `maxKeys`, the one that was not used for
 * the longest time is forgotten, and begins with a full bucket if it comes back: let `maxKeys` be larger than the number of keys that can use
 * up their tokens at the same time.
 */
export class KeyedRateLimiter {
  readonly name: string;
  readonly #size: BucketSize;
  readonly #maxKeys: number;
  readonly #clock: Clock;
  /** In the order of their last use. */
  readonly #fullAtMs = new Map<string, FullAtMs>();

  /** @throws {VigilError} `InvalidConfiguration` that names the option. */
  constructor(options: KeyedRateLimiterOptions, { clock }: Pick<Environment, 'clock'>) {
    checkObject('rate limiter options', options);
    this.#size = bucketSizeOf(options);
    this.name = nameOf(options);
    this.#maxKeys = checkOr(checkPositiveCount, 'maxKeys', options.maxKeys, DEFAULT_MAX_KEYS);
    this.#clock = clock;
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#fullAtMs.size;
  }

  /** Takes tokens of a key, all or none. Throws as {@link RateLimiter.allow}. */
  allow(key: string, tokens = 1): boolean {
    checkName('key', key);
    if (tokens !== 1) checkCount('tokens', tokens);
    const nowMs = this.#clock.now();
    const known = this.#fullAtMs.get(key) ?? Number.NEGATIVE_INFINITY;
    const next = tokens === 0 ? known : takeTokens(known, nowMs, tokens, this.#size);
    this.#use(key, next ?? known, nowMs);
    return next !== undefined;
  }

  /** Tokens of a key that are there now; to look takes none. */
  available(key: string): number {
    const fullAtMs = this.#fullAtMs.get(checkName('key', key)) ?? Number.NEGATIVE_INFINITY;
    return wholeTokens(tokensAt(fullAtMs, this.#clock.now(), this.#size), this.#size);
  }

  /** Fills the bucket of a key, or of all. */
  reset(key?: string): void {
    if (key === undefined) this.#fullAtMs.clear();
    else this.#fullAtMs.delete(checkName('key', key));
  }

  /** Notes a use, and forgets what need not be known any more. */
  #use(key: string, fullAtMs: FullAtMs, nowMs: number): void {
    this.#fullAtMs.delete(key);
    if (fullAtMs > nowMs) this.#fullAtMs.set(key, fullAtMs);
    for (const [oldest, oldestFullAtMs] of this.#fullAtMs) {
      if (oldestFullAtMs > nowMs && this.#fullAtMs.size <= this.#maxKeys) return;
      this.#fullAtMs.delete(oldest);
    }
  }
}
