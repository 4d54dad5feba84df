import { checkFunction, checkObject, checkOr, checkPositiveCount, type Clock, type Logger, optional } from '../core/index.js';
import { type Backoff, backoffMs, checkBackoff, type CompleteBackoff } from './backoff.js';
import { failureKind } from './failure-kind.js';
import { checkBudget, type RetryBudget } from './retry-budget.js';
import type { Layer, PolicyEnvironment, PolicyPart, Run } from './run.js';

export interface RetryOptions {
  /** Tries in all, the first one included; default 3. */
  readonly maxAttempts?: number | undefined;
  /** How long to wait before a retry; default `{ kind: 'decorrelated', initialMs: 100 }`. */
  readonly backoff?: Backoff | undefined;
  /**
   * Which errors are worth a retry; default: all. It is not asked about `CircuitOpen`, `BulkheadFull` and `RateLimitExceeded`, which never are,
   * nor when the call was given up.
   */
  readonly retryIf?: ((error: unknown) => boolean) | undefined;
  /** Bounds the retries of all calls together; default: only `maxAttempts` does, for each call. */
  readonly budget?: RetryBudget | undefined;
}

/**
 * Part of a policy: tries again what has failed. When it gives up, the call ends with the error of the last try, unchanged.
 *
 * @throws {VigilError} `InvalidConfiguration` that names the option.
 */
export function retry(options: RetryOptions = {}): PolicyPart {
  return new Retry(options);
}

class Retry implements PolicyPart {
  readonly #maxAttempts: number;
  readonly #backoff: CompleteBackoff;
  readonly #retryIf: ((error: unknown) => boolean) | undefined;
  readonly #budget: RetryBudget | undefined;

  constructor(options: RetryOptions) {
    checkObject('retry options', options);
    this.#maxAttempts = checkOr(checkPositiveCount, 'maxAttempts', options.maxAttempts, 3);
    this.#backoff = checkOr(checkBackoff, 'backoff', options.backoff, { kind: 'decorrelated', initialMs: 100, maxMs: 30_000 });
    this.#retryIf = optional(checkFunction<(error: unknown) => boolean>())('retryIf', options.retryIf);
    this.#budget = optional(checkBudget)('budget', options.budget);
  }

  around<G>(next: Layer<G>, { clock, random, log }: PolicyEnvironment): Layer<G> {
    return async (run) => {
      this.#budget?.count(run);
      let delayMs = 0;
      for (let current = run; ; current = current.again()) {
        try {
          return await next(current);
        } catch (error) {
          const tries = current.number - run.number + 1;
          if (!this.#isWorthwhile(current, tries, error, log)) throw error;
          delayMs = backoffMs(this.#backoff, tries, delayMs, random.next(), error);
        }
        await sleep(delayMs, current, clock);
      }
    };
  }

  #isWorthwhile(run: Run<unknown>, tries: number, error: unknown, log: Logger): boolean {
    if (tries >= this.#maxAttempts || run.scope?.aborted !== undefined || isRefusal(error)) return false;
    return this.#wantsRetry(error, log) && (this.#budget === undefined || this.#budget.take());
  }

  #wantsRetry(error: unknown, log: Logger): boolean {
    if (this.#retryIf === undefined) return true;
    try {
      return this.#retryIf(error);
    } catch (broken) {
      log.error('retryIf of a policy failed', broken);
      return false;
    }
  }
}

/** What was refused to keep load away: to ask again would bring it back. */
function isRefusal(error: unknown): boolean {
  const kind = failureKind(error);
  return kind === 'circuit_open' || kind === 'bulkhead_full' || kind === 'rate_limited';
}

/** Rejects with the reason when the call is given up meanwhile. */
async function sleep(ms: number, { scope, tally }: Run<unknown>, clock: Clock): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const forget = scope?.onAbort((reason) => {
      cancel();
      reject(reason);
    });
    const wake = () => {
      forget?.();
      resolve();
    };
    const cancel = clock.after(ms, wake, { keepAlive: true });
  });
  if (tally !== undefined) tally.sleptMs += ms;
}
