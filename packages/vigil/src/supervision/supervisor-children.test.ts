import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFAULTS } from './child-spec.js';
import { BOOM, errorFrom, failsWith, START_ERROR, watch, World } from './scripted-child.suite.js';
import { Supervisor } from './supervisor.js';

const EXPLICIT = { readiness: 'explicit' } as const;

describe('startChild', () => {
  it('starts one more child at the end of the order and answers with its ref', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b']);
    const supervisor = await world.started({ children: [a] });
    const ref = await supervisor.startChild(b.spec);
    assert.equal(ref, b.ref);
    assert.deepEqual([ref.id, ref.incarnation, ref.isAlive()], ['b', 1, true]);
    b.crash();
    await world.rest();
    assert.equal(b.starts, 2);
    world.takeTrace();
    await supervisor.stop();
    assert.deepEqual(world.takeTrace(), ['-b(shutdown)', '-a(shutdown)']);
  });

  it('SPEC-01: uses the figures that the supervisor was given', async () => {
    const world = new World();
    const supervisor = new Supervisor({}, world.environment, { ...DEFAULTS, shutdownTimeoutMs: 7, maxRestarts: 8 });
    await supervisor.start();
    await supervisor.startChild(world.child('a').spec);
    assert.equal((await supervisor.getChildSpec('a')).shutdownTimeoutMs, 7);
    assert.equal(supervisor.inspect().maxRestarts, 8);
    await supervisor.stop();
  });

  it('waits until the child is ready', async () => {
    const world = new World();
    const a = world.child('a', { ...EXPLICIT, start: 'waits' });
    const supervisor = await world.started();
    const starting = supervisor.startChild(a.spec);
    const started = watch(starting);
    await world.rest();
    assert.equal(started.settled, false);
    a.becomeReady();
    assert.equal(await starting, a.ref);
    await supervisor.stop();
  });

  it('forgets a child that did not start, and counts nothing', async () => {
    const world = new World();
    const a = world.child('a', { ...EXPLICIT, start: 'fails' });
    const supervisor = await world.started({ maxRestarts: 0 });
    const error = await errorFrom(supervisor.startChild(a.spec));
    failsWith('ProcessStartFailed', { id: 'a', reason: { kind: 'crashed', error: START_ERROR } })(error);
    assert.equal(error.cause, START_ERROR);
    assert.deepEqual(await supervisor.whichChildren(), []);
    assert.equal(a.starts, 1);
    a.start = 'succeeds';
    await supervisor.startChild(a.spec);
    await supervisor.stop();
  });

  it('a runner that cannot make a process is a start that failed', async () => {
    const world = new World();
    const supervisor = await world.started();
    const failure = new Error('no threads left');
    const create = () => {
      throw failure;
    };
    const startFn = { kind: 'task', create } as const;
    const error = await errorFrom(supervisor.startChild({ id: 'a', startFn }));
    assert.deepEqual([error.code, error.cause], ['ProcessStartFailed', failure]);
    assert.deepEqual(await supervisor.whichChildren(), []);
    await supervisor.stop();
  });

  it('SPEC-03: refuses a bad spec and changes nothing', async () => {
    const world = new World();
    const supervisor = await world.started({ children: [world.child('a')] });
    const bad: [unknown, Record<string, unknown>][] = [
      [undefined, { reason: 'invalid_spec' }],
      [{ startFn: noop }, { reason: 'missing_id' }],
      [{ id: 'b' }, { reason: 'missing_start' }],
      [
        { id: 'b', startFn: noop, restartType: 'prmanent' },
        { option: 'restartType', value: 'prmanent' },
      ],
      [
        { id: 'b', startFn: noop, restartType: 'transient', significant: true },
        { option: 'significant', value: true },
      ],
    ];
    for (const [spec, details] of bad) {
      // @ts-expect-error what JavaScript could pass
      await assert.rejects(supervisor.startChild(spec), failsWith('InvalidConfiguration', details));
    }
    assert.equal((await supervisor.countChildren()).specs, 1);
    assert.deepEqual(world.takeTrace(), []);
    await supervisor.stop();
  });

  it('ADM-04: refuses the id of a child that runs, and answers with its ref', async () => {
    const world = new World();
    const [a, other] = [world.child('a'), world.child('a')];
    const supervisor = await world.started({ children: [a] });
    await assert.rejects(supervisor.startChild(other.spec), failsWith('AlreadyMonitoring', { id: 'a', state: 'running', ref: a.ref }));
    assert.equal(other.starts, 0);
    await supervisor.stop();
  });

  it('ADM-04: refuses the id of a child that is stopped, and discards the new spec', async () => {
    const world = new World();
    const [a, other] = [world.child('a'), world.child('a', { restartType: 'transient' })];
    const supervisor = await world.started({ children: [a] });
    await supervisor.terminateChild('a');
    await assert.rejects(supervisor.startChild(other.spec), failsWith('AlreadyMonitoring', { id: 'a', state: 'present', ref: undefined }));
    assert.equal((await supervisor.getChildSpec('a')).restartType, 'permanent');
    await supervisor.restartChild('a');
    assert.deepEqual([a.starts, other.starts], [2, 0]);
    await supervisor.stop();
  });
});

