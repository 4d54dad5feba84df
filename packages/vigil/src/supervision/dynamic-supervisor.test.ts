import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { describe, it } from 'node:test';
import { runInNewContext } from 'node:vm';
import { crashed, type ExitReason, isVigilError, KILLED, NORMAL, nextTurn, SHUTDOWN } from '../core/index.js';
import type { ProcessRef } from '../processes/index.js';
import { type ChildTemplate, DynamicSupervisor, type DynamicSupervisorOptions } from './dynamic-supervisor.js';
import { BOOM, CRASH, errorFrom, failsWith, type Pool, START_ERROR, watch, wordFor, World } from './scripted-child.suite.js';
import { Supervisor } from './supervisor.js';

const INFO: ExitReason = { kind: 'shutdown', info: 'enough' };
const EXPLICIT = { readiness: 'explicit' } as const;
const REASONS = [NORMAL, SHUTDOWN, INFO, BOOM, KILLED];

describe('startChild of a dynamic supervisor', () => {
  it('starts nobody by itself', async () => {
    const world = new World();
    const pool = await world.startedPool();
    assert.deepEqual(await pool.whichChildren(), []);
    assert.deepEqual(await pool.countChildren(), { specs: 1, active: 0, supervisors: 0, workers: 0 });
    assert.deepEqual(world.events, [{ eventType: 'supervisor_started', metadata: { supervisor: 'supervisor', children: 0 } }]);
    await pool.stop();
  });

  it('starts one child after the other, as the template says, and answers with its ref', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b']);
    const pool = await world.startedPool({ id: 'connection' });
    const refs = [await pool.startChild(a), await pool.startChild(b)];
    assert.deepEqual(refs, [a.ref, b.ref]);
    assert.deepEqual(
      refs.map(({ id, incarnation, kind }) => [id, incarnation, kind]),
      [
        ['connection_1', 1, 'task'],
        ['connection_2', 1, 'task'],
      ],
    );
    assert.deepEqual(world.takeTrace(), ['+a', '+b']);
    await pool.stop();
  });

  it('calls its children child_1, child_2, … when the template has no id', async () => {
    const world = new World();
    const pool = await world.startedPool();
    assert.equal((await pool.startChild(world.child('a'))).id, 'child_1');
    await pool.stop();
  });

  it('two at once start in the order of the calls', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b'], { startsAfterMs: 10 });
    const pool = await world.startedPool(EXPLICIT);
    const starting = [pool.startChild(a), pool.startChild(b)];
    await world.clock.advance(20);
    assert.deepEqual(await Promise.all(starting), [a.ref, b.ref]);
    assert.deepEqual([a.ref.id, b.ref.id], ['child_1', 'child_2']);
    await pool.stop();
  });

  it('waits until the child is ready', async () => {
    const world = new World();
    const a = world.child('a', { start: 'waits' });
    const pool = await world.startedPool(EXPLICIT);
    const starting = pool.startChild(a);
    const started = watch(starting);
    await world.rest();
    assert.equal(started.settled, false);
    a.becomeReady();
    assert.equal(await starting, a.ref);
    await pool.stop();
  });

  it('forgets a child that did not start, tells why, and counts nothing', async () => {
    const world = new World();
    const a = world.child('a', { start: 'fails' });
    const pool = await world.startedPool(EXPLICIT, { name: 'pool', maxRestarts: 0, maxChildren: 1 });
    const error = await errorFrom(pool.startChild(a));
    failsWith('ProcessStartFailed', { id: 'child_1', reason: crashed(START_ERROR) })(error);
    assert.equal(error.cause, START_ERROR);
    assert.deepEqual([a.starts, await pool.whichChildren(), pool.state], [1, [], 'running']);
    const b = world.child('b');
    assert.equal((await pool.startChild(b)).id, 'child_2');
    assert.deepEqual(
      world.events.map(({ eventType }) => eventType),
      ['supervisor_started', 'process_started', 'supervisor_child_added'],
    );
    await pool.stop();
  });

  it('is refused while the supervisor does not run', async () => {
    const world = new World();
    const pool = world.dynamicSupervisor();
    const a = world.child('a');
    await assert.rejects(pool.startChild(a), failsWith('InvalidState'));
    await pool.start();
    await pool.stop();
    await assert.rejects(pool.startChild(a), failsWith('InvalidState'));
    assert.equal(a.starts, 0);
  });

  it('is cut short by a stop, which waits for the child to be gone', async () => {
    const world = new World();
    const a = world.child('a', { start: 'waits', stopsAfterMs: 10 });
    const pool = await world.startedPool(EXPLICIT);
    const starting = errorFrom(pool.startChild(a));
    await world.rest();
    const stopping = pool.stop();
    await world.clock.advance(10);
    await stopping;
    assert.equal((await starting).code, 'ProcessStartFailed');
    assert.deepEqual([a.alive, world.clock.pendingTimers], [0, 0]);
  });

  for (const maxChildren of [0, 1, 3]) {
    it(`DYN-05: refuses a child more than ${maxChildren}, and starts nothing`, async () => {
      const world = new World();
      const pool = await world.startedPool({}, { maxChildren });
      for (let number = 0; number < maxChildren; number += 1) await pool.startChild(world.child('a'));
      const b = world.child('b');
      await assert.rejects(pool.startChild(b), failsWith('TooManyChildren', { maxChildren }));
      assert.deepEqual([b.starts, pool.inspect().childCount], [0, maxChildren]);
      await pool.stop();
    });
  }

  it('DYN-05: is free again for each child that is gone', async () => {
    const world = new World();
    const [a, b, c] = world.children(['a', 'b', 'c']);
    const pool = await world.startedPool({ restartType: 'temporary' }, { maxChildren: 1 });
    await pool.terminateChild(await pool.startChild(a));
    await pool.startChild(b);
    b.crash();
    await world.rest();
    await pool.startChild(c);
    await assert.rejects(pool.startChild(a), failsWith('TooManyChildren'));
    await pool.stop();
  });

  it('DYN-06: counts a child that is being restarted', async () => {
    const world = new World();
    const a = world.child('a');
    const pool = await world.startedPool(EXPLICIT, { maxChildren: 1 });
    await pool.startChild(a);
    a.start = 'waits';
    a.crash();
    await world.rest();
    const refused = errorFrom(pool.startChild(world.child('b')));
    a.becomeReady();
    assert.equal((await refused).code, 'TooManyChildren');
    await pool.stop();
  });

  it('DYN-06: counts a child that waits for its restart', async () => {
    const world = new World();
    const a = world.child('a');
    const pool = await world.startedPool({ restartDelay: { initialMs: 100 } }, { maxChildren: 1 });
    await pool.startChild(a);
    a.crash();
    await world.rest();
    await assert.rejects(pool.startChild(world.child('b')), failsWith('TooManyChildren'));
    await pool.stop();
  });

  it('DYN-06: counts a child once, however often it was restarted', async () => {
    const world = new World();
    const a = world.child('a');
    const pool = await world.startedPool({}, { maxChildren: 2, maxRestarts: 10 });
    await pool.startChild(a);
    for (let crash = 0; crash < 10; crash += 1) {
      a.crash();
      await world.rest();
    }
    await pool.startChild(world.child('b'));
    await assert.rejects(pool.startChild(world.child('c')), failsWith('TooManyChildren'));
    assert.equal(a.starts, 11);
    await pool.stop();
  });
});

