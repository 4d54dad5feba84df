import {
  type Cancel,
  checkCount,
  checkName,
  checkObject,
  checkOr,
  checkPositiveCount,
  checkWaitOptions,
  type Environment,
  failFast,
  type VigilError,
  type WaitOptions,
  WaitingLine,
} from '../core/index.js';
import { callThrough, doWork, type Layer, type PolicyPart, refusal, type Run, type Work } from './run.js';

export interface BulkheadOptions {
  /** Calls that may run at the same time; at least 1. */
  readonly maxConcurrent: number;
  /** Calls that may wait for their turn when all places are taken; default 0, a call is then refused at once. */
  readonly maxQueued?: number | undefined;
}

/**
 * Bounds how much goes on at the same time, so that one slow service cannot take everything.
 *
 * A call takes a place and gives it back when its work has ended, in whatever way; one whose caller has gone holds it until then. Those that
 * wait are served in the order in which they came.
 */
export class Bulkhead implements PolicyPart {
  readonly name: string;
  readonly #maxConcurrent: number;
  readonly #maxQueued: number;
  /** Invariant: somebody waits only while every place is taken; whoever gives one back hands it to the first. */
  readonly #waiting: WaitingLine<void>;
  readonly #layer: Layer = this.around(doWork);
  #inFlight = 0;
  #refused = 0;

  /** @throws {VigilError} `InvalidConfiguration` that names the option. */
  constructor(name: string, options: BulkheadOptions, { clock }: Pick<Environment, 'clock'>) {
    this.name = checkName('name', name);
    const { maxConcurrent, maxQueued }: Partial<BulkheadOptions> = checkObject('bulkhead options', options);
    this.#maxConcurrent = checkPositiveCount('maxConcurrent', maxConcurrent);
    this.#maxQueued = checkOr(checkCount, 'maxQueued', maxQueued, 0);
    this.#waiting = new WaitingLine(clock);
  }

  /** Places that are taken now. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Calls that wait for a place now. */
  get queued(): number {
    return this.#waiting.size;
  }

  /** Calls that were refused since the bulkhead was made. */
  get refused(): number {
    return this.#refused;
  }

  /**
   * Does `work` in a place of its own and gives what it gives.
   *
   * @param work - a function that returns a value or a promise; it is told the `signal` that aborts with that of the options.
   * @throws {VigilError} `BulkheadFull` when all places are taken and no more may wait; what `work` throws, unchanged; the reason of the
   *   options' signal, as soon as it aborts.
   */
  call<T>(work: Work<T>, options?: WaitOptions): Promise<T> {
    return callThrough(this.#layer, work, options);
  }

  /**
   * Takes a place, or waits for one in line. The returned function gives it back; called again, it does nothing and tells `false`.
   *
   * @throws {VigilError} `BulkheadFull` as `call`; `InvalidConfiguration` for options that are none; the signal's reason when it aborts first.
   */
  async acquire(options?: WaitOptions): Promise<Cancel> {
    const signal = checkWaitOptions(options);
    signal?.throwIfAborted();
    if (!this.#take()) {
      if (!this.#mayQueue()) throw this.#refuse();
      await this.#queue(signal);
    }
    let isHeld = true;
    return () => {
      if (!isHeld) return false;
      isHeld = false;
      this.#giveBack();
      return true;
    };
  }

  /** @internal */
  around<G>(next: Layer<G>): Layer<G> {
    return (run) => {
      if (this.#take()) return this.#hold(next(run));
      return this.#mayQueue() ? this.#holdLater(run, next) : refusal(this.#refuse());
    };
  }

  async #holdLater<T, G>(run: Run<T>, next: Layer<G>): Promise<T | G> {
    await this.#queue(run.scope?.signal);
    return this.#hold(next(run));
  }

  #hold<T>(work: Promise<T>): Promise<T> {
    return work.then(this.#succeeded, this.#failed);
  }

  readonly #succeeded = <T>(value: T): T => {
    this.#giveBack();
    return value;
  };

  readonly #failed = (error: unknown): never => {
    this.#giveBack();
    throw error;
  };

  #take(): boolean {
    if (this.#inFlight >= this.#maxConcurrent) return false;
    this.#inFlight += 1;
    return true;
  }

  #mayQueue(): boolean {
    return this.#waiting.size < this.#maxQueued;
  }

  /** Resolves when a place was handed over. */
  async #queue(signal: AbortSignal | undefined): Promise<void> {
    await this.#waiting.join(undefined, { signal });
    if (signal?.aborted !== true) return;
    // Given up between the moment when the place was handed over and this one.
    this.#giveBack();
    throw signal.reason;
  }

  #giveBack(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#inFlight -= 1;
    else next.resolve();
  }

  /** Counts a call that gets no place and may not wait for one, and makes its error. */
  #refuse(): VigilError {
    this.#refused += 1;
    const { name, inFlight, queued } = this;
    return failFast('BulkheadFull', `bulkhead "${name}" has ${inFlight} calls in flight and ${queued} that wait`, {
      details: { bulkhead: name, inFlight, queued },
    });
  }
}
