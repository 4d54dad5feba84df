import assert from 'node:assert/strict';
import { readFile } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'node:test';
import { SystemClock } from '../core/index.js';
import { errorFrom, failsWith, watch, World } from './scripted-child.suite.js';

const EXPLICIT = { readiness: 'explicit' } as const;
const GROUPS = ['one_for_all', 'rest_for_one'] as const;

describe('restart strategies', () => {
  it('STRAT-01: one_for_one restarts only the child that failed', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b']);
    const supervisor = await world.started({ children: [a, b] });
    const refs = [a.ref, b.ref];
    a.crash();
    await world.rest();
    assert.deepEqual(world.takeTrace(), ['-a(error)', '+a']);
    assert.notEqual(a.ref, refs[0]);
    assert.equal(b.ref, refs[1]);
    assert.deepEqual(await supervisor.countChildren(), { specs: 2, active: 2, supervisors: 0, workers: 2 });
    await supervisor.stop();
  });

  it('STRAT-02: one_for_all stops in reverse order, then starts in order', async () => {
    const world = new World();
    const [a, b, c] = world.children(['a', 'b', 'c'], { stopsAfterMs: 10 });
    const supervisor = await world.started({ strategy: 'one_for_all', children: [a, b, c] });
    b.crash();
    await world.clock.advance(20);
    assert.deepEqual(world.takeNotes(), ['-b(error)', '?c', '-c(shutdown)', '?a', '-a(shutdown)', '+a', '+b', '+c']);
    assert.equal(supervisor.inspect().restartsLeft, 2);
    supervisor.kill();
    await supervisor.exited;
  });

  it('STRAT-02: one_for_all starts each one when the one before is ready', async () => {
    const world = new World();
    const [a, b, c] = world.children(['a', 'b', 'c'], EXPLICIT);
    const supervisor = await world.started({ strategy: 'one_for_all', children: [a, b, c] });
    a.start = 'waits';
    c.crash();
    await world.rest();
    assert.deepEqual(world.takeTrace(), ['-c(error)', '-b(shutdown)', '-a(shutdown)', '+a']);
    a.becomeReady();
    await world.rest();
    assert.deepEqual(world.takeTrace(), ['+b', '+c']);
    await supervisor.stop();
  });

  it('STRAT-03: rest_for_one takes along only those that were started after it', async () => {
    const world = new World();
    const [a, b, c, d] = world.children(['a', 'b', 'c', 'd']);
    const supervisor = await world.started({ strategy: 'rest_for_one', children: [a, b, c, d] });
    const { ref } = a;
    b.crash();
    await world.rest();
    assert.deepEqual(world.takeTrace(), ['-b(error)', '-d(shutdown)', '-c(shutdown)', '+b', '+c', '+d']);
    assert.equal(a.ref, ref);
    d.crash();
    await world.rest();
    assert.deepEqual(world.takeTrace(), ['-d(error)', '+d']);
    await supervisor.stop();
  });

  for (const strategy of GROUPS) {
    it(`STRAT-04: under ${strategy} a temporary bystander is stopped and forgotten, and does not count`, async () => {
      const world = new World();
      const [p, t] = [world.child('p'), world.child('t', { restartType: 'temporary' })];
      const supervisor = await world.started({ strategy, children: [p, t], maxRestarts: 1 });
      p.crash();
      await world.rest();
      assert.deepEqual(world.takeTrace(), ['-p(error)', '-t(shutdown)', '+p']);
      assert.deepEqual(
        (await supervisor.whichChildren()).map(({ id }) => id),
        ['p'],
      );
      assert.equal(supervisor.inspect().totalRestarts, 1);
      assert.equal(supervisor.state, 'running');
      await supervisor.stop();
    });

    it(`STRAT-11: under ${strategy} a child added later is restarted in its place at the end`, async () => {
      const world = new World();
      const [a, b, c] = world.children(['a', 'b', 'c']);
      const supervisor = await world.started({ strategy, children: [a, b] });
      await supervisor.startChild(c.spec);
      a.crash();
      await world.rest();
      assert.deepEqual(world.takeTrace(), ['+c', '-a(error)', '-c(shutdown)', '-b(shutdown)', '+a', '+b', '+c']);
      await supervisor.stop();
    });

    it(`under ${strategy} also starts siblings that were stopped by request or ended cleanly, as OTP does`, async () => {
      const world = new World();
      const [a, b] = world.children(['a', 'b']);
      const c = world.child('c', { restartType: 'transient' });
      const supervisor = await world.started({ strategy, children: [a, b, c] });
      await supervisor.terminateChild('b');
      c.finish();
      await world.rest();
      world.takeTrace();
      a.crash();
      await world.rest();
      assert.deepEqual(world.takeTrace(), ['-a(error)', '+a', '+b', '+c']);
      await supervisor.stop();
    });
  }

  it('STRAT-07: two crashes in one turn are one group restart', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b']);
    const supervisor = await world.started({ strategy: 'one_for_all', children: [a, b], maxRestarts: 1 });
    a.crash();
    b.crash();
    await world.rest();
    assert.equal(supervisor.state, 'running');
    assert.deepEqual([a.starts, b.starts], [2, 2]);
    assert.equal(supervisor.inspect().totalRestarts, 1);
    await supervisor.stop();
  });

  it('STRAT-07: a crash while the group stops belongs to the same restart', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b']);
    const c = world.child('c', { stopsAfterMs: 100 });
    const supervisor = await world.started({ strategy: 'one_for_all', children: [a, b, c], maxRestarts: 1 });
    a.crash();
    await world.clock.advance(50);
    b.crash();
    await world.clock.advance(50);
    assert.deepEqual(world.takeTrace(), ['-a(error)', '-b(error)', '-c(shutdown)', '+a', '+b', '+c']);
    assert.equal(supervisor.state, 'running');
    c.stopsAfterMs = 0;
    await supervisor.stop();
  });

  it('STRAT-07: under one_for_one two crashes in one turn are two restarts', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b']);
    const supervisor = await world.started({ children: [a, b], maxRestarts: 1 });
    a.crash();
    b.crash();
    await world.rest();
    assert.equal(supervisor.state, 'stopped');
  });

  it('STRAT-07: a member that crashes again during the restart is restarted again, with its group', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b'], EXPLICIT);
    const supervisor = await world.started({ strategy: 'one_for_all', children: [a, b] });
    b.start = 'waits';
    a.crash();
    await world.rest();
    a.crash();
    await world.rest();
    b.becomeReady();
    await world.rest();
    b.becomeReady();
    await world.rest();
    assert.deepEqual(world.takeTrace(), ['-a(error)', '-b(shutdown)', '+a', '+b', '-a(error)', '-b(shutdown)', '+a', '+b']);
    assert.equal(supervisor.inspect().totalRestarts, 2);
    await supervisor.stop();
  });

  it('STRAT-08: under one_for_all the whole group is tried again when another child does not come back', async () => {
    const world = new World();
    const [a, b, c] = world.children(['a', 'b', 'c'], EXPLICIT);
    const supervisor = await world.started({ strategy: 'one_for_all', children: [a, b, c], maxRestarts: 3 });
    b.start = 'fails';
    b.startsAfterMs = 10;
    a.crash();
    await world.rest();
    assert.deepEqual(world.takeTrace(), ['-a(error)', '-c(shutdown)', '-b(shutdown)', '+a', '+b']);
    b.start = 'succeeds';
    const failing = b.context;
    assert.equal(failing.incarnation, 2);
    b.start = 'fails';
    await world.clock.advance(9);
    assert.equal(supervisor.inspect().restartsLeft, 2);
    await world.clock.advance(1);
    assert.deepEqual(world.takeTrace(), ['-b(error)', '-a(shutdown)', '+a', '+b']);
    assert.equal(supervisor.inspect().restartsLeft, 1);
    b.start = 'succeeds';
    await world.clock.advance(10);
    assert.deepEqual(world.takeTrace(), ['+c']);
    assert.equal(supervisor.inspect().restartsLeft, 1);
    await supervisor.stop();
  });

  it('STRAT-09: under rest_for_one those before the child that does not come back keep running', async () => {
    const world = new World();
    const [a, b, c] = world.children(['a', 'b', 'c'], EXPLICIT);
    const supervisor = await world.started({ strategy: 'rest_for_one', children: [a, b, c], maxRestarts: 3 });
    b.start = 'fails';
    b.startsAfterMs = 10;
    a.crash();
    await world.rest();
    world.takeTrace();
    await world.clock.advance(9);
    const { ref } = a;
    await world.clock.advance(1);
    assert.deepEqual(world.takeTrace(), ['-b(error)', '+b']);
    b.start = 'succeeds';
    await world.clock.advance(10);
    assert.deepEqual(world.takeTrace(), ['+c']);
    assert.equal(a.ref, ref);
    assert.equal(supervisor.inspect().restartsLeft, 1);
    await supervisor.stop();
  });

  it('STRAT-12: a child that is stopped and restarted by request keeps its place', async () => {
    const world = new World();
    const supervisor = await world.started({ children: world.children(['a', 'b', 'c']) });
    await supervisor.terminateChild('a');
    await supervisor.restartChild('a');
    assert.deepEqual(
      (await supervisor.whichChildren()).map(({ id }) => id),
      ['a', 'b', 'c'],
    );
    world.takeTrace();
    await supervisor.stop();
    assert.deepEqual(world.takeTrace(), ['-c(shutdown)', '-b(shutdown)', '-a(shutdown)']);
  });

  it('STRAT-12: a child that is deleted and added again comes last', async () => {
    const world = new World();
    const [a, b, c] = world.children(['a', 'b', 'c']);
    const supervisor = await world.started({ strategy: 'rest_for_one', children: [a, b, c] });
    await supervisor.terminateChild('a');
    await supervisor.deleteChild('a');
    await supervisor.startChild(a.spec);
    world.takeTrace();
    b.crash();
    await world.rest();
    assert.deepEqual(world.takeTrace(), ['-b(error)', '-a(shutdown)', '-c(shutdown)', '+b', '+c', '+a']);
    await supervisor.stop();
  });

  it('STRAT-13: a restart waits until the old generation is down', async () => {
    const world = new World();
    const [a, b, c] = world.children(['a', 'b', 'c']);
    const d = world.child('d', { stopsAfterMs: 100 });
    const supervisor = await world.started({ strategy: 'rest_for_one', children: [a, b, c, d] });
    b.crash();
    await world.clock.advance(99);
    assert.deepEqual(world.takeTrace(), ['-b(error)']);
    await world.clock.advance(1);
    assert.deepEqual(world.takeTrace(), ['-d(shutdown)', '-c(shutdown)', '+b', '+c', '+d']);
    d.stopsAfterMs = 0;
    await supervisor.stop();
  });

  it('INT-07: a group restart costs one restart, whatever the size of the group', async () => {
    const world = new World();
    const children = world.children(['a', 'b', 'c', 'd']);
    const supervisor = await world.started({ strategy: 'one_for_all', children, maxRestarts: 1 });
    children[2].crash();
    await world.rest();
    assert.equal(supervisor.state, 'running');
    assert.equal(supervisor.inspect().restartsLeft, 0);
    await supervisor.stop();
  });
});

