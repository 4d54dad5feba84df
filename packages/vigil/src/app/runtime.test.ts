import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { isVigilError, type Logger, silentLogger, type VigilErrorCode } from '../core/index.js';
import type { ProcessContext, ProcessRef } from '../processes/index.js';
import { SeededRandom, VirtualClock } from '../testing/index.js';
import { Runtime } from './runtime.js';

describe('Runtime', () => {
  it('uses the clock, the random source and the log that it was given', () => {
    const [clock, random] = [new VirtualClock(), new SeededRandom(1)];
    const warn = mock.fn<Logger['warn']>();
    const runtime = new Runtime({ clock, random, log: { ...silentLogger, warn } });
    assert.deepEqual([runtime.clock, runtime.random], [clock, random]);
    assert.deepEqual([runtime.environment.clock, runtime.environment.random], [clock, random]);
    runtime.log.warn('hello');
    assert.equal(warn.mock.callCount(), 1);
  });

  it('writes nothing when it was given no log', async (test) => {
    const methods = (['debug', 'info', 'warn', 'error'] as const).map((method) => test.mock.method(console, method, () => {}));
    const clock = new VirtualClock();
    const runtime = new Runtime({ clock });
    runtime.telemetry.on('process_started', () => {
      throw new Error('a handler');
    });
    runtime.onShutdown(() => Promise.reject(new Error('a hook')));
    const crashing = runtime
      .supervisor()
      .maxRestarts(0)
      .child('a', () => Promise.reject(new Error('a child')));
    await crashing.build().start();
    await clock.advance(0);
    await runtime.shutdownAll();
    assert.deepEqual(
      methods.map((method) => method.mock.callCount()),
      [0, 0, 0, 0],
    );
  });

  describe('two runtimes do not see each other:', () => {
    it('a name can be taken in both, and is looked up in one', async () => {
      const [one, other] = [quietRuntime(), quietRuntime()];
      for (const runtime of [one, other]) await runtime.supervisor().child('a', registered).build().start();
      assert.equal(one.registry.unregister('db'), true);
      assert.deepEqual([one.registry.size, other.registry.size], [0, 1]);
    });

    it('telemetry', () => {
      const [one, other] = [quietRuntime(), quietRuntime()];
      one.telemetry.on('message_sent', () => assert.fail('was sent elsewhere'));
      other.inbox().send('x');
    });

    it('dead letters', async () => {
      const [one, other] = [quietRuntime(), quietRuntime()];
      await endWithLeftovers(one, ['x']);
      assert.deepEqual([one.deadLetters.size, other.deadLetters.size], [1, 0]);
    });

    it('shutdown hooks', async () => {
      const [one, other] = [quietRuntime(), quietRuntime()];
      other.onShutdown(() => assert.fail('belongs to the other'));
      await other.app({ log: false }).worker('a', idle).start();
      assert.equal((await one.shutdownAll()).completed, 0);
    });
  });

  it('MBX-12: gives every message an id that no other message of it has', async () => {
    const runtime = quietRuntime();
    const [one, other] = [runtime.inbox<number>(), runtime.inboxBuilder<number>().build()];
    one.send(1);
    other.send(1);
    one.sendBatch([1, 2]);
    await other.sendWait(2);
    one.sendMessage(runtime.msg(3).build());
    const ids = [...one.recvBatch(9), ...other.recvBatch(9)].map(({ id }) => id);
    assert.equal(new Set(ids).size, 6);
  });

  describe('via', () => {
    it('refuses to send, and names the name, while nobody has it', async () => {
      const db = quietRuntime().via('db');
      assert.throws(() => db.send('x'), isDbUnknown);
      assert.throws(() => db.sendMessage(quietRuntime().msg('x').build()), isDbUnknown);
      await assert.rejects(db.sendWait('x'), isDbUnknown);
    });

    it('reaches whoever has the name at each send', async () => {
      const runtime = quietRuntime();
      const [first, second] = [runtime.inbox<string>(), runtime.inbox<string>()];
      const db = runtime.via<string>('db');
      runtime.registry.register('db', first);
      db.send('a');
      first.close();
      assert.throws(() => db.send('lost'), isError('NotRegistered'));
      runtime.registry.register('db', second);
      db.sendMessage(runtime.msg('b').build());
      await db.sendWait('c');
      assert.deepEqual([first.stats().messagesSent, second.stats().messagesSent], [1, 2]);
    });

    it('REG-05: reaches the successor of a process that registers "db", 1,000 times', async () => {
      const runtime = quietRuntime();
      const cycles = 1000;
      const handled: string[] = [];
      const server = async (ctx: ProcessContext<string>) => {
        ctx.register('db');
        const { payload } = await ctx.inbox.recv();
        handled.push(`${payload} by ${ctx.incarnation}`);
        throw new Error('boom');
      };
      const supervisor = runtime.supervisor().maxRestarts(cycles).child('db', server).build();
      const restarted = awaiting<string>();
      runtime.telemetry.on('process_started', ({ metadata }) => restarted.resolve(metadata.id));
      await supervisor.start();
      const db = runtime.via<string>('db');
      for (let cycle = 1; cycle <= cycles; cycle += 1) {
        const next = restarted.again();
        db.send(`query ${cycle}`);
        assert.equal(runtime.registry.size, 1);
        await next;
      }
      const expected = Array.from({ length: cycles }, (_, index) => `query ${index + 1} by ${index + 1}`);
      assert.deepEqual(handled, expected);
      assert.equal(supervisor.inspect().state, 'running');
    });
  });

  describe('its supervisors of other kinds', () => {
    it('dynamicSupervisor: starts children of one kind, in its environment, each with its own args', async () => {
      const runtime = quietRuntime();
      const served: string[] = [];
      const connections = runtime.dynamicSupervisor<string, string>(
        {
          id: 'connection',
          restartType: 'temporary',
          startFn: (ctx) => {
            served.push(`${ctx.id} ${ctx.args}`);
            return ctx.stopped;
          },
        },
        { name: 'connections', maxChildren: 2 },
      );
      assert.equal(connections.environment, runtime.environment);
      await connections.start();
      const first = await connections.startChild('10.0.0.1');
      await connections.startChild('10.0.0.2');
      await assert.rejects(connections.startChild('10.0.0.3'), isError('TooManyChildren'));
      assert.deepEqual(served, ['connection_1 10.0.0.1', 'connection_2 10.0.0.2']);
      await connections.terminateChild(first);
      assert.deepEqual(
        connections.inspect().children.map(({ id }) => id),
        ['connection_2'],
      );
      await connections.stop();
    });

    it('dynamicSupervisor: needs no options', async () => {
      const supervisor = quietRuntime().dynamicSupervisor({ startFn: idle });
      const { name, maxRestarts, maxSeconds, state } = supervisor.inspect();
      assert.deepEqual([name, maxRestarts, maxSeconds, state], ['supervisor', 3, 5, 'idle']);
    });

    it('taskSupervisor: runs functions for their results, with and without options', async () => {
      const runtime = quietRuntime();
      const tasks = runtime.taskSupervisor();
      assert.equal(tasks.environment, runtime.environment);
      await tasks.start();
      assert.equal(await tasks.run(async () => 6 * 7), 42);
      await tasks.stop();
      const limited = runtime.taskSupervisor({ name: 'limited', maxChildren: 0 });
      await limited.start();
      await assert.rejects(
        limited.run(() => 1),
        isError('TooManyChildren'),
      );
      assert.equal(limited.name, 'limited');
      await limited.stop();
    });

    it('partitionSupervisor: sends what belongs to one key to one child', async () => {
      const runtime = quietRuntime();
      const received: string[] = [];
      const startFn = async (ctx: ProcessContext<string>) => {
        for await (const { payload } of ctx.inbox) received.push(`${ctx.id} ${payload}`);
      };
      const partitions = runtime.partitionSupervisor({ startFn }, { partitions: 3, name: 'shards' });
      assert.deepEqual([partitions.environment, partitions.name], [runtime.environment, 'shards']);
      await partitions.start();
      partitions.route(4).send('x');
      await partitions.stop();
      assert.deepEqual(received, ['partition_1 x']);
    });

    it('are supervised like any child, by a supervisor of the same runtime', async () => {
      const runtime = quietRuntime();
      const tasks = runtime.taskSupervisor();
      const connections = runtime.dynamicSupervisor({ startFn: idle });
      const partitions = runtime.partitionSupervisor({ startFn: idle }, { partitions: 2 });
      const top = runtime
        .supervisor()
        .name('top')
        .child('tasks', tasks)
        .child('connections', connections)
        .child('partitions', partitions)
        .build();
      await top.start();
      assert.deepEqual(await top.countChildren(), { specs: 3, active: 3, supervisors: 3, workers: 0 });
      assert.equal(await tasks.run(() => 42), 42);
      await connections.startChild(undefined);
      assert.deepEqual(
        top.inspect().children.map(({ id, supervisor }) => [id, supervisor?.childCount]),
        [
          ['tasks', 0],
          ['connections', 1],
          ['partitions', 2],
        ],
      );
      await top.stop();
      assert.deepEqual([tasks.state, connections.state, partitions.state], ['stopped', 'stopped', 'stopped']);
    });

    it('report to the telemetry of this runtime, and of no other', async () => {
      const [one, other] = [quietRuntime(), quietRuntime()];
      other.telemetry.on('supervisor_started', () => assert.fail('belongs to the other'));
      const started: string[] = [];
      one.telemetry.on('supervisor_started', ({ metadata }) => started.push(metadata.supervisor));
      const supervisors = [
        one.dynamicSupervisor({ startFn: idle }, { name: 'd' }),
        one.taskSupervisor({ name: 't' }),
        one.partitionSupervisor({ startFn: idle }, { name: 'p', partitions: 1 }),
      ];
      for (const supervisor of supervisors) await supervisor.start();
      for (const supervisor of supervisors) await supervisor.stop();
      assert.deepEqual(started, ['d', 't', 'p']);
    });
  });

  describe('deadLetters', () => {
    it('hold what ended processes had not received, with its mailbox and its reason', async () => {
      const runtime = quietRuntime();
      await endWithLeftovers(runtime, ['first', 'second']);
      assert.deepEqual(
        runtime.deadLetters.list().map(({ message, mailbox, reason }) => [message.payload, mailbox, reason]),
        [
          ['first', 'worker', 'process_exited'],
          ['second', 'worker', 'process_exited'],
        ],
      );
    });

    it('can be sent to somebody else', async () => {
      const runtime = quietRuntime();
      await endWithLeftovers(runtime, ['x']);
      const heir = runtime.inbox();
      assert.equal(runtime.deadLetters.replay(1, heir), 'replayed');
      assert.deepEqual([heir.tryRecv()?.payload, runtime.deadLetters.size], ['x', 0]);
      await endWithLeftovers(runtime, ['y']);
      assert.throws(() => runtime.deadLetters.replay(2), isError('InvalidState'));
      assert.equal(runtime.deadLetters.discard(2), true);
    });

    it('are as many as they were told, the oldest making room', async () => {
      const runtime = new Runtime({ clock: new VirtualClock(), deadLetterCapacity: 2 });
      await endWithLeftovers(runtime, ['a', 'b', 'c']);
      const { capacity, evicted } = runtime.deadLetters;
      assert.deepEqual([capacity, evicted, runtime.deadLetters.list().map(({ id }) => id)], [2, 1, [2, 3]]);
      assert.equal(new Runtime().deadLetters.capacity, 1000);
    });
  });

  it('onShutdown and shutdownAll are those of its shutdown manager', async () => {
    const runtime = quietRuntime();
    const ran: string[] = [];
    runtime.onShutdown(() => void ran.push('a'));
    runtime.shutdownManager.onShutdown(() => void ran.push('b'));
    const takeBack = runtime.onShutdown(() => void ran.push('c'));
    assert.equal(takeBack(), true);
    const report = await runtime.shutdownAll({ order: 'forward' });
    assert.deepEqual(ran, ['a', 'b']);
    assert.equal(await runtime.shutdownManager.shutdown(), report);
  });
});

