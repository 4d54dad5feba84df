import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isVigilError, nextTurn } from '../core/index.js';
import { VirtualClock } from '../testing/index.js';
import { type Deferred, deferred } from './deferred.suite.js';
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

  it('ends a call at once whose signal aborts, and holds its place until its work has ended', async () => {
    const bulkhead = makeBulkhead({ maxConcurrent: 1 });
    const [aborter, work] = [new AbortController(), deferred<string>()];
    let seen: AbortSignal | undefined;
    const call = bulkhead.call(
      ({ signal }) => {
        seen = signal;
        return work.promise;
      },
      { signal: aborter.signal },
    );
    aborter.abort('gone');
    await assert.rejects(call, (error) => error === 'gone');
    assert.deepEqual([seen?.reason, bulkhead.inFlight], ['gone', 1]);
    work.reject(new Error('no'));
    await Promise.allSettled([work.promise]);
    assert.equal(bulkhead.inFlight, 0);
  });

  it('begins nothing for a call that is given up in the moment in which it gets a place', async () => {
    const bulkhead = makeBulkhead({ maxConcurrent: 1, maxQueued: 1 });
    const release = await bulkhead.acquire();
    const aborter = new AbortController();
    let isBegun = false;
    const call = bulkhead.call(() => (isBegun = true), { signal: aborter.signal });
    release();
    aborter.abort('gone');
    await assert.rejects(call, (error) => error === 'gone');
    await nextTurn();
    assert.deepEqual([isBegun, bulkhead.inFlight], [false, 0]);
  });

  it('gives no place to one who gives up in the moment in which it gets one', async () => {
    const bulkhead = makeBulkhead({ maxConcurrent: 1, maxQueued: 1 });
    const release = await bulkhead.acquire();
    const aborter = new AbortController();
    const holder = bulkhead.acquire({ signal: aborter.signal });
    release();
    aborter.abort('gone');
    await assert.rejects(holder, (error) => error === 'gone');
    await assert.rejects(bulkhead.acquire({ signal: aborter.signal }), (error) => error === 'gone');
    assert.equal(bulkhead.inFlight, 0);
  });

  it('does not begin what was given up before', async () => {
    const bulkhead = makeBulkhead({ maxConcurrent: 1 });
    const given = bulkhead.call(() => assert.fail('it began'), { signal: AbortSignal.abort('gone') });
    await assert.rejects(given, (error) => error === 'gone');
    assert.equal(bulkhead.inFlight, 0);
  });

  it('does what a list of those who run and a list of those who wait would do', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ maxConcurrent: fc.integer({ min: 1, max: 3 }), maxQueued: fc.nat(3) }),
        fc.array(steps, { maxLength: 60 }),
        async (options, history) => {
          const bulkhead = makeBulkhead(options);
          const calls: Call[] = [];
          const waiting: Call[] = [];
          const running: Call[] = [];
          const begun: number[] = [];
          const expected: number[] = [];
          let refused = 0;
          const moveUp = () => {
            while (running.length < options.maxConcurrent && waiting.length > 0) {
              const next = waiting.shift()!;
              running.push(next);
              expected.push(next.id);
            }
          };
          for (const [id, step] of history.entries()) {
            if (step.do === 'call') {
              const call: Call = { id, work: deferred(), aborter: new AbortController(), outcome: undefined };
              const begin = () => {
                begun.push(id);
                return call.work.promise;
              };
              call.outcome = bulkhead.call(begin, { signal: call.aborter.signal }).then(
                () => 'done',
                (error) => (isFull(error) ? 'full' : String(error)),
              );
              if (running.length === options.maxConcurrent && waiting.length === options.maxQueued) {
                refused += 1;
                assert.equal(await call.outcome, 'full');
              } else {
                waiting.push(call);
                calls.push(call);
              }
            } else if (step.do === 'abort') {
              const call = calls[step.pick % Math.max(calls.length, 1)];
              if (call === undefined) continue;
              call.aborter.abort('gone');
              if (waiting.includes(call)) waiting.splice(waiting.indexOf(call), 1);
              if (!running.includes(call)) calls.splice(calls.indexOf(call), 1);
              assert.equal(await call.outcome, 'gone');
            } else {
              const call = running[step.pick % Math.max(running.length, 1)];
              if (call === undefined) continue;
              running.splice(running.indexOf(call), 1);
              calls.splice(calls.indexOf(call), 1);
              const fate = call.aborter.signal.aborted ? 'gone' : step.fails ? 'failed' : 'done';
              if (step.fails) call.work.reject('failed');
              else call.work.resolve();
              assert.equal(await call.outcome, fate);
            }
            moveUp();
            await nextTurn();
            assert.deepEqual(begun, expected);
            assert.deepEqual([bulkhead.inFlight, bulkhead.queued, bulkhead.refused], [running.length, waiting.length, refused]);
          }
        },
      ),
      { numRuns: 300 },
    );
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

interface Call {
  readonly id: number;
  readonly work: Deferred<void>;
  readonly aborter: AbortController;
  outcome: Promise<string> | undefined;
}

const steps = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('call') }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('settle'), pick: fc.nat(), fails: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('abort'), pick: fc.nat() }) },
);

function makeBulkhead(options: BulkheadOptions): Bulkhead {
  return new Bulkhead('files', options, { clock: new VirtualClock() });
}

function isFull(error: unknown): boolean {
  return isVigilError(error, 'BulkheadFull');
}
