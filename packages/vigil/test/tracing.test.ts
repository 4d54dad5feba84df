import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as vigil from 'vigiljs';
import { VirtualClock } from 'vigiljs/testing';
import type * as traceRelay from './fixtures/trace-relay.js';

const RELAY = new URL('./fixtures/trace-relay.js', import.meta.url);

const TRACE: vigil.TraceContext = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, tracestate: 'vendor=1' };
const OTHER: vigil.TraceContext = { traceparent: `00-${'c'.repeat(32)}-${'d'.repeat(16)}-00` };

describe('what a message is a part of', () => {
  for (const [name, make] of [
    ['a local inbox', (runtime) => runtime.inbox<string>()],
    ['a shared inbox', (runtime) => runtime.inboxBuilder<string>().shared().build()],
  ] satisfies readonly (readonly [string, (runtime: vigil.Runtime) => vigil.Inbox<string>])[]) {
    it(`goes through ${name}`, async () => {
      const inbox = make(vigil.runtime());
      inbox.send('said', { trace: TRACE });
      await inbox.sendWait('said', { trace: OTHER });
      inbox.sendBatch(['said'], { trace: TRACE });
      inbox.sendMessage(vigil.runtime().msg('said').trace(TRACE).build());
      inbox.send('unsaid');
      inbox.sendBatch(['unsaid']);
      const traces = inbox.recvBatch(10).map(({ trace }) => trace);
      assert.deepEqual(traces, [TRACE, OTHER, TRACE, TRACE, undefined, undefined]);
    });

    it(`is what the tracer says where nobody else does, in ${name}`, async () => {
      const { tracer } = recorder();
      const inbox = make(vigil.runtime({ tracer }));
      inbox.send('unsaid');
      inbox.send('said', { trace: OTHER, priority: 'low' });
      inbox.sendBatch(['unsaid']);
      await inbox.sendWait('unsaid');
      assert.deepEqual(
        inbox.recvBatch(10).map(({ payload, trace }) => [payload, trace]),
        [
          ['unsaid', TRACE],
          ['unsaid', TRACE],
          ['unsaid', TRACE],
          ['said', OTHER],
        ],
      );
    });
  }

  it('survives the dead letters', () => {
    const inbox = vigil.runtime().inboxBuilder<string>().deadLetter(true).build();
    inbox.send('x', { trace: TRACE });
    const letter = inbox.deadLetter(inbox.recvBatch(1)[0]!);
    inbox.deadLetters.replay(letter.id);
    assert.deepEqual(inbox.recvBatch(1)[0]?.trace, TRACE);
  });

  it('goes to every subscriber, and with what is sent later', async () => {
    const { tracer } = recorder();
    const clock = new VirtualClock();
    const runtime = vigil.runtime({ clock, tracer });
    const inbox = runtime.inbox<string>();
    new vigil.Subscriber(inbox, runtime).subscribe(['news']);
    runtime.publish('news', 'x');
    new vigil.Timer(runtime).sendAfter(5, inbox, 'later');
    runtime.tracer = undefined;
    await clock.advance(5);
    assert.deepEqual(
      inbox.recvBatch(2).map(({ trace }) => trace),
      [TRACE, TRACE],
    );
  });

  it('goes into a thread and a fork, from one to the other, and into another runtime', { timeout: 30_000 }, async () => {
    const runtime = vigil.runtime();
    const end = runtime.inbox<string>();
    runtime.registry.register('end', end);
    const supervisor = runtime
      .supervisor()
      .child('fork', vigil.fork<typeof traceRelay>(RELAY, { args: { to: 'end' } }), { readiness: 'immediate' })
      .child('thread', vigil.thread<typeof traceRelay>(RELAY, { args: { to: 'fork' } }))
      .build();
    await supervisor.start();
    const fork = supervisor.getChildInfo('fork')?.ref;
    assert.ok(fork !== undefined);
    runtime.registry.register('fork', fork);
    const { tracer, did } = recorder();
    runtime.tracer = tracer;
    for (const name of ['thread', 'fork']) assert.deepEqual(await runtime.request(supervisor.address(name), 'where?'), TRACE);
    assert.deepEqual(did, ['begin thread', 'end', 'begin fork', 'end']);
    runtime.tracer = undefined;
    for (let count = 0; count < 2; count += 1) await end.recv();
    supervisor.address('thread').send('through', { trace: OTHER });
    const { trace } = await end.recv();
    await supervisor.stop();
    assert.deepEqual(trace, OTHER);
  });
});

describe('a tracer in a thread or fork', () => {
  for (const [kind, run] of [
    ['thread', vigil.thread],
    ['fork', vigil.fork],
  ] as const) {
    it(`says of what a ${kind} sends and publishes what that is a part of`, { timeout: 60_000 }, async () => {
      const runtime = vigil.runtime();
      const end = runtime.inbox<string>();
      runtime.registry.register('end', end);
      new vigil.Subscriber(end, runtime).subscribe(['news']);
      const supervisor = runtime
        .supervisor()
        .child('relay', run<typeof traceRelay>(RELAY, { args: { publishes: true } }))
        .build();
      await supervisor.start();
      supervisor.address('relay').send('x', { trace: OTHER });
      for (let count = 0; count < 3; count += 1) assert.deepEqual((await end.recv()).trace, OTHER);
      await supervisor.stop();
    });
  }
});