describe('the end of a dynamic child', () => {
  it('restarts it in its place, with its id and its args, and nobody else', async () => {
    const world = new World();
    const [a, b, c] = world.children(['a', 'b', 'c']);
    const pool = await world.startedPool();
    for (const child of [a, b, c]) await pool.startChild(child);
    world.takeTrace();
    b.crash();
    await world.rest();
    assert.deepEqual(world.takeTrace(), ['-b(error)', '+b']);
    assert.deepEqual(await pool.whichChildren(), [
      { id: 'child_1', state: 'running', type: 'worker', ref: a.ref },
      { id: 'child_2', state: 'running', type: 'worker', ref: b.ref },
      { id: 'child_3', state: 'running', type: 'worker', ref: c.ref },
    ]);
    assert.deepEqual([b.ref.id, b.ref.incarnation, b.context.args], ['child_2', 2, b]);
    await pool.stop();
  });

  for (const restartType of ['transient', 'temporary'] as const) {
    for (const reason of REASONS) {
      const isRestarted = restartType === 'transient' && (reason.kind === 'crashed' || reason.kind === 'killed');
      it(`DYN-07: ${isRestarted ? 'restarts' : 'forgets'} a ${restartType} one after ${wordFor(reason)}`, async () => {
        const world = new World();
        const a = world.child('a');
        const pool = await world.startedPool({ restartType });
        await pool.startChild(a);
        a.end(reason);
        await world.rest();
        const rows = await pool.whichChildren();
        assert.deepEqual(
          rows.map(({ id, state }) => [id, state]),
          isRestarted ? [['child_1', 'running']] : [],
        );
        assert.equal(pool.getChildInfo('child_1')?.incarnation, isRestarted ? 2 : undefined);
        assert.equal(pool.inspect().totalRestarts, isRestarted ? 1 : 0);
        await pool.stop();
      });
    }
  }

  it('DYN-07: tells telemetry which child was added and which was removed', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b']);
    const pool = await world.startedPool({ restartType: 'transient' });
    await pool.startChild(a);
    const ref = await pool.startChild(b);
    a.finish();
    await world.rest();
    await pool.terminateChild(ref);
    const told = world.events.filter(({ eventType }) => eventType.startsWith('supervisor_child'));
    assert.deepEqual(told, [
      { eventType: 'supervisor_child_added', metadata: { supervisor: 'supervisor', id: 'child_1' } },
      { eventType: 'supervisor_child_added', metadata: { supervisor: 'supervisor', id: 'child_2' } },
      { eventType: 'supervisor_child_removed', metadata: { supervisor: 'supervisor', id: 'child_1' } },
      { eventType: 'supervisor_child_removed', metadata: { supervisor: 'supervisor', id: 'child_2' } },
    ]);
    await pool.stop();
  });

  it('restarts a permanent one that returns, until the common budget is used up, and then stops all', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b']);
    const pool = await world.startedPool({}, { name: 'pool', maxRestarts: 1 });
    await pool.startChild(a);
    await pool.startChild(b);
    world.takeTrace();
    a.finish();
    await world.rest();
    b.crash();
    const reason = await pool.exited;
    assert.ok(reason.kind === 'shutdown' && isVigilError(reason.info, 'TooManyRestarts'));
    assert.deepEqual(reason.info.details, { id: 'child_2', reason: BOOM, maxRestarts: 1, maxSeconds: 5 });
    assert.equal(reason.info.cause, CRASH);
    assert.deepEqual(world.takeTrace(), ['-a(normal)', '+a', '-b(error)', '-a(shutdown)']);
  });

  it('after that of another with one id: no id comes a second time, not even after a restart of the supervisor', async () => {
    const world = new World();
    const pool = await world.startedPool({ restartType: 'temporary' });
    const ids: string[] = [];
    for (let run = 0; run < 3; run += 1) {
      const refs = [await pool.startChild(world.child('a')), await pool.startChild(world.child('b'))];
      ids.push(...refs.map(({ id }) => id));
      await pool.terminateChild(refs[0]!);
      await pool.stop();
      await pool.start();
      assert.deepEqual(await pool.whichChildren(), []);
    }
    assert.deepEqual(ids, ['child_1', 'child_2', 'child_3', 'child_4', 'child_5', 'child_6']);
    await pool.stop();
  });
});

