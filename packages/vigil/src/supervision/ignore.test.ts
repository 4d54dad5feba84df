import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ProcessContext } from '../processes/index.js';
import { failsWith, World } from './scripted-child.suite.js';

const EXPLICIT = { readiness: 'explicit' } as const;
const DECLINES = { ...EXPLICIT, start: 'declines' } as const;

describe('ctx.ignore()', () => {
  it('when the supervisor starts: keeps the child as stopped, starts the others, and is no failure', async () => {
    const world = new World();
    const [a, b, c] = [world.child('a'), world.child('b', DECLINES), world.child('c')];
    const supervisor = await world.started({ children: [a, b, c], maxRestarts: 0 });
    assert.deepEqual(
      (await supervisor.whichChildren()).map(({ id, state, ref }) => [id, state, ref]),
      [
        ['a', 'running', a.ref],
        ['b', 'stopped', undefined],
        ['c', 'running', c.ref],
      ],
    );
    assert.deepEqual(await supervisor.countChildren(), { specs: 3, active: 2, supervisors: 0, workers: 3 });
    assert.deepEqual([b.starts, supervisor.getChildInfo('b')?.lastExit, world.errors], [1, undefined, []]);
    await supervisor.stop();
  });

  it('is told to telemetry as nothing at all', async () => {
    const world = new World();
    const supervisor = await world.started({ children: [world.child('a', DECLINES)] });
    await world.clock.advance(60_000);
    assert.deepEqual(
      world.events.map(({ eventType }) => eventType),
      ['supervisor_started'],
    );
    await supervisor.stop();
  });

  it('leaves a child that can be started by request when the cause is gone', async () => {
    const world = new World();
    const a = world.child('a', DECLINES);
    const supervisor = await world.started({ children: [a] });
    a.start = 'succeeds';
    const ref = await supervisor.restartChild('a', { onlyIfStopped: true });
    assert.deepEqual([ref, ref.incarnation, ref.isAlive()], [a.ref, 2, true]);
    await supervisor.stop();
  });

  it('when the supervisor starts: a temporary child is forgotten', async () => {
    const world = new World();
    const a = world.child('a', { ...DECLINES, restartType: 'temporary' });
    const supervisor = await world.started({ children: [a] });
    assert.deepEqual([await supervisor.whichChildren(), supervisor.getChildInfo('a')], [[], undefined]);
    await supervisor.stop();
    a.start = 'succeeds';
    await supervisor.start();
    assert.equal(a.alive, 1);
    await supervisor.stop();
  });

  it('at startChild: resolves with a ref that is dead, and keeps the child as stopped', async () => {
    const world = new World();
    const a = world.child('a', DECLINES);
    const supervisor = await world.started();
    const ref = await supervisor.startChild(a.spec);
    assert.deepEqual([ref.id, ref.incarnation, ref.isAlive()], ['a', 1, false]);
    assert.throws(() => ref.send('x'), failsWith('ProcessNotFound'));
    assert.equal(supervisor.getChildInfo('a')?.state, 'stopped');
    await assert.rejects(supervisor.startChild(a.spec), failsWith('AlreadyMonitoring', { id: 'a', state: 'present' }));
    await supervisor.deleteChild('a');
    assert.deepEqual(
      world.events.map(({ eventType }) => eventType),
      ['supervisor_started', 'supervisor_child_added', 'supervisor_child_removed'],
    );
    await supervisor.stop();
  });

  it('at startChild: a temporary child is forgotten, and was never added', async () => {
    const world = new World();
    const a = world.child('a', { ...DECLINES, restartType: 'temporary' });
    const supervisor = await world.started();
    assert.equal((await supervisor.startChild(a.spec)).isAlive(), false);
    assert.deepEqual(await supervisor.whichChildren(), []);
    assert.deepEqual(
      world.events.map(({ eventType }) => eventType),
      ['supervisor_started'],
    );
    a.start = 'succeeds';
    await supervisor.startChild(a.spec);
    await supervisor.stop();
  });

  it('at a restart after a crash: the child stays stopped, is not tried again, and has cost one restart', async () => {
    const world = new World();
    const a = world.child('a', EXPLICIT);
    const supervisor = await world.started({ children: [a], maxRestarts: 3 });
    a.start = 'declines';
    a.crash();
    await world.clock.advance(60_000);
    assert.deepEqual([a.starts, supervisor.getChildInfo('a')?.state, supervisor.inspect().totalRestarts], [2, 'stopped', 1]);
    a.start = 'succeeds';
    await supervisor.restartChild('a');
    await supervisor.stop();
  });

  it('at a restart by request: resolves with a ref that is dead', async () => {
    const world = new World();
    const a = world.child('a', EXPLICIT);
    const supervisor = await world.started({ children: [a] });
    a.start = 'declines';
    const ref = await supervisor.restartChild('a');
    assert.deepEqual([ref.incarnation, ref.isAlive(), supervisor.getChildInfo('a')?.state], [2, false, 'stopped']);
    await supervisor.stop();
  });

  it('at a restart by request: a temporary child is forgotten', async () => {
    const world = new World();
    const a = world.child('a', { ...EXPLICIT, restartType: 'temporary' });
    const supervisor = await world.started({ children: [a] });
    a.start = 'declines';
    await supervisor.restartChild('a');
    assert.deepEqual(await supervisor.whichChildren(), []);
    assert.deepEqual(world.events.at(-1), { eventType: 'supervisor_child_removed', metadata: { supervisor: 'supervisor', id: 'a' } });
    await supervisor.stop();
  });

  it('at a restart of its group: the others are started all the same', async () => {
    const world = new World();
    const [a, b, c] = [world.child('a'), world.child('b', EXPLICIT), world.child('c')];
    const supervisor = await world.started({ strategy: 'one_for_all', children: [a, b, c] });
    b.start = 'declines';
    c.crash();
    await world.rest();
    assert.deepEqual(
      (await supervisor.whichChildren()).map(({ id, state }) => `${id} ${state}`),
      ['a running', 'b stopped', 'c running'],
    );
    assert.equal(supervisor.inspect().totalRestarts, 1);
    b.start = 'succeeds';
    c.crash();
    await world.rest();
    assert.equal(supervisor.getChildInfo('b')?.state, 'running');
    await supervisor.stop();
  });

  it('of a significant child is no end that would stop the supervisor, and the child counts as ended', async () => {
    const world = new World();
    const significant = { restartType: 'transient', significant: true } as const;
    const [a, b] = [world.child('a', { ...significant, ...DECLINES }), world.child('b', significant)];
    for (const autoShutdown of ['any_significant', 'all_significant'] as const) {
      const supervisor = await world.started({ autoShutdown, children: [a, b] });
      await world.rest();
      assert.equal(supervisor.state, 'running');
      b.finish();
      assert.deepEqual(await supervisor.exited, { kind: 'shutdown' });
    }
  });

  it('can come late, ends the wait of those who wait for the start, and leaves no timer', async () => {
    const world = new World();
    const a = world.child('a', { ...DECLINES, startsAfterMs: 50, startTimeoutMs: 1000 });
    const b = world.child('b');
    const supervisor = world.supervisor({ children: [a, b] });
    const starting = supervisor.start();
    await world.clock.advance(49);
    assert.equal(b.starts, 0);
    await world.clock.advance(1);
    await starting;
    assert.deepEqual([world.clock.pendingTimers, b.alive], [0, 1]);
    await supervisor.stop();
  });

  it('is the end of the process: it is asked to stop, its names are free, and what its code still does has no effect', async () => {
    const world = new World();
    const contexts: ProcessContext[] = [];
    const startFn = async (ctx: ProcessContext) => {
      contexts.push(ctx);
      ctx.register('db');
      ctx.ignore();
      await ctx.stopped;
      ctx.ready();
      ctx.ignore();
      throw new Error('too late to matter');
    };
    const supervisor = await world.started({ children: [{ id: 'a', startFn, ...EXPLICIT }] });
    await world.rest();
    const [ctx] = contexts;
    assert.deepEqual([ctx?.signal.aborted, ctx?.self.isAlive(), world.names.whereis('db')], [true, false, undefined]);
    assert.throws(() => ctx?.register('db'), failsWith('ProcessNotFound'));
    assert.deepEqual([supervisor.getChildInfo('a')?.state, contexts.length, world.errors, world.warnings], ['stopped', 1, [], []]);
    await supervisor.stop();
  });

  it('has no effect with immediate readiness', async () => {
    const world = new World();
    const supervisor = await world.started({ children: [{ id: 'a', startFn: declines }] });
    await world.rest();
    assert.equal(supervisor.getChildInfo('a')?.state, 'running');
    await supervisor.stop();
  });

  it('has no effect once the child is ready', async () => {
    const world = new World();
    const a = world.child('a', EXPLICIT);
    const supervisor = await world.started({ children: [a] });
    a.context.ignore();
    await world.rest();
    assert.deepEqual([supervisor.getChildInfo('a')?.state, a.alive, a.starts], ['running', 1, 1]);
    await supervisor.stop();
  });
});

function declines(ctx: ProcessContext): Promise<void> {
  ctx.ignore();
  return ctx.stopped;
}
