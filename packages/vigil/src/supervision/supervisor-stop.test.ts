import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isVigilError } from '../core/index.js';
import { CRASH, errorFrom, failsWith, watch, World } from './scripted-child.suite.js';

describe('stop', () => {
  it('SHUT-02: stops one at a time, the last one first, each when the one after it is down', async () => {
    const world = new World();
    const supervisor = await world.started({ children: world.children(['a', 'b'], { stopsAfterMs: 100 }) });
    const stopping = supervisor.stop();
    const stopped = watch(stopping);
    await world.clock.advance(99);
    assert.deepEqual(world.takeNotes(), ['?b']);
    await world.clock.advance(1);
    assert.deepEqual(world.takeNotes(), ['-b(shutdown)', '?a']);
    await world.clock.advance(99);
    assert.deepEqual(world.takeNotes(), []);
    assert.equal(stopped.settled, false);
    await world.clock.advance(1);
    assert.deepEqual(world.takeNotes(), ['-a(shutdown)']);
    await stopping;
    assert.equal(supervisor.state, 'stopped');
    assert.deepEqual(await supervisor.exited, { kind: 'shutdown' });
  });

  it('SHUT-03: kills a child whose grace period is over, reports it, and goes on', async () => {
    const world = new World();
    const a = world.child('a');
    const b = world.child('b', { shutdownTimeoutMs: 100, stopsAfterMs: 1000 });
    const supervisor = await world.started({ children: [a, b] });
    const stopping = supervisor.stop();
    await world.clock.advance(99);
    assert.deepEqual(world.takeNotes(), ['?b']);
    await world.clock.advance(1);
    assert.deepEqual(world.takeNotes(), ['-b(killed)', '?a', '-a(shutdown)']);
    await stopping;
    assert.deepEqual(await supervisor.exited, { kind: 'shutdown' });
    assert.deepEqual(
      world.errors.map(({ text }) => text),
      ['child "b" of "supervisor" (incarnation 1) did not stop within 100 ms and is killed'],
    );
    assert.deepEqual(supervisor.getChildInfo('b')?.lastExit?.reason, { kind: 'killed' });
  });

  it('SHUT-03: gives five seconds where it was told nothing', async () => {
    const world = new World();
    const a = world.child('a', { stopsAfterMs: 'never' });
    const supervisor = await world.started({ children: [a] });
    const stopping = supervisor.stop();
    await world.clock.advance(4999);
    assert.equal(a.alive, 1);
    await world.clock.advance(1);
    assert.equal(a.alive, 0);
    await stopping;
  });

  it('SHUT-03: asks even with a grace period of 0, and kills then', async () => {
    const world = new World();
    const supervisor = await world.started({ children: [world.child('a', { shutdownTimeoutMs: 0, stopsAfterMs: 'never' })] });
    const stopping = supervisor.stop();
    await world.rest();
    await stopping;
    assert.deepEqual(world.takeNotes(), ['?a', '-a(killed)']);
  });

  it('SHUT-03: brutal_kill does not ask, and is no error', async () => {
    const world = new World();
    const supervisor = await world.started({ children: [world.child('a', { shutdownTimeoutMs: 'brutal_kill', stopsAfterMs: 'never' })] });
    await supervisor.stop();
    assert.deepEqual(world.takeTrace(), ['-a(killed)']);
    assert.deepEqual(world.errors, []);
  });

  it('SHUT-06: with infinity waits without limit and without a timer', async () => {
    const world = new World();
    const a = world.child('a', { shutdownTimeoutMs: 'infinity', stopsAfterMs: 'never' });
    const supervisor = await world.started({ children: [a] });
    const stopping = supervisor.stop();
    await world.rest();
    assert.equal(world.clock.pendingTimers, 0);
    await world.clock.advance(1e9);
    assert.equal(a.alive, 1);
    a.finish();
    await stopping;
    assert.deepEqual(world.takeTrace(), ['-a(shutdown)']);
  });

  it('SHUT-07: a crash while it stops is final', async () => {
    const world = new World();
    const a = world.child('a');
    const b = world.child('b', { stopsAfterMs: 100 });
    const supervisor = await world.started({ children: [a, b] });
    const stopping = supervisor.stop();
    await world.rest();
    a.crash();
    await world.clock.advance(100);
    await stopping;
    assert.deepEqual(world.takeNotes(), ['?b', '-a(error)', '-b(shutdown)']);
    assert.equal(a.starts, 1);
    assert.deepEqual(supervisor.getChildInfo('a')?.lastExit?.reason, { kind: 'crashed', error: CRASH });
    assert.deepEqual(await supervisor.exited, { kind: 'shutdown' });
    assert.deepEqual(supervisor.getRestartHistory(), []);
  });

  it('SHUT-07: a crash that was waiting for its turn when stop came is final, and reported once', async () => {
    const world = new World();
    const crashes: string[] = [];
    const [a, b] = [world.child('a'), world.child('b', { stopsAfterMs: 100 })];
    const supervisor = await world.started({ children: [a, b], onCrash: (id) => void crashes.push(id) });
    const terminating = supervisor.terminateChild('b');
    a.crash();
    await world.rest();
    const stopping = supervisor.stop();
    await world.clock.advance(100);
    await Promise.all([terminating, stopping]);
    assert.equal(a.starts, 1);
    assert.deepEqual(crashes, ['a']);
    assert.equal(world.errors.length, 1);
  });

  it('SHUT-09: a child that swallows its signal cannot hang terminateChild', async () => {
    const world = new World();
    const a = world.child('a', { shutdownTimeoutMs: 100, stopsAfterMs: 'never' });
    const supervisor = await world.started({ children: [a] });
    const terminating = supervisor.terminateChild('a');
    await world.clock.advance(100);
    await terminating;
    assert.deepEqual(world.takeTrace(), ['-a(killed)']);
    await supervisor.stop();
  });

  it('SHUT-09: a killed child has no effect any more, whatever its code still does', async () => {
    const world = new World();
    const crashes: string[] = [];
    const a = world.child('a', { shutdownTimeoutMs: 'brutal_kill', stopsAfterMs: 'never' });
    const supervisor = await world.started({ children: [a], onCrash: (id) => void crashes.push(id) });
    await supervisor.terminateChild('a');
    a.crash();
    await world.rest();
    assert.deepEqual(world.takeTrace(), ['-a(killed)']);
    assert.deepEqual(crashes, []);
    assert.deepEqual(supervisor.getRestartHistory(), []);
    await supervisor.stop();
  });

  it('SHUT-10: does nothing before the start, which is possible afterwards', async () => {
    const world = new World();
    const supervisor = world.supervisor({ children: [world.child('a')] });
    await supervisor.stop();
    assert.equal(supervisor.state, 'idle');
    await supervisor.start();
    assert.deepEqual(world.takeTrace(), ['+a']);
    await supervisor.stop();
  });

  it('SHUT-10: all stops settle when the tree is down, and clean-ups run once', async () => {
    const world = new World();
    const supervisor = await world.started({ children: world.children(['a', 'b'], { stopsAfterMs: 100 }) });
    const first = supervisor.stop();
    await world.clock.advance(150);
    const second = supervisor.stop();
    const watched = [watch(first), watch(second)];
    await world.clock.advance(49);
    assert.deepEqual(
      watched.map(({ settled }) => settled),
      [false, false],
    );
    await world.clock.advance(1);
    await Promise.all([first, second]);
    await supervisor.stop();
    assert.deepEqual(world.takeNotes(), ['?b', '-b(shutdown)', '?a', '-a(shutdown)']);
  });

  it('SHUT-10: requests are refused while it stops and when it has stopped', async () => {
    const world = new World();
    const a = world.child('a', { stopsAfterMs: 10 });
    const supervisor = await world.started({ children: [a] });
    const requests = () => [
      supervisor.startChild(world.child('b').spec),
      supervisor.restartChild('a'),
      supervisor.terminateChild('a'),
      supervisor.deleteChild('a'),
    ];
    const stopping = supervisor.stop();
    for (const request of requests()) await assert.rejects(request, failsWith('InvalidState', { state: 'stopping' }));
    await world.clock.advance(10);
    await stopping;
    for (const request of requests()) await assert.rejects(request, failsWith('InvalidState', { state: 'stopped' }));
    assert.deepEqual(world.takeTrace(), ['-a(shutdown)']);
  });

  it('SHUT-10: requests that wait when stop comes are refused', async () => {
    const world = new World();
    const [a, b] = [world.child('a', { stopsAfterMs: 100 }), world.child('b')];
    const supervisor = await world.started({ children: [a] });
    const terminating = supervisor.terminateChild('a');
    const starting = errorFrom(supervisor.startChild(b.spec));
    const stopping = supervisor.stop();
    await world.clock.advance(100);
    await terminating;
    assert.equal((await starting).code, 'InvalidState');
    await stopping;
    assert.equal(b.starts, 0);
  });

  it('SHUT-12: a clean-up that throws is the reason of its child and is reported; the others are stopped', async () => {
    const world = new World();
    const [a, b] = [world.child('a'), world.child('b', { stopsWith: CRASH })];
    const supervisor = await world.started({ children: [a, b] });
    await supervisor.stop();
    assert.deepEqual(world.takeTrace(), ['-b(error)', '-a(shutdown)']);
    assert.deepEqual(supervisor.getChildInfo('b')?.lastExit?.reason, { kind: 'crashed', error: CRASH });
    assert.deepEqual(world.errors, [
      {
        text: 'child "b" of "supervisor" (incarnation 1) was asked to stop and ended otherwise: crashed: Error: boom',
        details: CRASH,
      },
    ]);
    assert.deepEqual(await supervisor.exited, { kind: 'shutdown' });
  });

  it('SHUT-14: leaves no timer, no hold on Node and no name behind', async () => {
    const world = new World();
    const children = world.children(['a', 'b', 'c'], {
      readiness: 'explicit',
      healthCheckFn: () => true,
      healthCheckIntervalMs: 1000,
      stopsAfterMs: 10,
    });
    const supervisor = await world.started({ children });
    for (const child of children) child.context.register(`the ${child.id}`);
    children[1].crash();
    await world.clock.advance(2500);
    const stopping = supervisor.stop();
    await world.clock.advance(30);
    await stopping;
    assert.equal(world.clock.pendingTimers, 0);
    assert.equal(world.clock.holds, 0);
    assert.equal(world.names.size, 0);
    assert.deepEqual(
      children.map(({ alive }) => alive),
      [0, 0, 0],
    );
  });

  it('is what `await using` does at the end of a block', async () => {
    const world = new World();
    const supervisor = await world.started({ children: [world.child('a')] });
    await supervisor[Symbol.asyncDispose]();
    assert.deepEqual(world.takeTrace(), ['-a(shutdown)']);
    assert.equal(supervisor.state, 'stopped');
  });
});