describe('ctx.ignore() of a dynamic child', () => {
  it('DYN-08: at startChild: resolves with a ref that is dead, and nothing is stored', async () => {
    const world = new World();
    const a = world.child('a', { start: 'declines' });
    const pool = await world.startedPool(EXPLICIT, { maxChildren: 1, maxRestarts: 0 });
    const ref = await pool.startChild(a);
    assert.deepEqual([ref.id, ref.isAlive(), a.starts], ['child_1', false, 1]);
    assert.deepEqual([await pool.whichChildren(), pool.getChildInfo('child_1')], [[], undefined]);
    await assert.rejects(pool.terminateChild(ref), failsWith('ChildNotFound'));
    a.start = 'succeeds';
    await pool.startChild(a);
    await pool.stop();
    assert.deepEqual(world.errors, []);
  });

  it('DYN-08: at startChild: telemetry hears neither that it was added nor that it was removed', async () => {
    const world = new World();
    const pool = await world.startedPool(EXPLICIT);
    await pool.startChild(world.child('a', { start: 'declines' }));
    assert.deepEqual(
      world.events.map(({ eventType }) => eventType),
      ['supervisor_started'],
    );
    await pool.stop();
  });

  it('DYN-08: at a restart: it is forgotten and not tried again, and its place is free', async () => {
    const world = new World();
    const a = world.child('a');
    const pool = await world.startedPool(EXPLICIT, { maxChildren: 1 });
    const ref = await pool.startChild(a);
    a.start = 'declines';
    a.crash();
    await world.clock.advance(10_000);
    assert.deepEqual([a.starts, await pool.whichChildren(), pool.inspect().totalRestarts], [2, [], 1]);
    assert.deepEqual(world.events.at(-1)?.eventType, 'supervisor_child_removed');
    await assert.rejects(pool.terminateChild(ref), failsWith('ChildNotFound'));
    await pool.startChild(world.child('b'));
    await pool.stop();
  });
});

describe('terminateChild of a dynamic supervisor', () => {
  it('DYN-03: stops the child that the ref names, and only that one, and forgets it', async () => {
    const world = new World();
    const [a, b, c] = world.children(['a', 'b', 'c'], { stopsAfterMs: 50 });
    const pool = await world.startedPool({}, { maxRestarts: 0 });
    await pool.startChild(a);
    const ref = await pool.startChild(b);
    await pool.startChild(c);
    world.takeTrace();
    const terminating = pool.terminateChild(ref);
    const terminated = watch(terminating);
    await world.clock.advance(49);
    assert.equal(terminated.settled, false);
    await world.clock.advance(1);
    await terminating;
    assert.deepEqual(world.takeNotes(), ['?b', '-b(shutdown)']);
    assert.deepEqual(
      (await pool.whichChildren()).map(({ ref: up }) => up),
      [a.ref, c.ref],
    );
    pool.kill();
  });

  it('DYN-03: kills a child that does not stop within its own time', async () => {
    const world = new World();
    const a = world.child('a', { stopsAfterMs: 'never' });
    const pool = await world.startedPool({ shutdownTimeoutMs: 100 });
    const terminating = pool.terminateChild(await pool.startChild(a));
    await world.clock.advance(100);
    await terminating;
    assert.deepEqual(world.takeNotes(), ['+a', '?a', '-a(killed)']);
    assert.equal(world.clock.pendingTimers, 0);
    await pool.stop();
  });

  it('DYN-03: knows no child that is gone', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b']);
    const pool = await world.startedPool({ restartType: 'temporary' });
    const refs = [await pool.startChild(a), await pool.startChild(b)];
    await pool.terminateChild(refs[0]!);
    b.finish();
    await world.rest();
    for (const ref of refs) await assert.rejects(pool.terminateChild(ref), failsWith('ChildNotFound', { id: `${ref.id}#1` }));
    await pool.stop();
  });

  it('DYN-03: knows no child of somebody else, not even one with the id of its own, and leaves both unharmed', async () => {
    const world = new World();
    const [a, b, c] = world.children(['a', 'b', 'c']);
    const pool = await world.startedPool();
    const other = await world.startedPool();
    await pool.startChild(a);
    const foreign = await other.startChild(b);
    const supervisor = await world.started({ children: [c] });
    assert.equal(foreign.id, a.ref.id);
    for (const ref of [foreign, c.ref]) {
      for (const act of actsOf(pool)) await assert.rejects(act(ref), failsWith('ChildNotFound'));
    }
    assert.deepEqual([a.alive, b.alive, c.alive], [1, 1, 1]);
    for (const each of [pool, other, supervisor]) await each.stop();
  });

  it('DYN-03: does not know a child by the ref of an earlier incarnation, and leaves the present one unharmed', async () => {
    const world = new World();
    const a = world.child('a');
    const pool = await world.startedPool();
    const old = await pool.startChild(a);
    a.crash();
    await world.rest();
    await assert.rejects(pool.terminateChild(old), failsWith('ChildNotFound', { id: 'child_1#1' }));
    await assert.rejects(pool.suspendChild(old), failsWith('ChildNotFound'));
    assert.deepEqual([a.alive, pool.getChildInfo('child_1')?.state], [1, 'running']);
    await pool.terminateChild(a.ref);
    assert.equal(a.alive, 0);
    await pool.stop();
  });

  for (const notRef of [undefined, null, 'child', 'child_1', 1, {}, { id: 'child_1' }, Object.create(null)]) {
    it(`DYN-03: refuses what is no ref: ${JSON.stringify(notRef)}`, async () => {
      const world = new World();
      const a = world.child('a');
      const pool = await world.startedPool();
      await pool.startChild(a);
      for (const act of actsOf(pool)) {
        await assert.rejects(act(notRef), failsWith('InvalidConfiguration', { option: 'ref' }));
      }
      assert.equal(a.alive, 1);
      await pool.stop();
    });
  }

  it('DYN-03: is refused while the supervisor does not run', async () => {
    const world = new World();
    const a = world.child('a');
    const pool = await world.startedPool();
    await pool.startChild(a);
    await pool.stop();
    await assert.rejects(pool.terminateChild(a.ref), failsWith('InvalidState'));
  });

  it('ends a start that is being waited for, when the body has given its ref away', async () => {
    const world = new World();
    const a = world.child('a', { start: 'waits' });
    const pool = await world.startedPool(EXPLICIT);
    const starting = errorFrom(pool.startChild(a));
    await world.rest();
    await assert.rejects(pool.terminateChild(a.context.self), failsWith('ChildNotFound'));
    assert.equal((await starting).code, 'ProcessStartFailed');
    assert.deepEqual([a.alive, await pool.whichChildren()], [0, []]);
    await pool.stop();
  });
});

