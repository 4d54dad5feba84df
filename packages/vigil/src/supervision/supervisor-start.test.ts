import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isVigilError } from '../core/index.js';
import { BOOM, errorFrom, failsWith, START_ERROR, watch, World } from './scripted-child.suite.js';
import { Supervisor } from './supervisor.js';

describe('a supervisor that starts', () => {
  it('ST-01: starts its children in order, each one when the one before is ready', async () => {
    const world = new World();
    const children = world.children(['a', 'b', 'c'], { readiness: 'explicit', start: 'waits' });
    const [a, b, c] = children;
    const supervisor = world.supervisor({ children });
    const starting = supervisor.start();
    const started = watch(starting);

    await world.rest();
    assert.deepEqual(world.trace, ['+a']);
    a.becomeReady();
    await world.rest();
    assert.deepEqual(world.trace, ['+a', '+b']);
    b.becomeReady();
    await world.rest();
    assert.deepEqual(world.trace, ['+a', '+b', '+c']);
    assert.equal(started.settled, false);
    assert.equal(supervisor.state, 'starting');

    c.becomeReady();
    await starting;
    assert.equal(supervisor.state, 'running');
    await supervisor.stop();
  });

  it('ST-01: a child with immediate readiness has started when its body was entered', async () => {
    const world = new World();
    const supervisor = world.supervisor({ children: world.children(['a', 'b', 'c']) });
    assert.equal(supervisor.state, 'idle');
    await supervisor.start();
    assert.deepEqual(world.trace, ['+a', '+b', '+c']);
    await supervisor.stop();
  });

  it('ST-02: starts and stops without children', async () => {
    const world = new World();
    const supervisor = await world.started();
    assert.deepEqual(await supervisor.whichChildren(), []);
    assert.deepEqual(await supervisor.countChildren(), { specs: 0, active: 0, supervisors: 0, workers: 0 });
    await supervisor.stop();
    assert.deepEqual(await supervisor.exited, { kind: 'shutdown' });
  });

  it('ST-03: rolls a partial start back in reverse, and rejects when every clean-up is finished', async () => {
    const world = new World();
    const a = world.child('a', { stopsAfterMs: 50 });
    const b = world.child('b');
    const c = world.child('c', { readiness: 'explicit', start: 'fails' });
    const d = world.child('d');
    const supervisor = world.supervisor({ children: [a, b, c, d] });
    const starting = errorFrom(supervisor.start());
    const failed = watch(starting);

    await world.clock.advance(49);
    assert.deepEqual(world.takeNotes(), ['+a', '+b', '+c', '-c(error)', '?b', '-b(shutdown)', '?a']);
    assert.equal(failed.settled, false);
    assert.equal(supervisor.state, 'stopping');
    await world.clock.advance(1);
    assert.deepEqual(world.takeNotes(), ['-a(shutdown)']);

    const error = await starting;
    assert.equal(error.code, 'ProcessStartFailed');
    assert.deepEqual(error.details, { id: 'c', reason: { kind: 'crashed', error: START_ERROR } });
    assert.equal(error.cause, START_ERROR);
    assert.equal(error.message, 'child "c" of "supervisor" did not start: crashed: Error: no such host');
    assert.equal(supervisor.state, 'stopped');
    assert.deepEqual(await supervisor.exited, { kind: 'shutdown', info: error });
    assert.deepEqual(
      [a, b, c, d].map(({ alive }) => alive),
      [0, 0, 0, 0],
    );
    assert.equal(world.clock.pendingTimers, 0);
    assert.equal(world.clock.holds, 0);
  });

  it('ST-04: tries a start once, and counts no restart for its failure', async () => {
    const world = new World();
    const a = world.child('a', { readiness: 'explicit', start: 'fails' });
    const supervisor = world.supervisor({ children: [a] });
    await assert.rejects(supervisor.start(), failsWith('ProcessStartFailed', { id: 'a' }));
    await world.clock.advance(10_000);
    assert.equal(a.starts, 1);
    assert.equal(supervisor.inspect().restartsLeft, 3);
    assert.deepEqual(supervisor.getRestartHistory(), []);
  });

  it('ST-04: a child that ends cleanly before it is ready has not started either', async () => {
    const world = new World();
    const a = world.child('a', { readiness: 'explicit', start: 'waits' });
    const supervisor = world.supervisor({ children: [a] });
    const starting = supervisor.start();
    a.finish();
    await assert.rejects(starting, failsWith('ProcessStartFailed', { id: 'a', reason: { kind: 'normal' } }));
  });

  it('ST-04: a child that is not ready in time has not started, and is killed', async () => {
    const world = new World();
    const a = world.child('a', { readiness: 'explicit', start: 'waits', startTimeoutMs: 100, stopsAfterMs: 'never' });
    const supervisor = world.supervisor({ children: [a] });
    const starting = errorFrom(supervisor.start());
    await world.clock.advance(99);
    assert.equal(a.alive, 1);
    await world.clock.advance(1);
    const error = await starting;
    assert.equal(error.code, 'ProcessStartFailed');
    assert.ok(isVigilError(error.cause, 'OperationTimeout'));
    assert.equal(a.alive, 0);
  });

  it('waits 30 seconds for a child to become ready where it was told nothing', async () => {
    const world = new World();
    const a = world.child('a', { readiness: 'explicit', start: 'waits' });
    const supervisor = world.supervisor({ children: [a] });
    const starting = supervisor.start();
    const failed = watch(starting);
    await world.clock.advance(29_999);
    assert.equal(failed.settled, false);
    await world.clock.advance(1);
    await assert.rejects(starting, failsWith('ProcessStartFailed'));
  });

  it('waits without limit for a child to become ready when told so, and without a timer', async () => {
    const world = new World();
    const a = world.child('a', { readiness: 'explicit', start: 'waits', startTimeoutMs: 'infinity' });
    const supervisor = world.supervisor({ children: [a] });
    const starting = supervisor.start();
    assert.equal(world.clock.pendingTimers, 0);
    await world.clock.advance(1e9);
    a.becomeReady();
    await starting;
    await supervisor.stop();
  });

  it('has no start limit left when the child is ready', async () => {
    const world = new World();
    const a = world.child('a', { readiness: 'explicit', startTimeoutMs: 100 });
    const supervisor = await world.started({ children: [a] });
    assert.equal(world.clock.pendingTimers, 0);
    await world.clock.advance(1000);
    assert.equal(a.starts, 1);
    await supervisor.stop();
  });

  it('ST-08: refuses a second start and leaves the children alone', async () => {
    const world = new World();
    const children = world.children(['a', 'b']);
    const supervisor = await world.started({ children });
    const refs = children.map(({ ref }) => ref);
    await assert.rejects(supervisor.start(), failsWith('ProcessAlreadyRunning'));
    assert.deepEqual(
      children.map(({ ref }) => ref),
      refs,
    );
    assert.deepEqual(world.takeTrace(), []);
    await supervisor.stop();
  });

  it('ST-08: refuses a second start while it starts and while it stops', async () => {
    const world = new World();
    const a = world.child('a', { readiness: 'explicit', start: 'waits', stopsAfterMs: 10 });
    const supervisor = world.supervisor({ children: [a] });
    const starting = supervisor.start();
    await assert.rejects(supervisor.start(), failsWith('ProcessAlreadyRunning'));
    a.becomeReady();
    await starting;
    const stopping = supervisor.stop();
    await assert.rejects(supervisor.start(), failsWith('ProcessAlreadyRunning'));
    await world.clock.advance(10);
    await stopping;
    assert.equal(a.starts, 1);
  });

  it('ST-09: supervises from its start on', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = world.supervisor({ children: [a] });
    await supervisor.start();
    a.crash();
    await world.rest();
    assert.deepEqual(world.trace, ['+a', '-a(error)', '+a']);
    await supervisor.stop();
  });

  it('ST-09: answers a crash that came during its start when the start is complete', async () => {
    const world = new World();
    const a = world.child('a');
    const b = world.child('b', { readiness: 'explicit', start: 'waits' });
    const supervisor = world.supervisor({ children: [a, b] });
    const starting = supervisor.start();
    a.crash();
    await world.rest();
    assert.deepEqual(world.trace, ['+a', '+b', '-a(error)']);
    b.becomeReady();
    await starting;
    await world.rest();
    assert.deepEqual(world.trace, ['+a', '+b', '-a(error)', '+a']);
    await supervisor.stop();
  });

  it('keeps Node alive from its start until it has stopped', async () => {
    const world = new World();
    const a = world.child('a', { stopsAfterMs: 10 });
    const supervisor = world.supervisor({ children: [a] });
    assert.equal(world.clock.holds, 0);
    const starting = supervisor.start();
    assert.equal(world.clock.holds, 1);
    await starting;
    const stopping = supervisor.stop();
    assert.equal(world.clock.holds, 1);
    await world.clock.advance(10);
    await stopping;
    assert.equal(world.clock.holds, 0);
  });

  it('does not keep Node alive with keepAlive: false', async () => {
    const world = new World();
    const supervisor = await world.started({ keepAlive: false, children: [world.child('a')] });
    assert.equal(world.clock.holds, 0);
    await supervisor.stop();
  });
});

