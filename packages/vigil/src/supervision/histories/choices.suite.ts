/** Decisions that nobody promises, made one way after the other until one explains what was seen. */
export class Choices {
  readonly #given: readonly number[];
  readonly #made: { readonly pick: number; readonly of: number }[] = [];

  constructor(given: readonly number[] = []) {
    this.#given = given;
  }

  get picks(): number[] {
    return this.#made.map(({ pick }) => pick);
  }

  choose(of: number): number {
    const pick = of > 1 ? (this.#given[this.#made.length] ?? 0) : 0;
    if (of > 1) this.#made.push({ pick, of });
    return pick;
  }

  /** The next way to decide; `undefined` when all were tried. */
  next(): number[] | undefined {
    const last = this.#made.findLastIndex(({ pick, of }) => pick + 1 < of);
    if (last < 0) return undefined;
    return this.#made.slice(0, last + 1).map(({ pick }, index) => (index === last ? pick + 1 : pick));
  }
}