describe('a dynamic child whose restart fails again and again', () => {
  it('HANG-05: is in the row of those being restarted', async () => {
    const world = new World();
    const { pool, ref } = await looping(world);
    const rows = pool.whichChildren();
    const counts = pool.countChildren();
    const isAlive = ref.isAlive();
    await world.clock.advance(2000);
    assert.deepEqual(await rows, [{ id: 'child_1', state: 'restarting', type: 'worker', ref: undefined }]);
    assert.deepEqual(await counts, { specs: 1, active: 0, supervisors: 0, workers: 1 });
    assert.equal(isAlive, false);
    pool.kill();
  });

  it('HANG-05: is ended by terminateChild with the ref that it was started with, in the midst of an attempt', async () => {
    const world = new World();
    const { pool, ref } = await looping(world, { maxChildren: 1 });
    await pool.terminateChild(ref);
    assert.equal(world.clock.now(), 5000);
    assert.deepEqual(await pool.whichChildren(), []);
    await pool.startChild(world.child('b'));
    await world.clock.advance(60_000);
    assert.deepEqual(world.takeTrace(), ['-a(shutdown)', '+b']);
    await assert.rejects(pool.terminateChild(ref), failsWith('ChildNotFound'));
    await pool.stop();
  });

  it('HANG-05: is ended by terminateChild between two attempts, too', async () => {
    const world = new World();
    const a = world.child('a');
    const pool = await world.startedPool({ ...EXPLICIT, restartDelay: { initialMs: 100, multiplier: 1 } });
    const ref = await pool.startChild(a);
    a.start = 'fails';
    a.crash();
    await world.clock.advance(150);
    assert.equal(a.starts, 2);
    await pool.terminateChild(ref);
    assert.deepEqual([await pool.whichChildren(), world.clock.pendingTimers], [[], 0]);
    await world.clock.advance(10_000);
    assert.equal(a.starts, 2);
    await pool.stop();
  });

  it('HANG-05: does not keep the supervisor from stopping at once', async () => {
    const world = new World();
    const { pool } = await looping(world);
    await pool.stop();
    assert.equal(world.clock.now(), 5000);
    assert.deepEqual(await pool.exited, SHUTDOWN);
    assert.deepEqual(world.takeTrace(), ['-a(shutdown)']);
  });

  it('HANG-05: can be terminated by the new ref when it is back, and no more by the old one', async () => {
    const world = new World();
    const a = world.child('a');
    const pool = await world.startedPool({ ...EXPLICIT, restartDelay: { initialMs: 100, multiplier: 1 } });
    const old = await pool.startChild(a);
    a.start = 'fails';
    a.crash();
    await world.clock.advance(150);
    a.start = 'succeeds';
    await world.clock.advance(100);
    await assert.rejects(pool.terminateChild(old), failsWith('ChildNotFound'));
    await pool.terminateChild(a.ref);
    await pool.stop();
  });
});

describe('what a dynamic supervisor does not have', () => {
  it('DYN-04: restartChild and deleteChild', async () => {
    const world = new World();
    const pool = await world.startedPool();
    const refused = [
      // @ts-expect-error a dynamic child is not restarted by request
      () => pool.restartChild('child_1'),
      // @ts-expect-error a dynamic child that has ended is forgotten anyway
      () => pool.deleteChild('child_1'),
      // @ts-expect-error its children come from startChild
      () => pool.addChild(world.child('a').spec),
    ];
    for (const call of refused) assert.throws(call, TypeError);
    for (const method of ['restartChild', 'deleteChild', 'addChild', 'scaleWorkers']) assert.equal(method in pool, false);
    await pool.stop();
  });
});

