import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ExitReason, isVigilError, type VigilErrorCode } from '../core/index.js';
import type { ProcessContext } from '../processes/index.js';
import type { Supervisor, SupervisorInfo } from '../supervision/index.js';
import { VirtualClock } from '../testing/index.js';
import { Runtime } from './runtime.js';
import type { SupervisorBuilder } from './supervisor-builder.js';

describe('SupervisorBuilder', () => {
  it('makes a supervisor with the defaults', () => {
    const { name, strategy, maxRestarts, maxSeconds, autoShutdown, state } = builder().build().inspect();
    assert.deepEqual(
      { name, strategy, maxRestarts, maxSeconds, autoShutdown, state },
      { name: 'supervisor', strategy: 'one_for_one', maxRestarts: 3, maxSeconds: 5, autoShutdown: 'never', state: 'idle' },
    );
  });

  it('gives the supervisor everything that it was told', () => {
    const supervisor = builder()
      .name('shop')
      .strategy('rest_for_one')
      .maxRestarts(7)
      .maxSeconds(0.5)
      .autoShutdown('any_significant')
      .build();
    const { name, strategy, maxRestarts, maxSeconds, autoShutdown } = supervisor.inspect();
    assert.deepEqual(
      { name, strategy, maxRestarts, maxSeconds, autoShutdown },
      { name: 'shop', strategy: 'rest_for_one', maxRestarts: 7, maxSeconds: 0.5, autoShutdown: 'any_significant' },
    );
  });

  it('makes the same as statements as it does chained', async () => {
    const statements = builder();
    statements.strategy('one_for_all');
    statements.maxRestarts(1);
    statements.child('a', idle);
    statements.childPool('w', idle, 2);
    const chained = builder().strategy('one_for_all').maxRestarts(1).child('a', idle).childPool('w', idle, 2);
    const described = await Promise.all([statements, chained].map(async (each) => outlineOf(await started(each))));
    assert.deepEqual(described[0], described[1]);
    assert.deepEqual(described[0]?.children, ['a', 'w_0', 'w_1']);
  });

  it('takes the last word, and `undefined` as the default', () => {
    const info = builder()
      .maxRestarts(1)
      .maxRestarts(9)
      .strategy('one_for_all')
      .strategy(undefined!)
      .name('x')
      .name(undefined!)
      .build()
      .inspect();
    assert.deepEqual([info.maxRestarts, info.strategy, info.name], [9, 'one_for_one', 'supervisor']);
  });

  it('onCrash: hears of the crash of a child', async () => {
    const clock = new VirtualClock();
    const crashes: [string, ExitReason][] = [];
    const boom = new Error('boom');
    await new Runtime({ clock })
      .supervisor()
      .onCrash((...crash) => void crashes.push(crash))
      .child('a', () => Promise.reject(boom), { restartType: 'temporary' })
      .build()
      .start();
    await clock.advance(0);
    assert.deepEqual(crashes, [['a', { kind: 'crashed', error: boom }]]);
  });

  it('withTelemetry(false): reports nothing of the supervisor and its children', async () => {
    const runtime = quietRuntime();
    const events: string[] = [];
    const listen = (type: 'supervisor_started' | 'process_started' | 'supervisor_stopped') =>
      runtime.telemetry.on(type, ({ metadata }) => events.push(`${type} ${metadata.supervisor}`));
    listen('supervisor_started');
    listen('process_started');
    listen('supervisor_stopped');
    for (const enabled of [false, true]) {
      const supervisor = runtime.supervisor().name(`telemetry ${enabled}`).withTelemetry(enabled).child('a', idle).build();
      await supervisor.start();
      await supervisor.stop();
    }
    assert.deepEqual(events, ['supervisor_started telemetry true', 'process_started telemetry true', 'supervisor_stopped telemetry true']);
  });

  it('keepAlive: the root holds Node while it runs unless it was told not to; a nested supervisor never does', async () => {
    for (const [keepAlive, expected] of [
      [undefined, 1],
      [true, 1],
      [false, 0],
    ] as const) {
      const clock = new CountingClock();
      const runtime = new Runtime({ clock });
      const nested = runtime.supervisor().keepAlive(true).child('a', idle);
      const supervisor = runtime.supervisor().keepAlive(keepAlive!).child('nested', nested).build();
      assert.equal(clock.held, 0);
      await supervisor.start();
      assert.equal(clock.held, expected);
      await supervisor.stop();
      assert.equal(clock.held, 0);
    }
  });

  describe('child', () => {
    it('hands its options to the child', async () => {
      const supervisor = await started(builder().child('a', idle, { args: { port: 80 }, restartType: 'temporary', shutdownTimeoutMs: 9 }));
      const { args, restartType, shutdownTimeoutMs } = await supervisor.getChildSpec('a');
      assert.deepEqual({ args, restartType, shutdownTimeoutMs }, { args: { port: 80 }, restartType: 'temporary', shutdownTimeoutMs: 9 });
    });

    it('is called childWithOptions, too', async () => {
      const supervisor = await started(builder().childWithOptions('a', idle, { restartType: 'transient' }));
      assert.equal((await supervisor.getChildSpec('a')).restartType, 'transient');
    });

    it('does not let options replace the id or the body', async () => {
      const options = { id: 'other', startFn: () => assert.fail('is not the body'), args: 1 };
      const supervisor = await started(builder().child('a', idle, options));
      assert.equal(supervisor.getChildInfo('a')?.state, 'running');
    });

    it('SPEC-06: refuses a taken id, and the child that has it stays intact', async () => {
      const twice = builder().child('a', idle, { args: 'first' });
      assert.throws(() => twice.child('a', idle, { args: 'second' }), isError('AlreadyMonitoring'));
      const supervisor = await started(twice.child('b', idle));
      assert.deepEqual(outlineOf(supervisor).children, ['a', 'b']);
      assert.equal((await supervisor.getChildSpec('a')).args, 'first');
    });

    it('keeps the builder as it was when a child is refused', async () => {
      const refusing = builder().child('a', idle);
      assert.throws(() => refusing.child('b', idle, { shutdownTimeoutMs: -1 }), isError('InvalidConfiguration'));
      assert.deepEqual(outlineOf(await started(refusing.child('b', idle))).children, ['a', 'b']);
    });
  });

  describe('SPEC-11: childPool', () => {
    it('adds numbered children, in this start order', async () => {
      const order: string[] = [];
      const body = (ctx: ProcessContext<never, string>) => {
        order.push(`${ctx.id} ${ctx.args}`);
        return ctx.stopped;
      };
      await started(builder().childPool('w', body, 4, { args: 'same' }));
      assert.deepEqual(order, ['w_0 same', 'w_1 same', 'w_2 same', 'w_3 same']);
    });

    it('adds none for a count of 0', async () => {
      assert.deepEqual(outlineOf(await started(builder().childPool('w', idle, 0))).children, []);
    });

    it('adds none when one of its ids is taken', async () => {
      const taken = builder().child('w_2', idle);
      assert.throws(() => taken.childPool('w', idle, 4), isError('AlreadyMonitoring'));
      assert.deepEqual(outlineOf(await started(taken.childPool('w', idle, 2))).children, ['w_2', 'w_0', 'w_1']);
    });
  });

  describe('SPEC-10: build', () => {
    it('starts nothing', () => {
      builder()
        .child('a', () => assert.fail('was started'))
        .build();
    });

    it('makes independent supervisors of the same children', async () => {
      const shared = builder().child('a', idle);
      const [one, other] = [await started(shared), await started(shared)];
      await one.startChild({ id: 'b', startFn: idle });
      await one.terminateChild('a');
      assert.deepEqual([outlineOf(other).children, other.getChildInfo('a')?.state], [['a'], 'running']);
      await one.stop();
      assert.equal(other.state, 'running');
    });

    it('is not changed by later calls on the builder', async () => {
      const changing = builder().child('a', idle);
      const supervisor = changing.build();
      changing.child('b', idle).maxRestarts(99).strategy('one_for_all');
      await supervisor.start();
      const { children, maxRestarts, strategy } = outlineOf(supervisor);
      assert.deepEqual([children, maxRestarts, strategy], [['a'], 3, 'one_for_one']);
    });

    it('can be called again when a bad option was put right', () => {
      const bad = builder().child('a', idle).maxRestarts(-1);
      assert.throws(() => bad.build(), isError('InvalidConfiguration'));
      assert.equal(bad.maxRestarts(2).build().inspect().maxRestarts, 2);
    });
  });

  describe('as a child of another supervisor', () => {
    it('is built anew at each start', async () => {
      const runtime = quietRuntime();
      const nested = runtime.supervisor().child('a', idle);
      const parent = await started(runtime.supervisor().child('nested', nested));
      const trees = () => parent.getChildInfo('nested')?.supervisor;
      await parent.restartChild('nested');
      assert.deepEqual([parent.getChildInfo('nested')?.incarnation, trees()?.children[0]?.incarnation], [2, 1]);
    });

    it('can be a child of two at a time', async () => {
      const nested = builder().child('a', idle);
      const [one, other] = [await started(builder().child('left', nested)), await started(builder().child('right', nested))];
      await one.stop();
      assert.equal(other.getChildInfo('right')?.supervisor?.activeChildren, 1);
    });

    it('is not changed by later calls once the parent was built', async () => {
      const nested = builder().child('a', idle);
      const parent = builder().child('nested', nested).build();
      nested.child('b', idle);
      await parent.start();
      await parent.restartChild('nested');
      assert.equal(parent.getChildInfo('nested')?.supervisor?.childCount, 1);
    });

    it('is called by its child id, or by its own name, with those above it', async () => {
      const runtime = quietRuntime();
      const paths: string[] = [];
      runtime.telemetry.on('supervisor_started', ({ metadata }) => paths.push(metadata.supervisor));
      const nested = runtime.supervisor().child('deep', runtime.supervisor());
      const named = runtime.supervisor().name('own');
      await started(runtime.supervisor().name('top').child('nested', nested).child('other', named));
      assert.deepEqual(paths, ['top', 'top/nested', 'top/nested/deep', 'top/own']);
    });

    it("runs on the parent's runtime", async () => {
      const [own, parents] = [quietRuntime(), quietRuntime()];
      await started(parents.supervisor().child('nested', own.supervisor().child('a', registered)));
      assert.deepEqual([own.registry.size, parents.registry.size], [0, 1]);
    });

    it('is refused with its bad options when the parent is built, not when it starts', () => {
      const nested = builder().maxRestarts(-1);
      assert.throws(() => builder().child('nested', nested), isError('InvalidConfiguration'));
      const deep = builder().child('nested', builder().child('a', idle));
      const added = builder().child('nested', deep);
      deep.maxSeconds(0);
      assert.throws(() => added.build(), isError('InvalidConfiguration'));
    });
  });
});

/** A clock that counts who holds Node. */
class CountingClock extends VirtualClock {
  held = 0;

  override keepAlive(): () => boolean {
    const cancel = super.keepAlive();
    this.held += 1;
    return () => {
      const wasHeld = cancel();
      if (wasHeld) this.held -= 1;
      return wasHeld;
    };
  }
}

function builder(): SupervisorBuilder {
  return quietRuntime().supervisor();
}

function quietRuntime(): Runtime {
  return new Runtime({ clock: new VirtualClock() });
}

async function started(from: SupervisorBuilder): Promise<Supervisor> {
  const supervisor = from.build();
  await supervisor.start();
  return supervisor;
}

function idle(ctx: ProcessContext): Promise<void> {
  return ctx.stopped;
}

function registered(ctx: ProcessContext): Promise<void> {
  ctx.register('db');
  return ctx.stopped;
}

function outlineOf(supervisor: Supervisor): Omit<SupervisorInfo, 'children'> & { children: string[] } {
  const info = supervisor.inspect();
  return { ...info, children: info.children.map(({ id }) => id) };
}

function isError(code: VigilErrorCode): (error: unknown) => boolean {
  return (error) => isVigilError(error, code);
}
