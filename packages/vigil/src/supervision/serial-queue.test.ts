import assert from 'node:assert/strict';
import { readFile } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Clock, SystemClock } from '../core/index.js';
import { VirtualClock } from '../testing/index.js';
import { SerialQueue } from './serial-queue.js';

function makeQueue(clock: Clock = new VirtualClock()) {
  const errors: unknown[] = [];
  const queue = new SerialQueue(clock, (error) => errors.push(error));
  /** Resolves when everything that is queued now has run. */
  const drained = () => queue.run(async () => {});
  return { errors, queue, drained };
}

describe('SerialQueue', () => {
  it('runs the first job at once', () => {
    const { queue } = makeQueue();
    let hasRun = false;
    queue.push(() => {
      hasRun = true;
    });
    assert.ok(hasRun);
  });

  it('ADM-06: runs jobs one at a time, in the order in which they came', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 1, max: 10 }), async (scheduler, count) => {
        const { queue } = makeQueue();
        const log: string[] = [];
        const jobs = Array.from({ length: count }, (_, index) =>
          queue.run(async () => {
            log.push(`begin ${index}`);
            await scheduler.schedule(Promise.resolve());
            log.push(`end ${index}`);
          }),
        );
        await scheduler.waitFor(Promise.all(jobs));
        assert.deepEqual(log, Array.from({ length: count }, (_, index) => [`begin ${index}`, `end ${index}`]).flat());
      }),
      { numRuns: 30 },
    );
  });

  it('runs a job that a job queues behind those that were there', async () => {
    const { queue, drained } = makeQueue();
    const log: string[] = [];
    queue.push(async () => {
      await Promise.resolve();
      log.push('first');
      queue.push(() => void log.push('queued by the first'));
    });
    queue.push(() => void log.push('second'));
    await drained();
    await drained();
    assert.deepEqual(log, ['first', 'second', 'queued by the first']);
  });

  it('settles run() as its job does', async () => {
    const { queue } = makeQueue();
    assert.equal(await queue.run(async () => 7), 7);
    const failure = new Error('no');
    await assert.rejects(
      queue.run(() => Promise.reject(failure)),
      failure,
    );
  });

  it('keeps the failure of a run() for its caller', async () => {
    const { queue, errors } = makeQueue();
    await queue.run(() => Promise.reject(new Error('no'))).catch(() => {});
    assert.deepEqual(errors, []);
  });

  it('tells of a pushed job that failed, and runs the next one', async () => {
    const { queue, errors, drained } = makeQueue();
    const [thrown, rejected] = [new Error('thrown'), new Error('rejected')];
    let hasRun = false;
    queue.push(() => {
      throw thrown;
    });
    queue.push(() => Promise.reject(rejected));
    queue.push(() => {
      hasRun = true;
    });
    await drained();
    assert.deepEqual(errors, [thrown, rejected]);
    assert.ok(hasRun);
  });

  it('HANG-06: lets timers and I/O through while jobs go on queueing jobs', async () => {
    const clock = new SystemClock();
    const { queue } = makeQueue(clock);
    let jobs = 0;
    let isOver = false;
    const again = (): void => {
      jobs += 1;
      if (!isOver) queue.push(again);
    };
    const timer = new Promise<number>((resolve) => clock.after(0, () => resolve(jobs), { keepAlive: true }));
    const io = new Promise<number>((resolve) => readFile(fileURLToPath(import.meta.url), () => resolve(jobs)));
    queue.push(again);
    await Promise.all([timer, io]);
    isOver = true;
    assert.ok(jobs < 1_000_000, `${jobs} jobs ran before a timer and a read came through`);
  });

  it('HANG-06: yields after a bounded number of jobs, and not after each', async () => {
    const yields: number[] = [];
    let jobs = 0;
    const clock = new VirtualClock();
    clock.soon = (callback) => {
      yields.push(jobs);
      setImmediate(callback);
    };
    const { queue } = makeQueue(clock);
    await new Promise<void>((resolve) => {
      const again = (): void => {
        jobs += 1;
        if (jobs < 1000) queue.push(again);
        else resolve();
      };
      queue.push(again);
    });
    const gaps = yields.map((at, index) => at - (yields[index - 1] ?? 0));
    assert.deepEqual(new Set(gaps), new Set([64]));
  });
});