describe('stop during the start', () => {
  it('ends the start that is being waited for, and starts nothing more', async () => {
    const world = new World();
    const [a, b, c] = world.children(['a', 'b', 'c'], { readiness: 'explicit' });
    b.start = 'waits';
    const supervisor = world.supervisor({ children: [a, b, c] });
    const starting = supervisor.start();
    await world.rest();
    const stopping = supervisor.stop();
    await assert.rejects(starting, failsWith('InvalidState'));
    await stopping;
    assert.deepEqual(world.takeTrace(), ['+a', '+b', '-b(shutdown)', '-a(shutdown)']);
    assert.deepEqual(await supervisor.exited, { kind: 'shutdown' });
    assert.equal(world.clock.pendingTimers, 0);
    assert.equal(world.clock.holds, 0);
    assert.deepEqual(world.errors, []);
  });

  it('gives the child that starts its grace period', async () => {
    const world = new World();
    const a = world.child('a', { readiness: 'explicit', start: 'waits', shutdownTimeoutMs: 50, stopsAfterMs: 'never' });
    const supervisor = world.supervisor({ children: [a] });
    const starting = errorFrom(supervisor.start());
    await world.clock.advance(10);
    const stopping = supervisor.stop();
    await world.clock.advance(49);
    assert.deepEqual(world.takeTrace(), ['+a']);
    await world.clock.advance(1);
    assert.deepEqual(world.takeTrace(), ['-a(killed)']);
    await stopping;
    assert.equal((await starting).code, 'InvalidState');
  });

  it('rejects the start when nothing of it runs any more', async () => {
    const world = new World();
    const a = world.child('a', { stopsAfterMs: 100 });
    const b = world.child('b', { readiness: 'explicit', start: 'waits' });
    const supervisor = world.supervisor({ children: [a, b] });
    const starting = errorFrom(supervisor.start());
    const failed = watch(starting);
    await world.rest();
    const stopping = supervisor.stop();
    await world.clock.advance(99);
    assert.equal(failed.settled, false);
    await world.clock.advance(1);
    assert.equal((await starting).code, 'InvalidState');
    assert.equal(a.alive, 0);
    await stopping;
  });

  it('starts nothing when it comes before the start had its turn', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started({ children: [a] });
    // Who hears of the end first can start and stop again before the supervisor has left its last turn.
    const again = supervisor.exited.then(() => [errorFrom(supervisor.start()), supervisor.stop()] as const);
    await supervisor.stop();
    const [starting, stopping] = await again;
    await stopping;
    assert.equal((await starting).code, 'InvalidState');
    assert.deepEqual(world.takeTrace(), ['-a(shutdown)']);
  });

  for (const readiness of ['immediate', 'explicit'] as const) {
    it(`works from within the body of a child with ${readiness} readiness`, async () => {
      const world = new World();
      const ended: string[] = [];
      const supervisor = world.supervisor({
        children: [
          world.child('a'),
          {
            id: 'b',
            readiness,
            startFn: async (ctx) => {
              void supervisor.stop();
              ctx.ready();
              await new Promise<void>((resolve) => ctx.clock.after(100, resolve));
              ended.push('b');
            },
          },
          world.child('c'),
        ],
      });
      const starting = errorFrom(supervisor.start());
      const exited = watch(supervisor.exited);
      await world.clock.advance(99);
      assert.equal(exited.settled, false);
      await world.clock.advance(1);
      assert.equal((await starting).code, 'InvalidState');
      assert.deepEqual(await supervisor.exited, { kind: 'shutdown' });
      assert.deepEqual(ended, ['b']);
      assert.deepEqual(world.takeTrace(), ['+a', '-a(shutdown)']);
      assert.deepEqual(world.errors, []);
      assert.equal(world.clock.pendingTimers, 0);
    });
  }
});

