import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isVigilError } from '../core/index.js';
import { VirtualClock } from '../testing/index.js';
import { deferred } from './deferred.suite.js';
import { Bulkhead, type BulkheadOptions } from './bulkhead.js';

describe('Bulkhead', () => {
  it('POL-06: lets no more than maxConcurrent calls run, and refuses the next one at once', async () => {
    const bulkhead = makeBulkhead({ maxConcurrent: 2 });
    const [first, second] = [deferred<string>(), deferred<string>()];
    const running = [bulkhead.call(() => first.promise), bulkhead.call(() => second.promise)];
    await assert.rejects(
      bulkhead.call(() => 'third'),
      isFull,
    );
    assert.deepEqual([bulkhead.inFlight, bulkhead.refused], [2, 1]);
    first.resolve('first');
    second.resolve('second');
    assert.deepEqual(await Promise.all(running), ['first', 'second']);
    assert.equal(await bulkhead.call(() => 'fourth'), 'fourth');
  });

  it('POL-06: gives the place back on success, throw and rejection, with the error unchanged', async () => {
    const bulkhead = makeBulkhead({ maxConcurrent: 1 });
    const error = new Error('no');
    const ends = [
      () => 1,
      async () => 1,
      () => {
        throw error;
      },
      () => Promise.reject(error),
    ];
    for (const work of ends) {
      const outcome = await bulkhead.call(work).catch((thrown: unknown) => thrown);
      assert.ok(outcome === 1 || outcome === error);
      assert.equal(bulkhead.inFlight, 0);
    }
  });

  it('POL-06: ignores a release that is one too many', async () => {
    const bulkhead = makeBulkhead({ maxConcurrent: 2 });
    const release = await bulkhead.acquire();
    await bulkhead.acquire();
    assert.deepEqual([release(), release(), release()], [true, false, false]);
    assert.equal(bulkhead.inFlight, 1);
  });

  it('lets up to maxQueued calls wait, and serves them in the order in which they came', async () => {
    const bulkhead = makeBulkhead({ maxConcurrent: 1, maxQueued: 2 });
    const release = await bulkhead.acquire();
    const begun: string[] = [];
    const waiting = ['a', 'b'].map((name) => bulkhead.call(() => begun.push(name)));
    await assert.rejects(
      bulkhead.call(() => begun.push('c')),
      isFull,
    );
    assert.deepEqual([bulkhead.queued, begun], [2, []]);
    release();
    await Promise.all(waiting);
    assert.deepEqual([bulkhead.inFlight, bulkhead.queued, begun], [0, 0, ['a', 'b']]);
  });

  it('takes no place for a call that gives up while it waits', async () => {
    const bulkhead = makeBulkhead({ maxConcurrent: 1, maxQueued: 2 });
    const release = await bulkhead.acquire();
    const aborter = new AbortController();
    const leaver = bulkhead.call(() => assert.fail('it has left'), { signal: aborter.signal });
    const next = bulkhead.call(() => 'next');
    const left = assert.rejects(leaver, (error) => error === 'gone');
    aborter.abort('gone');
    await left;
    assert.equal(bulkhead.queued, 1);
    release();
    assert.equal(await next, 'next');
    assert.equal(bulkhead.inFlight, 0);
  });

  it('does not begin what was given up before', async () => {
    const bulkhead = makeBulkhead({ maxConcurrent: 1 });
    const given = bulkhead.call(() => assert.fail('it began'), { signal: AbortSignal.abort('gone') });
    await assert.rejects(given, (error) => error === 'gone');
    assert.equal(bulkhead.inFlight, 0);
  });

  it('says in its refusal how full it is', async () => {
    const bulkhead = makeBulkhead({ maxConcurrent: 1, maxQueued: 1 });
    await bulkhead.acquire();
    void bulkhead.acquire();
    await assert.rejects(bulkhead.acquire(), (error) => {
      assert.ok(isVigilError(error, 'BulkheadFull'));
      assert.equal(error.message, 'bulkhead "files" has 1 calls in flight and 1 that wait');
      assert.deepEqual(error.details, { bulkhead: 'files', inFlight: 1, queued: 1 });
      return true;
    });
  });
});

function makeBulkhead(options: BulkheadOptions): Bulkhead {
  return new Bulkhead('files', options, { clock: new VirtualClock() });
}

function isFull(error: unknown): boolean {
  return isVigilError(error, 'BulkheadFull');
}
