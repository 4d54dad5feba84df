import { nextTurn, type Random } from '../../core/index.js';
import type { SimulatedClock } from './simulated-clock.js';

/** What can be next: a process enters its body, learns that it is to stop, takes a message; a message arrives; a fault strikes; time goes on. */
export type PointKind = 'spawn' | 'stop' | 'receive' | 'delivery' | 'fault' | 'timer' | 'yield';

/** Something that could happen now. */
export interface Point {
  readonly kind: PointKind;
  /** What happens, for the trace. */
  readonly label: string;
  readonly run: () => void;
}

/** One step in this many takes several points in one turn. */
const ONE_IN_RACES = 4;
/** Time goes on while something else could happen in one pick of this many. */
const ONE_IN_LATE = 16;

/** Holds everything that could happen, and lets one of it happen after the other, in an order that chance decides. */
export class Scheduler {
  readonly #clock: SimulatedClock;
  readonly #random: Random;
  readonly #points = new Set<Point>();

  constructor(clock: SimulatedClock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Adds what could happen from now on; the returned function takes it back. */
  offer(kind: PointKind, label: string, run: () => void): () => boolean {
    const point: Point = { kind, label, run };
    this.#points.add(point);
    return () => this.#points.delete(point);
  }

  /** Resolves when it is this point's turn. */
  gate(kind: PointKind, label: string): Promise<void> {
    return new Promise((resolve) => {
      this.offer(kind, label, resolve);
    });
  }

  /**
   * Lets something happen and everything that follows from it without another point.
   *
   * @returns what happened, in this order; `[]` when nothing could happen.
   */
  async step(): Promise<Point[]> {
    const size = this.#isChosen(ONE_IN_RACES) ? 2 + this.#below(2) : 1;
    const taken: Point[] = [];
    for (let i = 0; i < size; i += 1) {
      const point = this.#pick(i === 0);
      if (point === undefined) break;
      this.#points.delete(point);
      taken.push(point);
      point.run();
    }
    await nextTurn();
    return taken;
  }

  /** Time stands still during a turn: only the first point of a step may move it. */
  #pick(mayMoveTime: boolean): Point | undefined {
    const points = [...this.#points];
    if (this.#clock.pendingYields > 0) points.push({ kind: 'yield', label: 'soon', run: () => this.#clock.continueNext() });
    const isTimeUp = this.#clock.nextDueMs !== undefined && (mayMoveTime || this.#clock.nextDueMs <= this.#clock.now());
    if (isTimeUp && (points.length === 0 || this.#isChosen(ONE_IN_LATE))) {
      return { kind: 'timer', label: `at ${this.#clock.nextDueMs}`, run: () => this.#clock.fireNext() };
    }
    return points[this.#below(points.length)];
  }

  #below(count: number): number {
    return Math.floor(this.#random.next() * count);
  }

  #isChosen(oneIn: number): boolean {
    return this.#below(oneIn) === 0;
  }
}