describe('shutdown', () => {
  it('SHUT-11: rejects at the deadline with those still up, and goes on behind it', async () => {
    const world = new World();
    const supervisor = await world.started({ children: world.children(['a', 'b', 'c'], { stopsAfterMs: 100 }) });
    const shutting = errorFrom(supervisor.shutdown(150));
    const failed = watch(shutting);
    await world.clock.advance(149);
    assert.equal(failed.settled, false);
    await world.clock.advance(1);
    const error = await shutting;
    assert.equal(error.code, 'ShutdownTimeout');
    assert.deepEqual(error.details, { children: ['b', 'a'] });
    assert.equal(error.message, 'supervisor "supervisor" did not stop within 150 ms; still up: b, a');
    assert.equal(supervisor.state, 'stopping');

    await world.clock.advance(150);
    assert.deepEqual(world.takeTrace(), ['-c(shutdown)', '-b(shutdown)', '-a(shutdown)']);
    assert.equal(supervisor.state, 'stopped');
  });

  it('SHUT-11: resolves in time and leaves no timer', async () => {
    const world = new World();
    const supervisor = await world.started({ children: [world.child('a')] });
    await supervisor.shutdown(1000);
    assert.equal(supervisor.state, 'stopped');
    assert.equal(world.clock.pendingTimers, 0);
    await supervisor.shutdown(0);
  });

  it('refuses a deadline that is no duration, and stops nothing', async () => {
    const world = new World();
    const supervisor = await world.started({ children: [world.child('a')] });
    for (const timeoutMs of [-1, Number.NaN, Number.POSITIVE_INFINITY, '1']) {
      // @ts-expect-error a duration is a number
      await assert.rejects(supervisor.shutdown(timeoutMs), failsWith('InvalidConfiguration', { option: 'timeoutMs', value: timeoutMs }));
    }
    assert.equal(supervisor.state, 'running');
    await supervisor.stop();
  });
});