describe('terminateChild', () => {
  it('ADM-01: stops the child by its spec and keeps the spec', async () => {
    const world = new World();
    const a = world.child('a', { stopsAfterMs: 50 });
    const supervisor = await world.started({ children: [a] });
    const terminating = supervisor.terminateChild('a');
    const terminated = watch(terminating);
    await world.clock.advance(49);
    assert.equal(terminated.settled, false);
    await world.clock.advance(1);
    await terminating;
    assert.deepEqual(world.takeNotes(), ['?a', '-a(shutdown)']);
    assert.equal((await supervisor.whichChildren())[0]?.state, 'stopped');
    await supervisor.stop();
  });

  it('ADM-01: succeeds on a stopped child and does nothing', async () => {
    const world = new World();
    const supervisor = await world.started({ children: [world.child('a')] });
    await supervisor.terminateChild('a');
    await supervisor.terminateChild('a');
    assert.deepEqual(world.takeTrace(), ['-a(shutdown)']);
    await supervisor.stop();
  });

  it('ADM-01: knows no other id', async () => {
    const world = new World();
    const supervisor = await world.started();
    await assert.rejects(supervisor.terminateChild('a'), failsWith('ChildNotFound', { id: 'a' }));
    await supervisor.stop();
  });

  it('ADM-01: a temporary child is forgotten, and its id is free', async () => {
    const world = new World();
    const a = world.child('a', { restartType: 'temporary' });
    const supervisor = await world.started({ children: [a] });
    await supervisor.terminateChild('a');
    await assert.rejects(supervisor.terminateChild('a'), failsWith('ChildNotFound'));
    await supervisor.startChild(a.spec);
    await supervisor.stop();
  });

  it('ADM-01: a crash that was not answered yet stays unanswered, but is reported', async () => {
    const world = new World();
    const crashes: string[] = [];
    const [a, b] = [world.child('a'), world.child('b', { stopsAfterMs: 10 })];
    const supervisor = await world.started({ children: [a, b], onCrash: (id) => void crashes.push(id) });
    const first = supervisor.terminateChild('b');
    const second = supervisor.terminateChild('a');
    a.crash();
    await world.clock.advance(10);
    await Promise.all([first, second]);
    assert.equal(a.starts, 1);
    assert.deepEqual(crashes, ['a']);
    assert.equal(supervisor.getChildInfo('a')?.state, 'stopped');
    await supervisor.stop();
  });

  it('ends a startChild that waits for its child', async () => {
    const world = new World();
    const a = world.child('a', { ...EXPLICIT, start: 'waits' });
    const supervisor = await world.started();
    const starting = errorFrom(supervisor.startChild(a.spec));
    await world.rest();
    await supervisor.terminateChild('a').catch(() => {});
    assert.equal((await starting).code, 'ProcessStartFailed');
    assert.equal(a.alive, 0);
    assert.equal(world.clock.pendingTimers, 0);
    await supervisor.stop();
  });
});

