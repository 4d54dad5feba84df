import { type QueuedTimer, TimerQueue } from './timer-queue.js';
import { checkDuration } from './validation.js';

/** Gives back what acquiring took; true when it came in time, false when there was nothing left to cancel. */
export type Cancel = () => boolean;

export interface TimerOptions {
  /** Whether Node stays alive for this timer; default false. For a time-out that somebody awaits. */
  readonly keepAlive?: boolean;
}

/** Where a part of Vigil gets its time from. No part reads the system's clocks itself. */
export interface Clock {
  /** Monotonic milliseconds since some fixed moment, with fractions. For durations, windows and time-outs. */
  now(): number;
  /** Milliseconds since 1970 by the wall clock, which can jump. Only to show to people. */
  wallTime(): number;
  /**
   * Calls back once, never early and never synchronously; equal deadlines in order of creation.
   *
   * @param delayMs - milliseconds >= 0; delays beyond 2^31 ms are kept.
   * @throws {VigilError} `InvalidConfiguration` when the delay is no duration.
   */
  after(delayMs: number, callback: () => void, options?: TimerOptions): Cancel;
  /** Calls back in a later turn of the event loop, after I/O that is due: how a loop yields. */
  soon(callback: () => void): void;
  /** Keeps Node alive until the returned function is called. */
  keepAlive(): Cancel;
}

/** The part of a {@link Clock} that only tells the time. */
export type TimeSource = Pick<Clock, 'now'>;

/** The time of the machine, for values that belong to no runtime. */
export const systemTime: Pick<Clock, 'now' | 'wallTime'> = { now: () => performance.now(), wallTime: () => Date.now() };

/** Monotonic milliseconds that mean the same in every thread and process of the machine. */
export function machineTime(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

/** A thread that looks at two clocks may stand still in between, which it hardly does so often in a row. */
const LOOKS = 5;

/** How many milliseconds the time of the machine is ahead of a clock. */
export function machineLead(clock: TimeSource): number {
  let lead = Number.NEGATIVE_INFINITY;
  // Standing still in between makes it look smaller, never larger.
  for (let look = 0; look < LOOKS; look += 1) lead = Math.max(lead, machineTime() - clock.now());
  return lead;
}

/** Resolves in a later turn of the event loop, when every microtask has run. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Waits for `work`, but not longer than `timeoutMs`; Node stays alive for it.
 *
 * @returns its value in a box, or `undefined` when the time ran out first; a rejection in time is passed on.
 */
export async function settledWithin<T>(work: Promise<T>, timeoutMs: number, clock: Clock): Promise<{ readonly value: T } | undefined> {
  let cancel: Cancel | undefined;
  const deadline = new Promise<undefined>((resolve) => {
    cancel = clock.after(timeoutMs, () => resolve(undefined), { keepAlive: true });
  });
  try {
    return await Promise.race([work.then((value) => ({ value })), deadline]);
  } finally {
    cancel?.();
  }
}

/** Node's longest native delay; it turns longer ones into 1 ms. */
const MAX_NATIVE_DELAY_MS = 2 ** 31 - 1;

/**
 * The clock of the machine. All its time-outs share one native timer, which keeps Node alive only while a timer that asked
 * for it is waiting.
 */
export class SystemClock implements Clock {
  readonly #timers = new TimerQueue();
  #native: NodeJS.Timeout | undefined;
  #nativeDueMs = Number.POSITIVE_INFINITY;
  #keepAliveTimers = 0;

  now(): number {
    return performance.now();
  }

  wallTime(): number {
    return Date.now();
  }

  after(delayMs: number, callback: () => void, options?: TimerOptions): Cancel {
    checkDuration('delayMs', delayMs);
    const timer = this.#timers.add(this.now() + delayMs, callback, options?.keepAlive === true);
    if (timer.keepAlive) this.#keepAliveTimers += 1;
    this.#arm();
    return () => {
      if (!this.#timers.remove(timer)) return false;
      this.#released(timer);
      return true;
    };
  }

  soon(callback: () => void): void {
    setImmediate(callback);
  }

  keepAlive(): Cancel {
    let handle: NodeJS.Timeout | undefined = setInterval(() => {}, MAX_NATIVE_DELAY_MS);
    return () => {
      if (handle === undefined) return false;
      clearInterval(handle);
      handle = undefined;
      return true;
    };
  }

  /** Invariant: whenever a timer waits, a native timer is armed no later than its deadline. */
  #arm(): void {
    const dueMs = this.#timers.nextDueMs;
    if (dueMs !== undefined && dueMs < this.#nativeDueMs) {
      clearTimeout(this.#native);
      // Rounded up: Node cuts fractions off, and a timer must never fire early.
      const delayMs = Math.min(Math.max(Math.ceil(dueMs - this.now()), 0), MAX_NATIVE_DELAY_MS);
      this.#nativeDueMs = dueMs;
      this.#native = setTimeout(() => this.#fire(), delayMs);
    }
    if (this.#keepAliveTimers > 0) this.#native?.ref();
    else this.#native?.unref();
  }

  #fire(): void {
    this.#nativeDueMs = Number.POSITIVE_INFINITY;
    const nowMs = this.now();
    // A callback may add timers that are due at once; they wait for the next turn, or I/O would starve.
    const sequence = this.#timers.nextSequence;
    try {
      for (let timer = this.#timers.popDue(nowMs, sequence); timer !== undefined; timer = this.#timers.popDue(nowMs, sequence)) {
        this.#released(timer);
        timer.callback();
      }
    } finally {
      this.#arm();
    }
  }

  #released(timer: QueuedTimer): void {
    if (!timer.keepAlive) return;
    this.#keepAliveTimers -= 1;
    if (this.#keepAliveTimers === 0) this.#native?.unref();
  }
}
