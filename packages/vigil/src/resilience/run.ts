import { type Check, checkFunction, checkWaitOptions, type Environment, type WaitOptions } from '../core/index.js';
import { AbortScope, untilAborted } from './abort-scope.js';

/** What a function is told that runs under a policy, a circuit breaker or a bulkhead. */
export interface Attempt {
  /** 1 for the first try, one more for each retry. */
  readonly number: number;
  /** Aborts when nobody waits for the result any more: the time is over, another attempt was faster, or the caller has gone. */
  readonly signal: AbortSignal;
}

/** What is to be done; it may be done several times. */
export type Work<T> = (attempt: Attempt) => T | PromiseLike<T>;

/** A way to get work done: a pattern around the next one, or the work itself. `F` is what it gives instead of a result. */
export type Layer<F = never> = <T>(run: Run<T>) => Promise<T | F>;

/** What a policy uses of its runtime. */
export type PolicyEnvironment = Pick<Environment, 'clock' | 'random' | 'log'>;

/** A pattern that can be put around others. */
export interface PolicyPart<F = never> {
  /** @internal */
  around<G>(next: Layer<G>, environment: PolicyEnvironment): Layer<F | G>;
}

/** What has happened in a call so far, kept when somebody wants to know. */
export interface Tally {
  attempts: number;
  retries: number;
  hedges: number;
  sleptMs: number;
  /** The error in whose place a fallback has answered. */
  replaced: { readonly error: unknown } | undefined;
  /** The last error of a fallback itself. */
  fallbackFailure: { readonly error: unknown } | undefined;
}

/** One try to get work done, on its way through the layers. */
export class Run<T> implements Attempt {
  readonly work: Work<T>;
  /** Absent where nothing can give the work up. */
  readonly scope: AbortScope | undefined;
  readonly number: number;
  readonly tally: Tally | undefined;
  /** Why there is this try, besides others of the same call. */
  readonly kind: 'first' | 'retry' | 'hedge';
  /** The budget that has counted the call. */
  budget: object | undefined;
  #signal: AbortSignal | undefined;

  constructor(work: Work<T>, scope: AbortScope | undefined, tally: Tally | undefined, number = 1, kind: Run<T>['kind'] = 'first') {
    this.work = work;
    this.scope = scope;
    this.tally = tally;
    this.number = number;
    this.kind = kind;
  }

  /** The same try, which can be given up with `scope`; or another one beside it. */
  within(scope: AbortScope, kind: Run<T>['kind'] = this.kind): Run<T> {
    return this.#derive(scope, this.number, kind);
  }

  /** The next try. */
  again(): Run<T> {
    return this.#derive(this.scope, this.number + 1, 'retry');
  }

  #derive(scope: AbortScope | undefined, number: number, kind: Run<T>['kind']): Run<T> {
    const derived = new Run(this.work, scope, this.tally, number, kind);
    derived.budget = this.budget;
    return derived;
  }

  get signal(): AbortSignal {
    this.#signal ??= this.scope?.signal ?? new AbortController().signal;
    return this.#signal;
  }
}

const settled = Promise.resolve();

/**
 * A promise that rejects in the next microtask. One that is rejected from the start is an unhandled rejection until somebody handles it, and
 * to tell Node of both takes longer than all the rest of a refusal.
 */
export function refusal(error: unknown): Promise<never> {
  return new Promise((_, reject) => {
    // oxlint-disable-next-line promise/no-promise-in-callback -- queueMicrotask takes a quarter longer
    void settled.then(() => reject(error));
  });
}

/** The innermost layer: does the work. */
export function doWork<T>(run: Run<T>): Promise<T> {
  const { tally } = run;
  if (tally !== undefined) {
    tally.attempts += 1;
    if (run.kind === 'retry') tally.retries += 1;
    if (run.kind === 'hedge') tally.hedges += 1;
  }
  try {
    const result = run.work(run);
    return result instanceof Promise ? result : Promise.resolve(result);
  } catch (error) {
    return refusal(error);
  }
}

const checkWork: Check<Work<unknown>> = checkFunction();

/** @throws {VigilError} `InvalidConfiguration` for work that is no function or options that are none. */
export function checkCall(work: unknown, options: WaitOptions | undefined): AbortSignal | undefined {
  checkWork('work', work);
  return checkWaitOptions(options);
}

/**
 * Gets work done through a layer. When the caller's signal aborts, the call ends at once; what runs hears of it by its own signal.
 *
 * @throws {VigilError} `InvalidConfiguration`, as a rejection, for work that is no function or options that are none.
 */
export function callThrough<T, F>(layer: Layer<F>, work: Work<T>, options?: WaitOptions, tally?: Tally): Promise<T | F> {
  let signal: AbortSignal | undefined;
  try {
    signal = checkCall(work, options);
    signal?.throwIfAborted();
  } catch (error) {
    return refusal(error);
  }
  return signal === undefined ? layer(new Run(work, undefined, tally)) : underSignal(signal, (scope) => layer(new Run(work, scope, tally)));
}

async function underSignal<T>(signal: AbortSignal, begin: (scope: AbortScope) => Promise<T>): Promise<T> {
  const scope = new AbortScope(undefined, signal);
  const onAbort = () => scope.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await untilAborted(scope, () => begin(scope));
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
