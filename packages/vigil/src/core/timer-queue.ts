/** One time-out that waits in a {@link TimerQueue}. */
export interface QueuedTimer {
  readonly dueMs: number;
  /** Creation order, which decides between equal deadlines. */
  readonly sequence: number;
  readonly callback: () => void;
  readonly keepAlive: boolean;
  /** Its place in the heap; -1 when it waits no more. */
  index: number;
}

/**
 * Time-outs ordered by deadline, then by creation: a binary heap in which every timer knows its place, so that cancelling
 * one costs as little as adding one.
 */
export class TimerQueue {
  readonly #heap: QueuedTimer[] = [];
  #nextSequence = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** The sequence number that the next timer will get. */
  get nextSequence(): number {
    return this.#nextSequence;
  }

  /** The earliest deadline, or `undefined` when nothing waits. */
  get nextDueMs(): number | undefined {
    return this.#heap[0]?.dueMs;
  }

  add(dueMs: number, callback: () => void, keepAlive: boolean): QueuedTimer {
    const timer: QueuedTimer = { dueMs, sequence: this.#nextSequence++, callback, keepAlive, index: this.#heap.length };
    this.#heap.push(timer);
    this.#siftUp(timer);
    return timer;
  }

  /** Takes a timer out; false when it waits no more. */
  remove(timer: QueuedTimer): boolean {
    if (timer.index < 0) return false;
    const { index } = timer;
    const last = this.#heap.pop();
    timer.index = -1;
    if (last !== undefined && last !== timer) {
      this.#place(last, index);
      this.#siftUp(last);
      this.#siftDown(last);
    }
    return true;
  }

  /** Takes out the first timer that is due at `nowMs` and was created before `sequence`. */
  popDue(nowMs: number, sequence: number = Number.POSITIVE_INFINITY): QueuedTimer | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.dueMs > nowMs || first.sequence >= sequence) return undefined;
    this.remove(first);
    return first;
  }

  #place(timer: QueuedTimer, index: number): void {
    this.#heap[index] = timer;
    timer.index = index;
  }

  #siftUp(timer: QueuedTimer): void {
    while (timer.index > 0) {
      const index = timer.index;
      const parent = this.#heap[(index - 1) >> 1];
      if (parent === undefined || !comesBefore(timer, parent)) return;
      this.#place(timer, parent.index);
      this.#place(parent, index);
    }
  }

  #siftDown(timer: QueuedTimer): void {
    for (;;) {
      const index = timer.index;
      const left = this.#heap[2 * index + 1];
      const right = this.#heap[2 * index + 2];
      const smaller = right !== undefined && left !== undefined && comesBefore(right, left) ? right : left;
      if (smaller === undefined || !comesBefore(smaller, timer)) return;
      this.#place(timer, smaller.index);
      this.#place(smaller, index);
    }
  }
}

function comesBefore(a: QueuedTimer, b: QueuedTimer): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.sequence < b.sequence);
}
