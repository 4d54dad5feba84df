import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type QueuedTimer, TimerQueue } from './timer-queue.js';

const nothing = () => {};

describe('TimerQueue', () => {
  it('gives out what is due, by deadline, then by creation', () => {
    const queue = new TimerQueue();
    const [late, first, second] = [20, 10, 10].map((dueMs) => queue.add(dueMs, nothing, false));
    assert.equal(queue.popDue(9.9), undefined);
    assert.deepEqual([queue.popDue(30), queue.popDue(30), queue.popDue(30), queue.popDue(30)], [first, second, late, undefined]);
  });

  it('keeps what a timer was made with', () => {
    const timer = new TimerQueue().add(5, nothing, true);
    assert.equal(timer.dueMs, 5);
    assert.equal(timer.callback, nothing);
    assert.equal(timer.keepAlive, true);
  });

  it('tells the earliest deadline, and none when nothing waits', () => {
    const queue = new TimerQueue();
    assert.equal(queue.nextDueMs, undefined);
    const timer = queue.add(10, nothing, false);
    queue.add(20, nothing, false);
    assert.equal(queue.nextDueMs, 10);
    queue.remove(timer);
    assert.equal(queue.nextDueMs, 20);
  });

  it('takes a timer out once, whether it was removed or given out', () => {
    const queue = new TimerQueue();
    const removed = queue.add(10, nothing, false);
    const given = queue.add(10, nothing, false);
    assert.deepEqual([queue.remove(removed), queue.remove(removed)], [true, false]);
    assert.equal(queue.popDue(10), given);
    assert.equal(queue.remove(given), false);
  });

  it('holds back what was created later than asked for', () => {
    const queue = new TimerQueue();
    const before = queue.add(10, nothing, false);
    const limit = queue.nextSequence;
    const after = queue.add(5, nothing, false);
    assert.equal(queue.popDue(10, limit), undefined);
    assert.equal(queue.popDue(10), after);
    assert.equal(queue.popDue(10, limit), before);
  });

  it('keeps its order when timers are taken out from anywhere in it', () => {
    const marks = fc.array(fc.record({ dueMs: fc.nat(100), isRemoved: fc.boolean() }), { minLength: 8, maxLength: 60 });
    fc.assert(
      fc.property(marks, (timers) => {
        const queue = new TimerQueue();
        const made = timers.map(({ dueMs, isRemoved }) => ({ isRemoved, timer: queue.add(dueMs, nothing, false) }));
        for (const { isRemoved, timer } of made) if (isRemoved) queue.remove(timer);
        const left = made.filter(({ isRemoved }) => !isRemoved).map(({ timer }) => timer);
        assert.deepEqual(
          drained(queue),
          left.toSorted((a, b) => a.dueMs - b.dueMs || a.sequence - b.sequence),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('is what a sorted array is, whatever is done to it', () => {
    fc.assert(
      fc.property(fc.array(operations, { maxLength: 200 }), (steps) => {
        const queue = new TimerQueue();
        let waiting: QueuedTimer[] = [];
        const everMade: QueuedTimer[] = [];
        for (const step of steps) {
          if (step.do === 'add') {
            const timer = queue.add(step.dueMs, nothing, false);
            everMade.push(timer);
            waiting = [...waiting, timer].toSorted((a, b) => a.dueMs - b.dueMs || a.sequence - b.sequence);
          } else if (step.do === 'remove' && everMade.length > 0) {
            const timer = everMade[step.pick % everMade.length]!;
            assert.equal(queue.remove(timer), waiting.includes(timer));
            waiting = waiting.filter((other) => other !== timer);
          } else if (step.do === 'pop') {
            const expected = waiting[0] !== undefined && waiting[0].dueMs <= step.nowMs ? waiting.shift() : undefined;
            assert.equal(queue.popDue(step.nowMs), expected);
          }
          assert.equal(queue.size, waiting.length);
          assert.equal(queue.nextDueMs, waiting[0]?.dueMs);
        }
        assert.deepEqual(drained(queue), waiting);
      }),
    );
  });
});

const operations = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('add'), dueMs: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove'), pick: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pop'), nowMs: fc.nat(20) }) },
);

function drained(queue: TimerQueue): QueuedTimer[] {
  const timers: QueuedTimer[] = [];
  for (let timer = queue.popDue(Number.POSITIVE_INFINITY); timer !== undefined; timer = queue.popDue(Number.POSITIVE_INFINITY))
    timers.push(timer);
  return timers;
}
