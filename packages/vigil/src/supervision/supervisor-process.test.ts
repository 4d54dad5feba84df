import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crashed, isVigilError, SHUTDOWN } from '../core/index.js';
import { DEFAULTS, type SupervisionDefaults } from './child-spec.js';
import { errorFrom, failsWith, type Pool, START_ERROR, World } from './scripted-child.suite.js';
import { Supervisor } from './supervisor.js';

describe('a tree of supervisors', () => {
  it('starts depth first, and gives each supervisor its place in the tree as its path', async () => {
    const { world, s2, children } = makeTree();
    const top = world.supervisor({ name: 'app', children });
    await top.start();
    assert.deepEqual(world.takeTrace(), ['+x', '+y', '+z']);
    assert.deepEqual([top.path, s2.current.path], ['app', 'app/s2']);
    const [row] = await top.whichChildren();
    assert.deepEqual([row?.id, row?.type, row?.state, row?.ref?.kind], ['s1', 'supervisor', 'running', 'supervisor']);
    await top.stop();
  });

  it('TREE-01: a failure within its budget stays local', async () => {
    const { world, x, y, z, s1, s2, children } = makeTree();
    const top = await world.started({ strategy: 'one_for_all', children });
    const before = [x.ref, z.ref, s1.current, s2.current];
    y.crash();
    await world.rest();
    assert.deepEqual(world.takeTrace(), ['-y(error)', '+y']);
    assert.deepEqual([x.ref, z.ref, s1.current, s2.current], before);
    assert.equal(top.inspect().totalRestarts, 0);
    await top.stop();
  });

  it('TREE-02: escalation climbs one level at a time', async () => {
    const { world, y, s2, children } = makeTree();
    const late = world.child('late');
    const top = await world.started({ strategy: 'one_for_all', children });
    await s2.current.startChild(late.spec);
    y.crash();
    await world.rest();
    world.takeTrace();
    const first = s2.current;
    y.crash();
    await world.rest();
    assert.deepEqual(world.takeTrace(), ['-y(error)', '-late(shutdown)', '-z(shutdown)', '-x(shutdown)', '+x', '+y', '+z']);
    assert.notEqual(s2.current, first);
    assert.equal(first.state, 'stopped');
    assert.equal(top.inspect().restartsLeft, 2);
    assert.equal(late.starts, 1);
    await top.stop();
  });

  it('INT-09: a permanent supervisor that gave up is restarted, at the cost of one restart of its parent', async () => {
    const { world, y, s2, children } = makeTree();
    const top = await world.started({ children, maxRestarts: 1 });
    for (let crash = 0; crash < 2; crash += 1) {
      y.crash();
      await world.rest();
    }
    const [event] = top.getRestartHistory();
    assert.equal(event?.id, 's2');
    assert.ok(event.reason.kind === 'shutdown' && isVigilError(event.reason.info, 'TooManyRestarts'));
    assert.equal(top.inspect().restartsLeft, 0);
    assert.equal(s2.made.length, 2);
    await top.stop();
  });

  it('INT-09: a transient supervisor that gave up stays stopped', async () => {
    const world = new World();
    const x = world.child('x');
    const sub = world.subtree('sub', { children: [x], maxRestarts: 0 }, { restartType: 'transient' });
    const top = await world.started({ children: [sub], maxRestarts: 0 });
    x.crash();
    await world.rest();
    assert.equal((await top.whichChildren())[0]?.state, 'stopped');
    assert.equal(top.state, 'running');
    await top.stop();
  });

  it('INT-11: a supervisor that was restarted has a fresh budget', async () => {
    const { world, y, s2, children } = makeTree();
    const top = await world.started({ children });
    for (let crash = 0; crash < 3; crash += 1) {
      y.crash();
      await world.rest();
    }
    assert.equal(s2.made.length, 2);
    assert.equal(s2.current.inspect().totalRestarts, 1);
    assert.equal(top.inspect().totalRestarts, 1);
    await top.stop();
  });

  it('TREE-03: stops depth first', async () => {
    const world = new World();
    const [a, b, x, y] = world.children(['a', 'b', 'x', 'y'], { stopsAfterMs: 10 });
    const top = await world.started({ children: [a, world.subtree('sub', { children: [x, y] }), b] });
    const stopping = top.stop();
    await world.clock.advance(40);
    await stopping;
    assert.deepEqual(world.takeNotes(), ['?b', '-b(shutdown)', '?y', '-y(shutdown)', '?x', '-x(shutdown)', '?a', '-a(shutdown)']);
  });

  it('TREE-03: stops depth first during the start, too', async () => {
    const world = new World();
    const a = world.child('a');
    const x = world.child('x', { stopsAfterMs: 100 });
    const y = world.child('y', { readiness: 'explicit', start: 'waits' });
    const top = world.supervisor({ children: [a, world.subtree('sub', { children: [x, y] })] });
    const starting = errorFrom(top.start());
    await world.rest();
    const stopping = top.stop();
    await world.clock.advance(99);
    assert.deepEqual(world.takeNotes(), ['+a', '+x', '+y', '?y', '-y(shutdown)', '?x']);
    await world.clock.advance(1);
    await stopping;
    assert.deepEqual(world.takeNotes(), ['-x(shutdown)', '?a', '-a(shutdown)']);
    assert.equal((await starting).code, 'InvalidState');
    assert.deepEqual(world.errors, []);
  });

  it('TREE-04: a subtree has all the time it needs', async () => {
    const world = new World();
    const x = world.child('x', { shutdownTimeoutMs: 10_000, stopsAfterMs: 8000 });
    const top = await world.started({ children: [world.subtree('sub', { children: [x] })] });
    const stopping = top.stop();
    await world.clock.advance(8000);
    await stopping;
    assert.deepEqual(world.takeTrace(), ['-x(shutdown)']);
    assert.deepEqual(world.errors, []);
  });

  it('SHUT-03: a subtree with a limit is killed with all that is in it', async () => {
    const world = new World();
    const [x, y] = world.children(['x', 'y'], { stopsAfterMs: 'never', shutdownTimeoutMs: 'infinity' });
    const sub = world.subtree('sub', { children: [x, y] }, { shutdownTimeoutMs: 100 });
    const top = await world.started({ children: [sub] });
    const stopping = top.stop();
    await world.clock.advance(99);
    assert.deepEqual(world.takeTrace(), []);
    await world.clock.advance(1);
    await stopping;
    assert.deepEqual(world.takeTrace(), ['-y(killed)', '-x(killed)']);
    assert.deepEqual(top.getChildInfo('sub')?.lastExit?.reason, { kind: 'killed' });
  });

  it('TREE-05: a supervisor that is killed takes its children along, and its parent restarts it when their names are free', async () => {
    const world = new World();
    const taken: string[] = [];
    const startFn = async (ctx: { register(name: string): void; stopped: Promise<void> }): Promise<void> => {
      ctx.register('unique');
      taken.push('unique');
      await ctx.stopped;
    };
    const sub = world.subtree('sub', { children: [world.child('x', { stopsAfterMs: 'never' }), { id: 'named', startFn }] });
    const top = await world.started({ children: [sub] });
    sub.current.kill();
    await world.rest();
    assert.deepEqual(world.takeTrace(), ['-x(killed)', '+x']);
    assert.deepEqual(taken, ['unique', 'unique']);
    assert.deepEqual(top.getRestartHistory()[0]?.reason, { kind: 'killed' });
    assert.equal(world.names.size, 1);
    top.kill();
    await top.exited;
    assert.equal(world.names.size, 0);
  });

  it('TREE-05: kill goes down the whole tree', async () => {
    const world = new World();
    const [a, x, y] = world.children(['a', 'x', 'y'], { stopsAfterMs: 'never' });
    const sub = world.subtree('sub', { children: [x, world.subtree('deep', { children: [y] })] });
    const top = await world.started({ children: [a, sub] });
    top.kill();
    assert.deepEqual(
      [a, x, y].map(({ alive }) => alive),
      [0, 0, 0],
    );
    assert.deepEqual(await top.exited, { kind: 'killed' });
    assert.equal(sub.current.state, 'stopped');
    assert.equal(world.clock.pendingTimers, 0);
  });

  it('ST-03: a subtree that does not start is a child that does not start', async () => {
    const world = new World();
    const [a, x] = world.children(['a', 'x']);
    const y = world.child('y', { readiness: 'explicit', start: 'fails' });
    const top = world.supervisor({ name: 'app', children: [a, world.subtree('sub', { children: [x, y] })] });
    const error = await errorFrom(top.start());
    assert.deepEqual(world.takeTrace(), ['+a', '+x', '+y', '-y(error)', '-x(shutdown)', '-a(shutdown)']);
    failsWith('ProcessStartFailed', { id: 'sub' })(error);
    assert.ok(isVigilError(error.cause, 'ProcessStartFailed'));
    assert.deepEqual(error.cause.details, { id: 'y', reason: crashed(START_ERROR) });
    assert.equal(error.cause.cause, START_ERROR);
    assert.match(error.cause.message, /child "y" of "app\/sub"/);
  });

  it('a permanent supervisor that was stopped from outside is restarted', async () => {
    const world = new World();
    const sub = world.subtree('sub', { children: [world.child('x')] });
    const top = await world.started({ children: [sub] });
    await sub.current.stop();
    await world.rest();
    assert.deepEqual(world.takeTrace(), ['-x(shutdown)', '+x']);
    assert.deepEqual(top.getRestartHistory()[0]?.reason, SHUTDOWN);
    await top.stop();
  });

  it('takes no messages', async () => {
    const world = new World();
    const top = await world.started({ children: [world.subtree('sub', {})] });
    assert.throws(() => top.address('sub').send('x'), failsWith('InboxClosed'));
    await top.stop();
  });
});

