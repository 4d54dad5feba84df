import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RollingCounts } from './rolling-counts.js';

describe('RollingCounts', () => {
  it('counts what happened in the window, and how much of it was marked', () => {
    const counts = new RollingCounts(1000);
    counts.add(0, true);
    counts.add(500, false);
    counts.add(999, true);
    assert.deepEqual([counts.total(999), counts.marked(999)], [3, 2]);
  });

  it('forgets a tenth of the window at a time', () => {
    const counts = new RollingCounts(1000);
    counts.add(0, true);
    counts.add(99, true);
    counts.add(100, false);
    assert.equal(counts.total(999), 3);
    assert.deepEqual([counts.total(1000), counts.marked(1000)], [1, 0]);
    assert.equal(counts.total(1100), 0);
  });

  it('forgets everything in a pause that is longer than the window', () => {
    const counts = new RollingCounts(1000);
    for (let ms = 0; ms < 1000; ms += 50) counts.add(ms, true);
    assert.deepEqual([counts.total(1e12), counts.marked(1e12)], [0, 0]);
  });

  it('agrees with a list of times, whatever happens when', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(300), fc.boolean()), { maxLength: 60 }), (steps) => {
        const counts = new RollingCounts(1000);
        const times: { readonly ms: number; readonly isMarked: boolean }[] = [];
        let nowMs = 0;
        for (const [pauseMs, isMarked] of steps) {
          nowMs += pauseMs;
          counts.add(nowMs, isMarked);
          times.push({ ms: nowMs, isMarked });
          const kept = times.filter(({ ms }) => Math.floor(ms / 100) > Math.floor(nowMs / 100) - 10);
          assert.equal(counts.total(nowMs), kept.length);
          assert.equal(counts.marked(nowMs), kept.filter((one) => one.isMarked).length);
        }
      }),
    );
  });

  it('loads what was saved, on a clock with another beginning', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(300), { maxLength: 30 }), fc.nat(1200), fc.nat(5000), (pauses, laterMs, beginMs) => {
        const counts = new RollingCounts(1000);
        let nowMs = 0;
        for (const pauseMs of pauses) {
          nowMs += pauseMs;
          counts.add(nowMs, pauseMs % 2 === 0);
        }
        const loaded = new RollingCounts(1000);
        // By whole slices, so that both see the same edges.
        const shiftMs = beginMs * 100 - Math.floor(nowMs / 100) * 100;
        loaded.load(nowMs + shiftMs, counts.save(nowMs));
        const thenMs = nowMs + laterMs;
        assert.deepEqual([loaded.total(thenMs + shiftMs), loaded.marked(thenMs + shiftMs)], [counts.total(thenMs), counts.marked(thenMs)]);
      }),
    );
  });
});
