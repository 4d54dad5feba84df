import { nextTurn } from '../../core/index.js';
import type { Choices } from './choices.js';
import type { SimulatedClock } from './simulated-clock.js';

/** What can be next: a process enters its body, learns that it is to stop, takes a message; a message arrives; a fault strikes; time goes on. */
export type PointKind = 'spawn' | 'stop' | 'receive' | 'delivery' | 'fault' | 'timer' | 'yield';

/** Something that could happen now. */
export interface Point {
  readonly kind: PointKind;
  /** What happens, for the trace. */
  readonly label: string;
  readonly run: () => void;
  /** Since when it could happen, by the clock. */
  readonly sinceMs: number;
}

/** One step in this many takes several points in one turn. */
const ONE_IN_RACES = 4;
/** Time goes on while something else could happen in one pick of this many. */
const ONE_IN_LATE = 16;
/** So much later than it could, something happens at the latest: a machine is not busier than that, in milliseconds. */
const MAX_LAG_MS = 1000;

/** Holds everything that could happen, and lets one of it happen after the other, in an order that chance decides. */
export class Scheduler {
  readonly #clock: SimulatedClock;
  readonly #choices: Choices;
  readonly #points = new Set<Point>();

  constructor(clock: SimulatedClock, choices: Choices) {
    this.#clock = clock;
    this.#choices = choices;
  }

  /** Adds what could happen from now on; the returned function takes it back. */
  offer(kind: PointKind, label: string, run: () => void): () => boolean {
    const point: Point = { kind, label, run, sinceMs: this.#clock.now() };
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
    const size = this.#choices.isOneIn(ONE_IN_RACES) ? 2 + this.#choices.below(2) : 1;
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
    if (this.#clock.pendingYields > 0)
      points.push({ kind: 'yield', label: 'soon', run: () => this.#clock.continueNext(), sinceMs: this.#clock.now() });
    const { nextDueMs } = this.#clock;
    const sinceMs = this.#clock.now();
    if (nextDueMs !== undefined && (mayMoveTime || nextDueMs <= sinceMs) && nextDueMs <= latest(points)) {
      if (points.length === 0 || this.#choices.isOneIn(ONE_IN_LATE)) {
        return { kind: 'timer', label: `at ${nextDueMs}`, run: () => this.#clock.fireNext(), sinceMs };
      }
    }
    return points.length === 0 ? undefined : points[this.#choices.below(points.length)];
  }
}

/** Until when time may go on. A fault need not happen at all, and so cannot be late. */
function latest(points: readonly Point[]): number {
  const first = points.find(({ kind }) => kind !== 'fault');
  return first === undefined ? Number.POSITIVE_INFINITY : first.sinceMs + MAX_LAG_MS;
}