describe('introspection of a dynamic supervisor', () => {
  it('INSP-02: counts one spec, and children that are being restarted as workers that are not active', async () => {
    const world = new World();
    const [a, b, c] = world.children(['a', 'b', 'c']);
    const pool = await world.startedPool({ restartDelay: { initialMs: 1000 } });
    for (const child of [a, b, c]) await pool.startChild(child);
    a.crash();
    c.crash();
    await world.rest();
    assert.deepEqual(await pool.countChildren(), { specs: 1, active: 1, supervisors: 0, workers: 3 });
    assert.deepEqual([pool.inspect().childCount, pool.inspect().activeChildren], [3, 1]);
    await world.clock.advance(1000);
    assert.deepEqual(await pool.countChildren(), { specs: 1, active: 3, supervisors: 0, workers: 3 });
    await pool.stop();
  });

  it('INSP-02: counts supervisors as supervisors', async () => {
    const world = new World();
    const inner = world.subtree('inner', { children: [world.child('w')] });
    const pool = new DynamicSupervisor({ startFn: inner.spec.startFn }, {}, world.environment);
    await pool.start();
    await pool.startChild(undefined);
    await pool.startChild(undefined);
    assert.deepEqual(await pool.countChildren(), { specs: 1, active: 2, supervisors: 2, workers: 0 });
    const [row] = await pool.whichChildren();
    assert.equal(row?.type, 'supervisor');
    assert.deepEqual(
      pool.getChildInfo('child_2')?.supervisor?.children.map(({ id }) => id),
      ['w'],
    );
    await pool.stop();
    assert.deepEqual(world.takeTrace(), ['+w', '+w', '-w(shutdown)', '-w(shutdown)']);
  });

  it('INSP-02: counts a child that is suspended or that stops as active', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b'], { stopsAfterMs: 10 });
    const pool = await world.startedPool();
    await pool.suspendChild(await pool.startChild(a));
    await pool.startChild(b);
    assert.equal((await pool.countChildren()).active, 2);
    pool.kill();
  });

  it('INSP-05: gives the template for the ref of any live child, with all defaults filled in', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b']);
    const pool = await world.startedPool({ id: 'w', restartType: 'transient' });
    await pool.startChild(a);
    await pool.startChild(b);
    const spec = await pool.getChildSpec(a.ref);
    assert.equal(await pool.getChildSpec(b.ref), spec);
    const { id, args, restartType, shutdownTimeoutMs, type, significant, readiness } = spec;
    assert.deepEqual(
      [id, args, restartType, shutdownTimeoutMs, type, significant, readiness],
      ['w', undefined, 'transient', 5000, 'worker', false, 'immediate'],
    );
    await pool.terminateChild(a.ref);
    await assert.rejects(pool.getChildSpec(a.ref), failsWith('ChildNotFound'));
    await pool.stop();
  });

  it('INSP-06: any question to one that does not run is refused', async () => {
    const world = new World();
    const pool = world.dynamicSupervisor();
    await assert.rejects(pool.whichChildren(), failsWith('InvalidState'));
    await assert.rejects(pool.countChildren(), failsWith('InvalidState'));
  });

  it('INSP-06: any question to one that stops is answered at once', async () => {
    const world = new World();
    const pool = await world.startedPool();
    const ref = await pool.startChild(world.child('a', { stopsAfterMs: 10 }));
    const stopping = pool.stop();
    assert.equal(pool.state, 'stopping');
    assert.deepEqual(await pool.whichChildren(), [{ id: ref.id, state: 'running', type: 'worker', ref }]);
    assert.equal((await pool.countChildren()).active, 1);
    assert.equal((await pool.getChildSpec(ref)).type, 'worker');
    assert.equal(world.clock.now(), 0);
    await world.clock.advance(10);
    await stopping;
  });

  it('shows a child by its id, and sends to whatever incarnation of it runs', async () => {
    const world = new World();
    const a = world.child('a');
    const pool = await world.startedPool();
    const { id } = await pool.startChild(a);
    const address = pool.address(id);
    a.crash();
    await world.rest();
    assert.equal(address.send('x'), 'queued');
    assert.equal(a.context.inbox.tryRecv()?.payload, 'x');
    assert.deepEqual([pool.getChildInfo(id)?.ref, pool.getChildInfo(id)?.restartCount], [a.ref, 1]);
    assert.deepEqual(pool.planFor(id), { stop: [], forget: [], start: [id], givesUp: false });
    await pool.stop();
  });
});

