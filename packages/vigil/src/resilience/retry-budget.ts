import { type Check, checkObject, checkOr, checkPositiveNumber, type Environment, invalidOption } from '../core/index.js';
import { RollingCounts } from './rolling-counts.js';
import type { Run } from './run.js';

export interface RetryBudgetOptions {
  /** Retries for each call, 0 or more; default 0.2: one for every five calls. */
  readonly ratio?: number | undefined;
  /** Retries for each second of the window that are allowed however few calls there are, 0 or more; default 1. */
  readonly minPerSecond?: number | undefined;
  /** Milliseconds for which calls and retries count; default 10,000. The window moves in tenths. */
  readonly windowMs?: number | undefined;
}

/**
 * Bounds retries and hedges by a part of the calls. While a service fails now and then, every retry is allowed; when it is down, those who call
 * it do not multiply its load by their retries.
 *
 * One budget is for all that calls the same service: hand it to every `retry` and `hedge` there is.
 *
 * @see Finagle's RetryBudget, whose ratio and minimum these are.
 */
export class RetryBudget {
  readonly #ratio: number;
  readonly #reserve: number;
  readonly #clock: Environment['clock'];
  /** Calls, and marked ones, which are retries. */
  readonly #recent: RollingCounts;
  #refused = 0;

  /** @throws {VigilError} `InvalidConfiguration` that names the option. */
  constructor(options: RetryBudgetOptions, { clock }: Pick<Environment, 'clock'>) {
    const { ratio, minPerSecond, windowMs }: RetryBudgetOptions = checkObject('retry budget options', options);
    const checkedWindowMs = checkOr(checkPositiveNumber, 'windowMs', windowMs, 10_000);
    this.#ratio = checkOr(checkShare, 'ratio', ratio, 0.2);
    this.#reserve = (checkOr(checkShare, 'minPerSecond', minPerSecond, 1) * checkedWindowMs) / 1000;
    this.#recent = new RollingCounts(checkedWindowMs);
    this.#clock = clock;
  }

  /** Retries that are allowed now. */
  get available(): number {
    const nowMs = this.#clock.now();
    const retries = this.#recent.marked(nowMs);
    return Math.max(allowedRetries(this.#recent.total(nowMs) - retries, this.#ratio, this.#reserve) - retries, 0);
  }

  /** Retries that were not allowed since the budget was made. */
  get refused(): number {
    return this.#refused;
  }

  /** @internal Counts a call, once, however many parts of its policy have the budget. */
  count(run: Run<unknown>): void {
    if (run.budget === this) return;
    run.budget = this;
    this.#recent.add(this.#clock.now(), false);
  }

  /** @internal Whether one more retry is allowed, which is then counted. */
  take(): boolean {
    if (this.available < 1) {
      this.#refused += 1;
      return false;
    }
    this.#recent.add(this.#clock.now(), true);
    return true;
  }
}

function allowedRetries(calls: number, ratio: number, reserve: number): number {
  // A tenth of ten is one, whatever the binary fractions say.
  return Math.floor(calls * ratio + reserve + 1e-9);
}

function checkShare(name: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) throw invalidOption(name, 'a finite number >= 0', value);
  return value;
}

/** @throws {VigilError} `InvalidConfiguration` for what is none. */
export const checkBudget: Check<RetryBudget> = (name, value) => {
  if (!(value instanceof RetryBudget)) throw invalidOption(name, 'a RetryBudget', value);
  return value;
};
