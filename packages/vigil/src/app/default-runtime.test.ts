import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isVigilError, Message, type TelemetryEvent } from '../core/index.js';
import type { ProcessContext } from '../processes/index.js';
import { retry, timeout } from '../resilience/index.js';
import { Supervisor as CoreSupervisor } from '../supervision/index.js';
import { VirtualClock } from '../testing/index.js';
import { App } from './app.js';
import {
  app,
  appWithPreset,
  defaultRuntime,
  dynamicSupervisor,
  inbox,
  inboxBuilder,
  msg,
  onShutdown,
  partitionSupervisor,
  policy,
  publish,
  runtime,
  shutdownAll,
  supervisor,
  taskSupervisor,
  via,
} from './default-runtime.js';
import * as pubsub from './global-pubsub.js';
import * as shutdown from './global-shutdown.js';
import * as telemetry from './global-telemetry.js';
import { Bulkhead, CircuitBreaker, ProcessMailbox, RetryBudget, Subscriber, Supervisor } from './low-level.js';

const quiet = runtime({ clock: new VirtualClock() });

describe('the default runtime', () => {
  it('is one, and not one that runtime() makes', () => {
    assert.equal(defaultRuntime(), defaultRuntime());
    assert.notEqual(runtime(), defaultRuntime());
  });

  it('has the broker of the reference, with which a subscriber is from the start', () => {
    const [events, others] = [inbox<string>(), inbox<string>()];
    using subscriber = new Subscriber(events);
    using elsewhere = new Subscriber(others, quiet);
    for (const one of [subscriber, elsewhere]) one.subscribe(['events.user.*', 'events.system.#']);
    assert.deepEqual(publish('events.user.created', 'user_data'), { delivered: 1, failed: 0 });
    assert.deepEqual(pubsub.getGlobal().publish('events.system.alert', 'alert_data'), { delivered: 1, failed: 0 });
    assert.deepEqual(quiet.publish('events.system', 'quiet'), { delivered: 1, failed: 0 });
    const broker = new pubsub.PubSubBroker();
    broker.subscribe(subscriber);
    broker.publish('events.system', 'own broker');
    assert.equal(broker.unsubscribe(subscriber), true);
    assert.deepEqual(
      [...events.recvBatch(9), ...others.recvBatch(9)].map(({ payload }) => payload),
      ['user_data', 'alert_data', 'own broker', 'quiet'],
    );
    assert.equal(pubsub.initGlobal(), defaultRuntime().pubsub);
  });

  it('is what everything is on that was made through no other', async () => {
    const sent: string[] = [];
    telemetry.getGlobal().on('message_sent', ({ metadata }) => sent.push(metadata.mailbox));
    const [box, named] = [inbox<string>(), inboxBuilder<string>().name('named').build()];
    defaultRuntime().registry.register('box', box);
    via<string>('box').send('x');
    named.sendMessage(msg('x').build());
    new ProcessMailbox<string>().send(msg('x').build());
    quiet.inbox().send('elsewhere');
    telemetry.getGlobal().removeHandlers('message_sent');
    box.close();
    assert.deepEqual(sent, ['inbox', 'named', 'mailbox']);
  });

  it('is the environment of its supervisors and apps', () => {
    const { environment } = defaultRuntime();
    for (const each of [supervisor().build(), new Supervisor()]) assert.equal(each.environment, environment);
    assert.equal(app({ log: false }).root.environment.names, environment.names);
    assert.equal(appWithPreset('testing', { log: false }).inspect().maxRestarts, 1);
  });

  it('is the environment of its supervisors of other kinds, which take the same options', async () => {
    const supervisors = [
      dynamicSupervisor({ startFn: idle }, { name: 'd', keepAlive: false }),
      taskSupervisor({ name: 't', keepAlive: false }),
      partitionSupervisor({ startFn: idle }, { name: 'p', partitions: 2, keepAlive: false }),
    ] as const;
    for (const each of supervisors) {
      assert.equal(each.environment, defaultRuntime().environment);
      await each.start();
    }
    const [connections, tasks, partitions] = supervisors;
    assert.deepEqual(
      supervisors.map(({ name, state }) => [name, state]),
      [
        ['d', 'running'],
        ['t', 'running'],
        ['p', 'running'],
      ],
    );
    assert.equal((await connections.startChild(undefined)).id, 'child_1');
    assert.equal(await tasks.run(() => 42), 42);
    assert.deepEqual([partitions.partitions, partitions.route(3).send('x')], [2, 'queued']);
    for (const each of supervisors) await each.stop();
    defaultRuntime().deadLetters.discardAll();
  });

  it('needs options for neither a dynamic supervisor nor a task supervisor', () => {
    assert.equal(dynamicSupervisor({ startFn: (ctx) => ctx.stopped }).name, 'supervisor');
    assert.equal(taskSupervisor().name, 'supervisor');
  });

  it('has the telemetry of the reference: initGlobal, getGlobal, emit', () => {
    const emitter = telemetry.getGlobal();
    assert.equal(telemetry.initGlobal(), emitter);
    assert.equal(emitter, defaultRuntime().telemetry);
    assert.ok(emitter instanceof telemetry.TelemetryEmitter);
    const seen: TelemetryEvent[] = [];
    emitter.on('message_discarded', (event) => seen.push(event));
    const event: TelemetryEvent<'message_discarded'> = {
      eventType: 'message_discarded',
      timestampMs: 5,
      metadata: { mailbox: 'mine', count: 1 },
    };
    telemetry.emit(event);
    emitter.removeHandlers('message_discarded');
    assert.deepEqual(seen, [event]);
  });

  it('has policies, circuit breakers, bulkheads and budgets', async () => {
    const parts = [
      timeout(60_000),
      retry({ budget: new RetryBudget() }),
      new CircuitBreaker('api'),
      new Bulkhead('files', { maxConcurrent: 1 }),
    ];
    assert.equal(await policy(...parts)(() => 'well'), 'well');
  });

  // The last one: there is one default runtime, and its shutdown comes once.
  it('has the shutdown of the reference: initGlobal, onShutdown, shutdownAll', async () => {
    const ran: string[] = [];
    onShutdown(() => void ran.push('first'));
    const manager = shutdown.initGlobal();
    assert.ok(manager instanceof shutdown.ShutdownManager);
    manager.onShutdown(() => void ran.push('second'));
    const takeBack = onShutdown(() => void ran.push('taken back'));
    takeBack();
    const worker = app({ log: false }).worker('w', (ctx) => ctx.stopped.then(() => void ran.push('app')));
    await worker.start();
    assert.deepEqual(await shutdownAll(), { completed: 3, failures: [], unfinished: 0 });
    assert.deepEqual(ran, ['app', 'second', 'first']);
  });
});

