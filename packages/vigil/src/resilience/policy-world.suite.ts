import { type Logger, SeededRandom, silentLogger } from '../core/index.js';
import { VirtualClock } from '../testing/index.js';
import { Bulkhead, type BulkheadOptions } from './bulkhead.js';
import { CircuitBreaker } from './circuit-breaker.js';
import type { CircuitBreakerOptions } from './circuit-options.js';
import { makePolicy, type Policy } from './policy.js';
import { RateLimiter, type RateLimiterOptions } from './rate-limiter.js';
import { RetryBudget, type RetryBudgetOptions } from './retry-budget.js';
import type { PolicyPart } from './run.js';

export const BOOM: Error = new Error('boom');

/** Time that also passes while the event loop stands still, as it does when work computes. */
class StallingClock extends VirtualClock {
  #stalledMs = 0;

  override now(): number {
    return super.now() + this.#stalledMs;
  }

  stall(ms: number): void {
    this.#stalledMs += ms;
  }
}

/** Policies in virtual time, with chance that replays. */
export class PolicyWorld {
  readonly clock: StallingClock = new StallingClock();
  readonly logged: string[] = [];
  readonly log: Logger = { ...silentLogger, error: (...what) => this.logged.push(what.map(String).join(': ')) };
  readonly #environment;

  constructor(seed = 1) {
    const telemetry = { wants: () => false, report() {} };
    this.#environment = { clock: this.clock, random: new SeededRandom(seed), log: this.log, telemetry };
  }

  policy<F = never>(...parts: readonly PolicyPart<F>[]): Policy<F> {
    return makePolicy(this.#environment, parts);
  }

  breaker(options: CircuitBreakerOptions): CircuitBreaker {
    return new CircuitBreaker('api', options, this.#environment);
  }

  bulkhead(options: BulkheadOptions): Bulkhead {
    return new Bulkhead('files', options, this.#environment);
  }

  limiter(options: RateLimiterOptions): RateLimiter {
    return new RateLimiter(options, this.#environment);
  }

  budget(options: RetryBudgetOptions = {}): RetryBudget {
    return new RetryBudget(options, this.#environment);
  }

  /** What a promise settles as, and at what time. */
  async timed<T>(promise: Promise<T>): Promise<{ readonly atMs: number; readonly result: T | string }> {
    const result = await promise.catch(String);
    return { atMs: this.clock.now(), result };
  }

  /** Work that takes some time, but ends at once when it is given up. */
  async slow<T>(ms: number, value: T, signal: AbortSignal): Promise<T> {
    return await new Promise<T>((resolve, reject) => {
      const cancel = this.clock.after(ms, () => resolve(value));
      const fail: (error: unknown) => void = reject;
      signal.addEventListener('abort', () => {
        cancel();
        fail(signal.reason);
      });
    });
  }
}

/** Work that fails so many times, then succeeds, and remembers when it was begun. */
export function failing(times: number, { clock }: PolicyWorld, error: unknown = BOOM): { (): string; readonly begunMs: number[] } {
  const begunMs: number[] = [];
  const work = () => {
    begunMs.push(clock.now());
    if (begunMs.length <= times) throw error;
    return 'well';
  };
  return Object.assign(work, { begunMs });
}

/** Work that never ends, whoever gives it up. */
export function endless(): Promise<never> {
  return new Promise(() => {});
}