/** Runs a process that ends without having received what was sent to it. */
async function endWithLeftovers(runtime: Runtime, payloads: readonly string[]): Promise<void> {
  let self: ProcessRef | undefined;
  const worker = (ctx: ProcessContext) => {
    self = ctx.self;
    return ctx.stopped;
  };
  const supervisor = runtime.supervisor().child('worker', worker).build();
  await supervisor.start();
  for (const payload of payloads) self?.send(payload);
  await supervisor.stop();
}

/** A promise that can be had again and again. */
function awaiting<T>(): { resolve: (value: T) => void; again: () => Promise<T> } {
  const waiting: { resolve: (value: T) => void } = { resolve() {} };
  return {
    resolve: (value) => waiting.resolve(value),
    again: () =>
      new Promise<T>((resolve) => {
        waiting.resolve = resolve;
      }),
  };
}

function quietRuntime(): Runtime {
  return new Runtime({ clock: new VirtualClock() });
}

function registered(ctx: ProcessContext): Promise<void> {
  ctx.register('db');
  return ctx.stopped;
}

function idle(ctx: ProcessContext): Promise<void> {
  return ctx.stopped;
}

function isDbUnknown(error: unknown): boolean {
  return isError('NotRegistered')(error) && String(error).includes('"db"');
}

function isError(code: VigilErrorCode): (error: unknown) => boolean {
  return (error) => isVigilError(error, code);
}