describe('restartChild', () => {
  it('ADM-02: starts a stopped child with a new ref', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started({ children: [a] });
    const old = a.ref;
    await supervisor.terminateChild('a');
    const ref = await supervisor.restartChild('a', { onlyIfStopped: true });
    assert.equal(ref, a.ref);
    assert.deepEqual([ref.id, ref.incarnation, old.isAlive()], ['a', 2, false]);
    await supervisor.stop();
  });

  it('ADM-02: forces a restart of a child that runs, and of no other', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b'], { stopsAfterMs: 10 });
    const supervisor = await world.started({ strategy: 'one_for_all', children: [a, b], maxRestarts: 0 });
    const restarting = supervisor.restartChild('a');
    await world.clock.advance(10);
    assert.equal(await restarting, a.ref);
    assert.deepEqual(world.takeTrace(), ['-a(shutdown)', '+a']);
    assert.equal(supervisor.state, 'running');
    supervisor.kill();
    await supervisor.exited;
  });

  it('ADM-02: with onlyIfStopped refuses a child that runs', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started({ children: [a] });
    await assert.rejects(supervisor.restartChild('a', { onlyIfStopped: true }), failsWith('InvalidState', { id: 'a', state: 'running' }));
    assert.equal(a.starts, 1);
    await supervisor.stop();
  });

  it('ADM-02: knows no other id', async () => {
    const world = new World();
    const supervisor = await world.started();
    await assert.rejects(supervisor.restartChild('a'), failsWith('ChildNotFound', { id: 'a' }));
    await supervisor.stop();
  });

  it('INT-07: a restart that fails leaves the child stopped, is not tried again and costs nothing', async () => {
    const world = new World();
    const a = world.child('a', EXPLICIT);
    const supervisor = await world.started({ children: [a], maxRestarts: 0 });
    a.start = 'fails';
    const error = await errorFrom(supervisor.restartChild('a'));
    assert.deepEqual([error.code, error.cause], ['ProcessStartFailed', START_ERROR]);
    await world.clock.advance(10_000);
    assert.deepEqual(world.takeTrace(), ['-a(shutdown)', '+a', '-a(error)']);
    assert.equal((await supervisor.whichChildren())[0]?.state, 'stopped');
    assert.equal(supervisor.state, 'running');
    await supervisor.stop();
  });

  it('two at once restart one after the other', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started({ children: [a] });
    await Promise.all([supervisor.restartChild('a'), supervisor.restartChild('a')]);
    assert.deepEqual(world.takeTrace(), ['-a(shutdown)', '+a', '-a(shutdown)', '+a']);
    await supervisor.stop();
  });
});

describe('deleteChild', () => {
  it('ADM-03: refuses a child that runs', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started({ children: [a] });
    await assert.rejects(supervisor.deleteChild('a'), failsWith('InvalidState', { id: 'a', state: 'running' }));
    assert.equal(a.alive, 1);
    await supervisor.stop();
  });

  it('ADM-03: forgets a stopped child: its id is free and unknown', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started({ children: [a] });
    await supervisor.terminateChild('a');
    await supervisor.deleteChild('a');
    assert.deepEqual(await supervisor.whichChildren(), []);
    await assert.rejects(supervisor.restartChild('a'), failsWith('ChildNotFound', { id: 'a' }));
    await assert.rejects(supervisor.deleteChild('a'), failsWith('ChildNotFound', { id: 'a' }));
    await supervisor.startChild(a.spec);
    await supervisor.stop();
  });
});