describe('stop of a dynamic supervisor', () => {
  it('DYN-09: asks all children at once and takes as long as the slowest', async () => {
    const world = new World();
    const pool = await world.startedPool({ shutdownTimeoutMs: 200 });
    for (const child of world.children(['a', 'b', 'c'], { stopsAfterMs: 100 })) await pool.startChild(child);
    world.takeNotes();
    const stopping = pool.stop();
    await world.clock.advance(99);
    assert.deepEqual(world.takeNotes(), ['?a', '?b', '?c']);
    await world.clock.advance(1);
    await stopping;
    assert.deepEqual(world.takeNotes(), ['-a(shutdown)', '-b(shutdown)', '-c(shutdown)']);
    assert.deepEqual([world.clock.now(), world.clock.pendingTimers, world.errors], [100, 0, []]);
  });

  it('DYN-09: kills at one common deadline whoever has not ended, names them, and leaves the others unaffected', async () => {
    const world = new World();
    const [a, b, c] = world.children(['a', 'b', 'c'], { stopsAfterMs: 100 });
    b.stopsAfterMs = 'never';
    const pool = await world.startedPool({ shutdownTimeoutMs: 200 });
    for (const child of [a, b, c]) await pool.startChild(child);
    world.takeTrace();
    const stopping = pool.stop();
    const stopped = watch(stopping);
    await world.clock.advance(199);
    assert.deepEqual([world.takeTrace(), stopped.settled], [['-a(shutdown)', '-c(shutdown)'], false]);
    await world.clock.advance(1);
    await stopping;
    assert.deepEqual([world.takeTrace(), await pool.exited], [['-b(killed)'], SHUTDOWN]);
    assert.deepEqual(
      world.errors.map(({ text }) => text),
      ['child "child_2" of "supervisor" (incarnation 1) did not stop within 200 ms and is killed'],
    );
    assert.equal(world.clock.pendingTimers, 0);
  });

  it('DYN-09: has one timer for all, and none where there is nothing to wait for', async () => {
    const world = new World();
    for (const [shutdownTimeoutMs, timers] of [
      [200, 1],
      ['infinity', 0],
    ] as const) {
      const pool = await world.startedPool({ shutdownTimeoutMs });
      const children = world.children(['a', 'b', 'c'], { stopsAfterMs: 'never' });
      for (const child of children) await pool.startChild(child);
      const stopping = pool.stop();
      await world.rest();
      assert.equal(world.clock.pendingTimers, timers);
      for (const child of children) child.finish();
      await stopping;
      assert.equal(world.clock.pendingTimers, 0);
    }
    const empty = await world.startedPool();
    const stopping = empty.stop();
    assert.equal(world.clock.pendingTimers, 0);
    await stopping;
  });

  it('DYN-09: waits without limit with infinity', async () => {
    const world = new World();
    const a = world.child('a', { stopsAfterMs: 3_600_000 });
    const pool = await world.startedPool({ shutdownTimeoutMs: 'infinity' });
    await pool.startChild(a);
    const stopping = pool.stop();
    await world.clock.advance(3_600_000);
    await stopping;
    assert.deepEqual(world.takeNotes(), ['+a', '?a', '-a(shutdown)']);
  });

  it('DYN-09: asks nobody with brutal_kill', async () => {
    const world = new World();
    const pool = await world.startedPool({ shutdownTimeoutMs: 'brutal_kill' });
    for (const child of world.children(['a', 'b'], { stopsAfterMs: 100 })) await pool.startChild(child);
    world.takeTrace();
    await pool.stop();
    assert.deepEqual(world.takeTrace(), ['-a(killed)', '-b(killed)']);
    assert.deepEqual(world.errors, []);
  });

  it('DYN-09: SHUT-07: a crash meanwhile is final, and is no restart', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b'], { stopsAfterMs: 100 });
    const pool = await world.startedPool();
    for (const child of [a, b]) await pool.startChild(child);
    const stopping = pool.stop();
    await world.clock.advance(50);
    a.crash();
    await world.clock.advance(50);
    await stopping;
    assert.deepEqual([a.starts, b.starts, a.alive + b.alive], [1, 1, 0]);
    assert.deepEqual(await pool.exited, SHUTDOWN);
  });

  it('kill ends a stop that hangs', async () => {
    const world = new World();
    const pool = await world.startedPool({ shutdownTimeoutMs: 'infinity' });
    for (const child of world.children(['a', 'b'], { stopsAfterMs: 'never' })) await pool.startChild(child);
    const stopping = pool.stop();
    await world.rest();
    pool.kill();
    await stopping;
    assert.deepEqual(await pool.exited, KILLED);
    assert.equal(world.clock.pendingTimers, 0);
  });

  it('shutdown with a deadline names those that are still up', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b'], { stopsAfterMs: 'never' });
    b.stopsAfterMs = 0;
    const pool = await world.startedPool({ shutdownTimeoutMs: 1000 });
    for (const child of [a, b]) await pool.startChild(child);
    const late = assert.rejects(pool.shutdown(100), failsWith('ShutdownTimeout', { children: ['child_1'] }));
    await world.clock.advance(100);
    await late;
    await world.clock.advance(900);
    assert.equal(pool.state, 'stopped');
  });
});

describe('auto-shutdown of a dynamic supervisor', () => {
  const SIGNIFICANT = { restartType: 'transient', significant: true } as const;

  it('AUTO-08: any_significant: the first end for good stops all', async () => {
    const world = new World();
    const [a, b, c] = world.children(['a', 'b', 'c']);
    const pool = await world.startedPool(SIGNIFICANT, { autoShutdown: 'any_significant' });
    for (const child of [a, b, c]) await pool.startChild(child);
    world.takeTrace();
    b.finish();
    assert.deepEqual(await pool.exited, SHUTDOWN);
    assert.deepEqual(world.takeTrace(), ['-b(normal)', '-a(shutdown)', '-c(shutdown)']);
  });

  it('AUTO-08: any_significant: an end that leads to a restart does not', async () => {
    const world = new World();
    const a = world.child('a');
    const pool = await world.startedPool(SIGNIFICANT, { autoShutdown: 'any_significant' });
    await pool.startChild(a);
    a.crash();
    await world.rest();
    assert.deepEqual([pool.state, a.starts], ['running', 2]);
    await pool.stop();
  });

  it('AUTO-08: all_significant: only the end of the last one does', async () => {
    const world = new World();
    const [a, b, c] = world.children(['a', 'b', 'c']);
    const pool = await world.startedPool({ restartType: 'temporary', significant: true }, { autoShutdown: 'all_significant' });
    for (const child of [a, b, c]) await pool.startChild(child);
    a.crash();
    c.finish();
    await world.rest();
    assert.equal(pool.state, 'running');
    b.finish();
    assert.deepEqual(await pool.exited, SHUTDOWN);
  });

  it('AUTO-08: AUTO-05: a stop by request does not, even of the last one', async () => {
    for (const autoShutdown of ['any_significant', 'all_significant'] as const) {
      const world = new World();
      const pool = await world.startedPool(SIGNIFICANT, { autoShutdown });
      await pool.terminateChild(await pool.startChild(world.child('a')));
      await world.rest();
      assert.equal(pool.state, 'running');
      await pool.stop();
    }
  });

  it('AUTO-08: an empty supervisor goes on, with either', async () => {
    const world = new World();
    const pool = await world.startedPool({}, { autoShutdown: 'all_significant' });
    const a = world.child('a');
    await pool.startChild(a);
    await pool.terminateChild(a.ref);
    await world.rest();
    assert.equal(pool.state, 'running');
    await pool.stop();
  });
});

