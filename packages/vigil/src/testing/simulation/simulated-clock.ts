import type { Cancel, Clock } from '../../core/index.js';

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/**
 * A clock that does nothing by itself: whoever runs the simulation says when time passes, when the next timer fires, and
 * when somebody who yields with `soon` goes on.
 *
 * It breaks no promise of {@link Clock}: a timer never fires early, and equal deadlines fire in order of creation. But it may
 * fire late, as on a busy machine.
 */
export class SimulatedClock implements Clock {
  /** In order of creation. */
  readonly #timers = new Set<Timer>();
  readonly #yields: (() => void)[] = [];
  #nowMs = 0;
  #holds = 0;

  /** The deadlines of the timers that wait, earliest first. */
  get deadlines(): number[] {
    return Array.from(this.#timers, ({ dueMs }) => dueMs).toSorted((a, b) => a - b);
  }

  /** When the next timer is due; `undefined` when none waits. */
  get nextDueMs(): number | undefined {
    return this.#nextTimer()?.dueMs;
  }

  /** How many callbacks of `soon` wait. */
  get pendingYields(): number {
    return this.#yields.length;
  }

  /** How many parts of the program would keep Node alive. */
  get holds(): number {
    return this.#holds;
  }

  now(): number {
    return this.#nowMs;
  }

  wallTime(): number {
    return 1_577_836_800_000 + this.#nowMs;
  }

  after(delayMs: number, callback: () => void): Cancel {
    const timer: Timer = { dueMs: this.#nowMs + delayMs, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  soon(callback: () => void): void {
    this.#yields.push(callback);
  }

  keepAlive(): Cancel {
    this.#holds += 1;
    let isHeld = true;
    return () => {
      if (!isHeld) return false;
      isHeld = false;
      this.#holds -= 1;
      return true;
    };
  }

  /** Lets time pass without firing anything. */
  pass(ms: number): void {
    this.#nowMs += ms;
  }

  /** Fires the next timer, at its deadline or, if that has passed, now; false when none waits. */
  fireNext(): boolean {
    const timer = this.#nextTimer();
    if (timer === undefined) return false;
    this.#timers.delete(timer);
    this.#nowMs = Math.max(this.#nowMs, timer.dueMs);
    timer.callback();
    return true;
  }

  /** Lets whoever yielded first go on; false when nobody waits. */
  continueNext(): boolean {
    const callback = this.#yields.shift();
    callback?.();
    return callback !== undefined;
  }

  #nextTimer(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (next === undefined || timer.dueMs < next.dueMs) next = timer;
    return next;
  }
}
