import { invalidOption } from './validation.js';

/** Where a part of Vigil gets its chance from: jitter, sampling, test histories. */
export interface Random {
  /** A number >= 0 and < 1. */
  next(): number;
}

/** The machine's chance: not reproducible, and not for secrets. */
export const systemRandom: Random = { next: () => Math.random() };

/** Chance that replays from its seed: the 32-bit generator `sfc32`, public domain by Chris Doty-Humphrey (PractRand). */
export class SeededRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /**
   * @param seed - any integer; equal seeds give equal sequences.
   * @throws {VigilError} `InvalidConfiguration` when it is none.
   */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed)) throw invalidOption('seed', 'an integer', seed);
    this.#a = seed | 0;
    this.#b = Math.floor(seed / 2 ** 32) | 0;
    this.#c = 0x9e3779b9 | 0;
    // The first outputs of similar seeds are alike.
    for (let i = 0; i < 15; i += 1) this.next();
  }

  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  }
}
