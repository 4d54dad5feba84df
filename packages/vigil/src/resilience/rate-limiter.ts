import {
  type BucketSize,
  type Cancel,
  type Clock,
  checkBucket,
  checkCount,
  checkDuration,
  checkName,
  checkObject,
  checkOr,
  checkWaitOptions,
  type Environment,
  failFast,
  invalidOption,
  msUntilTokens,
  takeTokens,
  tokensAt,
  type VigilError,
  WaitingLine,
  type WaitOptions,
  wholeTokens,
} from '../core/index.js';
import { type Layer, type PolicyPart, refusal } from './run.js';

export interface RateLimiterOptions {
  /** What snapshots call it; default `'rate limiter'`. */
  readonly name?: string | undefined;
  /** Operations that are allowed in a second, in the long run; more than 0, fractions are fine. */
  readonly perSecond: number;
  /** Operations that are allowed at once after a pause; default: those of a second, but at least one. */
  readonly burst?: number | undefined;
}

export interface RateWaitOptions extends WaitOptions {
  /** Milliseconds to wait at the most; default: as long as it takes. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Allows so many operations in a second: a bucket of `burst` tokens that fills all the time, not once in a second.
 *
 * It goes by the clock that only goes on: no change of the machine's time of day grants or withholds anything. As a part of a policy it allows or
 * refuses each attempt at once.
 */
export class RateLimiter implements PolicyPart {
  readonly name: string;
  readonly #size: BucketSize;
  readonly #clock: Clock;
  /** Who waits for how many; nobody comes in between. */
  readonly #waiting: WaitingLine<void, number>;
  #fullAtMs = Number.NEGATIVE_INFINITY;
  #cancelTimer: Cancel | undefined;

  /**
   * @param rate - operations in a second, or options.
   * @throws {VigilError} `InvalidConfiguration` that names the option.
   */
  constructor(rate: number | RateLimiterOptions, { clock }: Pick<Environment, 'clock'>) {
    this.#size = bucketSizeOf(rate);
    this.name = nameOf(rate);
    this.#clock = clock;
    this.#waiting = new WaitingLine(clock);
  }

  /** Tokens that are there now; to look takes none. */
  available(): number {
    return wholeTokens(tokensAt(this.#fullAtMs, this.#clock.now(), this.#size), this.#size);
  }

  /** Calls of `wait` that have not been served. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Takes tokens, all or none: none while somebody waits, whose turn it is.
   *
   * @param tokens - default 1; 0 is always allowed, more than `burst` never.
   * @throws {VigilError} `InvalidConfiguration` when it is no such number.
   */
  allow(tokens = 1): boolean {
    if (tokens !== 1) checkCount('tokens', tokens);
    return tokens === 0 || (this.#waiting.size === 0 && this.#take(tokens));
  }

  /**
   * Waits until tokens are there, and takes them. Who comes first is served first, however few a later one wants.
   *
   * @param tokens - default 1.
   * @throws {VigilError} `RateLimitExceeded` when the time runs out; `InvalidConfiguration` for more than `burst`, which would never come, and
   *   for options that are none; the signal's reason when it aborts.
   */
  async wait(tokens = 1, options: RateWaitOptions = {}): Promise<void> {
    checkCount('tokens', tokens);
    if (tokens > this.#size.burst) throw invalidOption('tokens', `at most ${this.#size.burst}, the burst`, tokens);
    checkObject('wait options', options);
    const { timeoutMs } = options;
    if (timeoutMs !== undefined) checkDuration('timeoutMs', timeoutMs);
    const signal = checkWaitOptions(options);
    signal?.throwIfAborted();
    if (this.allow(tokens)) return;
    const timedOut = () => {
      throw failFast('RateLimitExceeded', `the rate limit did not allow ${tokens} within ${timeoutMs} ms`);
    };
    const served = this.#waiting.join<never>(tokens, { signal, timeoutMs, timedOut });
    this.#serve();
    try {
      await served;
    } finally {
      // Whoever is first now may have to wait for less.
      this.#serve();
    }
  }

  /** Fills the bucket. */
  reset(): void {
    this.#fullAtMs = Number.NEGATIVE_INFINITY;
    this.#serve();
  }

  /** @internal */
  around<G>(next: Layer<G>): Layer<G> {
    return (run) => (this.allow() ? next(run) : refusal(this.#refuse()));
  }

  #refuse(): VigilError {
    const { perMs, burst } = this.#size;
    const retryInMs = msUntilTokens(this.#fullAtMs, this.#clock.now(), 1, this.#size);
    return failFast('RateLimitExceeded', `the rate limit allows ${perMs * 1000} calls a second, ${burst} at once`, {
      details: { retryInMs },
    });
  }

  #take(tokens: number): boolean {
    const fullAtMs = takeTokens(this.#fullAtMs, this.#clock.now(), tokens, this.#size);
    if (fullAtMs === undefined) return false;
    this.#fullAtMs = fullAtMs;
    return true;
  }

  /** Serves those whose tokens are there, and sets the timer for the next. */
  #serve(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    for (let first = this.#waiting.first; first !== undefined; first = this.#waiting.first) {
      if (!this.#take(first.item)) {
        const delayMs = msUntilTokens(this.#fullAtMs, this.#clock.now(), first.item, this.#size);
        this.#cancelTimer = this.#clock.after(delayMs, () => this.#serve(), { keepAlive: true });
        return;
      }
      this.#waiting.shift()?.resolve();
    }
  }
}

/** @throws {VigilError} `InvalidConfiguration` that names the option. */
export function bucketSizeOf(rate: number | RateLimiterOptions): BucketSize {
  const { perSecond, burst }: Partial<RateLimiterOptions> =
    typeof rate === 'number' ? { perSecond: rate } : checkObject('rate limiter options', rate);
  return checkBucket({ perSecond: 'perSecond', burst: 'burst' }, perSecond, burst);
}

/** What a rate limiter with these options is called. */
export function nameOf(rate: number | RateLimiterOptions): string {
  return checkOr(checkName, 'name', typeof rate === 'number' ? undefined : rate.name, 'rate limiter');
}
