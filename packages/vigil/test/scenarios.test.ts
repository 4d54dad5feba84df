import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as vigil from 'vigiljs';
import { VirtualClock } from 'vigiljs/testing';

async function idle(ctx: vigil.ProcessContext): Promise<void> {
  await ctx.stopped;
}

function world() {
  const clock = new VirtualClock();
  return { clock, runtime: vigil.runtime({ clock }) };
}

describe('scenarios that cross folders', () => {
  it('EXIT-07: what another process throws when it is asked to stop is a crash of whoever lets it through', async () => {
    const { clock, runtime } = world();
    const jobs = runtime.inbox();
    let signalOfA: AbortSignal | undefined;
    const supervisor = runtime
      .supervisor()
      .child('a', (ctx) => {
        signalOfA = ctx.signal;
        return ctx.stopped;
      })
      .child(
        'b',
        async () => {
          await jobs.recv({ signal: signalOfA });
        },
        { restartType: 'transient' },
      )
      .build();
    await supervisor.start();
    await supervisor.terminateChild('a');
    await clock.advance(0);
    assert.equal(supervisor.getChildInfo('b')?.lastExit?.reason.kind, 'crashed');
    await supervisor.stop();
  });

  it('VIG-07: the figures of a preset reach a supervisor of any kind that is given as a built one', async () => {
    const { runtime } = world();
    const built = runtime.supervisor().child('a', idle).build();
    const dynamic = runtime.dynamicSupervisor({ startFn: idle });
    const app = runtime.appWithPreset('testing', { log: false }).worker('built', built).worker('dynamic', dynamic);
    await app.start();
    const ref = await dynamic.startChild(undefined);
    for (const { maxRestarts, maxSeconds } of [built.inspect(), dynamic.inspect()]) assert.deepEqual([maxRestarts, maxSeconds], [1, 10]);
    assert.equal((await built.getChildSpec('a')).shutdownTimeoutMs, 1000);
    assert.equal((await dynamic.getChildSpec(ref)).inbox.capacity, 50);
    assert.deepEqual([built.path, dynamic.path], ['app/built', 'app/dynamic']);
    await app.shutdown();
  });

  it('INT-13: who is taken out of a group that waits for its restart keeps nobody else of it down', async () => {
    const { clock, runtime } = world();
    let crash = () => {};
    const supervisor = runtime
      .supervisor()
      .child('a', idle)
      .child('b', (ctx) => {
        const crashed = new Promise<never>((_, reject) => {
          crash = () => reject(new Error('boom'));
        });
        return Promise.race([ctx.stopped, crashed]);
      })
      .child('c', idle)
      .strategy('one_for_all')
      .restartDelay({ initialMs: 200 })
      .build();
    await supervisor.start();
    crash();
    await clock.advance(100);
    const states = () => supervisor.inspect().children.map(({ state }) => state);
    assert.deepEqual(states(), ['restarting', 'restarting', 'restarting']);
    await supervisor.terminateChild('b');
    await clock.advance(100);
    assert.deepEqual(states(), ['running', 'stopped', 'running']);
    await supervisor.stop();
    assert.equal(clock.pendingTimers, 0);
  });

  it('REG-03: names are free when a callback for the end of their process runs', async () => {
    const { runtime } = world();
    const supervisor = runtime
      .supervisor()
      .child('a', async (ctx) => {
        await ctx.inbox.recv();
        ctx.register('db');
        await ctx.stopped;
      })
      .build();
    await supervisor.start();
    const ref = supervisor.getChildInfo('a')?.ref;
    let holder: unknown = 'not asked';
    ref?.onClose(() => {
      holder = runtime.registry.whereis('db');
    });
    ref?.send('register');
    await supervisor.countChildren();
    assert.equal(runtime.registry.whereis('db'), ref);
    await supervisor.stop();
    assert.equal(holder, undefined);
  });

  it('MBX-04: a receiver that a telemetry handler sends away has its message already', async () => {
    const { runtime } = world();
    const inbox = runtime.inbox<string>();
    const controller = new AbortController();
    runtime.telemetry.on('message_received', () => controller.abort());
    const received = inbox.recv({ signal: controller.signal });
    inbox.send('x');
    assert.equal((await received).payload, 'x');
  });

  it('a supervisor that was not ready in time says so', async () => {
    const { clock, runtime } = world();
    const nested = runtime
      .supervisor()
      .child('slow', () => new Promise<void>(() => {}), { readiness: 'explicit', startTimeoutMs: 'infinity' });
    const supervisor = runtime.supervisor().child('nested', nested, { readiness: 'explicit', startTimeoutMs: 100 }).build();
    const started = supervisor.start();
    const failed = assert.rejects(
      started,
      (error) => vigil.isVigilError(error, 'ProcessStartFailed') && vigil.isVigilError(error.cause, 'OperationTimeout'),
    );
    await clock.advance(100);
    await failed;
  });
});