describe('addChild', () => {
  it('adds children that every start begins with, behind those of the constructor', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b']);
    const supervisor = world.supervisor({ children: [a] });
    assert.equal(supervisor.addChild(b.spec), supervisor);
    await supervisor.start();
    await supervisor.stop();
    await supervisor.start();
    assert.deepEqual(world.trace, ['+a', '+b', '-b(shutdown)', '-a(shutdown)', '+a', '+b']);
    await supervisor.stop();
  });

  it('SPEC-06: refuses a taken id; the first child stays', async () => {
    const world = new World();
    const [first, second] = [world.child('a'), world.child('a')];
    const supervisor = world.supervisor({ children: [first] });
    assert.throws(() => supervisor.addChild(second.spec), failsWith('AlreadyMonitoring', { id: 'a', state: 'present' }));
    await supervisor.start();
    assert.deepEqual([first.starts, second.starts], [1, 0]);
    await supervisor.stop();
  });

  it('SPEC-04: refuses a bad spec and adds nothing', async () => {
    const world = new World();
    const supervisor = world.supervisor();
    // @ts-expect-error a restart type that nobody knows
    const misspelt = () => supervisor.addChild({ ...world.child('a').spec, restartType: 'prmanent' });
    assert.throws(misspelt, failsWith('InvalidConfiguration', { option: 'restartType' }));
    const significant = world.child('a', { restartType: 'transient', significant: true });
    assert.throws(() => supervisor.addChild(significant.spec), failsWith('InvalidConfiguration', { option: 'significant' }));
    await supervisor.start();
    assert.deepEqual(await supervisor.whichChildren(), []);
    await supervisor.stop();
  });

  it('is refused once the supervisor was started', async () => {
    const world = new World();
    const supervisor = await world.started();
    assert.throws(() => supervisor.addChild(world.child('a').spec), failsWith('InvalidState', { state: 'running' }));
    await supervisor.stop();
    assert.throws(() => supervisor.addChild(world.child('a').spec), failsWith('InvalidState', { state: 'stopped' }));
  });

  it('leaves the options it was made with as they were', async () => {
    const world = new World();
    const children = [world.child('a').spec];
    const options = { children };
    const supervisor = new Supervisor(options, world.environment);
    supervisor.addChild(world.child('b').spec);
    assert.equal(children.length, 1);
    children.push(world.child('c').spec);
    await supervisor.start();
    assert.deepEqual(world.trace, ['+a', '+b']);
    await supervisor.stop();
  });
});

