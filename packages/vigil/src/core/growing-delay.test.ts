import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isVigilError } from './errors.js';
import { checkGrowingDelay, type CompleteGrowingDelay, type GrowingDelay, growingDelayMs } from './growing-delay.js';

const positive = fc.oneof(
  fc.double({ min: Number.MIN_VALUE, max: Number.MAX_VALUE, noNaN: true }),
  fc.double({ min: 0.001, max: 1e6, noNaN: true }),
  fc.integer({ min: 1, max: 100_000 }),
);
const delays: fc.Arbitrary<CompleteGrowingDelay> = fc.record({
  initialMs: positive,
  maxMs: positive,
  multiplier: fc.oneof(fc.constant(1), fc.double({ min: 1, max: 10, noNaN: true }), fc.constant(Number.MAX_VALUE)),
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
});
const rows = fc.oneof(fc.nat({ max: 30 }), fc.maxSafeNat());
const chances = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('growingDelayMs', () => {
  it('is a number of milliseconds from 0 to maxMs, whatever happened before', () => {
    fc.assert(
      fc.property(delays, rows, chances, (delay, times, chance) => {
        const ms = growingDelayMs(delay, times, chance);
        assert.ok(Number.isFinite(ms) && ms >= 0 && ms <= delay.maxMs, String(ms));
      }),
    );
  });

  it('is never longer than without jitter, and by no more than the jitter shorter', () => {
    fc.assert(
      fc.property(delays, rows, chances, (delay, times, chance) => {
        const whole = growingDelayMs({ ...delay, jitter: 0 }, times, chance);
        const ms = growingDelayMs(delay, times, chance);
        assert.ok(ms <= whole && ms >= whole * (1 - delay.jitter), `${ms} of ${whole}`);
        assert.equal(growingDelayMs(delay, times, 0), whole);
      }),
    );
  });

  it('does not become shorter from one restart to the next', () => {
    fc.assert(
      fc.property(delays, fc.nat({ max: 5000 }), chances, (delay, times, chance) => {
        assert.ok(growingDelayMs(delay, times + 1, chance) >= growingDelayMs(delay, times, chance));
      }),
    );
  });

  it('is initialMs first, then multiplier times as long each time, up to maxMs', () => {
    const delay = { initialMs: 100, maxMs: 1500, multiplier: 2, jitter: 0 };
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5, 2000, Number.MAX_SAFE_INTEGER].map((times) => growingDelayMs(delay, times, 0.5)),
      [100, 200, 400, 800, 1500, 1500, 1500, 1500],
    );
  });

  it('stays initialMs with multiplier 1, and is maxMs where that is shorter', () => {
    assert.equal(growingDelayMs({ initialMs: 100, maxMs: 1500, multiplier: 1, jitter: 0 }, 1000, 0), 100);
    assert.equal(growingDelayMs({ initialMs: 100, maxMs: 50, multiplier: 2, jitter: 0 }, 0, 0), 50);
  });

  it('is shortened by chance, by at most the part that jitter says, after the limit', () => {
    const delay = { initialMs: 100, maxMs: 200, multiplier: 4, jitter: 0.5 };
    assert.deepEqual(
      [0, 0.5, 0.99].map((chance) => growingDelayMs(delay, 0, chance)),
      [100, 75, 50.5],
    );
    assert.deepEqual(
      [0, 0.5].map((chance) => growingDelayMs(delay, 9, chance)),
      [200, 150],
    );
    assert.equal(growingDelayMs({ ...delay, jitter: 1 }, 0, 0.75), 25);
  });
});

describe('checkGrowingDelay', () => {
  it('fills in the defaults', () => {
    assert.deepEqual(check({ initialMs: 5 }), { initialMs: 5, maxMs: 30_000, multiplier: 2, jitter: 0 });
    assert.deepEqual(check({ initialMs: 5, maxMs: undefined, multiplier: undefined, jitter: undefined }), check({ initialMs: 5 }));
    const whole = { initialMs: 0.5, maxMs: 1, multiplier: 1, jitter: 1 };
    assert.deepEqual(check({ ...whole, unknownKey: 1 }), whole);
  });

  const bad: Record<keyof GrowingDelay, unknown[]> = {
    initialMs: [undefined, null, 0, -1, Number.NaN, Number.POSITIVE_INFINITY, '5', 5n],
    maxMs: [null, 0, -1, Number.NaN, Number.POSITIVE_INFINITY, '5'],
    multiplier: [null, 0, 0.99, -2, Number.NaN, Number.POSITIVE_INFINITY, '2'],
    jitter: [null, -0.01, 1.01, Number.NaN, Number.POSITIVE_INFINITY, '1', true],
  };
  for (const [field, values] of Object.entries(bad)) {
    it(`refuses a bad ${field}, and names it`, () => {
      for (const value of values) {
        const refusal = refusalOf({ option: `delay.${field}`, value });
        assert.throws(() => check({ initialMs: 5, [field]: value }), refusal);
      }
    });
  }

  it('refuses what is no object', () => {
    for (const value of [null, 5, 'long', [], () => 5]) {
      assert.throws(() => check(value), refusalOf({ option: 'delay', value }));
    }
  });
});

function check(value: unknown): CompleteGrowingDelay {
  return checkGrowingDelay('delay', value);
}

function refusalOf(details: object): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isVigilError(error, 'InvalidConfiguration'));
    assert.deepEqual(error.details, details);
    return true;
  };
}
