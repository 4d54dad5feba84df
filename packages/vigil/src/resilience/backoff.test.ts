import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isVigilError, SeededRandom } from '../core/index.js';
import { type Backoff, backoffMs, checkBackoff } from './backoff.js';

const positive = fc.oneof(
  fc.double({ min: Number.MIN_VALUE, max: Number.MAX_VALUE, noNaN: true }),
  fc.double({ min: 0.001, max: 1e6, noNaN: true }),
);
const backoffs: fc.Arbitrary<Exclude<Backoff, (...args: never[]) => number>> = fc.oneof(
  fc.record({ kind: fc.constant('fixed'), delayMs: fc.double({ min: 0, max: 1e6, noNaN: true }) }),
  fc.record({
    kind: fc.constant('exponential'),
    initialMs: positive,
    maxMs: positive,
    multiplier: fc.oneof(fc.double({ min: 1, max: 10, noNaN: true }), fc.constant(Number.MAX_VALUE)),
    jitter: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  fc.record({ kind: fc.constant('decorrelated'), initialMs: positive, maxMs: positive }),
);

describe('backoff', () => {
  it('POL-02: is always the same when it is fixed', () => {
    assert.deepEqual(delays({ kind: 'fixed', delayMs: 5 }, 3), [5, 5, 5]);
  });

  it('POL-02: grows by its multiplier up to its limit when it is exponential', () => {
    assert.deepEqual(delays({ kind: 'exponential', initialMs: 100, maxMs: 1000, multiplier: 3 }, 5), [100, 300, 900, 1000, 1000]);
  });

  it('POL-02: lies between initialMs and three times the delay before when it is decorrelated', () => {
    const checked = checkBackoff('backoff', { kind: 'decorrelated', initialMs: 100, maxMs: 1000 });
    const at = (previousMs: number, chance: number) => backoffMs(checked, 1, previousMs, chance, undefined);
    assert.deepEqual([at(0, 0), at(0, 0.5), at(200, 0), at(200, 0.5), at(900, 0.5)], [100, 200, 100, 350, 1000]);
  });

  it('POL-02: is a number of milliseconds and never longer than its limit, however many retries there were', () => {
    fc.assert(
      fc.property(backoffs, fc.nat(), fc.nat(5000), (backoff, seed, retries) => {
        const most = backoff.kind === 'fixed' ? backoff.delayMs : (backoff.maxMs ?? 0);
        const checked = checkBackoff('backoff', backoff);
        const random = new SeededRandom(seed);
        let delayMs = 0;
        for (const retry of [1, 2, 3, retries + 1, retries + 2]) {
          delayMs = backoffMs(checked, retry, delayMs, random.next(), undefined);
          assert.ok(Number.isFinite(delayMs) && delayMs >= 0 && delayMs <= most, String(delayMs));
        }
        assert.ok(Number.isFinite(backoffMs(checked, 1, Number.MAX_VALUE, 0, undefined)));
      }),
    );
  });

  it('POL-02: replays from its seed', () => {
    fc.assert(fc.property(backoffs, fc.nat(), (backoff, seed) => assert.deepEqual(delays(backoff, 20, seed), delays(backoff, 20, seed))));
    const jittered: Backoff = { kind: 'exponential', initialMs: 100, jitter: 1 };
    assert.notDeepEqual(delays(jittered, 20, 1), delays(jittered, 20, 2));
  });

  it('can be a function of the number of the retry and the error', () => {
    const checked = checkBackoff('backoff', (retry: number, error: { readonly waitMs: number }) => retry * error.waitMs);
    assert.deepEqual(
      [1, 2].map((retry) => backoffMs(checked, retry, 0, 0, { waitMs: 10 })),
      [10, 20],
    );
    const broken = checkBackoff('backoff', () => Number.NaN);
    assert.throws(() => backoffMs(broken, 1, 0, 0, undefined), isInvalid('the result of backoff must be a finite number'));
  });

  it('has defaults', () => {
    const delay = { initialMs: 5, maxMs: 30_000, multiplier: 2, jitter: 0 };
    assert.deepEqual(checkBackoff('backoff', { kind: 'exponential', initialMs: 5 }), { kind: 'exponential', delay });
    assert.deepEqual(checkBackoff('backoff', { kind: 'decorrelated', initialMs: 5 }), {
      kind: 'decorrelated',
      initialMs: 5,
      maxMs: 30_000,
    });
  });

  for (const [value, message] of [
    [5, 'backoff must be an object, got 5'],
    [{ kind: 'linear' }, "backoff.kind must be one of 'fixed', 'exponential', 'decorrelated', got \"linear\""],
    [{ kind: 'fixed', delayMs: -1 }, 'backoff.delayMs must be a finite number of milliseconds >= 0, got -1'],
    [{ kind: 'exponential', initialMs: 0 }, 'backoff.initialMs must be a finite number > 0, got 0'],
    [{ kind: 'decorrelated', initialMs: 1, maxMs: 0 }, 'backoff.maxMs must be a finite number > 0, got 0'],
  ] satisfies [unknown, string][]) {
    it(`refuses ${JSON.stringify(value)}`, () => assert.throws(() => checkBackoff('backoff', value), isInvalid(message)));
  }
});

function delays(backoff: Backoff, count: number, seed = 1): number[] {
  const checked = checkBackoff('backoff', backoff);
  const random = new SeededRandom(seed);
  const all: number[] = [];
  for (let retry = 1; retry <= count; retry += 1) all.push(backoffMs(checked, retry, all.at(-1) ?? 0, random.next(), undefined));
  return all;
}

function isInvalid(message: string): (error: unknown) => boolean {
  return (error) => isVigilError(error, 'InvalidConfiguration') && error.message.startsWith(message);
}
