import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { QueueFigures } from '../core/index.js';
import { QueueAges } from './queue-ages.js';

describe('QueueAges', () => {
  it('knows of the oldest message for how long it has been seen', () => {
    const { ageAt } = scene();
    assert.equal(ageAt(0, { arrived: 1, left: 0 }), 0);
    assert.equal(ageAt(10, { arrived: 1, left: 0 }), 10);
    assert.equal(ageAt(30, { arrived: 5, left: 0 }), 30);
  });

  it('knows nothing of an empty queue, nor of what was in it before', () => {
    const { ageAt } = scene();
    ageAt(0, { arrived: 1, left: 0 });
    assert.equal(ageAt(10, { arrived: 1, left: 1 }), undefined);
    assert.equal(ageAt(20, { arrived: 2, left: 1 }), 0);
  });

  it('goes on with the next message when the oldest has left', () => {
    const { ageAt } = scene();
    ageAt(0, { arrived: 3, left: 0 });
    ageAt(10, { arrived: 5, left: 0 });
    assert.equal(ageAt(20, { arrived: 5, left: 2 }), 20);
    assert.equal(ageAt(20, { arrived: 5, left: 3 }), 10);
  });

  it('never makes a message older than it is, whatever comes and goes between many snapshots', () => {
    const { ageAt } = scene();
    const arrivals: number[] = [];
    let left = 0;
    for (let nowMs = 0; nowMs < 1000; nowMs += 1) {
      for (let count = nowMs % 3; count > 0; count -= 1) arrivals.push(nowMs);
      if (nowMs % 50 === 49) left = Math.min(left + 10, arrivals.length);
      const age = ageAt(nowMs, { arrived: arrivals.length, left });
      const oldest = arrivals[left];
      if (oldest === undefined) assert.equal(age, undefined);
      else assert.ok(age !== undefined && age <= nowMs - oldest, `${age} at ${nowMs}, for a message of ${oldest}`);
      // Marks are thinned out, but not all of them.
      if (oldest !== undefined && nowMs - oldest > 500) assert.ok((age ?? 0) > 300, `${age} at ${nowMs}, for a message of ${oldest}`);
    }
  });

  it('keeps mailboxes and their queues apart', () => {
    const ages = new QueueAges();
    const [one, other] = [{}, {}];
    const high: QueueFigures = { priority: 'high', arrived: 1, left: 0 };
    const low: QueueFigures = { priority: 'low', arrived: 2, left: 0 };
    ages.look(one, [high], 0);
    assert.deepEqual(ages.look(one, [high, low], 5), [
      { priority: 'high', depth: 1, oldestAgeMs: 5 },
      { priority: 'low', depth: 2, oldestAgeMs: 0 },
    ]);
    assert.deepEqual(ages.look(other, [high], 5), [{ priority: 'high', depth: 1, oldestAgeMs: 0 }]);
  });
});

function scene() {
  const ages = new QueueAges();
  const mailbox = {};
  const ageAt = (nowMs: number, figures: Omit<QueueFigures, 'priority'>) =>
    ages.look(mailbox, [{ priority: 'normal', ...figures }], nowMs)[0]?.oldestAgeMs;
  return { ageAt };
}
