import {
  type Cancel,
  checkCount,
  checkFunction,
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

export interface BulkheadOptions {
  /** Calls that may run at the same time; at least 1. */
  readonly maxConcurrent: number;
  /** Calls that may wait for their turn when all places are taken; default 0, a call is then refused at once. */
  readonly maxQueued?: number | undefined;
}

/**
 * Bounds how much goes on at the same time, so that one slow service cannot take everything.
 *
 * A call takes a place and gives it back when it has ended, in whatever way. Those that wait are served in the order in which they came.
 */
export class Bulkhead {
  readonly name: string;
  readonly #maxConcurrent: number;
  readonly #maxQueued: number;
  /** Invariant: somebody waits only while every place is taken; whoever gives one back hands it to the first. */
  readonly #waiting: WaitingLine<Cancel>;
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
   * Runs `work` in a place of its own and gives what it gives.
   *
   * @throws what `work` throws, unchanged; as `acquire`.
   */
  async call<T>(work: () => T | PromiseLike<T>, options?: WaitOptions): Promise<T> {
    const checked = checkWork<T>('work', work);
    const release = await this.acquire(options);
    try {
      return await checked();
    } finally {
      release();
    }
  }

  /**
   * Takes a place, or waits for one in line. The returned function gives it back; called again, it does nothing and tells `false`.
   *
   * @throws {VigilError} `BulkheadFull` when all places are taken and no more may wait; `InvalidConfiguration` for options that are none; the
   *   signal's reason when it aborts first.
   */
  async acquire(options?: WaitOptions): Promise<Cancel> {
    const signal = checkWaitOptions(options);
    signal?.throwIfAborted();
    if (this.#inFlight < this.#maxConcurrent) {
      this.#inFlight += 1;
      return this.#place();
    }
    if (this.#waiting.size >= this.#maxQueued) {
      this.#refused += 1;
      throw this.#full();
    }
    return this.#waiting.join(undefined, { signal });
  }

  #place(): Cancel {
    let isHeld = true;
    return () => {
      if (!isHeld) return false;
      isHeld = false;
      const next = this.#waiting.shift();
      if (next === undefined) this.#inFlight -= 1;
      else next.resolve(this.#place());
      return true;
    };
  }

  #full(): VigilError {
    const { name, inFlight, queued } = this;
    return failFast('BulkheadFull', `bulkhead "${name}" has ${inFlight} calls in flight and ${queued} that wait`, {
      details: { bulkhead: name, inFlight, queued },
    });
  }
}

function checkWork<T>(name: string, work: unknown): () => T | PromiseLike<T> {
  return checkFunction<() => T | PromiseLike<T>>()(name, work);
}
