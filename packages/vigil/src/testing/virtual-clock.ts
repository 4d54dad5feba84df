import { type Cancel, checkDuration, type Clock, nextTurn, TimerQueue, VigilError } from '../core/index.js';

/** Turns of the event loop that a program may take while time stands still: more, and it will not come to rest by itself. */
const MOST_TURNS_AT_ONE_TIME = 10_000;

/**
 * A clock whose time stands still until a test moves it.
 *
 * `now()` starts at 0, `wallTime()` at 1577836800000, which is 2020-01-01T00:00:00Z. Nothing keeps Node alive.
 *
 * @example
 * const clock = new VirtualClock();
 * const received = inbox.recvTimeout(500);
 * await clock.advance(500);
 * assert.equal(await received, undefined);
 */
export class VirtualClock implements Clock {
  readonly #timers = new TimerQueue();
  /** What `soon` has promised and not yet called. */
  readonly #yields = new Set<Promise<void>>();
  #nowMs = 0;
  #turnsNow = 0;
  #advances: Promise<void> = Promise.resolve();

  /** How many callbacks of `after` wait for their time. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#nowMs;
  }

  wallTime(): number {
    return 1_577_836_800_000 + this.#nowMs;
  }

  after(delayMs: number, callback: () => void): Cancel {
    checkDuration('delayMs', delayMs);
    const timer = this.#timers.add(this.now() + delayMs, callback, false);
    return () => this.#timers.remove(timer);
  }

  /** Calls back in a later turn of the real event loop; no time passes. */
  soon(callback: () => void): void {
    const call = async () => {
      await nextTurn();
      this.#yields.delete(called);
      callback();
    };
    const called = call();
    this.#yields.add(called);
  }

  /** Does nothing: a test ends when its promises have settled. */
  keepAlive(): Cancel {
    let isHeld = true;
    return () => {
      const wasHeld = isHeld;
      isHeld = false;
      return wasHeld;
    };
  }

  /**
   * Lets `ms` milliseconds pass, from timer to timer, in the order of deadline, then of creation. Before, between and after
   * them everything comes to rest that waits for no time: microtasks and callbacks of `soon`. Calls while another one runs
   * wait for it.
   *
   * @param ms - milliseconds >= 0; 0 only lets everything come to rest and calls what is due.
   * @returns a promise that rejects with the error of a callback that throws; time has then passed up to this callback.
   * @throws {VigilError} `InvalidConfiguration` when `ms` is no duration; `InvalidState` when things do not come to rest, such
   *   as a loop that does nothing but call `soon`.
   */
  async advance(ms: number): Promise<void> {
    checkDuration('ms', ms);
    const advanced = this.#advances.then(() => this.#moveTo(this.#nowMs + ms));
    this.#advances = advanced.catch(() => {});
    await advanced;
  }

  async #moveTo(targetMs: number): Promise<void> {
    this.#turnsNow = 0;
    await this.#comeToRest();
    for (let timer = this.#timers.popDue(targetMs); timer !== undefined; timer = this.#timers.popDue(targetMs)) {
      // A timer of a negative delay does not turn time back.
      this.#setTime(Math.max(timer.dueMs, this.#nowMs));
      timer.callback();
      await this.#comeToRest();
    }
    this.#setTime(targetMs);
  }

  #setTime(nowMs: number): void {
    if (nowMs > this.#nowMs) this.#turnsNow = 0;
    this.#nowMs = nowMs;
  }

  async #comeToRest(): Promise<void> {
    do {
      this.#turnsNow += 1;
      if (this.#turnsNow > MOST_TURNS_AT_ONE_TIME) throw this.#restless();
      await Promise.all([nextTurn(), ...this.#yields]);
    } while (this.#yields.size > 0);
  }

  #restless(): VigilError {
    const cause = this.#yields.size > 0 ? 'something goes on calling soon()' : 'timers go on setting timers that are due at once';
    return new VigilError('InvalidState', `after ${MOST_TURNS_AT_ONE_TIME} turns at ${this.#nowMs} ms ${cause}`);
  }
}