describe('a tracer', () => {
  it('hears of requests, and of those that fail', async () => {
    const { tracer, did } = recorder();
    const clock = new VirtualClock();
    const runtime = vigil.runtime({ clock, tracer });
    const inbox = runtime.inboxBuilder<string>().name('orders').build();
    const answered = runtime.request(inbox, 'x');
    const asked = await inbox.recv();
    assert.deepEqual(asked.trace, TRACE);
    runtime.reply(asked, 'y');
    assert.equal(await answered, 'y');
    const refused = assert.rejects(runtime.request(inbox, 'x', { timeoutMs: 1 }));
    await clock.advance(1);
    await refused;
    assert.deepEqual(did, ['begin orders', 'end', 'begin orders', 'end OperationTimeout']);
  });

  it('handles what a server is sent', async () => {
    const { tracer, did } = recorder();
    const runtime = vigil.runtime({ clock: new VirtualClock(), tracer });
    const server = vigil.genServer({
      init: () => 0,
      call: { add: async (n: number, count) => ({ reply: count + n, state: count + n }) },
      cast: { set: (n: number) => n },
      info: (_: unknown, count) => count,
    });
    const handle = await runtime.startServer(server, { id: 'counter' });
    did.length = 0;
    handle.cast.set(5);
    handle.info('x');
    assert.equal(await handle.call.add(2), 7);
    assert.deepEqual(did, [
      'begin counter add',
      'cast set of servers/counter#1, trace',
      'done',
      'info undefined of servers/counter#1, trace',
      'done',
      'call add of servers/counter#1, trace',
      'done',
      'end',
    ]);
  });

  it('hears of starts, restarts and starts that fail', async () => {
    const { tracer, did } = recorder();
    const clock = new VirtualClock();
    const runtime = vigil.runtime({ clock, tracer });
    const body = async ({ incarnation, stopped }: vigil.ProcessContext) => {
      if (incarnation === 1) throw new Error('boom');
      await stopped;
    };
    const failing = () => Promise.reject(new Error('did not start'));
    const supervisor = runtime.supervisor().name('app').child('a', body).build();
    await supervisor.start();
    await clock.advance(0);
    await assert.rejects(supervisor.startChild({ id: 'b', startFn: failing, readiness: 'explicit' }));
    await supervisor.stop();
    assert.deepEqual(did, [
      'start task app/a#1',
      'apart',
      'up',
      'start task app/a#2 after crashed: Error: boom',
      'apart',
      'up',
      'start task app/b#1',
      'apart',
      'down: did not start',
    ]);
  });

  it('is told nothing of what Vigil itself asks of a server', async () => {
    const { tracer, did } = recorder();
    const runtime = vigil.runtime({ clock: new VirtualClock(), tracer });
    const server = await runtime.startServer(vigil.genServer({ init: () => 1 }));
    did.length = 0;
    assert.equal(await server.getState(), 1);
    await server.stop();
    assert.equal(did.length, 0);
  });

  it('finds the callbacks of timers in what has set them', async () => {
    const { tracer, did } = recorder();
    const clock = new VirtualClock();
    const timer = new vigil.Timer(vigil.runtime({ clock, tracer }));
    timer.setTimeout(1, () => did.push('time-out'));
    const cancel = timer.setInterval(2, () => did.push('interval'));
    await clock.advance(2);
    cancel();
    assert.deepEqual(did, ['bound', 'time-out', 'bound', 'interval']);
  });

  it('is there or not, and nothing else', () => {
    const runtime = vigil.runtime();
    assert.equal(runtime.tracer, undefined);
    const { tracer } = recorder();
    runtime.tracer = tracer;
    assert.equal(runtime.tracer, tracer);
    assert.throws(
      () => (runtime.tracer = JSON.parse('{}')),
      (error) => vigil.isVigilError(error, 'InvalidConfiguration'),
    );
    assert.equal(runtime.tracer, tracer);
  });
});

/** A tracer in whose trace everything is, and what it has heard. */
function recorder(): { readonly tracer: vigil.Tracer; readonly did: string[] } {
  const did: string[] = [];
  const tracer: vigil.Tracer = {
    current: () => TRACE,
    beginRequest({ to, name }) {
      did.push(name === undefined ? `begin ${to}` : `begin ${to} ${name}`);
      return { trace: TRACE, end: (error) => did.push(vigil.isVigilError(error) ? `end ${error.code}` : 'end') };
    },
    handle({ kind, name, supervisor, id, incarnation }, { trace }, work) {
      did.push(`${kind} ${name} of ${supervisor}/${id}#${incarnation}, ${trace?.traceparent === TRACE.traceparent ? 'trace' : 'no trace'}`);
      const done = work();
      did.push('done');
      return done;
    },
    beginStart({ kind, supervisor, id, incarnation, after }) {
      did.push(`start ${kind} ${supervisor}/${id}#${incarnation}${after === undefined ? '' : ` after ${vigil.describeExit(after)}`}`);
      return (error) => did.push(error === undefined ? 'up' : `down: ${error instanceof Error ? error.message : 'unexpected'}`);
    },
    apart(work) {
      did.push('apart');
      return work();
    },
    bind: (callback) => () => {
      did.push('bound');
      callback();
    },
  };
  return { tracer, did };
}