describe('requests', () => {
  it('ADM-06: are answered in their turn, with a consistent view', async () => {
    const world = new World();
    const a = world.child('a', { ...EXPLICIT, startsAfterMs: 200 });
    const supervisor = await world.started();
    const starting = supervisor.startChild(a.spec);
    const rows = supervisor.whichChildren();
    const answered = watch(rows);
    await world.clock.advance(199);
    assert.equal(answered.settled, false);
    await world.clock.advance(1);
    assert.deepEqual(await rows, [{ id: 'a', state: 'running', type: 'worker', ref: await starting }]);
    await supervisor.stop();
  });

  it('ADM-06: a question that comes after a crash is answered after the restart', async () => {
    const world = new World();
    const a = world.child('a', EXPLICIT);
    const supervisor = await world.started({ children: [a] });
    a.startsAfterMs = 200;
    a.crash();
    await world.rest();
    const rows = supervisor.whichChildren();
    await world.clock.advance(200);
    assert.equal((await rows)[0]?.ref, a.ref);
    await supervisor.stop();
  });

  it('ADM-06: a question during the start is answered when it is complete', async () => {
    const world = new World();
    const supervisor = world.supervisor({ children: world.children(['a', 'b'], { ...EXPLICIT, startsAfterMs: 10 }) });
    const starting = supervisor.start();
    const counts = supervisor.countChildren();
    await world.clock.advance(20);
    assert.deepEqual(await counts, { specs: 2, active: 2, supervisors: 0, workers: 2 });
    await starting;
    await supervisor.stop();
  });

  it('ADM-08: what is no end of its own children changes nothing', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started({ children: [a], maxRestarts: 0 });
    const [stranger] = world.children(['stranger']);
    const other = await world.started({ children: [stranger] });
    stranger.crash();
    a.ref.send('a message that nobody reads');
    await world.rest();
    assert.equal(supervisor.state, 'running');
    assert.equal(a.starts, 1);
    await Promise.all([supervisor.stop(), other.stop()]);
  });

  it('ADM-08: an incarnation that is gone cannot end its successor', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started({ children: [a] });
    a.crash();
    await world.rest();
    a.host!.processExited(a.processes[0]!, BOOM);
    await world.rest();
    assert.equal(a.starts, 2);
    assert.equal(supervisor.getChildInfo('a')?.state, 'running');
    await supervisor.stop();
  });

  it('ADM-08: an incarnation that is gone cannot make its successor ready', async () => {
    const world = new World();
    const a = world.child('a', EXPLICIT);
    const supervisor = await world.started({ children: [a] });
    a.start = 'waits';
    a.crash();
    await world.rest();
    a.host!.processReady(a.processes[0]!);
    assert.equal(supervisor.getChildInfo('a')?.state, 'starting');
    await supervisor.stop();
  });
});

describe('address', () => {
  it('reaches whatever incarnation runs when something is sent', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started({ children: [a] });
    const address = supervisor.address('a');
    assert.equal(address.send('first'), 'queued');
    assert.equal(a.context.inbox.tryRecv()?.payload, 'first');
    a.crash();
    await world.rest();
    assert.equal(await address.sendWait('second'), 'queued');
    assert.equal(a.context.incarnation, 2);
    assert.equal(a.context.inbox.tryRecv()?.payload, 'second');
    await supervisor.stop();
  });

  it('a ref, in contrast, never reaches the successor', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started({ children: [a] });
    const { ref } = a;
    a.crash();
    await world.rest();
    assert.throws(() => ref.send('lost'), failsWith('ProcessNotFound'));
    assert.equal(a.context.inbox.stats().depth, 0);
    await supervisor.stop();
  });

  it('says that the child does not run, or that there is none', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started({ children: [a] });
    const address = supervisor.address('a');
    await supervisor.terminateChild('a');
    assert.throws(() => address.send('x'), failsWith('ProcessNotFound'));
    await assert.rejects(address.sendWait('x'), failsWith('ProcessNotFound'));
    await supervisor.restartChild('a');
    assert.equal(address.send('x'), 'queued');
    await supervisor.terminateChild('a');
    await supervisor.deleteChild('a');
    assert.throws(() => address.send('x'), failsWith('ChildNotFound', { id: 'a' }));
    await supervisor.stop();
  });

  it('can be made before the child exists', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started();
    const address = supervisor.address('a');
    assert.throws(() => address.send('x'), failsWith('ChildNotFound'));
    await supervisor.startChild(a.spec);
    assert.equal(address.send('x'), 'queued');
    await supervisor.stop();
  });
});

describe('an unanswered end', () => {
  it('is dealt with before a request that came after it', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started({ children: [a] });
    a.end(BOOM);
    await world.rest();
    await assert.rejects(supervisor.restartChild('a', { onlyIfStopped: true }), failsWith('InvalidState', { state: 'running' }));
    assert.equal(a.starts, 2);
    await supervisor.stop();
  });
});

async function noop(): Promise<void> {}
