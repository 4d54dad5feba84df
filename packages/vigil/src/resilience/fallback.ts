import { checkFunction } from '../core/index.js';
import { type FailureKind, failureKind } from './failure-kind.js';
import type { Layer, PolicyPart, Run } from './run.js';

/** What to answer instead, when a call has failed with `error`; `from` says in which way. */
export type FallbackFunction<F> = (error: unknown, from: FailureKind) => F | PromiseLike<F>;

/**
 * Part of a policy: answers in place of what has failed. It is not asked when the call was given up. When it fails itself, the call fails
 * with its error.
 *
 * @throws {VigilError} `InvalidConfiguration` when it is no function.
 */
export function fallback<F>(answer: FallbackFunction<F>): PolicyPart<F> {
  return new Fallback(answer);
}

class Fallback<F> implements PolicyPart<F> {
  readonly #answer: FallbackFunction<F>;

  constructor(answer: FallbackFunction<F>) {
    this.#answer = checkFunction<FallbackFunction<F>>()('fallback', answer);
  }

  around<G>(next: Layer<G>): Layer<F | G> {
    return async <T>(run: Run<T>): Promise<T | F | G> => {
      try {
        return await next(run);
      } catch (error) {
        if (run.scope?.aborted !== undefined) throw error;
        return await this.#replace(error, run);
      }
    };
  }

  async #replace(error: unknown, { tally }: Run<unknown>): Promise<F> {
    try {
      const value = await this.#answer(error, failureKind(error));
      if (tally !== undefined) tally.replaced = { error };
      return value;
    } catch (failure) {
      if (tally !== undefined) tally.fallbackFailure = { error: failure };
      throw failure;
    }
  }
}