describe('a supervisor given as a child', () => {
  it('is started, restarted and stopped with its parent', async () => {
    const world = new World();
    const x = world.child('x');
    const inner = world.supervisor({ name: 'inner', children: [x], maxRestarts: 0 });
    const top = await world.started({ children: [{ id: 'sub', startFn: inner }] });
    assert.equal(inner.state, 'running');
    x.crash();
    await world.rest();
    assert.equal(inner.state, 'running');
    assert.equal(x.starts, 2);
    await top.stop();
    assert.equal(inner.state, 'stopped');
    assert.equal(world.clock.holds, 0);
  });

  it('does not start when it runs already, and goes on unharmed', async () => {
    const world = new World();
    const x = world.child('x');
    const inner = await world.started({ children: [x] });
    const top = world.supervisor({ children: [{ id: 'sub', startFn: inner }] });
    const error = await errorFrom(top.start());
    assert.equal(error.code, 'ProcessStartFailed');
    assert.ok(isVigilError(error.cause, 'ProcessAlreadyRunning'));
    assert.equal(inner.state, 'running');
    assert.equal(x.alive, 1);
    await inner.stop();
  });
});

describe('what a supervisor given as a child takes over from its parent', () => {
  const DEFAULT_DELAY = { initialMs: 7, maxMs: 70, multiplier: 3, jitter: 0 };
  const OF_THE_PARENT: SupervisionDefaults = {
    ...DEFAULTS,
    maxRestarts: 8,
    maxSeconds: 80,
    shutdownTimeoutMs: 800,
    restartDelay: DEFAULT_DELAY,
  };

  const startBelow = async (world: World, startFn: Supervisor | Pool): Promise<Supervisor> => {
    const top = new Supervisor({ name: 'top', children: [{ id: 'sub', startFn }] }, world.environment, OF_THE_PARENT);
    await top.start();
    return top;
  };

  it('its name, its figures, and those of its children, wherever it was told nothing', async () => {
    const world = new World();
    const inner = world.supervisor({ children: [world.child('a')] });
    const top = await startBelow(world, inner);
    const { name, maxRestarts, maxSeconds } = inner.inspect();
    assert.deepEqual([name, inner.path, maxRestarts, maxSeconds], ['sub', 'top/sub', 8, 80]);
    const { shutdownTimeoutMs, restartDelay } = await inner.getChildSpec('a');
    assert.deepEqual([shutdownTimeoutMs, restartDelay], [800, DEFAULT_DELAY]);
    await top.stop();
  });

  it('the same for the template of a dynamic one, and for the children that start from it', async () => {
    const world = new World();
    const pool = world.dynamicSupervisor();
    const top = await startBelow(world, pool);
    const a = world.child('a', { stopsAfterMs: 'never' });
    const ref = await pool.startChild(a);
    const { shutdownTimeoutMs, restartDelay } = await pool.getChildSpec(ref);
    assert.deepEqual([shutdownTimeoutMs, restartDelay, pool.path, pool.inspect().maxRestarts], [800, DEFAULT_DELAY, 'top/sub', 8]);
    const terminating = pool.terminateChild(ref);
    await world.clock.advance(800);
    await terminating;
    assert.equal(a.alive, 0);
    await top.stop();
  });

  it('nothing where it was told something', async () => {
    const world = new World();
    const told = { name: 'inner', maxRestarts: 1, maxSeconds: 2, restartDelay: { initialMs: 5 } };
    const inner = world.supervisor({ ...told, children: [world.child('a', { shutdownTimeoutMs: 3 })] });
    const top = await startBelow(world, inner);
    const { name, maxRestarts, maxSeconds } = inner.inspect();
    assert.deepEqual([name, inner.path, maxRestarts, maxSeconds], ['inner', 'top/inner', 1, 2]);
    const { shutdownTimeoutMs, restartDelay } = await inner.getChildSpec('a');
    assert.deepEqual([shutdownTimeoutMs, restartDelay?.initialMs], [3, 5]);
    await top.stop();
  });

  it('SHUT-14: the care for keeping Node alive', async () => {
    const world = new World();
    const top = await startBelow(world, world.supervisor());
    assert.equal(world.clock.holds, 1);
    await top.stop();
    assert.equal(world.clock.holds, 0);
  });
});

/** Children of a supervisor: s1 [x] and s2 [y, z], which may restart once. */
function makeTree() {
  const world = new World();
  const [x, y, z] = world.children(['x', 'y', 'z']);
  const s1 = world.subtree('s1', { children: [x] });
  const s2 = world.subtree('s2', { children: [y, z], maxRestarts: 1 });
  return { world, x, y, z, s1, s2, children: [s1, s2] };
}