describe('new Supervisor', () => {
  it('is a supervisor without a builder, which takes children as specs', async () => {
    const starts: string[] = [];
    const startFn = (ctx: ProcessContext) => {
      starts.push(ctx.id);
      return ctx.stopped;
    };
    const low = new Supervisor({ strategy: 'one_for_all', maxRestarts: 5, maxSeconds: 30, children: [{ id: 'a', startFn }] }, quiet);
    low.addChild({ id: 'b', startFn, restartType: 'transient' });
    await low.start();
    const { strategy, maxRestarts, maxSeconds } = low.inspect();
    await low.stop();
    assert.deepEqual([strategy, maxRestarts, maxSeconds, starts], ['one_for_all', 5, 30, ['a', 'b']]);
    assert.equal(low.environment, quiet.environment);
  });

  it('needs no options', () => {
    const { name, strategy, maxRestarts } = new Supervisor().inspect();
    assert.deepEqual([name, strategy, maxRestarts], ['supervisor', 'one_for_one', 3]);
  });

  it('is the class of every supervisor, whoever made it', () => {
    assert.ok(new Supervisor() instanceof Supervisor);
    assert.ok(new Supervisor() instanceof CoreSupervisor);
    assert.ok(quiet.supervisor().build() instanceof Supervisor);
    assert.ok(quiet.app({ log: false }).root instanceof Supervisor);
    const others: unknown[] = [undefined, null, 5, {}, quiet, Supervisor];
    for (const other of others) assert.equal(other instanceof Supervisor, false);
  });

  it('can be extended by a class that only its own supervisors are of', () => {
    class Special extends Supervisor {}
    assert.ok(new Special() instanceof Special);
    assert.ok(new Special() instanceof Supervisor);
    assert.equal(quiet.supervisor().build() instanceof Special, false);
    assert.equal(new Supervisor() instanceof Special, false);
  });
});

describe('new ProcessMailbox', () => {
  it('is a mailbox that never waits', () => {
    const mailbox = new ProcessMailbox<string>({ capacity: 1, enableDeadletter: true, maxMessageSize: 1024 }, quiet);
    assert.ok(mailbox instanceof ProcessMailbox);
    assert.throws(
      () => mailbox.receive(),
      (error) => isVigilError(error, 'EmptyMailbox'),
    );
    const message = new Message('msg_id', 'sender', 'payload', 'alert', 'high', 5000);
    assert.deepEqual([mailbox.send(message), mailbox.send(message)], ['queued', 'dead_lettered']);
    const { id, payload, signal } = mailbox.receive();
    assert.deepEqual([id, payload, signal], ['msg_id', 'payload', 'alert']);
  });

  it('counts time by the clock of its runtime', async () => {
    const clock = new VirtualClock();
    const own = runtime({ clock });
    const mailbox = new ProcessMailbox<string>({ defaultTtlMs: 10 }, own);
    mailbox.send(own.msg('x').build());
    await clock.advance(10);
    assert.equal(mailbox.tryReceive(), undefined);
    assert.equal(mailbox.stats().messagesExpired, 1);
  });
});

it('App is the class of every app', () => {
  assert.ok(app({ log: false }) instanceof App);
  assert.ok(quiet.app({ log: false }) instanceof App);
});

function idle(ctx: ProcessContext): Promise<void> {
  return ctx.stopped;
}

describe('what keeps faults away', () => {
  it('takes time, chance, telemetry and log from the runtime that it is given', async () => {
    const clock = new VirtualClock();
    const own = runtime({ clock, random: { next: () => 0.5 } });
    const heard: string[] = [];
    own.telemetry.on('circuit_opened', ({ metadata }) => heard.push(metadata.circuit));
    const breaker = new CircuitBreaker('api', { failureThreshold: 2, resetTimeoutMs: 100 }, own);
    const budget = new RetryBudget({ ratio: 0, minPerSecond: 0.1 }, own);
    const again = retry({ budget, backoff: { kind: 'decorrelated', initialMs: 100 } });
    const report = own.policy(again, breaker, new Bulkhead('files', { maxConcurrent: 1 }, own)).report(() => {
      throw new Error('down');
    });
    await clock.advance(200);
    const { attempts, sleptMs } = await report;
    assert.deepEqual([attempts, sleptMs, heard, budget.refused], [2, 200, ['api'], 1]);
    await clock.advance(100);
    assert.equal(await breaker.call(() => breaker.getState()), 'half_open');
  });
});
