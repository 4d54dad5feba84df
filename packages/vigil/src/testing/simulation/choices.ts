import { SeededRandom } from '../../core/index.js';

/**
 * The decisions of a scheduler, one number each: from a seed, or from a list of those that were taken before.
 *
 * 0 is always the plainest decision: what could happen first happens, alone, before time goes on. A list that is at its end goes on with 0.
 */
export class Choices {
  /** Those taken so far. */
  readonly taken: number[] = [];
  readonly #random: SeededRandom;
  readonly #list: readonly number[] | undefined;

  constructor(seed: number, list?: readonly number[]) {
    this.#random = new SeededRandom(seed);
    this.#list = list;
  }

  /** A whole number >= 0 and < `count`. */
  below(count: number): number {
    const choice =
      this.#list === undefined ? Math.floor(this.#random.next() * count) : Math.min(this.#list[this.taken.length] ?? 0, count - 1);
    this.taken.push(choice);
    return choice;
  }

  /** Whether something happens that does in one of so many cases. */
  isOneIn(cases: number): boolean {
    return this.below(cases) === cases - 1;
  }
}

/** Without the zeros at the end, which go without saying. */
export function withoutTail(choices: readonly number[]): readonly number[] {
  return choices.slice(0, choices.findLastIndex((choice) => choice !== 0) + 1);
}
