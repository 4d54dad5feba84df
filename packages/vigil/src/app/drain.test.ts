import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Inbox, isVigilError, silentLogger } from '../core/index.js';
import type { ProcessContext } from '../processes/index.js';
import { VirtualClock } from '../testing/index.js';
import { Timer } from './low-level.js';
import { Runtime } from './runtime.js';

describe('runtime.drain', () => {
  it('HOOK-06: refuses new work, stops timers, waits until the inboxes are empty, then runs the hooks', async () => {
    const { runtime, clock, did } = scene();
    const inboxes: readonly Inbox<string>[] = [runtime.inbox<string>(), runtime.inboxBuilder<string>().shared().build()];
    for (const inbox of inboxes) inbox.send('accepted');
    new Timer(runtime).setTimeout(1, () => did.push('timer'));
    runtime.onShutdown(() => void did.push('hook'));
    const drained = runtime.drain(100);
    for (const inbox of inboxes) {
      assert.throws(
        () => inbox.send('refused'),
        (error) => isVigilError(error, 'InboxClosed'),
      );
    }
    await clock.advance(50);
    assert.equal(did.length, 0);
    for (const inbox of inboxes) did.push((await inbox.recv()).payload);
    await clock.advance(10);
    assert.equal(await drained, true);
    assert.deepEqual(did, ['accepted', 'accepted', 'hook']);
  });

  it('HOOK-06: is false when the time is over first, and the hooks run all the same', async () => {
    const { runtime, clock, did } = scene();
    runtime.inbox().send('nobody receives this');
    runtime.onShutdown(() => void did.push('hook'));
    const drained = runtime.drain(100);
    await clock.advance(99);
    assert.equal(did.length, 0);
    await clock.advance(1);
    assert.equal(await drained, false);
    assert.deepEqual(did, ['hook']);
  });

  it('waits for the inboxes of processes, which still take what follows from the work', async () => {
    const { runtime, clock, did } = scene();
    const second = async ({ inbox }: ProcessContext<string>) => {
      for await (const { payload } of inbox) {
        await new Promise<void>((resolve) => void clock.after(20, resolve));
        did.push(`second ${payload}`);
      }
    };
    const orders = runtime.inbox<string>();
    const supervisor = runtime.supervisor().name('app').child('second', second).build();
    const first = async () => {
      for await (const { payload } of orders) supervisor.address('second').send(payload);
    };
    await supervisor.start();
    await supervisor.startChild({ id: 'first', startFn: first });
    for (const order of ['a', 'b', 'c']) orders.send(order);
    const drained = runtime.drain(1000);
    await clock.advance(200);
    assert.equal(await drained, true);
    assert.deepEqual(did, ['second a', 'second b', 'second c']);
    await supervisor.stop();
  });

  it('does not start again who has returned since nothing is left to do, but who has crashed over his work', async () => {
    const { runtime, clock, did } = scene();
    const orders = runtime.inbox<string>();
    const body = async ({ incarnation }: ProcessContext) => {
      for await (const { payload } of orders) {
        did.push(`${incarnation} ${payload}`);
        if (payload === 'bad') throw new Error('boom');
      }
    };
    const supervisor = runtime.supervisor().maxRestarts(1).child('worker', body).build();
    await supervisor.start();
    await clock.advance(0);
    const drained = runtime.drain(1000);
    await clock.advance(0);
    orders.close();
    assert.equal(supervisor.getChildInfo('worker')?.state, 'stopped');
    assert.equal(supervisor.state, 'running');
    await clock.advance(10);
    assert.equal(await drained, true);

    const other = scene();
    const bad = other.runtime.inbox<string>();
    const crashing = other.runtime.supervisor().maxRestarts(1);
    crashing.child('worker', async ({ incarnation }: ProcessContext) => {
      for await (const { payload } of bad) {
        // Not before the drain has begun.
        await new Promise<void>((resolve) => void other.clock.after(1, resolve));
        other.did.push(`${incarnation} ${payload}`);
        if (payload === 'bad') throw new Error('boom');
      }
    });
    const built = crashing.build();
    for (const order of ['bad', 'good']) bad.send(order);
    await built.start();
    const done = other.runtime.drain(1000);
    await other.clock.advance(10);
    assert.equal(await done, true);
    assert.deepEqual(other.did, ['1 bad', '2 good']);
  });

  it('is not ready while it drains, and says so once to those who want to know', async () => {
    const { runtime, clock, did } = scene();
    runtime.onDrain(() => did.push('one'));
    runtime.onDrain(() => did.push('taken back'))();
    assert.equal(runtime.health().isReady, true);
    const [first, second] = [runtime.drain(100), runtime.drain(0)];
    assert.deepEqual([runtime.isDraining, runtime.health().isReady, did], [true, false, ['one']]);
    assert.equal(runtime.onDrain(() => did.push('too late'))(), false);
    await clock.advance(1);
    assert.deepEqual([await first, await second, did], [true, true, ['one']]);
  });

  it('passes on how the shutdown is to be', async () => {
    const { runtime, did } = scene();
    for (const name of ['a', 'b']) runtime.onShutdown(() => void did.push(name));
    await runtime.drain(100, { order: 'forward' });
    assert.deepEqual(did, ['a', 'b']);
  });
});

function scene(): { readonly runtime: Runtime; readonly clock: VirtualClock; readonly did: string[] } {
  const clock = new VirtualClock();
  return { runtime: new Runtime({ clock, log: silentLogger }), clock, did: [] };
}
