import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CRASH, errorFrom, failsWith, World } from './scripted-child.suite.js';
import type { ChildRow } from './supervision-tree.js';

const CRASHED = { kind: 'crashed', error: CRASH };

describe('introspection', () => {
  it('INSP-02: counts specs whether their children are up or not', async () => {
    const world = new World();
    const supervisor = await world.started({ children: [world.child('a'), world.child('b'), world.subtree('sub', {})] });
    await supervisor.terminateChild('b');
    assert.deepEqual(await supervisor.countChildren(), { specs: 3, active: 2, supervisors: 1, workers: 2 });
    await supervisor.stop();
  });

  it('lists one row a child, in start order', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b']);
    const sub = world.subtree('sub', {});
    const supervisor = await world.started({ children: [a, sub, b] });
    await supervisor.terminateChild('b');
    const rows = await supervisor.whichChildren();
    assert.deepEqual(
      rows.map(({ id, state, type }) => [id, state, type]),
      [
        ['a', 'running', 'worker'],
        ['sub', 'running', 'supervisor'],
        ['b', 'stopped', 'worker'],
      ],
    );
    assert.equal(rows[0]?.ref, a.ref);
    assert.equal(rows[1]?.ref?.id, 'sub');
    assert.equal(rows[2]?.ref, undefined);
    await supervisor.stop();
  });

  it('INSP-04: counts the restarts of each child, and lists them oldest first', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b']);
    const supervisor = await world.started({ children: [a, b] });
    const start = world.clock.wallTime();
    for (const delayMs of [100, 200]) {
      await world.clock.advance(delayMs);
      a.crash();
      await world.rest();
    }
    await world.clock.advance(300);
    await supervisor.restartChild('b');
    assert.equal(supervisor.getChildInfo('a')?.restartCount, 2);
    assert.equal(supervisor.getChildInfo('b')?.restartCount, 1);
    assert.equal(supervisor.inspect().totalRestarts, 3);
    assert.deepEqual(supervisor.getRestartHistory(), [
      { id: 'a', timestampMs: start + 100, reason: CRASHED, trigger: 'exit' },
      { id: 'a', timestampMs: start + 300, reason: CRASHED, trigger: 'exit' },
      { id: 'b', timestampMs: start + 600, reason: { kind: 'shutdown' }, trigger: 'request' },
    ]);
    await supervisor.stop();
  });

  it('INSP-04: every member of a group restart counts one, the supervisor one for the group', async () => {
    const world = new World();
    const [a, b, c] = world.children(['a', 'b', 'c']);
    const supervisor = await world.started({ strategy: 'one_for_all', children: [a, b, c] });
    b.crash();
    await world.rest();
    assert.deepEqual(
      supervisor.inspect().children.map(({ restartCount }) => restartCount),
      [1, 1, 1],
    );
    assert.equal(supervisor.inspect().totalRestarts, 1);
    assert.deepEqual(
      supervisor.getRestartHistory().map(({ id }) => id),
      ['b'],
    );
    await supervisor.stop();
  });

  it('INSP-04: keeps the last hundred restarts and counts all', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started({ children: [a], maxRestarts: 1000 });
    for (let count = 0; count < 120; count += 1) {
      a.crash();
      await world.clock.advance(1);
    }
    const history = supervisor.getRestartHistory();
    assert.equal(history.length, 100);
    assert.equal(history[0]?.timestampMs, world.clock.wallTime() - 100);
    assert.equal(supervisor.inspect().totalRestarts, 120);
    await supervisor.stop();
  });

  it('INSP-04: the history is still there when the supervisor has given up', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started({ children: [a], maxRestarts: 1 });
    a.crash();
    await world.rest();
    a.crash();
    await supervisor.exited;
    assert.equal(supervisor.getRestartHistory().length, 1);
    assert.deepEqual(supervisor.getChildInfo('a')?.lastExit?.reason, CRASHED);
  });

  it('INSP-05: reads a spec back with its defaults', async () => {
    const world = new World();
    const supervisor = await world.started({ children: [world.child('a', { restartType: 'transient' })] });
    const { id, restartType, shutdownTimeoutMs, type, significant } = await supervisor.getChildSpec('a');
    assert.deepEqual(
      { id, restartType, shutdownTimeoutMs, type, significant },
      { id: 'a', restartType: 'transient', shutdownTimeoutMs: 5000, type: 'worker', significant: false },
    );
    await assert.rejects(supervisor.getChildSpec('b'), failsWith('ChildNotFound', { id: 'b' }));
    await supervisor.stop();
  });

  it('INSP-06: questions to a supervisor that does not run are refused at once', async () => {
    const world = new World();
    const supervisor = world.supervisor({ name: 'app', children: [world.child('a')] });
    const questions = () => [supervisor.whichChildren(), supervisor.countChildren(), supervisor.getChildSpec('a')].map(errorFrom);
    for (const error of await Promise.all(questions())) {
      failsWith('InvalidState', { state: 'idle' })(error);
      assert.equal(error.message, 'supervisor "app" was not started');
    }
    await supervisor.start();
    await supervisor.stop();
    for (const error of await Promise.all(questions())) {
      failsWith('InvalidState', { state: 'stopped' })(error);
      assert.equal(error.message, 'supervisor "app" is stopped');
    }
  });

  it('INSP-06: questions are answered at once while the supervisor stops', async () => {
    const world = new World();
    const supervisor = await world.started({ children: world.children(['a', 'b'], { stopsAfterMs: 100 }) });
    const asked = [supervisor.whichChildren(), supervisor.countChildren()] as const;
    const stopping = supervisor.stop();
    await world.rest();
    assert.deepEqual((await asked[0]).map(statesOf), ['a running', 'b running'], 'asked before the stop');
    assert.equal((await asked[1]).active, 2);
    await world.clock.advance(150);
    assert.equal(supervisor.state, 'stopping');
    assert.deepEqual((await supervisor.whichChildren()).map(statesOf), ['a running', 'b stopped']);
    assert.deepEqual(await supervisor.countChildren(), { specs: 2, active: 1, supervisors: 0, workers: 2 });
    assert.equal((await supervisor.getChildSpec('b')).id, 'b');
    await assert.rejects(supervisor.getChildSpec('c'), failsWith('ChildNotFound', { id: 'c' }));
    assert.equal(world.clock.now(), 150);
    await world.clock.advance(50);
    await stopping;
  });

  it('inspect, getChildInfo and getRestartHistory answer at once in every state', async () => {
    const world = new World();
    const a = world.child('a', { readiness: 'explicit', start: 'waits', stopsAfterMs: 10 });
    const supervisor = world.supervisor({ children: [a] });
    const look = () => [supervisor.inspect().state, supervisor.getChildInfo('a')?.state, supervisor.getRestartHistory().length];
    assert.deepEqual(look(), ['idle', undefined, 0]);
    const starting = supervisor.start();
    assert.deepEqual(look(), ['starting', 'starting', 0]);
    a.becomeReady();
    await starting;
    assert.deepEqual(look(), ['running', 'running', 0]);
    const stopping = supervisor.stop();
    assert.deepEqual(look(), ['stopping', 'stopping', 0]);
    await world.clock.advance(10);
    await stopping;
    assert.deepEqual(look(), ['stopped', 'stopped', 0]);
  });

  it('inspect tells everything about the supervisor and its children', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b']);
    const supervisor = await world.started({
      name: 'app',
      strategy: 'rest_for_one',
      autoShutdown: 'any_significant',
      maxRestarts: 5,
      maxSeconds: 10,
      children: [a, b],
    });
    await world.clock.advance(1000);
    b.crash();
    await world.clock.advance(500);
    const { children, ...info } = supervisor.inspect();
    assert.deepEqual(info, {
      name: 'app',
      state: 'running',
      strategy: 'rest_for_one',
      autoShutdown: 'any_significant',
      maxRestarts: 5,
      maxSeconds: 10,
      restartsLeft: 4,
      totalRestarts: 1,
      childCount: 2,
      activeChildren: 2,
    });
    const common = {
      kind: 'task',
      type: 'worker',
      state: 'running',
      restartType: 'permanent',
      vitals: undefined,
      inbox: undefined,
      supervisor: undefined,
    };
    assert.deepEqual(children, [
      { ...common, id: 'a', incarnation: 1, restartCount: 0, uptimeMs: 1500, lastExit: undefined, ref: a.ref },
      {
        ...common,
        id: 'b',
        incarnation: 2,
        restartCount: 1,
        uptimeMs: 500,
        lastExit: { reason: CRASHED, timestampMs: world.clock.wallTime() - 500 },
        ref: b.ref,
      },
    ]);
    assert.deepEqual(supervisor.getChildInfo('b'), children[1]);
    assert.equal(supervisor.getChildInfo('c'), undefined);
    await supervisor.stop();
  });

  it('restarts leave the window by themselves', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started({ children: [a], maxRestarts: 2, maxSeconds: 5 });
    a.crash();
    await world.clock.advance(5000);
    assert.equal(supervisor.inspect().restartsLeft, 1);
    await world.clock.advance(1);
    assert.equal(supervisor.inspect().restartsLeft, 2);
    assert.equal(supervisor.inspect().totalRestarts, 1);
    await supervisor.stop();
  });

  it('inspect shows the tree below, while it runs', async () => {
    const world = new World();
    const sub = world.subtree('sub', { children: [world.child('x')] }, { restartType: 'transient' });
    const supervisor = await world.started({ name: 'app', children: [sub] });
    const [info] = supervisor.inspect().children;
    assert.equal(info?.kind, 'supervisor');
    assert.deepEqual(info.supervisor, sub.current.inspect());
    assert.equal(info.supervisor.children[0]?.id, 'x');
    await supervisor.terminateChild('sub');
    assert.equal(supervisor.getChildInfo('sub')?.supervisor, undefined);
    await supervisor.stop();
  });

  it('what inspect answered does not change any more', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started({ children: [a] });
    const before = supervisor.inspect();
    const facts = () => ({ ...before, children: before.children.map((child) => ({ ...child, ref: undefined })) });
    const copy = structuredClone(facts());
    a.crash();
    await world.clock.advance(100);
    await supervisor.stop();
    assert.deepEqual(facts(), copy);
  });
});

function statesOf({ id, state }: ChildRow): string {
  return `${id} ${state}`;
}