describe('suspendChild and resumeChild of a dynamic supervisor', () => {
  it('VIG-01: hold the messages of the child that the ref names, and of no other', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b']);
    const pool = await world.startedPool();
    await pool.startChild(a);
    await pool.startChild(b);
    await pool.suspendChild(a.ref);
    for (const { ref } of [a, b]) ref.send('x');
    assert.deepEqual([a.context.inbox.tryRecv(), b.context.inbox.tryRecv()?.payload], [undefined, 'x']);
    assert.deepEqual([pool.getChildInfo('child_1')?.state, pool.getChildInfo('child_2')?.state], ['suspended', 'running']);
    await pool.resumeChild(a.ref);
    assert.equal(a.context.inbox.tryRecv()?.payload, 'x');
    assert.equal(pool.getChildInfo('child_1')?.state, 'running');
    await pool.stop();
  });

  it('VIG-02: a suspended child stops in time with the others, and comes back unsuspended from a crash', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b']);
    const pool = await world.startedPool();
    await pool.startChild(a);
    await pool.startChild(b);
    await pool.suspendChild(a.ref);
    a.crash();
    await world.rest();
    assert.equal(pool.getChildInfo('child_1')?.state, 'running');
    await pool.suspendChild(b.ref);
    await pool.stop();
    assert.equal(world.clock.now(), 0);
  });
});

describe('the template of a dynamic supervisor', () => {
  const bad: [unknown, Record<string, unknown>][] = [
    [undefined, { option: 'template' }],
    [null, { option: 'template' }],
    [[], { option: 'template' }],
    [async () => {}, { option: 'template' }],
    [{}, { reason: 'missing_start' }],
    [{ startFn: 5 }, { option: 'startFn' }],
    [{ startFn: noop, id: '' }, { option: 'id' }],
    [{ startFn: noop, id: null }, { option: 'id' }],
    [
      { startFn: noop, restartType: 'prmanent' },
      { option: 'restartType', value: 'prmanent' },
    ],
    [{ startFn: noop, shutdownTimeoutMs: -1 }, { option: 'shutdownTimeoutMs' }],
    [{ startFn: noop, restartType: 'transient', significant: true }, { option: 'significant' }],
    [{ startFn: noop, significant: true }, { reason: 'invalid_spec' }],
  ];
  for (const [template, details] of bad) {
    it(`is refused when the supervisor is made: ${JSON.stringify(details)} ${String(template === null ? template : typeof template)}`, () => {
      const world = new World();
      assert.throws(
        // @ts-expect-error what JavaScript could pass
        () => new DynamicSupervisor(template, {}, world.environment),
        failsWith('InvalidConfiguration', details),
      );
    });
  }

  for (const maxChildren of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '3', null]) {
    it(`comes with a number of children that is one: ${String(maxChildren)} is refused`, () => {
      const world = new World();
      assert.throws(
        // @ts-expect-error what JavaScript could pass
        () => world.dynamicSupervisor({}, { maxChildren }),
        failsWith('InvalidConfiguration', { option: 'maxChildren' }),
      );
    });
  }

  it('is copied: what happens to it later changes nothing', async () => {
    const world = new World();
    const template: { -readonly [K in keyof ChildTemplate]: ChildTemplate[K] } = { startFn: (ctx) => ctx.stopped, id: 'w' };
    const pool = new DynamicSupervisor(template, {}, world.environment);
    template.id = 'other';
    template.startFn = noop;
    await pool.start();
    const ref = await pool.startChild(undefined);
    await world.rest();
    assert.deepEqual([ref.id, ref.isAlive()], ['w_1', true]);
    await pool.stop();
  });

  it('takes its defaults from the supervisor', async () => {
    const world = new World();
    const delay = { initialMs: 7, maxMs: 70, multiplier: 3, jitter: 0.5 };
    const pool = await world.startedPool({}, { restartDelay: delay });
    const spec = await pool.getChildSpec(await pool.startChild(world.child('a')));
    assert.deepEqual(spec.restartDelay, delay);
    await pool.stop();
  });
});

