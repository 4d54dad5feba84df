import type { Cancel, Clock } from './clock.js';

/** One who waits in a {@link WaitingLine}. */
export interface Waiter<T, I = undefined> {
  readonly item: I;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

interface Place<T, I> extends Waiter<T, I> {
  cancelTimer: Cancel | undefined;
  stopListening: (() => void) | undefined;
  previous: Place<T, I> | undefined;
  next: Place<T, I> | undefined;
}

export interface JoinOptions<R> {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until `timedOut` settles the wait; default: never. */
  readonly timeoutMs?: number | undefined;
  /** What the wait ends with when its time runs out: a value, or a throw. */
  readonly timedOut?: () => R;
}

/**
 * Promises that wait in line, each with an item. The first is served first; anyone can leave by time-out or abort, and
 * who has left is served nothing.
 */
export class WaitingLine<T, I = undefined> {
  readonly #clock: Clock;
  #first: Place<T, I> | undefined;
  #last: Place<T, I> | undefined;
  #size = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#size;
  }

  get first(): Waiter<T, I> | undefined {
    return this.#first;
  }

  join<R = never>(item: I, options?: JoinOptions<R>): Promise<T | R> {
    return new Promise((resolve, reject) => {
      options?.signal?.throwIfAborted();
      const place: Place<T, I> = {
        item,
        resolve,
        reject,
        cancelTimer: undefined,
        stopListening: undefined,
        previous: this.#last,
        next: undefined,
      };
      if (this.#last === undefined) this.#first = place;
      else this.#last.next = place;
      this.#last = place;
      this.#size += 1;
      if (options !== undefined) this.#watch(place, options, resolve);
    });
  }

  /** Takes the first out of the line, to be settled by the caller. */
  shift(): Waiter<T, I> | undefined {
    const first = this.#first;
    if (first !== undefined) this.#leave(first);
    return first;
  }

  /** Sends everybody away. */
  rejectAll(makeError: () => unknown): void {
    for (let waiter = this.shift(); waiter !== undefined; waiter = this.shift()) waiter.reject(makeError());
  }

  #watch<R>(place: Place<T, I>, { signal, timeoutMs, timedOut }: JoinOptions<R>, resolve: (value: R) => void): void {
    if (signal !== undefined) {
      const onAbort = () => {
        this.#leave(place);
        place.reject(signal.reason);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      place.stopListening = () => signal.removeEventListener('abort', onAbort);
    }
    if (timeoutMs === undefined || timedOut === undefined) return;
    const onTimeout = () => {
      this.#leave(place);
      try {
        resolve(timedOut());
      } catch (error) {
        place.reject(error);
      }
    };
    // Somebody awaits this, so Node has to live to see it.
    place.cancelTimer = this.#clock.after(timeoutMs, onTimeout, { keepAlive: true });
  }

  #leave(place: Place<T, I>): void {
    if (place.previous === undefined) this.#first = place.next;
    else place.previous.next = place.next;
    if (place.next === undefined) this.#last = place.previous;
    else place.next.previous = place.previous;
    this.#size -= 1;
    place.cancelTimer?.();
    place.stopListening?.();
  }
}
