import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { after, before, describe, it } from 'node:test';
import * as vigil from 'vigiljs';
import { VirtualClock } from 'vigiljs/testing';
import type * as happenings from './fixtures/happenings.js';

const HAPPENINGS = new URL('./fixtures/happenings.js', import.meta.url);

type EventType = vigil.telemetry.TelemetryEventType;

interface World {
  readonly clock: VirtualClock;
  readonly runtime: vigil.Runtime;
}

/** For every event type there is: something that really happens, and what is told of it. A type without a cause does not compile. */
const CAUSES: { readonly [K in EventType]: (world: World) => Promise<vigil.telemetry.TelemetryEvents[K][]> } = {
  async circuit_opened({ runtime }) {
    const breaker = new vigil.CircuitBreaker('api', { failureThreshold: 1 }, runtime);
    await assert.rejects(breaker.call(crashing), BOOM);
    return [{ circuit: 'api', failures: 1, because: 'failures' }];
  },

  async circuit_half_open({ runtime, clock }) {
    const breaker = new vigil.CircuitBreaker('api', { resetTimeoutMs: 5 }, runtime);
    breaker.forceOpen();
    await clock.advance(5);
    await breaker.call(() => 1);
    return [{ circuit: 'api' }];
  },

  async circuit_closed({ runtime }) {
    const breaker = new vigil.CircuitBreaker('api', {}, runtime);
    breaker.forceOpen();
    breaker.forceClose();
    return [{ circuit: 'api' }];
  },

  async genserver_started({ runtime }) {
    await runtime.startServer(counter, { id: 'a' });
    return [{ id: 'a', incarnation: 1, supervisor: 'servers' }];
  },

  async genserver_stopped({ runtime }) {
    const server = await runtime.startServer(counter, { id: 'a' });
    await server.stop();
    return [{ id: 'a', incarnation: 1, supervisor: 'servers', reason: { kind: 'normal' } }];
  },

  async genserver_state_changed({ runtime }) {
    const server = await runtime.startServer(counter, { id: 'a' });
    for (const n of [1, 0, 1]) server.cast.add(n);
    await server.stop();
    return [
      { id: 'a', incarnation: 1, supervisor: 'servers' },
      { id: 'a', incarnation: 1, supervisor: 'servers' },
    ];
  },

  async process_started({ runtime }) {
    await runtime.supervisor().name('s').child('a', idle).build().start();
    return [{ id: 'a', incarnation: 1, supervisor: 's' }];
  },

  async process_stopped({ runtime }) {
    const supervisor = runtime.supervisor().name('s').child('a', idle).build();
    await supervisor.start();
    await supervisor.stop();
    return [{ id: 'a', incarnation: 1, supervisor: 's', reason: { kind: 'shutdown' } }];
  },

  async process_crashed({ runtime, clock }) {
    await runtime.supervisor().name('s').child('a', crashing, { restartType: 'temporary' }).build().start();
    await clock.advance(0);
    return [{ id: 'a', incarnation: 1, supervisor: 's', reason: { kind: 'crashed', error: BOOM } }];
  },

  async process_suspended({ runtime }) {
    const supervisor = runtime.supervisor().name('s').child('a', idle).build();
    await supervisor.start();
    await supervisor.suspendChild('a');
    return [{ id: 'a', incarnation: 1, supervisor: 's' }];
  },

  async process_resumed({ runtime }) {
    const supervisor = runtime.supervisor().name('s').child('a', idle).build();
    await supervisor.start();
    await supervisor.suspendChild('a');
    await supervisor.resumeChild('a');
    return [{ id: 'a', incarnation: 1, supervisor: 's' }];
  },

  async process_signalled({ runtime, clock }) {
    const options = { healthCheckFn: () => true, healthCheckIntervalMs: 10 };
    await runtime.supervisor().name('s').child('a', idle, options).build().start();
    await clock.advance(10);
    return [{ id: 'a', incarnation: 1, supervisor: 's', signal: 'healthCheck' }];
  },

  async message_sent({ runtime }) {
    runtime.inboxBuilder().name('box').build().send('x', { priority: 'high' });
    return [{ mailbox: 'box', messageId: 'm-1', priority: 'high' }];
  },

  async message_received({ runtime }) {
    const box = runtime.inboxBuilder().name('box').build();
    box.send('x');
    await box.recv();
    return [{ mailbox: 'box', messageId: 'm-1', priority: 'normal' }];
  },

  async message_expired({ runtime, clock }) {
    const box = runtime.inboxBuilder().name('box').build();
    box.send('x', { ttlMs: 10, priority: 'low' });
    await clock.advance(10);
    box.tryRecv();
    return [{ mailbox: 'box', messageId: 'm-1', priority: 'low' }];
  },

  async message_dropped({ runtime }) {
    const box = runtime.inboxBuilder().name('box').build();
    box.send('x');
    box.close({ discard: true });
    return [{ mailbox: 'box', messageId: 'm-1', priority: 'normal' }];
  },

  async message_dead_lettered({ runtime }) {
    const box = runtime.inboxBuilder().name('box').capacity(1).deadLetter(true).build();
    box.sendBatch(['a', 'b']);
    return [{ mailbox: 'box', messageId: 'm-2', priority: 'normal', deadLetterId: 1, reason: 'mailbox_full' }];
  },

  async message_replayed({ runtime }) {
    const box = runtime.inboxBuilder().name('box').capacity(1).deadLetter(true).build();
    box.sendBatch(['a', 'b']);
    await box.recv();
    box.deadLetters.replay(1);
    return [{ mailbox: 'box', messageId: 'm-2', priority: 'normal', deadLetterId: 1 }];
  },

  async message_discarded({ runtime }) {
    const box = runtime.inboxBuilder().name('box').capacity(1).deadLetter(true).build();
    box.sendBatch(['a', 'b', 'c', 'd']);
    box.deadLetters.discard(1);
    box.deadLetters.discardAll();
    return [
      { mailbox: 'box', count: 1 },
      { mailbox: 'box', count: 2 },
    ];
  },

  async poison_message_detected({ runtime }) {
    const box = runtime.inboxBuilder().name('box').maxAttempts(1).build();
    box.send('x');
    box.deadLetter(await box.recv());
    return [{ mailbox: 'box', messageId: 'm-1', priority: 'normal', deadLetterId: 1, attempts: 1 }];
  },

  async supervisor_started({ runtime }) {
    await runtime.app({ name: 'shop', log: false }).worker('a', idle).worker('pool', runtime.supervisor()).start();
    return [
      { supervisor: 'shop', children: 2 },
      { supervisor: 'shop/pool', children: 0 },
    ];
  },

  async supervisor_stopped({ runtime }) {
    const supervisor = runtime.supervisor().name('s').build();
    await supervisor.start();
    await supervisor.stop();
    return [{ supervisor: 's', reason: { kind: 'shutdown' } }];
  },

  async supervisor_restart({ runtime, clock }) {
    await runtime.supervisor().name('s').maxRestarts(1).child('a', crashing).build().start();
    await clock.advance(0);
    return [{ supervisor: 's', id: 'a', reason: { kind: 'crashed', error: BOOM }, restartsLeft: 0 }];
  },

  async supervisor_child_added({ runtime }) {
    const supervisor = runtime.supervisor().name('s').build();
    await supervisor.start();
    await supervisor.startChild({ id: 'a', startFn: idle });
    return [{ supervisor: 's', id: 'a' }];
  },

  async supervisor_child_removed({ runtime }) {
    const supervisor = runtime.supervisor().name('s').child('a', idle).build();
    await supervisor.start();
    await supervisor.terminateChild('a');
    await supervisor.deleteChild('a');
    return [{ supervisor: 's', id: 'a' }];
  },
};

