import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isVigilError, NORMAL, type VigilError } from '../core/index.js';
import { DEFAULTS } from './child-spec.js';
import { BOOM, CRASH, type ScriptedChild, START_ERROR, World } from './scripted-child.suite.js';
import { Supervisor } from './supervisor.js';

async function crash(world: World, child: ScriptedChild, times = 1): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    child.crash();
    await world.rest();
  }
}

async function causeOfDeath(supervisor: Supervisor): Promise<VigilError> {
  const reason = await supervisor.exited;
  assert.ok(reason.kind === 'shutdown' && isVigilError(reason.info, 'TooManyRestarts'));
  return reason.info;
}

describe('the restart budget of a child', () => {
  it('limits this child, however much of the common budget is left', async () => {
    const world = new World();
    const [a, b] = [world.child('a', { maxRestarts: 2, maxSeconds: 60 }), world.child('b')];
    const supervisor = await world.started({ name: 'app', children: [a, b], maxRestarts: 100 });
    await crash(world, a, 2);
    assert.deepEqual([supervisor.state, a.starts], ['running', 3]);
    await crash(world, a);
    const error = await causeOfDeath(supervisor);
    assert.deepEqual(error.details, { id: 'a', reason: BOOM, maxRestarts: 2, maxSeconds: 60 });
    assert.equal(error.cause, CRASH);
    assert.equal(
      error.message,
      'supervisor "app" gives up: child "a" ended (crashed: Error: boom) and its own budget of 2 restarts within 60 s is used up',
    );
    assert.deepEqual([a.starts, b.alive], [3, 0]);
  });

  it('is one beside the common one, which counts its restarts, too', async () => {
    const world = new World();
    const [a, b] = [world.child('a', { maxRestarts: 100 }), world.child('b')];
    const supervisor = await world.started({ children: [a, b], maxRestarts: 2 });
    await crash(world, a);
    await crash(world, b);
    assert.equal(supervisor.inspect().restartsLeft, 0);
    await crash(world, a);
    const { details, message } = await causeOfDeath(supervisor);
    assert.deepEqual(details, { id: 'a', reason: BOOM, maxRestarts: 2, maxSeconds: 5 });
    assert.match(message, /and the budget of 2 restarts/);
  });

  it('does not count the restarts of others, with which it was restarted', async () => {
    const world = new World();
    const [a, b] = [world.child('a', { maxRestarts: 1 }), world.child('b')];
    const supervisor = await world.started({ strategy: 'one_for_all', children: [a, b], maxRestarts: 100 });
    await crash(world, b, 5);
    await crash(world, a);
    assert.deepEqual([supervisor.state, a.starts], ['running', 7]);
    await supervisor.stop();
  });

  it('does not count restarts by request', async () => {
    const world = new World();
    const a = world.child('a', { maxRestarts: 1 });
    const supervisor = await world.started({ children: [a] });
    for (let request = 0; request < 3; request += 1) await supervisor.restartChild('a');
    await crash(world, a);
    assert.equal(supervisor.state, 'running');
    await supervisor.stop();
  });

  it('of 0 means: never restart this child', async () => {
    const world = new World();
    const a = world.child('a', { maxRestarts: 0 });
    const supervisor = await world.started({ children: [a], maxRestarts: 100 });
    await crash(world, a);
    await causeOfDeath(supervisor);
    assert.equal(a.starts, 1);
  });

  for (const [secondMs, state] of [
    [2000, 'stopped'],
    [2001, 'running'],
  ] as const) {
    it(`INT-04: slides over its own window: ${state} when the second crash of a window of 2 s comes after ${secondMs} ms`, async () => {
      const world = new World();
      const a = world.child('a', { maxRestarts: 1, maxSeconds: 2 });
      const supervisor = await world.started({ children: [a], maxRestarts: 100, maxSeconds: 3600 });
      await crash(world, a);
      await world.clock.advance(secondMs);
      await crash(world, a);
      assert.equal(supervisor.state, state);
      await supervisor.stop();
    });
  }

  it('has a window of 5 s, or that of the defaults, whatever the window of its supervisor is', async () => {
    const world = new World();
    const a = world.child('a', { maxRestarts: 1 });
    const supervisor = await world.started({ children: [a], maxSeconds: 3600 });
    assert.equal((await supervisor.getChildSpec('a')).periodMs, 5000);
    await supervisor.stop();
    const preset = new Supervisor({ children: [world.child('b', { maxRestarts: 1 }).spec] }, world.environment, {
      ...DEFAULTS,
      maxSeconds: 30,
    });
    await preset.start();
    assert.equal((await preset.getChildSpec('b')).periodMs, 30_000);
    await preset.stop();
  });

  it('counts attempts to restart that fail', async () => {
    const world = new World();
    const a = world.child('a', { readiness: 'explicit', maxRestarts: 3 });
    const supervisor = await world.started({ children: [a], maxRestarts: 100 });
    a.start = 'fails';
    a.crash();
    const error = await causeOfDeath(supervisor);
    assert.deepEqual([a.starts, error.cause, error.details['maxRestarts']], [4, START_ERROR, 3]);
  });

  it('INT-11: is fresh when the supervisor starts again', async () => {
    const world = new World();
    const a = world.child('a', { maxRestarts: 1 });
    const supervisor = await world.started({ children: [a] });
    await crash(world, a);
    await supervisor.stop();
    await supervisor.start();
    await crash(world, a);
    assert.equal(supervisor.state, 'running');
    await supervisor.stop();
  });

  it('is there for a child that is a supervisor, too', async () => {
    const world = new World();
    const a = world.child('a');
    const sub = world.subtree('sub', { maxRestarts: 0, children: [a] }, { maxRestarts: 1 });
    const supervisor = await world.started({ children: [sub], maxRestarts: 100 });
    await crash(world, a);
    assert.deepEqual([supervisor.state, sub.made.length], ['running', 2]);
    await crash(world, a);
    assert.equal((await causeOfDeath(supervisor)).details['id'], 'sub');
  });

  it('is there for each child of a dynamic supervisor', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b']);
    const pool = await world.startedPool({ maxRestarts: 1 }, { maxRestarts: 100 });
    await pool.startChild(a);
    await pool.startChild(b);
    await crash(world, a);
    await crash(world, b);
    assert.equal(pool.state, 'running');
    await crash(world, a);
    assert.equal(pool.state, 'stopped');
  });
});

describe('the advice for bodies that return', () => {
  const ADVICE =
    "A body that returns has ended, and a permanent child is then restarted: let it await ctx.stopped or its inbox, or make the child 'transient'";

  it('INT-10: comes with the error of a supervisor that gives up after such an end', async () => {
    const world = new World();
    const supervisor = world.supervisor({ name: 'app', children: [{ id: 'a', startFn: () => {} }] });
    await supervisor.start();
    const error = await causeOfDeath(supervisor);
    assert.equal(
      error.message,
      `supervisor "app" gives up: child "a" ended (normal) and the budget of 3 restarts within 5 s is used up. ${ADVICE}`,
    );
    assert.deepEqual([error.cause, error.details['reason']], [undefined, NORMAL]);
  });

  it('INT-10: comes when it is the own budget of the child that is used up, too', async () => {
    const world = new World();
    const supervisor = world.supervisor({ maxRestarts: 100, children: [{ id: 'a', startFn: () => {}, maxRestarts: 2 }] });
    await supervisor.start();
    const { message } = await causeOfDeath(supervisor);
    assert.ok(message.endsWith(`its own budget of 2 restarts within 5 s is used up. ${ADVICE}`), message);
  });
});
