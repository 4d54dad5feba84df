import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RingQueue } from './ring-queue.js';

describe('RingQueue', () => {
  it('gives out in the order it took in', () => {
    const queue = queueOf(1, 2, 3);
    assert.deepEqual([queue.shift(), queue.shift(), queue.shift()], [1, 2, 3]);
  });

  it('has nothing to give when it is empty', () => {
    const queue = queueOf(1);
    queue.shift();
    assert.deepEqual([queue.size, queue.peek(), queue.shift(), queue.size], [0, undefined, undefined, 0]);
  });

  it('keeps items that are falsy', () => {
    const queue = new RingQueue<unknown>();
    for (const item of [0, '', false, null]) queue.push(item);
    queue.retain(() => true);
    assert.deepEqual([...queue], [0, '', false, null]);
  });

  it('forgets an item it gave out', () => {
    const queue = queueOf(1);
    queue.shift();
    assert.equal(queue.peek(), undefined);
  });

  it('is what an array is, whatever is done to it', () => {
    fc.assert(
      fc.property(fc.array(operations, { maxLength: 300 }), (steps) => {
        const queue = new RingQueue<number>();
        const model: number[] = [];
        let next = 0;
        for (const step of steps) {
          if (step.do === 'push') {
            for (let i = 0; i < step.count; i += 1) {
              queue.push(next);
              model.push(next);
              next += 1;
            }
          } else if (step.do === 'shift') {
            for (let i = 0; i < step.count; i += 1) assert.equal(queue.shift(), model.shift());
          } else {
            const seen: number[] = [];
            const keep = (item: number) => item % step.divisor !== 0;
            queue.retain((item) => {
              seen.push(item);
              return keep(item);
            });
            assert.deepEqual(seen, model);
            model.splice(0, model.length, ...model.filter(keep));
          }
          assert.equal(queue.size, model.length);
          assert.equal(queue.peek(), model[0]);
          assert.deepEqual([...queue], model);
        }
      }),
    );
  });
});

const operations = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('push'), count: fc.integer({ min: 1, max: 20 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('shift'), count: fc.integer({ min: 1, max: 20 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('retain'), divisor: fc.integer({ min: 1, max: 4 }) }) },
);

function queueOf(...items: number[]): RingQueue<number> {
  const queue = new RingQueue<number>();
  for (const item of items) queue.push(item);
  return queue;
}