const EVENT_TYPES = Object.keys(CAUSES).filter((key): key is EventType => Object.hasOwn(CAUSES, key));

describe('telemetry', () => {
  for (const eventType of EVENT_TYPES) {
    it(`${eventType} is emitted when it happens, with its facts and the time`, async () => {
      const world = newWorld();
      const events = record(world.runtime, [eventType]);
      const expected = await CAUSES[eventType](world);
      const timestampMs = world.clock.wallTime();
      assert.deepEqual(
        events,
        expected.map((metadata) => ({ eventType, timestampMs, metadata })),
      );
    });
  }

  it('comes from everything but the supervisor with withTelemetry(false) and its children', async () => {
    const { runtime, clock } = newWorld();
    const events = record(runtime, EVENT_TYPES);
    const supervisor = runtime.supervisor().withTelemetry(false).child('a', idle).child('crashes', crashingOnce).build();
    await supervisor.start();
    await clock.advance(0);
    assert.equal(supervisor.inspect().totalRestarts, 1);
    await supervisor.startChild({ id: 'b', startFn: idle });
    await supervisor.terminateChild('b');
    await supervisor.deleteChild('b');
    await supervisor.stop();
    assert.deepEqual(events, []);
    runtime.inbox().send('x');
    assert.deepEqual(
      events.map(({ eventType }) => eventType),
      ['message_sent'],
    );
  });

  it('does not come while the emitter is disabled', async () => {
    for (const eventType of EVENT_TYPES) {
      const world = newWorld();
      const events = record(world.runtime, [eventType]);
      world.runtime.telemetry.setEnabled(false);
      await CAUSES[eventType](world);
      assert.deepEqual(events, []);
    }
  });

  it('OBS-02: harms nothing when every handler throws', async () => {
    for (const eventType of EVENT_TYPES) {
      const world = newWorld();
      const events = record(world.runtime, EVENT_TYPES);
      for (const every of EVENT_TYPES) world.runtime.telemetry.on(every, fail);
      await CAUSES[eventType](world);
      assert.ok(events.some((event) => event.eventType === eventType));
    }
  });
});