describe('a supervisor that is started again', () => {
  it('INT-11: has a fresh budget, history and its static children', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started({ children: [a], maxRestarts: 1 });
    a.crash();
    await world.rest();
    assert.deepEqual([supervisor.inspect().restartsLeft, supervisor.inspect().totalRestarts], [0, 1]);
    await supervisor.stop();
    await supervisor.start();

    assert.deepEqual([supervisor.inspect().restartsLeft, supervisor.inspect().totalRestarts], [1, 0]);
    assert.deepEqual(supervisor.getRestartHistory(), []);
    assert.equal(supervisor.getChildInfo('a')?.restartCount, 0);
    a.crash();
    await world.rest();
    assert.equal(supervisor.state, 'running');
    await supervisor.stop();
  });

  it('DYN-11: has none of the children that were added while it ran, and all that were deleted', async () => {
    const world = new World();
    const [a, b, late] = world.children(['a', 'b', 'late']);
    const supervisor = await world.started({ children: [a, b] });
    await supervisor.startChild(late.spec);
    await supervisor.terminateChild('a');
    await supervisor.deleteChild('a');
    await supervisor.stop();
    world.takeTrace();
    await supervisor.start();
    assert.deepEqual(world.takeTrace(), ['+a', '+b']);
    assert.deepEqual(
      (await supervisor.whichChildren()).map(({ id }) => id),
      ['a', 'b'],
    );
    await supervisor.stop();
  });

  it('has an end of its own', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started({ children: [a], maxRestarts: 0 });
    a.crash();
    const first = await supervisor.exited;
    assert.equal(first.kind === 'shutdown' && isVigilError(first.info, 'TooManyRestarts'), true);
    await supervisor.start();
    const second = watch(supervisor.exited);
    await world.rest();
    assert.equal(second.settled, false);
    await supervisor.stop();
    assert.deepEqual(await supervisor.exited, { kind: 'shutdown' });
  });

  it('can be started again after a start that failed', async () => {
    const world = new World();
    const a = world.child('a', { readiness: 'explicit', start: 'fails' });
    const supervisor = world.supervisor({ children: [a] });
    await assert.rejects(supervisor.start(), failsWith('ProcessStartFailed'));
    a.start = 'succeeds';
    await supervisor.start();
    assert.equal(supervisor.state, 'running');
    await supervisor.stop();
  });

  it('forgets the end of a child that it had not answered', async () => {
    const world = new World();
    const [a, b] = [world.child('a'), world.child('b', { stopsAfterMs: 10 })];
    const supervisor = await world.started({ children: [a, b] });
    const stopping = supervisor.stop();
    a.end(BOOM);
    await world.clock.advance(10);
    await stopping;
    b.stopsAfterMs = 0;
    await supervisor.start();
    await world.rest();
    assert.deepEqual(supervisor.getRestartHistory(), []);
    assert.equal(a.starts, 2);
    await supervisor.stop();
  });
});
