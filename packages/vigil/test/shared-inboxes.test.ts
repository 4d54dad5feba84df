import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as vigil from 'vigiljs';
import type * as workerModule from './fixtures/shared-worker.js';
import type { SharedArgs } from './fixtures/shared-worker.js';

const MODULE = new URL('./fixtures/shared-worker.js', import.meta.url);

/** What `produce numbers` sends. */
function numbered(payload: unknown): [string, number] {
  if (!Array.isArray(payload)) assert.fail('it is a pair');
  return [String(payload[0]), Number(payload[1])];
}

const { clock } = vigil.runtime();

/** Its figures, again and again. */
async function* statsOf(inbox: vigil.SharedInbox<unknown>): AsyncGenerator<vigil.InboxStats> {
  for (;;) {
    yield inbox.stats();
    await new Promise<void>((resolve) => clock.soon(resolve));
  }
}

/** Threads that share two inboxes with this event loop, and end with the test. */
class World implements AsyncDisposable {
  readonly runtime: vigil.Runtime = vigil.runtime();
  readonly jobs: vigil.SharedInbox<unknown>;
  readonly out: vigil.SharedInbox<unknown>;
  readonly supervisor: vigil.Supervisor;
  #started = 0;

  private constructor(capacity: number) {
    const builder = this.runtime.inboxBuilder<unknown>().capacity(capacity).shared();
    this.jobs = builder.name('jobs').build();
    this.out = builder.name('out').build();
    this.supervisor = this.runtime.supervisor().build();
  }

  static async start(capacity = 100): Promise<World> {
    const world = new World(capacity);
    await world.supervisor.start();
    return world;
  }

  /** @returns the id of the child. */
  async thread(
    does: SharedArgs['does'],
    options: { readonly maxBlockedMs?: number; readonly out?: readonly vigil.SharedInbox<unknown>[] } = {},
  ) {
    this.#started += 1;
    const id = `thread ${this.#started}`;
    const { out = [this.out], ...limits } = options;
    const startFn = vigil.thread<typeof workerModule>(MODULE, { args: { does, jobs: this.jobs, nested: { out } } });
    await this.supervisor.startChild({ id, startFn, restartType: 'temporary', shutdownTimeoutMs: 0, ...limits });
    return id;
  }

  async received(count: number): Promise<unknown[]> {
    const payloads: unknown[] = [];
    while (payloads.length < count) payloads.push((await this.out.recv()).payload);
    return payloads;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.jobs.close();
    await this.supervisor.stop();
  }
}