describe('a restart that does not succeed', () => {
  it('HANG-01: leaves the supervisor responsive between two attempts', async () => {
    const { world, a, supervisor } = await hanging();
    const rows = supervisor.whichChildren();
    const counts = supervisor.countChildren();
    const refusals = [
      supervisor.startChild(world.child('a').spec),
      supervisor.restartChild('a'),
      supervisor.restartChild('a', { onlyIfStopped: true }),
      supervisor.deleteChild('a'),
    ].map(errorFrom);
    await world.clock.advance(2000);
    assert.deepEqual(await rows, [{ id: 'a', state: 'restarting', type: 'worker', ref: undefined }]);
    assert.deepEqual(await counts, { specs: 1, active: 0, supervisors: 0, workers: 1 });
    const [adding, ...others] = await Promise.all(refusals);
    failsWith('AlreadyMonitoring', { id: 'a', state: 'present', ref: undefined })(adding);
    for (const error of others) failsWith('InvalidState', { id: 'a', state: 'restarting' })(error);
    assert.equal(a.starts, 3);
    await supervisor.stop();
  });

  it('HANG-01: shows at once, during an attempt, that it restarts', async () => {
    const { supervisor } = await hanging();
    assert.equal(supervisor.getChildInfo('a')?.state, 'starting');
    assert.equal(supervisor.inspect().activeChildren, 0);
    await supervisor.stop();
  });

  it('HANG-02: is ended by terminateChild; the child can be restarted later', async () => {
    const { world, a, supervisor } = await hanging();
    await supervisor.terminateChild('a');
    assert.deepEqual(world.takeTrace(), ['-a(shutdown)']);
    assert.deepEqual(await supervisor.whichChildren(), [{ id: 'a', state: 'stopped', type: 'worker', ref: undefined }]);
    await world.clock.advance(10_000);
    assert.equal(a.starts, 2);
    a.start = 'succeeds';
    a.startsAfterMs = 0;
    await supervisor.restartChild('a');
    assert.deepEqual(world.takeTrace(), ['+a']);
    await supervisor.stop();
  });

  it('HANG-02: is ended by a terminateChild that comes between two attempts', async () => {
    const world = new World();
    const a = world.child('a', EXPLICIT);
    const supervisor = await world.started({ children: [a], maxRestarts: 1_000_000 });
    a.start = 'fails';
    let attempts = 0;
    let terminating: Promise<void> | undefined;
    world.onEvent = (eventType) => {
      if (eventType !== 'supervisor_restart') return;
      attempts += 1;
      if (attempts === 10) terminating = supervisor.terminateChild('a');
    };
    a.crash();
    await world.rest();
    await terminating;
    assert.equal(attempts, 10);
    assert.equal((await supervisor.whichChildren())[0]?.state, 'stopped');
    await supervisor.stop();
  });

  it('HANG-02: a pending start that terminateChild ends does not keep the rest of its group down', async () => {
    const world = new World();
    const [a, b, c] = world.children(['a', 'b', 'c'], EXPLICIT);
    const supervisor = await world.started({ strategy: 'one_for_all', children: [a, b, c] });
    b.start = 'waits';
    a.crash();
    await world.rest();
    world.takeTrace();
    await supervisor.terminateChild('b');
    assert.deepEqual(world.takeTrace(), ['-b(shutdown)', '+c']);
    assert.deepEqual(
      (await supervisor.whichChildren()).map(({ state }) => state),
      ['running', 'stopped', 'running'],
    );
    assert.equal(supervisor.inspect().totalRestarts, 1);
    await supervisor.stop();
  });

  it('HANG-02: a start that terminateChild ends is no error', async () => {
    const { world, supervisor } = await hanging();
    world.errors.length = 0;
    await supervisor.terminateChild('a');
    assert.deepEqual(world.errors, []);
    await supervisor.stop();
  });

  it('HANG-03: is ended by stop, at once', async () => {
    const { world, a, supervisor } = await hanging();
    await supervisor.stop();
    assert.deepEqual(world.takeTrace(), ['-a(shutdown)']);
    assert.deepEqual(await supervisor.exited, { kind: 'shutdown' });
    await world.clock.advance(10_000);
    assert.equal(a.starts, 2);
    assert.equal(world.clock.now(), 10_000);
  });

  it('HANG-06: lets timers and I/O through, and can be stopped', async () => {
    const clock = new SystemClock();
    const world = new World(clock);
    const supervisor = world.supervisor({
      maxRestarts: 1_000_000,
      keepAlive: false,
      children: [
        {
          id: 'a',
          readiness: 'explicit',
          startFn: (ctx) => {
            if (ctx.incarnation > 1) throw new Error('no');
            ctx.ready();
            throw new Error('first');
          },
        },
      ],
    });
    await supervisor.start();
    const timer = new Promise<void>((resolve) => clock.after(0, resolve, { keepAlive: true }));
    const io = new Promise((resolve) => readFile(fileURLToPath(import.meta.url), resolve));
    await Promise.all([timer, io]);
    assert.equal(supervisor.state, 'running');
    const attempts = supervisor.inspect().totalRestarts;
    assert.ok(attempts < 100_000, `${attempts} attempts before a timer and a read came through`);
    const exited = watch(supervisor.exited);
    await supervisor.stop();
    assert.ok(exited.settled);
    assert.deepEqual(await supervisor.exited, { kind: 'shutdown' });
  });

  it('HANG-06: a body that crashes as soon as it was entered does not starve the event loop either', async () => {
    const clock = new SystemClock();
    const world = new World(clock);
    const supervisor = world.supervisor({ maxRestarts: 1_000_000, keepAlive: false, children: [{ id: 'a', startFn: failAtOnce }] });
    await supervisor.start();
    await new Promise((resolve) => readFile(fileURLToPath(import.meta.url), resolve));
    assert.equal(supervisor.state, 'running');
    await supervisor.stop();
  });
});

/** `a` has crashed and every attempt to restart it fails after two seconds; the first one has begun. */
async function hanging() {
  const world = new World();
  const a = world.child('a', { ...EXPLICIT, startsAfterMs: 0 });
  const supervisor = await world.started({ children: [a], maxRestarts: 8, maxSeconds: 60 });
  a.start = 'fails';
  a.startsAfterMs = 2000;
  a.crash();
  await world.rest();
  world.takeTrace();
  return { world, a, supervisor };
}

function failAtOnce(): void {
  throw new Error('no');
}
