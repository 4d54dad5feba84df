import { type Cancel, checkDuration, checkObject, checkOr, checkPositiveCount, type Clock, optional } from '../core/index.js';
import { AbortScope } from './abort-scope.js';
import { checkBudget, type RetryBudget } from './retry-budget.js';
import type { Layer, PolicyEnvironment, PolicyPart, Run } from './run.js';

export interface HedgeOptions {
  /** Milliseconds, 0 or more, for which an attempt is waited for before another one is begun beside it: as long as most calls take. */
  readonly delayMs: number;
  /** Attempts beside the first; default 1. */
  readonly maxHedges?: number | undefined;
  /** Bounds the attempts beside the first of all calls together; default: only `maxHedges` does, for each call. */
  readonly budget?: RetryBudget | undefined;
}

/**
 * Part of a policy: begins the work a second time when it has not ended after a while, and takes the first success. The signals of the other
 * attempts abort. The call fails when all attempts have failed that were begun, with the error of the last; what fails before another attempt
 * was begun is not tried again, which is what `retry` is for.
 *
 * Only for work that may be done twice.
 *
 * @throws {VigilError} `InvalidConfiguration` that names the option.
 * @see Dean and Barroso, "The Tail at Scale", whose hedged requests these are.
 */
export function hedge(options: HedgeOptions): PolicyPart {
  return new Hedge(options);
}

interface HedgeRules {
  readonly delayMs: number;
  readonly maxHedges: number;
  readonly budget: RetryBudget | undefined;
}

class Hedge implements PolicyPart {
  readonly #rules: HedgeRules;

  constructor(options: HedgeOptions) {
    const { delayMs, maxHedges, budget }: Partial<HedgeOptions> = checkObject('hedge options', options);
    this.#rules = {
      delayMs: checkDuration('delayMs', delayMs),
      maxHedges: checkOr(checkPositiveCount, 'maxHedges', maxHedges, 1),
      budget: optional(checkBudget)('budget', budget),
    };
  }

  around<G>(next: Layer<G>, { clock }: PolicyEnvironment): Layer<G> {
    return <T>(run: Run<T>): Promise<T | G> => {
      this.#rules.budget?.count(run);
      return new Promise<T | G>((resolve, reject) => {
        new Race<T | G>((scope, kind) => next(run.within(scope, kind)), run, this.#rules, clock, { resolve, reject }).begin();
      });
    };
  }
}

/** @param kind - default: that of the call. */
type AttemptFunction<T> = (scope: AbortScope, kind?: 'hedge') => Promise<T>;

interface Ends<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** One call with its attempts. */
class Race<T> {
  readonly #attempt: AttemptFunction<T>;
  readonly #run: Run<unknown>;
  readonly #rules: HedgeRules;
  readonly #clock: Clock;
  readonly #ends: Ends<T>;
  /** Of the attempts that have not ended. */
  readonly #scopes = new Set<AbortScope>();
  #begun = 0;
  #cancelTimer: Cancel | undefined;
  #forget: Cancel | undefined;

  constructor(attempt: AttemptFunction<T>, run: Run<unknown>, rules: HedgeRules, clock: Clock, ends: Ends<T>) {
    this.#attempt = attempt;
    this.#run = run;
    this.#rules = rules;
    this.#clock = clock;
    this.#ends = ends;
  }

  begin(): void {
    this.#forget = this.#run.scope?.onAbort((reason) => {
      this.#cancelTimer?.();
      this.#ends.reject(reason);
    });
    void this.#next();
  }

  async #next(kind?: 'hedge'): Promise<void> {
    const scope = new AbortScope(this.#run.scope);
    this.#scopes.add(scope);
    this.#begun += 1;
    if (this.#begun <= this.#rules.maxHedges) {
      this.#cancelTimer = this.#clock.after(this.#rules.delayMs, () => this.#hedge(), { keepAlive: true });
    }
    try {
      const value = await this.#attempt(scope, kind);
      this.#leave(scope);
      this.#end(() => this.#ends.resolve(value));
    } catch (error) {
      this.#leave(scope);
      if (this.#scopes.size === 0) this.#end(() => this.#ends.reject(error));
    }
  }

  #hedge(): void {
    const { budget } = this.#rules;
    if (budget !== undefined && !budget.take()) return;
    void this.#next('hedge');
  }

  #leave(scope: AbortScope): void {
    scope.end();
    this.#scopes.delete(scope);
  }

  /** What ends later finds nobody who waits. */
  #end(settle: () => void): void {
    this.#cancelTimer?.();
    this.#forget?.();
    settle();
    for (const scope of this.#scopes) scope.abort(new DOMException('another attempt was faster', 'AbortError'));
  }
}
