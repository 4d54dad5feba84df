import { type Clock, RingQueue } from '../core/index.js';

type Job = () => void | Promise<void>;

/** Jobs that run between two turns of the event loop; more would starve timers and I/O in a loop of instant restarts. */
const JOBS_PER_TURN = 64;

/** Runs jobs one at a time, in the order in which they came; the first one at once when nothing runs. */
export class SerialQueue {
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #waiting = new RingQueue<Job>();
  #isRunning = false;
  #jobsThisTurn = 0;

  /** @param onError - hears of a job from `push` that failed; the next job runs all the same. */
  constructor(clock: Clock, onError: (error: unknown) => void) {
    this.#clock = clock;
    this.#onError = onError;
  }

  /** Queues a job whose result nobody awaits. */
  push(job: Job): void {
    this.#waiting.push(job);
    if (!this.#isRunning) void this.#runAll();
  }

  /** Queues a job and settles as it does. */
  run<T>(job: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.push(() => job().then(resolve, reject));
    });
  }

  async #runAll(): Promise<void> {
    this.#isRunning = true;
    for (let job = this.#waiting.shift(); job !== undefined; job = this.#waiting.shift()) {
      try {
        await job();
      } catch (error) {
        this.#onError(error);
      }
      this.#jobsThisTurn += 1;
      if (this.#jobsThisTurn >= JOBS_PER_TURN) await this.#nextTurn();
    }
    this.#isRunning = false;
  }

  async #nextTurn(): Promise<void> {
    await new Promise<void>((resolve) => this.#clock.soon(resolve));
    this.#jobsThisTurn = 0;
  }
}
