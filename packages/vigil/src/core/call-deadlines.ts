import type { Cancel, Clock } from './clock.js';

/** One that waits no longer than until its deadline: a link in the line of all that were given equally long. */
export interface Deadline {
  dueMs: number;
  line: DeadlineLine | undefined;
  earlier: Deadline | undefined;
  later: Deadline | undefined;
  /** Its time is over. It has left the line. */
  expired(timeoutMs: number): void;
}

/**
 * Deadlines of one length, which therefore come in the order in which they were set: to join and to leave costs no search, and one timer
 * serves them all.
 *
 * Invariant: while anybody waits, a timer is set no later than the first deadline.
 */
export class DeadlineLine {
  readonly timeoutMs: number;
  readonly #clock: Clock;
  /** Called when the line is empty and no timer is set. */
  readonly #idle: (line: DeadlineLine) => void;
  #first: Deadline | undefined;
  #last: Deadline | undefined;
  #cancelTimer: Cancel | undefined;

  constructor(timeoutMs: number, clock: Clock, idle: (line: DeadlineLine) => void) {
    this.timeoutMs = timeoutMs;
    this.#clock = clock;
    this.#idle = idle;
  }

  join(deadline: Deadline): void {
    deadline.dueMs = this.#clock.now() + this.timeoutMs;
    deadline.line = this;
    deadline.earlier = this.#last;
    if (this.#last === undefined) this.#first = deadline;
    else this.#last.later = deadline;
    this.#last = deadline;
    if (this.#cancelTimer === undefined) this.#setTimer(this.timeoutMs);
  }

  leave(deadline: Deadline): void {
    if (deadline.line !== this) return;
    if (deadline.earlier === undefined) this.#first = deadline.later;
    else deadline.earlier.later = deadline.later;
    if (deadline.later === undefined) this.#last = deadline.earlier;
    else deadline.later.earlier = deadline.earlier;
    deadline.line = undefined;
    deadline.earlier = undefined;
    deadline.later = undefined;
  }

  /** Gives the timer back; what waits is never told. */
  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #setTimer(delayMs: number): void {
    this.#cancelTimer = this.#clock.after(delayMs, () => this.#ring());
  }

  /** The timer was set for a deadline that may have left since. */
  #ring(): void {
    const nowMs = this.#clock.now();
    for (let first = this.#first; first !== undefined && first.dueMs <= nowMs; first = this.#first) {
      this.leave(first);
      first.expired(this.timeoutMs);
    }
    this.#cancelTimer = undefined;
    if (this.#first === undefined) this.#idle(this);
    else this.#setTimer(this.#first.dueMs - nowMs);
  }
}