describe('a shared inbox in the args of a thread', () => {
  it('is the same inbox there, wherever it lies in the args', async () => {
    await using world = await World.start();
    await world.thread('echo');
    const payloads = ['text', 'Grüße, 世界', { order: [1, 2] }, new Map([['key', 1]]), 'x'.repeat(10_000), new Uint8Array([1, 2])];
    for (const payload of payloads) world.jobs.send(payload);
    assert.deepEqual(await world.received(payloads.length), payloads);
    const { messagesSent, messagesReceived, depth } = world.jobs.stats();
    assert.deepEqual([messagesSent, messagesReceived, depth], [payloads.length, payloads.length, 0]);
  });

  it('is one inbox where it was passed twice', async () => {
    await using world = await World.start();
    await world.thread('same', { out: [world.jobs] });
    assert.equal((await world.jobs.recv()).payload, true);
  });

  it('gives each message to one of several threads', async () => {
    await using world = await World.start();
    for (let index = 0; index < 3; index += 1) await world.thread('echo');
    const numbers = [...new Array(100).keys()];
    for (const number of numbers) world.jobs.send(number);
    const received = (await world.received(100)).map(Number);
    assert.deepEqual(
      received.toSorted((a, b) => a - b),
      numbers,
    );
  });

  it('tells every thread when it closes', async () => {
    await using world = await World.start();
    const id = await world.thread('echo');
    world.jobs.send('before');
    await world.received(1);
    const ref = world.supervisor.getChildInfo(id)?.ref ?? assert.fail('it runs');
    world.jobs.close();
    const { reason } = await ref.monitor().down;
    assert.deepEqual(reason, { kind: 'normal' });
    assert.deepEqual(await world.received(1), ['closed']);
  });

  it('REG-05, PG-03, PS-08: has neither name, group nor topic when the thread says that it has closed it, 1,000 times', async () => {
    await using world = await World.start();
    const { registry, pubsub } = world.runtime;
    const builder = world.runtime.inboxBuilder<unknown>().capacity(1).shared({ bytes: 64 });
    const inboxes = Array.from({ length: 1000 }, () => builder.build());
    await world.thread('close', { out: inboxes });
    const group = new vigil.ProcessGroup('all');
    for (const [index, inbox] of inboxes.entries()) {
      registry.register('db', inbox);
      group.add('db', inbox);
      new vigil.Subscriber(inbox, world.runtime).subscribe('news');
      assert.equal(registry.whereis('db'), inbox);
      assert.deepEqual(group.broadcast('to its member'), { delivered: 1, failed: 0 });
      await world.runtime.request(world.jobs, index);
      // Whoever asks first hears of it, whichever that is.
      const asked = [() => registry.whereis('db'), () => group.members()[0], () => pubsub.receiversOf('news')[0]];
      for (const first of [index % 3, 0, 1, 2]) assert.equal(asked[first]?.(), undefined);
    }
    assert.deepEqual([registry.size, group.count(), pubsub.stats().subscribers], [0, 0, 0]);
  });

  it('blocks a thread with recvSync and sendSync until there is something, or room', async () => {
    await using world = await World.start(1);
    await world.thread('echo blocked');
    for (let number = 0; number < 60; number += 3) {
      // One comes out, and one waits for room behind it.
      for (const payload of [number, number + 1, number + 2]) await world.jobs.sendWait(payload);
      assert.deepEqual(await world.received(3), [number, number + 1, number + 2]);
    }
    await world.jobs.sendWait('end');
    assert.deepEqual(await world.received(1), ['nothing came']);
  });

  it('keeps threads that send by blocking between its watermarks', async () => {
    await using world = await World.start();
    const backpressure = { strategy: 'block', highWatermark: 8, lowWatermark: 3 } as const;
    const out = world.runtime.inboxBuilder<unknown>().withBackpressure(backpressure).shared().build();
    for (let count = 0; count < 3; count += 1) await world.thread('produce numbers', { out: [out] });
    const last = new Map<unknown, number>();
    for (let count = 0; count < 3000; count += 1) {
      const { payload } = await out.recv();
      const [thread, number] = numbered(payload);
      assert.equal(number, (last.get(thread) ?? -1) + 1, 'in order, and none lost');
      last.set(thread, number);
    }
    const { peakDepth, flow } = out.stats();
    assert.ok(peakDepth <= 8, `${peakDepth} waited at a time`);
    assert.ok((flow?.blocked ?? 0) > 0);
    out.close();
  });

  it('holds threads back that send by blocking, by its rate and between its watermarks', async () => {
    await using world = await World.start();
    const builder = world.runtime.inboxBuilder<unknown>().shared();
    const limited = builder.withRateLimit({ maxPerSecond: 20, burst: 1 }).build();
    await world.thread('produce numbers', { out: [limited] });
    await limited.recv();
    const sinceMs = performance.now();
    await limited.recv();
    await limited.recv();
    // The first of them may have been on its way.
    assert.ok(performance.now() - sinceMs >= 50);
    assert.ok((limited.stats().flow?.delayed ?? 0) >= 2);
    limited.close();
  });

  it('takes from all threads together what its rate allows, though they send at the same time', async () => {
    await using world = await World.start();
    const most = 50_000;
    const builder = world.runtime
      .inboxBuilder<unknown>()
      .capacity(2 * most)
      .withRateLimit({ maxPerSecond: 0.001, burst: most });
    const out = builder.shared({ bytes: 2 ** 24 }).build();
    for (let count = 0; count < 2; count += 1) await world.thread('produce until refused', { out: [out] });
    for (const _ of [1, 2]) await out.recv();
    world.jobs.sendBatch(['go', 'go']);
    for await (const { flow } of statsOf(out)) if (flow?.throttled === 2) break;
    assert.equal(out.stats().messagesSent, most);
    out.close();
  });

  it('is as before when a thread has given up that was held back', async () => {
    await using world = await World.start();
    const backpressure = { strategy: 'block', highWatermark: 2, lowWatermark: 1 } as const;
    const builder = world.runtime.inboxBuilder<unknown>().withBackpressure(backpressure);
    const out = builder.withRateLimit({ maxPerSecond: 0.001, burst: 3 }).shared().build();
    out.sendBatch(['a', 'b']);
    await world.thread('produce in vain', { out: [out] });
    assert.equal((await world.jobs.recv()).payload, 'DeliveryTimeout');
    out.tryRecv();
    // It waits for nothing any more, and its token is there.
    assert.equal(out.send('c'), 'queued');
    out.close();
  });

  it('holds others back only while a thread is blocked', async () => {
    await using world = await World.start();
    const backpressure = { strategy: 'block', highWatermark: 4, lowWatermark: 2 } as const;
    const out = world.runtime.inboxBuilder<unknown>().withBackpressure(backpressure).shared().build();
    out.sendBatch(['a', 'b', 'c', 'd']);
    await world.thread('produce one', { out: [out] });
    for await (const { flow } of statsOf(out)) if (flow?.blocked === 1) break;
    out.tryRecv();
    assert.throws(
      () => out.send('e'),
      (error) => vigil.isVigilError(error, 'MailboxFull'),
    );
    out.recvBatch(2);
    for await (const { depth } of statsOf(out)) if (depth === 2) break;
    assert.equal(out.send('e'), 'queued');
    assert.deepEqual(
      out.recvBatch(9).map(({ payload }) => payload),
      ['d', 'last', 'e'],
    );
    out.close();
  });

  it('does not block the event loop of the application', async () => {
    await using world = await World.start();
    assert.throws(
      () => world.jobs.recvSync(),
      (error) => vigil.isVigilError(error, 'InvalidState'),
    );
    assert.throws(
      () => world.jobs.sendSync('a'),
      (error) => vigil.isVigilError(error, 'InvalidState'),
    );
    assert.equal(world.jobs.stats().depth, 0);
  });

  it('does not let a thread count as blocked that sleeps there', async () => {
    await using world = await World.start();
    const id = await world.thread('wait', { maxBlockedMs: 50 });
    await world.received(1);
    const ref = world.supervisor.getChildInfo(id)?.ref ?? assert.fail('it runs');
    // Its event loop stands still for several times as long.
    const late = await world.out.recvTimeout(300);
    assert.deepEqual([late, ref.isAlive()], [undefined, true]);
    world.jobs.send('woken');
    assert.deepEqual(await world.received(1), ['woken']);
  });

  it('carries requests, and their replies back', async () => {
    await using world = await World.start();
    const id = await world.thread('answer');
    const replies = await Promise.all([1, { two: 2 }].map((payload) => world.runtime.request(world.jobs, payload)));
    assert.deepEqual(replies, [
      [1, id],
      [{ two: 2 }, id],
    ]);
  });

  it('is refused in the args of a fork, which has no memory in common', async () => {
    await using world = await World.start();
    const startFn = vigil.fork(MODULE, { args: { jobs: world.jobs } });
    await assert.rejects(
      world.supervisor.startChild({ id: 'fork', startFn, restartType: 'temporary' }),
      (error) => vigil.isVigilError(error, 'ProcessStartFailed') && vigil.isVigilError(error.cause, 'InvalidConfiguration'),
    );
  });

  it('works on with balanced books when threads are ended in the middle of their sends', async () => {
    await using world = await World.start(50);
    for (let round = 0; round < 20; round += 1) {
      const id = await world.thread('produce');
      await world.received(100 + round * 7);
      await world.supervisor.terminateChild(id);
    }
    while (world.out.stats().depth > 0) await world.received(1);
    const { messagesSent, messagesReceived, messagesAbandoned } = world.out.stats();
    assert.deepEqual([messagesSent - messagesReceived, messagesAbandoned], [0, 0]);
    for (let number = 0; number < 50; number += 1) world.out.send(number);
    assert.throws(
      () => world.out.send('one too many'),
      (error) => vigil.isVigilError(error, 'MailboxFull'),
    );
  });
});
