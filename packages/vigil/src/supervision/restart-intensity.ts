import { RingQueue } from '../core/index.js';

/**
 * Counts restarts in a sliding window: more than `maxRestarts` within `periodMs` is too many.
 *
 * A restart counts while `now - then <= periodMs`; each one ages out by itself. Time is an argument, so that the count
 * depends on nothing else.
 *
 * @see OTP supervisor `intensity` and `period`; OTP rounds to whole seconds, we do not.
 */
export class RestartIntensity {
  readonly maxRestarts: number;
  readonly periodMs: number;
  /** Times of the restarts that may still count, oldest first. */
  readonly #times = new RingQueue<number>();

  constructor(maxRestarts: number, periodMs: number) {
    this.maxRestarts = maxRestarts;
    this.periodMs = periodMs;
  }

  /** Counts one more restart; false when it is one too many, which is then not counted. */
  record(nowMs: number): boolean {
    if (this.remaining(nowMs) === 0) return false;
    this.#times.push(nowMs);
    return true;
  }

  /** How many restarts the window still allows. */
  remaining(nowMs: number): number {
    for (let oldest = this.#times.peek(); oldest !== undefined && nowMs - oldest > this.periodMs; oldest = this.#times.peek()) {
      this.#times.shift();
    }
    return this.maxRestarts - this.#times.size;
  }
}
