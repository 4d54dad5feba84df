import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { VirtualClock } from '../testing/index.js';
import { WaitingLine } from './waiting-line.js';

describe('WaitingLine', () => {
  it('serves in the order of joining', async () => {
    const line = new WaitingLine<number, string>(new VirtualClock());
    const promises = ['a', 'b', 'c'].map((item) => line.join(item));
    const served: string[] = [];
    for (let i = 1; i <= 3; i += 1) {
      const waiter = line.shift();
      served.push(waiter?.item ?? 'nobody');
      waiter?.resolve(i);
    }
    assert.deepEqual(served, ['a', 'b', 'c']);
    assert.deepEqual(await Promise.all(promises), [1, 2, 3]);
  });

  it('has nobody to serve when nobody waits', () => {
    const line = new WaitingLine<number>(new VirtualClock());
    assert.equal(line.shift(), undefined);
    assert.equal(line.size, 0);
  });

  it('counts who waits', async () => {
    const clock = new VirtualClock();
    const line = new WaitingLine<number>(clock);
    const aborter = new AbortController();
    const results = [
      line.join(undefined),
      line.join(undefined, { timeoutMs: 5, timedOut: () => -1 }),
      line.join(undefined, { signal: aborter.signal }).catch(() => -2),
      line.join(undefined),
    ];
    const sizes = [line.size];
    await clock.advance(5);
    sizes.push(line.size);
    aborter.abort();
    sizes.push(line.size);
    line.shift()?.resolve(1);
    sizes.push(line.size);
    line.shift()?.resolve(2);
    sizes.push(line.size);
    assert.deepEqual(sizes, [4, 3, 2, 1, 0]);
    assert.deepEqual(await Promise.all(results), [1, -1, -2, 2]);
  });

  it('lets anyone leave: the first, the last and one in between', async () => {
    for (const leaver of [0, 1, 2]) {
      const line = new WaitingLine<string, number>(new VirtualClock());
      const aborter = new AbortController();
      const settled = [0, 1, 2].map((item) =>
        line.join(item, item === leaver ? { signal: aborter.signal } : undefined).catch((error: unknown) => error),
      );
      aborter.abort('left');
      const joinedLater = line.join(3);
      const served: number[] = [];
      for (let waiter = line.shift(); waiter !== undefined; waiter = line.shift()) {
        served.push(waiter.item);
        waiter.resolve('served');
      }
      assert.deepEqual(
        served,
        [0, 1, 2, 3].filter((item) => item !== leaver),
      );
      assert.equal(await settled[leaver], 'left');
      assert.equal(await joinedLater, 'served');
    }
  });

  it('ends a wait with the value for its time-out, at that time', async () => {
    const clock = new VirtualClock();
    const line = new WaitingLine<string>(clock);
    const result = line.join(undefined, { timeoutMs: 10, timedOut: () => clock.now() });
    await clock.advance(50);
    assert.equal(await result, 10);
  });

  it('ends a wait with the error that its time-out throws', async () => {
    const clock = new VirtualClock();
    const result = new WaitingLine<string>(clock).join(undefined, { timeoutMs: 10, timedOut: throwTooLate });
    await Promise.all([assert.rejects(result, /too late/), clock.advance(10)]);
  });

  it('waits for ever without a time-out', async () => {
    const clock = new VirtualClock();
    const line = new WaitingLine<string>(clock);
    const result = line.join(undefined);
    await clock.advance(1e12);
    assert.equal(clock.pendingTimers, 0);
    line.shift()?.resolve('at last');
    assert.equal(await result, 'at last');
  });

  it('ends a wait with the reason of the signal', async () => {
    const aborter = new AbortController();
    const result = new WaitingLine<string>(new VirtualClock()).join(undefined, { signal: aborter.signal });
    const reason = new Error('changed my mind');
    aborter.abort(reason);
    await assert.rejects(result, reason);
  });

  it('does not let anyone join whose signal has aborted', async () => {
    const line = new WaitingLine<string>(new VirtualClock());
    const reason = new Error('changed my mind');
    await assert.rejects(line.join(undefined, { signal: AbortSignal.abort(reason) }), reason);
    assert.equal(line.size, 0);
  });

  it('settles each wait once, however its ends meet', async () => {
    const clock = new VirtualClock();
    const line = new WaitingLine<string>(clock);
    const aborter = new AbortController();
    const join = () => line.join(undefined, { signal: aborter.signal, timeoutMs: 10, timedOut: () => 'timed out' });

    const served = join();
    line.shift()?.resolve('served');
    const timedOut = join();
    await clock.advance(10);
    const aborted = join();
    aborter.abort(new Error('aborted'));
    await assert.rejects(aborted, /aborted/);
    await clock.advance(10);

    assert.deepEqual(await Promise.all([served, timedOut]), ['served', 'timed out']);
    assert.equal(line.size, 0);
  });

  it('leaves neither timer nor listener behind, however a wait ends', async () => {
    const clock = new VirtualClock();
    const line = new WaitingLine<string>(clock);
    const aborter = new AbortController();
    const join = () => line.join(undefined, { signal: aborter.signal, timeoutMs: 10, timedOut: () => 'timed out' });
    const nothingLeft = () => {
      assert.equal(clock.pendingTimers, 0);
      assert.deepEqual(getEventListeners(aborter.signal, 'abort'), []);
    };

    const served = join();
    line.shift()?.resolve('served');
    nothingLeft();
    const sentAway = join().catch(() => 'sent away');
    line.rejectAll(() => new Error('closed'));
    nothingLeft();
    const timedOut = join();
    await clock.advance(10);
    nothingLeft();
    const aborted = join();
    aborter.abort(new Error('aborted'));
    nothingLeft();

    assert.deepEqual(await Promise.all([served, sentAway, timedOut]), ['served', 'sent away', 'timed out']);
    await assert.rejects(aborted, /aborted/);
  });

  it('sends everybody away with an error of their own', async () => {
    const line = new WaitingLine<string>(new VirtualClock());
    const results = [line.join(undefined), line.join(undefined)].map((result) => result.catch((error: unknown) => error));
    line.rejectAll(() => new Error('closed'));
    assert.equal(line.size, 0);
    const [first, second] = await Promise.all(results);
    assert.ok(first instanceof Error && second instanceof Error && first !== second);
  });
});

function throwTooLate(): never {
  throw new Error('too late');
}
