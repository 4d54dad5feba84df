/** The window moves in steps of this part of it. */
const SLICES = 10;

/** What was counted in one slice of a window. */
export interface SliceCounts {
  /** Milliseconds since the slice began. */
  readonly ageMs: number;
  readonly total: number;
  readonly marked: number;
}

/**
 * Counts what happened in the last `windowMs` milliseconds, give or take a tenth of it, and how much of that was marked. Time is an
 * argument, and never goes back.
 */
export class RollingCounts {
  readonly #sliceMs: number;
  readonly #totals: number[] = new Array(SLICES).fill(0);
  readonly #marks: number[] = new Array(SLICES).fill(0);
  /** The number of the slice that is counted in now. */
  #slice = Number.NEGATIVE_INFINITY;
  #total = 0;
  #marked = 0;

  constructor(windowMs: number) {
    this.#sliceMs = windowMs / SLICES;
  }

  add(nowMs: number, isMarked: boolean): void {
    this.#moveTo(nowMs);
    this.#count(1, isMarked ? 1 : 0);
  }

  /** How much is in the window. */
  total(nowMs: number): number {
    this.#moveTo(nowMs);
    return this.#total;
  }

  /** How much of that is marked. */
  marked(nowMs: number): number {
    this.#moveTo(nowMs);
    return this.#marked;
  }

  /** What is in the window, oldest first. */
  save(nowMs: number): SliceCounts[] {
    this.#moveTo(nowMs);
    const slices: SliceCounts[] = [];
    for (let slice = this.#slice - SLICES + 1; slice <= this.#slice; slice += 1) {
      const [total = 0, marked = 0] = [this.#totals[placeOf(slice)], this.#marks[placeOf(slice)]];
      if (total > 0) slices.push({ ageMs: nowMs - slice * this.#sliceMs, total, marked });
    }
    return slices;
  }

  /** Adds what was saved; only to a window in which nothing was counted. */
  load(nowMs: number, slices: readonly SliceCounts[]): void {
    for (const { ageMs, total, marked } of slices.toSorted((one, other) => other.ageMs - one.ageMs)) {
      this.#moveTo(nowMs - ageMs);
      this.#count(total, marked);
    }
  }

  #count(total: number, marked: number): void {
    const place = placeOf(this.#slice);
    this.#totals[place] = (this.#totals[place] ?? 0) + total;
    this.#marks[place] = (this.#marks[place] ?? 0) + marked;
    this.#total += total;
    this.#marked += marked;
  }

  /** Forgets the slices that have left the window. */
  #moveTo(nowMs: number): void {
    const slice = Math.floor(nowMs / this.#sliceMs);
    if (slice <= this.#slice) return;
    for (let entered = Math.max(this.#slice, slice - SLICES) + 1; entered <= slice; entered += 1) {
      const place = placeOf(entered);
      this.#total -= this.#totals[place] ?? 0;
      this.#marked -= this.#marks[place] ?? 0;
      this.#totals[place] = 0;
      this.#marks[place] = 0;
    }
    this.#slice = slice;
  }
}

/** Slices before the zero of the clock have negative numbers. */
function placeOf(slice: number): number {
  return ((slice % SLICES) + SLICES) % SLICES;
}
