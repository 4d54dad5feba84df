import { checkPositiveNumber, failFast, type VigilError } from '../core/index.js';
import { AbortScope, untilAborted } from './abort-scope.js';
import type { Layer, PolicyEnvironment, PolicyPart, Run } from './run.js';

/**
 * Part of a policy: gives up what takes longer than `timeoutMs` milliseconds. The call ends at once with `OperationTimeout`, and the signal of
 * what still runs aborts with the same error. A result that comes later, because the event loop was blocked, comes too late.
 *
 * It bounds all that stands after it in the policy: around `retry` all tries and the waits between them, inside of it each try.
 *
 * @param timeoutMs - milliseconds, > 0.
 * @throws {VigilError} `InvalidConfiguration` when it is not.
 */
export function timeout(timeoutMs: number): PolicyPart {
  return new Timeout(timeoutMs);
}

class Timeout implements PolicyPart {
  readonly #timeoutMs: number;

  constructor(timeoutMs: number) {
    this.#timeoutMs = checkPositiveNumber('timeoutMs', timeoutMs);
  }

  around<G>(next: Layer<G>, { clock }: PolicyEnvironment): Layer<G> {
    return <T>(run: Run<T>): Promise<T | G> => {
      const scope = new AbortScope(run.scope);
      const dueMs = clock.now() + this.#timeoutMs;
      const cancel = clock.after(this.#timeoutMs, () => scope.abort(this.#overdue()), { keepAlive: true });
      return untilAborted(scope, () => next(run.within(scope))).then(
        (value) => {
          cancel();
          scope.end();
          if (clock.now() > dueMs) throw this.#overdue();
          return value;
        },
        (error) => {
          cancel();
          scope.end();
          if (scope.aborted === undefined && clock.now() > dueMs) throw this.#overdue(error);
          throw error;
        },
      );
    };
  }

  #overdue(cause?: unknown): VigilError {
    const timeoutMs = this.#timeoutMs;
    return failFast('OperationTimeout', `no result within ${timeoutMs} ms`, { cause, details: { timeoutMs } });
  }
}
