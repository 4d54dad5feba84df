import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nextTurn } from '../core/index.js';
import type { Runner } from '../processes/index.js';
import { failsWith, type ScriptedChild, World } from './scripted-child.suite.js';

/** Counts who uses a runner. */
function counted(child: ScriptedChild): { readonly runner: Runner; readonly holders: () => number; readonly cleared: () => number } {
  let holders = 0;
  let cleared = 0;
  const runner: Runner = {
    kind: 'task',
    create: (settings, incarnation, host) => child.runner.create(settings, incarnation, host),
    hold: () => {
      holders += 1;
      let isHeld = true;
      return async () => {
        if (isHeld) holders -= 1;
        isHeld = false;
        await nextTurn();
        cleared += 1;
      };
    },
  };
  return { runner, holders: () => holders, cleared: () => cleared };
}

describe('a runner that keeps something at hand', () => {
  it('is held from the first start of a child until its supervisor has stopped, restarts included', async () => {
    const world = new World();
    const child = world.child('a');
    const { runner, holders, cleared } = counted(child);
    const supervisor = world.supervisor({ children: [{ id: 'a', startFn: runner }] });
    assert.equal(holders(), 0);
    await supervisor.start();
    child.crash();
    await world.rest();
    assert.deepEqual([child.starts, holders()], [2, 1]);
    await supervisor.stop();
    // Not before what it kept is gone.
    assert.deepEqual([holders(), cleared()], [0, 1]);
    await supervisor.start();
    assert.equal(holders(), 1);
    await supervisor.stop();
  });

  it('is held by a child that is stopped and may be started again, and let go when that is deleted', async () => {
    const world = new World();
    const { runner, holders } = counted(world.child('a'));
    const supervisor = await world.started({ children: [{ id: 'a', startFn: runner }] });
    await supervisor.terminateChild('a');
    assert.equal(holders(), 1);
    await supervisor.deleteChild('a');
    assert.equal(holders(), 0);
    await supervisor.stop();
  });

  it('is let go when a child could not be added', async () => {
    const world = new World();
    const { runner, holders } = counted(world.child('a', { start: 'fails' }));
    const supervisor = await world.started();
    await assert.rejects(supervisor.startChild({ id: 'a', startFn: runner, readiness: 'explicit' }), failsWith('ProcessStartFailed'));
    assert.equal(holders(), 0);
    await supervisor.stop();
  });

  it('is let go when its supervisor has given up, and when a temporary child has ended', async () => {
    const world = new World();
    const [first, second] = world.children(['a', 'b']);
    const [a, b] = [counted(first), counted(second)];
    const supervisor = await world.started({
      maxRestarts: 0,
      children: [
        { id: 'a', startFn: a.runner },
        { id: 'b', startFn: b.runner, restartType: 'temporary' },
      ],
    });
    second.crash();
    await world.rest();
    assert.deepEqual([a.holders(), b.holders()], [1, 0]);
    first.crash();
    await supervisor.exited;
    assert.equal(a.holders(), 0);
  });
});
