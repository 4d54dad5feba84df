import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isVigilError } from './errors.js';
import { type Random, SeededRandom, systemRandom } from './random.js';

const seeds = fc.maxSafeInteger();

/** From the seed 42. */
const RECORDED = [0.9066156058106571, 0.03377833683043718, 0.7557707352098078];

describe('SeededRandom', () => {
  it('replays from its seed', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        assert.deepEqual(take(100, new SeededRandom(seed)), take(100, new SeededRandom(seed)));
      }),
    );
  });

  it('gives another sequence for another seed', () => {
    fc.assert(
      fc.property(seeds, seeds, (seed, other) => {
        fc.pre(seed !== other);
        assert.notDeepEqual(take(4, new SeededRandom(seed)), take(4, new SeededRandom(other)));
      }),
    );
  });

  it('gives unlike beginnings to seeds that are alike', () => {
    const firsts = new Set(Array.from({ length: 1000 }, (_, seed) => new SeededRandom(seed).next()));
    assert.equal(firsts.size, 1000);
    const mean = [...firsts].reduce((sum, first) => sum + first, 0) / firsts.size;
    assert.ok(mean > 0.45 && mean < 0.55, `mean of the first numbers: ${mean}`);
  });

  it('tells apart seeds that agree in their lower 32 bits', () => {
    const sequences = [1, 1 + 2 ** 32, 1 + 2 ** 40, 1 - 2 ** 32].map((seed) => take(4, new SeededRandom(seed)).join());
    assert.equal(new Set(sequences).size, 4);
  });

  it('stays where it is between 0 and 1', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        for (const number of take(200, new SeededRandom(seed))) assert.ok(number >= 0 && number < 1);
      }),
    );
  });

  it('gives each tenth of its range its share', () => {
    const counts = new Array<number>(10).fill(0);
    for (const number of take(20_000, new SeededRandom(42))) counts[Math.floor(number * 10)]! += 1;
    for (const count of counts) assert.ok(count > 1800 && count < 2200, `counts: ${counts.join()}`);
  });

  it('refuses a seed that is no integer', () => {
    for (const seed of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      assert.throws(
        () => new SeededRandom(seed),
        (error) => isVigilError(error, 'InvalidConfiguration'),
      );
    }
  });

  it('gives the numbers it has always given, so that a recorded seed keeps its history', () => {
    assert.deepEqual(take(3, new SeededRandom(42)), RECORDED);
  });
});

describe('systemRandom', () => {
  it('stays between 0 and 1, and does not repeat itself', () => {
    const numbers = take(100, systemRandom);
    for (const number of numbers) assert.ok(number >= 0 && number < 1);
    assert.ok(new Set(numbers).size > 90);
  });
});

function take(count: number, random: Random): number[] {
  return Array.from({ length: count }, () => random.next());
}