describe('a dynamic supervisor below another one', () => {
  it('is a child of type supervisor, with no time limit, whose children are seen from above', async () => {
    const world = new World();
    const a = world.child('a');
    const pool = world.dynamicSupervisor({ id: 'w' });
    const top = await world.started({ name: 'top', children: [{ id: 'pool', startFn: pool }] });
    await pool.startChild(a);
    const { type, shutdownTimeoutMs } = await top.getChildSpec('pool');
    assert.deepEqual([type, shutdownTimeoutMs], ['supervisor', 'infinity']);
    assert.deepEqual(
      top.getChildInfo('pool')?.supervisor?.children.map(({ id, state }) => [id, state]),
      [['w_1', 'running']],
    );
    await top.stop();
    assert.deepEqual([pool.state, a.alive], ['stopped', 0]);
  });

  it('TREE-03: stops in its turn, all of its children at once', async () => {
    const world = new World();
    const [a, b, x, y] = world.children(['a', 'b', 'x', 'y'], { stopsAfterMs: 10 });
    const pool = world.dynamicSupervisor();
    const top = await world.started({ children: [a, { id: 'pool', startFn: pool }, b] });
    await pool.startChild(x);
    await pool.startChild(y);
    world.takeNotes();
    const stopping = top.stop();
    await world.clock.advance(30);
    await stopping;
    assert.deepEqual(world.takeNotes(), ['?b', '-b(shutdown)', '?x', '?y', '-x(shutdown)', '-y(shutdown)', '?a', '-a(shutdown)']);
  });

  it('DYN-11: TREE-02: gives up, is restarted by its parent, and has none of its children then', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b']);
    const pool = world.dynamicSupervisor({}, { maxRestarts: 0, maxChildren: 2 });
    const top = await world.started({ children: [{ id: 'pool', startFn: pool }] });
    await pool.startChild(a);
    await pool.startChild(b);
    world.takeTrace();
    a.crash();
    await world.rest();
    assert.deepEqual(world.takeTrace(), ['-a(error)', '-b(shutdown)']);
    assert.deepEqual([pool.state, await pool.whichChildren(), pool.inspect().totalRestarts], ['running', [], 0]);
    assert.deepEqual(
      top.getRestartHistory().map(({ id, reason }) => [id, wordFor(reason)]),
      [['pool', 'shutdown(info)']],
    );
    assert.equal((await pool.startChild(world.child('c'))).id, 'child_3');
    await top.stop();
  });

  it('DYN-11: so does a static supervisor with those that startChild added', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b']);
    const pool = new Supervisor({ maxRestarts: 0, children: [a.spec] }, world.environment);
    const top = await world.started({ children: [{ id: 'pool', startFn: pool }] });
    await pool.startChild(b.spec);
    b.crash();
    await world.rest();
    assert.deepEqual(
      (await pool.whichChildren()).map(({ id }) => id),
      ['a'],
    );
    assert.deepEqual([a.starts, b.starts], [2, 1]);
    await top.stop();
  });

  it('TREE-05: killed, takes its children along and is restarted', async () => {
    const world = new World();
    const a = world.child('a');
    const pool = world.dynamicSupervisor();
    const top = await world.started({ children: [{ id: 'pool', startFn: pool }] });
    await pool.startChild(a);
    pool.kill();
    await world.rest();
    assert.deepEqual([a.alive, pool.state, top.getRestartHistory()[0]?.reason], [0, 'running', KILLED]);
    await top.stop();
  });
});

describe('a dynamic supervisor with many children', () => {
  it('DYN-12: starts and terminates 10,000 and keeps nothing of them', async () => {
    const world = new World();
    const pool = new DynamicSupervisor<unknown, object>(
      { restartType: 'temporary', startFn: (ctx) => ctx.stopped },
      {},
      { ...world.environment, telemetry: { wants: () => false, report() {} } },
    );
    await pool.start();
    const args: WeakRef<object>[] = [];
    const refs: ProcessRef[] = [];
    for (let number = 0; number < 10_000; number += 1) {
      const arg = { number };
      args.push(new WeakRef(arg));
      refs.push(await pool.startChild(arg));
    }
    assert.deepEqual(await pool.countChildren(), { specs: 1, active: 10_000, supervisors: 0, workers: 10_000 });
    assert.equal(new Set(refs.map(({ id }) => id)).size, 10_000);
    for (const ref of refs) await pool.terminateChild(ref);
    assert.ok(refs.every((ref) => !ref.isAlive()));
    refs.length = 0;
    assert.deepEqual([pool.inspect().childCount, world.clock.pendingTimers, world.names.size], [0, 0, 0]);
    await nextTurn();
    collectGarbage();
    assert.equal(args.filter((arg) => arg.deref() !== undefined).length, 0);
    await pool.stop();
  });

  it('DYN-12: stops 10,000 at once', async () => {
    const world = new World();
    const pool = new DynamicSupervisor({ startFn: (ctx) => ctx.stopped }, {}, world.environment);
    await pool.start();
    const refs: ProcessRef[] = [];
    for (let number = 0; number < 10_000; number += 1) refs.push(await pool.startChild(undefined));
    await pool.stop();
    assert.ok(refs.every((ref) => !ref.isAlive()));
    assert.deepEqual([world.clock.now(), world.clock.pendingTimers], [0, 0]);
  });
});

/** A pool with a child whose restart is attempted in vain, 2 s each time. */
async function looping(world: World, options: DynamicSupervisorOptions = {}): Promise<{ pool: Pool; ref: ProcessRef }> {
  const a = world.child('a');
  const pool = await world.startedPool(EXPLICIT, { maxRestarts: 8, maxSeconds: 10, ...options });
  const ref = await pool.startChild(a);
  a.start = 'fails';
  a.startsAfterMs = 2000;
  a.crash();
  await world.clock.advance(5000);
  world.takeTrace();
  return { pool, ref };
}

/** All that is asked of one child. */
function actsOf(pool: Pool): ((ref: ProcessRef) => Promise<unknown>)[] {
  return [
    (ref) => pool.terminateChild(ref),
    (ref) => pool.suspendChild(ref),
    (ref) => pool.resumeChild(ref),
    (ref) => pool.getChildSpec(ref),
  ];
}

/** Collects what nobody holds any more. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  assert.ok(typeof collect === 'function');
  collect();
}

async function noop(): Promise<void> {}