for (const kind of ['thread', 'fork'] as const) {
  describe(`telemetry of a ${kind}`, () => {
    const runtime = vigil.runtime();
    const startFn = kind === 'thread' ? vigil.thread<typeof happenings>(HAPPENINGS) : vigil.fork<typeof happenings>(HAPPENINGS);
    const supervisor = runtime.supervisor().name('s').child('envoy', startFn, { healthCheckIntervalMs: 20 }).build();
    const origin = { id: 'envoy', incarnation: 1, supervisor: 's', kind };

    /** What is told here of an event there. */
    const told = async (eventType: EventType): Promise<vigil.telemetry.TelemetryEvent> =>
      new Promise((resolve) => {
        const cancel = runtime.telemetry.on(eventType, (event) => {
          // Its own inbox is told of, too.
          if (event.origin === undefined || ('mailbox' in event.metadata && event.metadata.mailbox === 'envoy')) return;
          cancel();
          resolve(event);
        });
      });

    before(() => supervisor.start());
    after(() => supervisor.stop());

    for (const eventType of EVENT_TYPES) {
      it(`tells here that ${eventType} has happened there, with all its facts`, async () => {
        const telling = told(eventType);
        const asked = runtime.request(supervisor.address('envoy'), eventType);
        const { timestampMs, metadata, ...rest } = await telling;
        assert.deepEqual(rest, { eventType, origin });
        assert.ok(Math.abs(timestampMs - Date.now()) < 60_000);
        assert.deepEqual(JSON.parse(JSON.stringify(metadata)), await asked);
        if (eventType === 'process_crashed') assert.ok('reason' in metadata && String(Object(metadata.reason).error) === 'Error: boom');
      });
    }

    it('tells what only a subscriber of a channel wants, from the next health check on', async () => {
      const origins: unknown[] = [];
      const keep = (event: unknown) => void (Object(event).origin !== undefined && origins.push(Object(event).origin));
      subscribe('vigil:circuit_opened', keep);
      while (origins.length === 0) await runtime.request(supervisor.address('envoy'), 'circuit_opened');
      unsubscribe('vigil:circuit_opened', keep);
      assert.deepEqual(origins[0], origin);
    });

    it('tells nothing of what nobody here wants', async () => {
      let isTold = false;
      runtime.telemetry.on('circuit_closed', () => {
        isTold = true;
      })();
      await runtime.request(supervisor.address('envoy'), 'circuit_closed');
      // Whatever had been said of it came before this.
      const telling = told('circuit_opened');
      await Promise.all([telling, runtime.request(supervisor.address('envoy'), 'circuit_opened')]);
      assert.equal(isTold, false);
    });
  });
}

describe('the channels of diagnostics_channel', () => {
  it('have every event that a handler has, after it, of every runtime', async () => {
    for (const eventType of EVENT_TYPES) {
      const world = newWorld();
      const events: unknown[] = [];
      const keep = (event: unknown) => events.push(event);
      subscribe(`vigil:${eventType}`, keep);
      const handled = await eventsOf(eventType, world);
      unsubscribe(`vigil:${eventType}`, keep);
      assert.deepEqual(events, handled);
      assert.ok(events.length > 0);
      assert.equal(world.runtime.telemetry.wants(eventType), true);
    }
  });

  it('have what nobody else wants, and nothing while telemetry is disabled', () => {
    const { runtime } = newWorld();
    const events: unknown[] = [];
    const keep = (event: unknown) => events.push(event);
    assert.equal(runtime.telemetry.wants('message_sent'), false);
    subscribe('vigil:message_sent', keep);
    const inbox = runtime.inboxBuilder().name('box').build();
    inbox.send('a');
    runtime.telemetry.setEnabled(false);
    inbox.send('b');
    unsubscribe('vigil:message_sent', keep);
    runtime.telemetry.setEnabled(true);
    inbox.send('c');
    const metadata = { mailbox: 'box', messageId: 'm-1', priority: 'normal' };
    assert.deepEqual(events, [{ eventType: 'message_sent', timestampMs: 1_577_836_800_000, metadata }]);
  });
});

const BOOM = new Error('boom');

const counter = vigil.genServer({ init: () => 0, cast: { add: (n: number, count) => count + n } });

function crashing(): Promise<void> {
  return Promise.reject(BOOM);
}

function crashingOnce(ctx: vigil.ProcessContext): Promise<void> {
  return ctx.incarnation === 1 ? crashing() : ctx.stopped;
}

function idle(ctx: vigil.ProcessContext): Promise<void> {
  return ctx.stopped;
}

function fail(): never {
  throw BOOM;
}

function newWorld(): World {
  const clock = new VirtualClock();
  return { clock, runtime: vigil.runtime({ clock }) };
}

async function eventsOf(eventType: EventType, world: World): Promise<vigil.telemetry.TelemetryEvent[]> {
  const events = record(world.runtime, [eventType]);
  await CAUSES[eventType](world);
  return events;
}

function record(runtime: vigil.Runtime, eventTypes: readonly EventType[]): vigil.telemetry.TelemetryEvent[] {
  const events: vigil.telemetry.TelemetryEvent[] = [];
  for (const eventType of eventTypes) runtime.telemetry.on(eventType, (event) => events.push(event));
  return events;
}
