import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { silentLogger } from '../core/index.js';
import type { ProcessContext } from '../processes/index.js';
import { timeout } from '../resilience/index.js';
import { VirtualClock } from '../testing/index.js';
import { Bulkhead, CircuitBreaker, KeyedRateLimiter, ProcessGroup, RateLimiter, Subscriber, Timer } from './low-level.js';
import { Runtime } from './runtime.js';

describe('runtime.snapshot', () => {
  it('has nothing of a runtime in which there is nothing', async () => {
    const { runtime, clock } = scene();
    await clock.advance(5);
    assert.deepEqual(runtime.snapshot(), {
      timestampMs: clock.wallTime(),
      uptimeMs: 5,
      isDraining: false,
      supervisors: [],
      givenUp: [],
      mailboxes: [],
      names: [],
      groups: [],
      topics: { subscribers: 0, patterns: 0, published: 0, delivered: 0, failed: 0 },
      circuits: [],
      bulkheads: [],
      rateLimiters: [],
      keyedRateLimiters: [],
      timers: { pending: 0, fired: 0, cancelled: 0 },
      shutdownHooks: 0,
      deadLetters: { size: 0, capacity: 1000, evicted: 0 },
      requests: { pending: 0, lateReplies: 0 },
      crashes: 0,
    });
  });

  it('has the trees that run, and no tree below another one twice', async () => {
    const { runtime } = scene();
    const inner = runtime.supervisor().name('inner').child('worker', idle).build();
    const outer = runtime.supervisor().name('outer').child('inner', inner).build();
    const other = runtime.supervisor().name('other').build();
    await outer.start();
    await other.start();
    assert.deepEqual(runtime.snapshot().supervisors, [outer.inspect(), other.inspect()]);
    await outer.stop();
    assert.deepEqual(runtime.snapshot().supervisors, [other.inspect()]);
  });

  it('has the trees that gave up until they are started again', async () => {
    const { runtime, clock } = scene();
    const supervisor = runtime.supervisor().name('app').maxRestarts(0).child('a', crashing).build();
    await supervisor.start();
    await clock.advance(0);
    const [gaveUp, ...others] = runtime.snapshot().givenUp;
    assert.equal(others.length, 0);
    assert.equal(gaveUp?.supervisor, 'app');
    assert.equal(gaveUp?.reason, await supervisor.exited);
    const again = supervisor.start();
    assert.deepEqual(runtime.snapshot().givenUp, []);
    await again;
  });

  it('remembers a hundred trees that gave up', async () => {
    const { runtime, clock } = scene();
    for (let number = 0; number < 102; number += 1)
      await runtime.supervisor().name(`s${number}`).maxRestarts(0).child('a', crashing).build().start();
    await clock.advance(0);
    const names = runtime.snapshot().givenUp.map(({ supervisor }) => supervisor);
    assert.deepEqual([names.length, names[0], names.at(-1)], [100, 's2', 's101']);
  });

  it('has the mailboxes of processes by their paths, and those that were built, with the age of what waits', async () => {
    const { runtime, clock } = scene();
    const reading = async ({ inbox, stopped }: ProcessContext) => {
      await inbox.recv();
      await stopped;
    };
    const pool = runtime.supervisor().child('reader', reading).child('never used', idle).build();
    const supervisor = runtime.supervisor().name('app').child('pool', pool).build();
    await supervisor.start();
    const inbox = runtime.inboxBuilder<string>().name('orders').build();
    const shared = runtime.inboxBuilder<string>().name('shared').priorityQueues(false).shared().build();
    for (const each of [inbox, shared]) each.send('first', { priority: 'high' });
    runtime.snapshot();
    await clock.advance(10);
    inbox.send('second');
    const { mailboxes } = runtime.snapshot();
    const empty = { priority: 'normal', depth: 0, oldestAgeMs: undefined };
    assert.deepEqual(
      mailboxes.map(({ name, stats, queues }) => [name, stats.messagesSent, queues]),
      [
        ['app/pool/reader', 0, []],
        [
          'orders',
          2,
          [
            { priority: 'high', depth: 1, oldestAgeMs: 10 },
            { ...empty, depth: 1, oldestAgeMs: 0 },
          ],
        ],
        ['shared', 1, [{ priority: 'all', depth: 1, oldestAgeMs: 10 }]],
      ],
    );
    assert.deepEqual(mailboxes[1]?.stats, inbox.stats());
    inbox.close();
    inbox.recvBatch(5);
    shared.close();
    assert.deepEqual(
      runtime.snapshot().mailboxes.map(({ name }) => name),
      ['app/pool/reader', 'shared'],
    );
  });

  it('has each queue of a shared inbox', () => {
    const { runtime } = scene();
    const inbox = runtime.inboxBuilder<number>().shared().build();
    for (const priority of ['low', 'critical', 'low'] as const) inbox.send(1, { priority });
    inbox.recv().catch(() => {});
    const [mailbox] = runtime.snapshot().mailboxes;
    assert.deepEqual(
      mailbox?.queues.map(({ priority, depth }) => [priority, depth]),
      [
        ['critical', 0],
        ['high', 0],
        ['normal', 0],
        ['low', 2],
        ['batch', 0],
      ],
    );
  });

  it('has names, groups, topics, dead letters, hooks, crashes and requests', async () => {
    const { runtime, clock } = scene();
    const inbox = runtime.inboxBuilder().capacity(5).build();
    inbox.send('waits');
    runtime.registry.register('orders', inbox);
    const group = new ProcessGroup('workers', runtime);
    group.add('one', inbox);
    new Subscriber(inbox, runtime).subscribe(['news.*']);
    runtime.onShutdown(() => {});
    await runtime.supervisor().maxRestarts(0).child('a', crashing).build().start();
    const asked = assert.rejects(runtime.request(inbox, 'answer me', { timeoutMs: 10 }));
    await clock.advance(0);
    const snapshot = runtime.snapshot();
    assert.deepEqual(snapshot.names, [{ name: 'orders', depth: 2, capacity: 5, deadLetters: 0 }]);
    assert.deepEqual(snapshot.groups, [{ name: 'workers', ...group.stats() }]);
    assert.deepEqual(snapshot.topics, runtime.pubsub.stats());
    assert.equal(snapshot.topics.patterns, 1);
    assert.equal(snapshot.shutdownHooks, 1);
    assert.deepEqual([snapshot.crashes, snapshot.requests.pending], [1, 1]);
    await clock.advance(10);
    await asked;
    assert.equal(runtime.snapshot().requests.pending, 0);
  });

  it('has circuits, bulkheads, rate limiters and timers', async () => {
    const { runtime, clock } = scene();
    const circuit = new CircuitBreaker('api', {}, runtime);
    circuit.forceOpen();
    await assert.rejects(circuit.call(() => 1));
    const bulkhead = new Bulkhead('database', { maxConcurrent: 1, maxQueued: 1 }, runtime);
    const guarded = runtime.policy(timeout(1000), bulkhead);
    const slow = () => new Promise<void>((resolve) => void clock.after(5, resolve));
    const calls = [guarded(slow), guarded(slow), guarded(slow).catch(() => {})];
    const limiter = new RateLimiter({ name: 'clients', perSecond: 2 }, runtime);
    limiter.allow();
    const keyed = new KeyedRateLimiter({ perSecond: 2 }, runtime);
    keyed.allow('me');
    const timers = [new Timer(runtime), new Timer(runtime)];
    for (const timer of timers) timer.setTimeout(1000, () => {});
    timers[0]!.setTimeout(2000, () => {})();
    const snapshot = runtime.snapshot();
    assert.deepEqual(snapshot.circuits, [{ name: 'api', state: 'open', failures: 0, refused: 1 }]);
    assert.deepEqual(snapshot.bulkheads, [{ name: 'database', inFlight: 1, queued: 1, refused: 1 }]);
    assert.deepEqual(snapshot.rateLimiters, [{ name: 'clients', available: 1, waiting: 0 }]);
    assert.deepEqual(snapshot.keyedRateLimiters, [{ name: 'rate limiter', keys: 1 }]);
    assert.deepEqual(snapshot.timers, { pending: 2, fired: 0, cancelled: 1 });
    await clock.advance(10);
    await Promise.all(calls);
  });

  it('keeps nothing alive', async () => {
    const { runtime } = scene();
    for (let count = 0; count < 100; count += 1) assert.ok(new CircuitBreaker('forgotten', {}, runtime));
    // A weak reference holds until the turn in which it was made is over.
    await new Promise(setImmediate);
    collectGarbage();
    assert.equal(runtime.snapshot().circuits.length, 0);
  });

  it('is of its runtime alone', async () => {
    const [one, other] = [scene().runtime, scene().runtime];
    await one.supervisor().build().start();
    one.inbox();
    assert.ok(new CircuitBreaker('api', {}, one));
    const { supervisors, mailboxes, circuits } = other.snapshot();
    assert.deepEqual([supervisors, mailboxes, circuits], [[], [], []]);
  });
});

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  assert.ok(typeof collect === 'function');
  collect();
}

const idle = ({ stopped }: ProcessContext) => stopped;
const crashing = () => Promise.reject(new Error('boom'));

function scene(): { readonly runtime: Runtime; readonly clock: VirtualClock } {
  const clock = new VirtualClock();
  return { runtime: new Runtime({ clock, log: silentLogger }), clock };
}
