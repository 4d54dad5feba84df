import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RestartIntensity } from './restart-intensity.js';

/** Whether each of these restarts is allowed. */
function allowed(maxRestarts: number, periodMs: number, times: readonly number[]): boolean[] {
  const intensity = new RestartIntensity(maxRestarts, periodMs);
  return times.map((ms) => intensity.record(ms));
}

describe('RestartIntensity', () => {
  it('INT-01: allows maxRestarts and refuses one more', () => {
    assert.deepEqual(allowed(2, 3_600_000, [0, 0, 0]), [true, true, false]);
  });

  it('INT-03: 0 allows none', () => {
    assert.deepEqual(allowed(0, 5000, [0, 10_000]), [false, false]);
  });

  it('INT-04: counts a restart that is exactly as old as the period', () => {
    assert.deepEqual(allowed(1, 5000, [0, 5000]), [true, false]);
  });

  it('INT-04: counts a restart no more that is older than the period', () => {
    assert.deepEqual(allowed(1, 5000, [0, 5000.001]), [true, true]);
  });

  it('INT-05: survives a loop that stays below the rate for ever', () => {
    const times = Array.from({ length: 50 }, (_, index) => index * 2000);
    assert.ok(!allowed(2, 3000, times).includes(false));
  });

  it('INT-05: lets restarts age out one by one', () => {
    assert.deepEqual(allowed(2, 10_000, [0, 9000, 11_000, 20_000]), [true, true, true, true]);
  });

  it('does not count the restart that it refuses', () => {
    assert.deepEqual(allowed(1, 5000, [0, 4000, 5001]), [true, false, true]);
  });

  it('tells how many restarts the window still allows', () => {
    const intensity = new RestartIntensity(2, 1000);
    assert.equal(intensity.remaining(0), 2);
    intensity.record(0);
    intensity.record(500);
    assert.deepEqual(
      [500, 1000, 1001, 1500, 1501].map((ms) => intensity.remaining(ms)),
      [0, 0, 1, 1, 2],
    );
  });

  it('agrees with a naive model, and never allows less than nothing', () => {
    const histories = fc.record({
      maxRestarts: fc.integer({ min: 0, max: 4 }),
      periodMs: fc.integer({ min: 1, max: 20 }),
      gaps: fc.array(fc.integer({ min: 0, max: 15 }), { maxLength: 40 }),
    });
    fc.assert(
      fc.property(histories, ({ maxRestarts, periodMs, gaps }) => {
        const intensity = new RestartIntensity(maxRestarts, periodMs);
        const accepted: number[] = [];
        let nowMs = 0;
        for (const gap of gaps) {
          nowMs += gap;
          const inWindow = accepted.filter((then) => nowMs - then <= periodMs).length;
          assert.equal(intensity.remaining(nowMs), maxRestarts - inWindow);
          assert.ok(intensity.remaining(nowMs) >= 0);
          const isAllowed = inWindow < maxRestarts;
          assert.equal(intensity.record(nowMs), isAllowed);
          if (isAllowed) accepted.push(nowMs);
        }
      }),
    );
  });
});
