import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crashed, type ExitReason, isVigilError, KILLED, NORMAL, ProcessExit, SHUTDOWN, type VigilError } from '../core/index.js';
import type { Supervisor } from './supervisor.js';
import { BOOM, CRASH, type ScriptedChild, START_ERROR, wordFor, World } from './scripted-child.suite.js';

const INFO: ExitReason = { kind: 'shutdown', info: 'enough' };
const REASONS = [NORMAL, SHUTDOWN, INFO, BOOM, KILLED];
const CLEAN = [NORMAL, SHUTDOWN, INFO];

/** Lets a child crash at these virtual times. */
async function crashAt(world: World, child: ScriptedChild, times: readonly number[]): Promise<void> {
  for (const ms of times) {
    await world.clock.advance(ms - world.clock.now());
    child.crash();
    await world.rest();
  }
}

/** The error with which a supervisor gave up. */
async function causeOfDeath(supervisor: Supervisor): Promise<VigilError> {
  const reason = await supervisor.exited;
  assert.equal(reason.kind, 'shutdown');
  assert.ok(reason.kind === 'shutdown' && isVigilError(reason.info, 'TooManyRestarts'));
  return reason.info;
}

describe('the end of a child', () => {
  for (const reason of REASONS) {
    it(`EXIT-01: restarts a permanent child after ${wordFor(reason)}, at the cost of one restart`, async () => {
      const world = new World();
      const a = world.child('a');
      const supervisor = await world.started({ children: [a] });
      const { ref } = a;
      a.end(reason);
      await world.rest();
      assert.deepEqual(world.takeTrace(), [`-a(${wordFor(reason)})`, '+a']);
      assert.notEqual(a.ref, ref);
      assert.deepEqual([a.ref.id, a.ref.incarnation, ref.isAlive()], ['a', 2, false]);
      assert.deepEqual(await supervisor.countChildren(), { specs: 1, active: 1, supervisors: 0, workers: 1 });
      assert.equal(supervisor.inspect().restartsLeft, 2);
      await supervisor.stop();
    });

    it(`EXIT-01: with no restart allowed, a permanent child's ${wordFor(reason)} ends the supervisor`, async () => {
      const world = new World();
      const a = world.child('a');
      const supervisor = await world.started({ children: [a], maxRestarts: 0 });
      a.end(reason);
      await causeOfDeath(supervisor);
      assert.equal(a.starts, 1);
    });

    it(`EXIT-01: forgets a temporary child after ${wordFor(reason)}, and counts nothing`, async () => {
      const world = new World();
      const a = world.child('a', { restartType: 'temporary' });
      const supervisor = await world.started({ children: [a], maxRestarts: 0 });
      a.end(reason);
      await world.rest();
      assert.equal(a.starts, 1);
      assert.deepEqual(await supervisor.whichChildren(), []);
      assert.equal(supervisor.getChildInfo('a'), undefined);
      await supervisor.stop();
    });
  }

  for (const reason of CLEAN) {
    it(`EXIT-02: keeps a transient child as stopped after ${wordFor(reason)}, and it can be restarted`, async () => {
      const world = new World();
      const a = world.child('a', { restartType: 'transient' });
      const supervisor = await world.started({ children: [a], maxRestarts: 0 });
      a.end(reason);
      await world.rest();
      assert.deepEqual(await supervisor.whichChildren(), [{ id: 'a', state: 'stopped', type: 'worker', ref: undefined }]);
      assert.deepEqual(await supervisor.countChildren(), { specs: 1, active: 0, supervisors: 0, workers: 1 });
      const ref = await supervisor.restartChild('a');
      assert.equal(ref, a.ref);
      assert.equal(ref.isAlive(), true);
      await supervisor.stop();
    });
  }

  for (const reason of [BOOM, KILLED]) {
    it(`EXIT-02: restarts a transient child after ${wordFor(reason)}`, async () => {
      const world = new World();
      const a = world.child('a', { restartType: 'transient' });
      const supervisor = await world.started({ children: [a] });
      a.end(reason);
      await world.rest();
      assert.equal(a.starts, 2);
      assert.equal(supervisor.inspect().restartsLeft, 2);
      await supervisor.stop();
    });
  }

  it('EXIT-05: a stop by request never restarts and never counts', async () => {
    const world = new World();
    const children = [world.child('p'), world.child('t', { restartType: 'transient' }), world.child('x', { restartType: 'temporary' })];
    const supervisor = await world.started({ children, maxRestarts: 0 });
    for (const { id } of children) await supervisor.terminateChild(id);
    await world.rest();
    assert.deepEqual(world.takeTrace(), ['-p(shutdown)', '-t(shutdown)', '-x(shutdown)']);
    assert.deepEqual(
      (await supervisor.whichChildren()).map(({ id, state }) => [id, state]),
      [
        ['p', 'stopped'],
        ['t', 'stopped'],
      ],
    );
    assert.deepEqual(supervisor.getRestartHistory(), []);
    await supervisor.stop();
  });

  it('EXIT-06: user code can end with shutdown(info), which is clean and no error', async () => {
    const world = new World();
    const supervisor = world.supervisor({
      children: [
        {
          id: 'a',
          restartType: 'transient',
          startFn: () => {
            throw new ProcessExit('shutdown', 'enough');
          },
        },
      ],
    });
    await supervisor.start();
    await world.rest();
    const info = supervisor.getChildInfo('a');
    assert.deepEqual([info?.state, info?.lastExit?.reason], ['stopped', INFO]);
    assert.deepEqual(world.errors, []);
    await supervisor.stop();
  });

  it("EXIT-07: somebody else's AbortError is a crash", async () => {
    const world = new World();
    let starts = 0;
    const supervisor = world.supervisor({
      children: [
        {
          id: 'a',
          restartType: 'transient',
          startFn: async (ctx) => {
            starts += 1;
            if (starts === 1) AbortSignal.abort().throwIfAborted();
            await ctx.stopped;
          },
        },
      ],
    });
    await supervisor.start();
    await world.rest();
    assert.equal(starts, 2);
    const [event] = supervisor.getRestartHistory();
    assert.equal(event?.reason.kind, 'crashed');
    await supervisor.stop();
  });

  it('EXIT-07: the AbortError of its own signal is a shutdown', async () => {
    const world = new World();
    const supervisor = world.supervisor({
      children: [
        {
          id: 'a',
          startFn: (ctx) =>
            new Promise((_, reject) => {
              ctx.signal.addEventListener('abort', () => reject(new DOMException('stopped', 'AbortError')));
            }),
        },
      ],
    });
    await supervisor.start();
    await supervisor.stop();
    assert.deepEqual(supervisor.getChildInfo('a')?.lastExit?.reason, SHUTDOWN);
    assert.deepEqual(world.errors, []);
  });

  it('EXIT-08: a restart has the same id, arguments and place, the next incarnation and a fresh inbox', async () => {
    const world = new World();
    const args = { url: 'x' };
    const a = world.child('a', { args });
    const supervisor = await world.started({ children: [a, world.child('b')] });
    a.ref.send('lost');
    a.crash();
    await world.rest();
    const [first, second] = a.contexts;
    assert.deepEqual([second?.id, second?.incarnation], ['a', 2]);
    assert.equal(first?.args, args);
    assert.equal(second?.args, args);
    assert.equal(second?.inbox.stats().depth, 0);
    assert.deepEqual(
      (await supervisor.whichChildren()).map(({ id }) => id),
      ['a', 'b'],
    );
    await supervisor.stop();
  });
});

