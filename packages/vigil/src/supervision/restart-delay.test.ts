import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isVigilError } from '../core/index.js';
import type { ChildOptions } from './child-spec.js';
import type { RestartDelay } from './restart-delay.js';
import { errorFrom, failsWith, type ScriptedChild, START_ERROR, World } from './scripted-child.suite.js';
import type { Supervisor } from './supervisor.js';

describe('restartDelay', () => {
  it('is asked when a child or a supervisor is made', () => {
    const world = new World();
    for (const make of [
      () => world.supervisor({ restartDelay: { initialMs: 0 } }),
      () => world.supervisor({ children: [world.child('a', { restartDelay: { initialMs: 0 } })] }),
      () => world.dynamicSupervisor({ restartDelay: { initialMs: 0 } }),
      () => world.dynamicSupervisor({}, { restartDelay: { initialMs: 0 } }),
    ]) {
      assert.throws(make, failsWith('InvalidConfiguration', { option: 'restartDelay.initialMs', value: 0 }));
    }
  });
});

const DELAY: RestartDelay = { initialMs: 100, maxMs: 1000, multiplier: 2 };

describe('a supervisor with a restart delay', () => {
  it('INT-13: waits before it restarts a child, and shows the child as restarting meanwhile', async () => {
    const world = new World();
    const a = world.child('a', { restartDelay: DELAY });
    const supervisor = await world.started({ children: [a] });
    a.crash();
    await world.clock.advance(99);
    assert.deepEqual(await supervisor.whichChildren(), [{ id: 'a', state: 'restarting', type: 'worker', ref: undefined }]);
    assert.deepEqual([supervisor.getChildInfo('a')?.state, (await supervisor.countChildren()).active], ['restarting', 0]);
    assert.throws(() => supervisor.address('a').send('x'), failsWith('ProcessNotFound'));
    await world.clock.advance(1);
    assert.deepEqual(world.takeTrace(), ['-a(error)', '+a']);
    assert.equal(supervisor.getChildInfo('a')?.state, 'running');
    await supervisor.stop();
  });

  it('INT-13: has no delay without the option', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started({ children: [a] });
    a.crash();
    await world.rest();
    assert.deepEqual([a.starts, world.clock.now(), world.clock.pendingTimers], [2, 0, 0]);
    await supervisor.stop();
  });

  it('INT-13: waits longer from restart to restart, and begins anew after a run of maxMs', async () => {
    const world = new World();
    const a = world.child('a', { restartDelay: DELAY });
    const supervisor = await world.started({ children: [a], maxRestarts: 100 });
    const crashAfter = async (runMs: number): Promise<number> => {
      await world.clock.advance(runMs);
      const [starts, crashedAt] = [a.starts, world.clock.now()];
      a.crash();
      await world.rest();
      while (a.starts === starts) await world.clock.advance(10);
      return world.clock.now() - crashedAt;
    };
    const waits: number[] = [];
    for (const runMs of [0, 0, 5, 999, 0, 0, 1000, 0, 5000, 0]) waits.push(await crashAfter(runMs));
    assert.deepEqual(waits, [100, 200, 400, 800, 1000, 1000, 100, 200, 100, 200]);
    await supervisor.stop();
  });

  for (const [how, act] of [
    ['a stop with its group', (_: Supervisor, b: ScriptedChild) => b.crash()],
    ['a restart by request', (supervisor: Supervisor) => supervisor.restartChild('a')],
  ] as const) {
    it(`INT-13: begins anew after a run of maxMs that ended by ${how}`, async () => {
      const world = new World();
      const [a, b] = [world.child('a', { restartDelay: DELAY }), world.child('b')];
      const supervisor = await world.started({ strategy: 'one_for_all', children: [a, b], maxRestarts: 100 });
      a.crash();
      await world.clock.advance(100);
      a.crash();
      await world.clock.advance(200);
      await world.clock.advance(1000);
      await act(supervisor, b);
      await world.rest();
      assert.equal(a.starts, 4);
      a.crash();
      await world.clock.advance(99);
      assert.equal(a.starts, 4);
      await world.clock.advance(1);
      assert.equal(a.starts, 5);
      await supervisor.stop();
    });
  }

  it('INT-13: counts the rows of two children each for itself', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b'], { restartDelay: DELAY });
    const supervisor = await world.started({ children: [a, b], maxRestarts: 100 });
    a.crash();
    await world.clock.advance(100);
    a.crash();
    b.crash();
    await world.clock.advance(100);
    assert.deepEqual([a.starts, b.starts], [2, 2]);
    await world.clock.advance(100);
    assert.deepEqual([a.starts, b.starts], [3, 2]);
    await supervisor.stop();
  });

  it('INT-13: is shortened by the chance of its runtime', async () => {
    const world = new World();
    const a = world.child('a', { restartDelay: { ...DELAY, jitter: 0.5 } });
    const supervisor = await world.started({ children: [a] });
    a.crash();
    await world.clock.advance(74);
    assert.equal(a.starts, 1);
    await world.clock.advance(1);
    assert.equal(a.starts, 2);
    await supervisor.stop();
  });

  it('INT-13: the delay of a supervisor holds for its children, for those below them, and gives way to that of a child', async () => {
    const world = new World();
    const own = { initialMs: 7, maxMs: 30_000, multiplier: 2, jitter: 0 };
    const [a, b] = [world.child('a'), world.child('b', { restartDelay: { initialMs: 7 } })];
    const supervisor = await world.started({ restartDelay: DELAY, children: [a, b] });
    assert.deepEqual((await supervisor.getChildSpec('a')).restartDelay, { ...DELAY, jitter: 0 });
    assert.deepEqual((await supervisor.getChildSpec('b')).restartDelay, own);
    await supervisor.startChild(world.child('c').spec);
    assert.deepEqual((await supervisor.getChildSpec('c')).restartDelay, { ...DELAY, jitter: 0 });
    await supervisor.stop();
  });

  it('INT-13: SHUT-14: stop ends the wait at once and leaves no timer', async () => {
    const world = new World();
    const [a, b] = [world.child('a', { restartDelay: DELAY }), world.child('b')];
    const supervisor = await world.started({ children: [a, b] });
    a.crash();
    await world.rest();
    assert.equal(world.clock.pendingTimers, 1);
    await supervisor.stop();
    assert.deepEqual([world.clock.now(), world.clock.pendingTimers, supervisor.state], [0, 0, 'stopped']);
    await world.clock.advance(10_000);
    assert.deepEqual(world.takeTrace(), ['-a(error)', '-b(shutdown)']);
    assert.equal(supervisor.getChildInfo('a')?.state, 'stopped');
  });

  it('INT-13: SHUT-14: kill ends the wait at once and leaves no timer', async () => {
    const world = new World();
    const a = world.child('a', { restartDelay: DELAY });
    const supervisor = await world.started({ children: [a] });
    a.crash();
    await world.rest();
    supervisor.kill();
    assert.deepEqual(await supervisor.exited, { kind: 'killed' });
    assert.deepEqual([world.clock.now(), world.clock.pendingTimers], [0, 0]);
  });

  it('INT-13: stop while the group of the child is being stopped leaves no timer', async () => {
    const world = new World();
    const [a, b] = [world.child('a', { restartDelay: DELAY }), world.child('b', { stopsAfterMs: 10 })];
    const supervisor = await world.started({ strategy: 'one_for_all', children: [a, b] });
    a.crash();
    await world.clock.advance(5);
    const stopping = supervisor.stop();
    await world.clock.advance(5);
    await stopping;
    assert.equal(world.clock.pendingTimers, 0);
    await world.clock.advance(10_000);
    assert.deepEqual(world.takeTrace(), ['-a(error)', '-b(shutdown)']);
  });

  it('INT-13: terminateChild ends the wait at once, and the child can be restarted by request', async () => {
    const world = new World();
    const a = world.child('a', { restartDelay: DELAY });
    const supervisor = await world.started({ children: [a] });
    a.crash();
    await world.rest();
    await supervisor.terminateChild('a');
    assert.deepEqual([world.clock.now(), world.clock.pendingTimers], [0, 0]);
    assert.equal((await supervisor.whichChildren())[0]?.state, 'stopped');
    await world.clock.advance(10_000);
    assert.equal(a.starts, 1);
    await supervisor.restartChild('a');
    assert.equal(a.starts, 2);
    await supervisor.stop();
  });

  it('INT-13: HANG-01: restartChild, deleteChild, startChild and suspendChild are refused during the wait', async () => {
    const world = new World();
    const a = world.child('a', { restartDelay: DELAY });
    const supervisor = await world.started({ children: [a] });
    a.crash();
    await world.rest();
    const details = { id: 'a', state: 'restarting' };
    await assert.rejects(supervisor.restartChild('a'), failsWith('InvalidState', details));
    await assert.rejects(supervisor.deleteChild('a'), failsWith('InvalidState', details));
    await assert.rejects(supervisor.suspendChild('a'), failsWith('InvalidState', details));
    await assert.rejects(supervisor.startChild(a.spec), failsWith('AlreadyMonitoring', { id: 'a', state: 'present' }));
    await world.clock.advance(100);
    assert.equal(a.starts, 2);
    await supervisor.stop();
  });

  for (const strategy of ['one_for_all', 'rest_for_one'] as const) {
    it(`INT-13: ${strategy}: the group is stopped at once and started after the delay`, async () => {
      const world = new World();
      const [a, t, b] = [world.child('a', { restartDelay: DELAY }), world.child('t', { restartType: 'temporary' }), world.child('b')];
      const supervisor = await world.started({ strategy, children: [a, t, b] });
      a.crash();
      await world.clock.advance(99);
      assert.deepEqual(world.takeTrace(), ['-a(error)', '-b(shutdown)', '-t(shutdown)']);
      assert.deepEqual(
        (await supervisor.whichChildren()).map(({ id, state }) => `${id} ${state}`),
        ['a restarting', 'b restarting'],
      );
      await world.clock.advance(1);
      assert.deepEqual(world.takeTrace(), ['+a', '+b']);
      assert.equal(supervisor.inspect().totalRestarts, 1);
      await supervisor.stop();
    });
  }

  for (const [terminated, started] of [
    ['a', '+b'],
    ['b', '+a'],
  ] as const) {
    it(`INT-13: one_for_all: terminateChild("${terminated}") during the wait keeps nobody else of the group down`, async () => {
      const world = new World();
      const [a, b] = [world.child('a', { restartDelay: DELAY }), world.child('b')];
      const supervisor = await world.started({ strategy: 'one_for_all', children: [a, b] });
      a.crash();
      await world.clock.advance(50);
      world.takeTrace();
      await supervisor.terminateChild(terminated);
      await world.clock.advance(49);
      assert.deepEqual(world.takeTrace(), []);
      await world.clock.advance(1);
      assert.deepEqual([world.takeTrace(), world.clock.pendingTimers], [[started], 0]);
      assert.equal(supervisor.getChildInfo(terminated)?.state, 'stopped');
      await supervisor.stop();
    });
  }

  it('INT-13: one_for_all: when all of the group are terminated during the wait, nothing is left of it', async () => {
    const world = new World();
    const [a, b] = [world.child('a', { restartDelay: DELAY }), world.child('b')];
    const supervisor = await world.started({ strategy: 'one_for_all', children: [a, b] });
    a.crash();
    await world.rest();
    await supervisor.terminateChild('a');
    await supervisor.terminateChild('b');
    assert.equal(world.clock.pendingTimers, 0);
    await world.clock.advance(1000);
    assert.deepEqual([a.starts, b.starts], [1, 1]);
    await supervisor.stop();
  });

  it('INT-13: rest_for_one: an earlier child that crashes during the wait takes over the group', async () => {
    const world = new World();
    const [a, b, c] = [world.child('a'), world.child('b', { restartDelay: DELAY }), world.child('c')];
    const supervisor = await world.started({ strategy: 'rest_for_one', children: [a, b, c] });
    b.crash();
    await world.clock.advance(50);
    a.crash();
    await world.rest();
    assert.deepEqual(world.takeTrace(), ['-b(error)', '-c(shutdown)', '-a(error)', '+a', '+b', '+c']);
    assert.equal(world.clock.pendingTimers, 0);
    await world.clock.advance(10_000);
    assert.deepEqual(world.takeTrace(), []);
    await supervisor.stop();
  });

  it('INT-13: one_for_one: the others run on, and are answered, during the wait', async () => {
    const world = new World();
    const [a, b] = [world.child('a', { restartDelay: DELAY }), world.child('b')];
    const supervisor = await world.started({ children: [a, b] });
    a.crash();
    await world.clock.advance(50);
    b.crash();
    await world.rest();
    assert.deepEqual(world.takeTrace(), ['-a(error)', '-b(error)', '+b']);
    await world.clock.advance(50);
    assert.deepEqual(world.takeTrace(), ['+a']);
    await supervisor.stop();
  });

  it('INT-13: an attempt that fails is made again after the next delay, and the budget ends it', async () => {
    const world = new World();
    const a = world.child('a', { readiness: 'explicit', restartDelay: DELAY });
    const supervisor = await world.started({ children: [a], maxRestarts: 3, maxSeconds: 5 });
    a.start = 'fails';
    a.crash();
    await world.clock.advance(100 + 200 + 399);
    assert.deepEqual([a.starts, supervisor.inspect().restartsLeft], [3, 0]);
    await world.clock.advance(1);
    const reason = await supervisor.exited;
    assert.ok(reason.kind === 'shutdown' && isVigilError(reason.info, 'TooManyRestarts'));
    assert.deepEqual([a.starts, reason.info.cause, world.clock.pendingTimers], [4, START_ERROR, 0]);
  });

  it('INT-13: waiting does not use the budget: with delays that outlast the window a crash loop goes on for ever', async () => {
    const world = new World();
    const a = world.child('a', { readiness: 'explicit', restartDelay: { initialMs: 3000, multiplier: 1 } });
    const supervisor = await world.started({ children: [a], maxRestarts: 2, maxSeconds: 5 });
    a.start = 'fails';
    a.crash();
    await world.clock.advance(3000 * 50);
    assert.deepEqual([a.starts, supervisor.state], [51, 'running']);
    assert.equal(supervisor.inspect().totalRestarts, 51);
    await supervisor.stop();
    assert.equal(world.clock.pendingTimers, 0);
  });

  it('INT-13: a body that returns waits, too, and transient ends do not', async () => {
    const world = new World();
    const options: ChildOptions = { restartDelay: DELAY };
    const [p, t] = [world.child('p', options), world.child('t', { ...options, restartType: 'transient' })];
    const supervisor = await world.started({ children: [p, t] });
    p.finish();
    t.finish();
    await world.rest();
    assert.deepEqual([supervisor.getChildInfo('p')?.state, supervisor.getChildInfo('t')?.state], ['restarting', 'stopped']);
    await world.clock.advance(100);
    assert.deepEqual([p.starts, t.starts], [2, 1]);
    await supervisor.stop();
  });

  it('INT-13: restarts by request wait for nothing, and add nothing to the row', async () => {
    const world = new World();
    const a = world.child('a', { restartDelay: DELAY });
    const supervisor = await world.started({ children: [a] });
    for (let request = 0; request < 3; request += 1) await supervisor.restartChild('a');
    assert.deepEqual([a.starts, world.clock.now()], [4, 0]);
    a.crash();
    await world.clock.advance(100);
    assert.equal(a.starts, 5);
    await supervisor.stop();
  });

  it('INT-13: a supervisor that gives up at once waits for nothing', async () => {
    const world = new World();
    const a = world.child('a', { restartDelay: DELAY });
    const supervisor = await world.started({ children: [a], maxRestarts: 0 });
    a.crash();
    assert.equal((await supervisor.exited).kind, 'shutdown');
    assert.deepEqual([world.clock.now(), world.clock.pendingTimers], [0, 0]);
    assert.equal((await errorFrom(supervisor.whichChildren())).code, 'InvalidState');
  });
});