describe('kill', () => {
  it('TREE-05: ends all at once, without asking, and with the reason killed', async () => {
    const world = new World();
    const supervisor = await world.started({ children: world.children(['a', 'b'], { stopsAfterMs: 'never' }) });
    supervisor.kill();
    assert.deepEqual(await supervisor.exited, { kind: 'killed' });
    assert.deepEqual(world.takeTrace(), ['-b(killed)', '-a(killed)']);
    assert.equal(supervisor.state, 'stopped');
    assert.equal(world.clock.pendingTimers, 0);
    assert.equal(world.clock.holds, 0);
  });

  it('does nothing before the start and after the end', async () => {
    const world = new World();
    const supervisor = world.supervisor({ children: [world.child('a')] });
    supervisor.kill();
    assert.equal(supervisor.state, 'idle');
    await supervisor.start();
    await supervisor.stop();
    supervisor.kill();
    assert.deepEqual(await supervisor.exited, { kind: 'shutdown' });
  });

  it('cuts a stop short', async () => {
    const world = new World();
    const supervisor = await world.started({ children: world.children(['a', 'b'], { stopsAfterMs: 'never' }) });
    const stopping = supervisor.stop();
    await world.clock.advance(10);
    supervisor.kill();
    supervisor.kill();
    await stopping;
    assert.deepEqual(world.takeTrace(), ['-b(killed)', '-a(killed)']);
    assert.deepEqual(await supervisor.exited, { kind: 'killed' });
    assert.equal(world.clock.pendingTimers, 0);
  });

  it('cuts a start short', async () => {
    const world = new World();
    const [a, b, c] = world.children(['a', 'b', 'c'], { readiness: 'explicit', stopsAfterMs: 'never' });
    b.start = 'waits';
    const supervisor = world.supervisor({ children: [a, b, c] });
    const starting = errorFrom(supervisor.start());
    await world.rest();
    supervisor.kill();
    assert.equal((await starting).code, 'InvalidState');
    assert.deepEqual(await supervisor.exited, { kind: 'killed' });
    assert.deepEqual(world.takeTrace(), ['+a', '+b', '-b(killed)', '-a(killed)']);
    assert.equal(world.clock.pendingTimers, 0);
  });

  it('works from within the body of a child', async () => {
    const world = new World();
    const supervisor = world.supervisor({
      children: [{ id: 'a', startFn: () => supervisor.kill() }, world.child('b')],
    });
    const error = await errorFrom(supervisor.start());
    assert.ok(isVigilError(error, 'InvalidState'));
    assert.deepEqual(await supervisor.exited, { kind: 'killed' });
    assert.deepEqual(world.takeTrace(), []);
    const types = world.events.map(({ eventType }) => eventType);
    assert.deepEqual(types, ['supervisor_started', 'supervisor_stopped']);
  });

  it('cuts a group restart short', async () => {
    const world = new World();
    const [a, b, c] = world.children(['a', 'b', 'c'], { stopsAfterMs: 'never' });
    const supervisor = await world.started({ strategy: 'one_for_all', children: [a, b, c] });
    a.crash();
    await world.clock.advance(10);
    assert.deepEqual(world.takeNotes(), ['-a(error)', '?c']);
    supervisor.kill();
    assert.deepEqual(await supervisor.exited, { kind: 'killed' });
    assert.deepEqual(world.takeTrace(), ['-c(killed)', '-b(killed)']);
    assert.deepEqual([a.starts, b.starts, c.starts], [1, 1, 1]);
  });
});