describe('restart intensity of a supervisor', () => {
  it('INT-01: gives up at strictly more than maxRestarts', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started({ children: [a], maxRestarts: 2, maxSeconds: 3600 });
    await crashAt(world, a, [0, 1000]);
    assert.equal(supervisor.state, 'running');
    assert.equal(supervisor.inspect().restartsLeft, 0);
    await crashAt(world, a, [2000]);
    assert.equal(supervisor.state, 'stopped');
    assert.equal(a.starts, 3);
  });

  it('INT-01: counts the restarts of all children together', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b']);
    const supervisor = await world.started({ children: [a, b], maxRestarts: 2 });
    await crashAt(world, a, [0]);
    await crashAt(world, b, [1]);
    assert.equal(supervisor.state, 'running');
    await crashAt(world, a, [2]);
    assert.equal(supervisor.state, 'stopped');
  });

  it('INT-03: with 0 gives up at the first crash, without a restart', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started({ children: [a], maxRestarts: 0 });
    await crashAt(world, a, [0]);
    assert.equal(supervisor.state, 'stopped');
    assert.equal(a.starts, 1);
  });

  for (const [secondMs, state] of [
    [5000, 'stopped'],
    [5001, 'running'],
  ] as const) {
    it(`INT-04: is ${state} when the second crash comes after ${secondMs} ms of a window of 5 s with 1 restart`, async () => {
      const world = new World();
      const a = world.child('a');
      const supervisor = await world.started({ children: [a], maxRestarts: 1, maxSeconds: 5 });
      await crashAt(world, a, [0, secondMs]);
      assert.equal(supervisor.state, state);
      await supervisor.stop();
    });
  }

  it('INT-05: survives a slow loop for ever', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started({ children: [a], maxRestarts: 2, maxSeconds: 3 });
    await crashAt(
      world,
      a,
      Array.from({ length: 50 }, (_, index) => index * 2000),
    );
    assert.equal(supervisor.state, 'running');
    assert.equal(a.starts, 51);
    await supervisor.stop();
  });

  it('INT-05: lets restarts age out one by one', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started({ children: [a], maxRestarts: 2, maxSeconds: 10 });
    await crashAt(world, a, [0, 9000, 11_000, 20_000]);
    assert.equal(supervisor.state, 'running');
    await supervisor.stop();
  });

  it('INT-07: starts, requests, temporary ends and clean transient ends count nothing', async () => {
    const world = new World();
    const [p, added] = [world.child('p'), world.child('added')];
    const transient = world.child('t', { restartType: 'transient' });
    const temporary = world.child('x', { restartType: 'temporary' });
    const supervisor = await world.started({ children: [p, transient, temporary], maxRestarts: 0 });
    await supervisor.startChild(added.spec);
    await supervisor.restartChild('p');
    await supervisor.terminateChild('p');
    await supervisor.restartChild('p');
    temporary.crash();
    transient.finish();
    await world.rest();
    assert.equal(supervisor.state, 'running');
    assert.equal(supervisor.inspect().restartsLeft, 0);
    assert.deepEqual(
      [p, added, transient, temporary].map(({ starts }) => starts),
      [3, 1, 1, 1],
    );
    await supervisor.stop();
  });

  it('INT-08: gives up in order: the child stays down, the others stop in reverse, then it exits', async () => {
    const world = new World();
    const children = world.children(['a', 'b', 'c'], { stopsAfterMs: 10 });
    const supervisor = await world.started({ children, maxRestarts: 0 });
    void supervisor.exited.then(() => world.notes.push('exited'));
    children[1].crash();
    await world.clock.advance(20);
    assert.deepEqual(world.takeNotes(), ['-b(error)', '?c', '-c(shutdown)', '?a', '-a(shutdown)', 'exited']);
  });

  it('INT-10: tells that it gave up, with the last child and its reason', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started({ name: 'app', children: [a], maxRestarts: 0, maxSeconds: 7 });
    a.crash();
    const error = await causeOfDeath(supervisor);
    assert.equal(
      error.message,
      'supervisor "app" gives up: child "a" ended (crashed: Error: boom) and the budget of 0 restarts within 7 s is used up',
    );
    assert.deepEqual(error.details, { id: 'a', reason: { kind: 'crashed', error: CRASH }, maxRestarts: 0, maxSeconds: 7 });
    assert.equal(error.cause, CRASH);
    assert.deepEqual(world.errors.at(-1), { text: error.message, details: error });
    assert.deepEqual(world.events.at(-1), {
      eventType: 'supervisor_stopped',
      metadata: { supervisor: 'app', reason: { kind: 'shutdown', info: error } },
    });
  });

  it('INT-10: names the remedies when the last end was that of a body that returned', async () => {
    const world = new World();
    const supervisor = world.supervisor({ children: [{ id: 'a', startFn: () => {} }] });
    await supervisor.start();
    const error = await causeOfDeath(supervisor);
    assert.match(error.message, /ctx\.stopped/);
    assert.match(error.message, /'transient'/);
    assert.deepEqual(error.details['reason'], NORMAL);
  });

  it('INT-10: speaks of no remedy after a crash', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started({ children: [a], maxRestarts: 0 });
    a.crash();
    assert.doesNotMatch((await causeOfDeath(supervisor)).message, /ctx\.stopped/);
  });

  it('INT-14: answers a burst in the order of the ends', async () => {
    const world = new World();
    const [a, b, c, d, e] = world.children(['a', 'b', 'c', 'd', 'e']);
    const supervisor = await world.started({ children: [a, b, c, d, e], maxRestarts: 10 });
    for (const child of [e, a, c]) child.crash();
    await world.rest();
    assert.deepEqual(
      world.takeTrace().filter((note) => note.startsWith('+')),
      ['+e', '+a', '+c'],
    );
    await supervisor.stop();
  });

  it('counts an attempt to restart that fails, and gives up with its reason', async () => {
    const world = new World();
    const a = world.child('a', { readiness: 'explicit' });
    const supervisor = await world.started({ children: [a], maxRestarts: 3 });
    a.start = 'fails';
    a.crash();
    const error = await causeOfDeath(supervisor);
    assert.deepEqual(error.details['reason'], crashed(START_ERROR));
    assert.equal(a.starts, 1 + 3);
    assert.deepEqual(
      supervisor.getRestartHistory().map(({ trigger }) => trigger),
      ['exit', 'start_failure', 'start_failure'],
    );
  });
});

describe('a supervisor that fails itself', () => {
  it('says so, stops its children and ends with the error', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b']);
    const supervisor = await world.started({ name: 'app', children: [a, b] });
    const failure = new Error('broken sink');
    world.onEvent = (eventType) => {
      if (eventType === 'supervisor_restart') throw failure;
    };
    a.crash();
    assert.deepEqual(await supervisor.exited, { kind: 'crashed', error: failure });
    assert.deepEqual(world.takeTrace(), ['-a(error)', '-b(shutdown)']);
    assert.deepEqual(world.errors.at(-1), { text: 'supervisor "app" failed itself', details: failure });
  });
});