describe('nothing is started by a supervisor that stops', () => {
  it('not by a forced restart whose child took its time to stop', async () => {
    const world = new World();
    const a = world.child('a', { stopsAfterMs: 100 });
    const supervisor = await world.started({ children: [a] });
    const restarting = errorFrom(supervisor.restartChild('a'));
    await world.clock.advance(50);
    const stopping = supervisor.stop();
    await world.clock.advance(50);
    await stopping;
    assert.equal((await restarting).code, 'InvalidState');
    assert.deepEqual(world.takeTrace(), ['-a(shutdown)']);
  });

  it('not by a group restart whose members took their time to stop', async () => {
    const world = new World();
    const [a, b, c] = world.children(['a', 'b', 'c'], { stopsAfterMs: 100 });
    const supervisor = await world.started({ strategy: 'one_for_all', children: [a, b, c] });
    a.crash();
    await world.clock.advance(50);
    const stopping = supervisor.stop();
    await world.clock.advance(150);
    await stopping;
    assert.deepEqual(world.takeNotes(), ['-a(error)', '?c', '-c(shutdown)', '?b', '-b(shutdown)']);
  });

  it('not by a restart whose report stops the supervisor', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started({ children: [a] });
    world.onEvent = (eventType) => {
      if (eventType === 'supervisor_restart') void supervisor.stop();
    };
    a.crash();
    await supervisor.exited;
    assert.deepEqual(world.takeTrace(), ['-a(error)']);
  });

  it('not by a start whose report stops the supervisor', async () => {
    const world = new World();
    const supervisor = world.supervisor({ children: world.children(['a', 'b']) });
    world.onEvent = (eventType) => {
      if (eventType === 'supervisor_started') void supervisor.stop();
    };
    assert.equal((await errorFrom(supervisor.start())).code, 'InvalidState');
    await supervisor.exited;
    assert.deepEqual(world.takeTrace(), []);
  });

  it('not by a restart whose onCrash stops the supervisor', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started({ children: [a], onCrash: () => void supervisor.stop() });
    a.crash();
    await supervisor.exited;
    assert.deepEqual(world.takeTrace(), ['-a(error)']);
    assert.deepEqual(supervisor.getRestartHistory(), []);
  });
});
