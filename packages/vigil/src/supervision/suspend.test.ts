import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isVigilError } from '../core/index.js';
import type { ProcessContext } from '../processes/index.js';
import { errorFrom, failsWith, type ScriptedChild, watch, World } from './scripted-child.suite.js';
import type { Supervisor } from './supervisor.js';
import { formatTree } from './supervision-tree.js';

/** A child `a` that notes what it handles. */
async function handling(
  world: World,
  options: { readonly capacity?: number } = {},
): Promise<{ supervisor: Supervisor; handled: unknown[] }> {
  const handled: unknown[] = [];
  const startFn = async (ctx: ProcessContext) => {
    for await (const { payload } of ctx.inbox) handled.push(payload);
  };
  const supervisor = await world.started({ children: [{ id: 'a', startFn, inbox: options }] });
  return { supervisor, handled };
}

describe('suspendChild and resumeChild', () => {
  it('VIG-01: the child handles nothing until it is resumed, then everything in order', async () => {
    const world = new World();
    const { supervisor, handled } = await handling(world);
    const address = supervisor.address('a');
    await supervisor.suspendChild('a');
    for (const payload of [1, 2, 3]) address.send(payload);
    await world.clock.advance(10_000);
    assert.deepEqual(handled, []);
    await supervisor.resumeChild('a');
    address.send(4);
    await world.rest();
    assert.deepEqual(handled, [1, 2, 3, 4]);
    await supervisor.stop();
  });

  it('VIG-01: the queue grows within its capacity, and who waits for room waits on', async () => {
    const world = new World();
    const { supervisor, handled } = await handling(world, { capacity: 2 });
    const address = supervisor.address('a');
    await supervisor.suspendChild('a');
    for (const payload of [1, 2]) address.send(payload);
    assert.throws(() => address.send('too many'), failsWith('MailboxFull'));
    const waiting = address.sendWait(3);
    const admitted = watch(waiting);
    await world.rest();
    assert.equal(admitted.settled, false);
    await supervisor.resumeChild('a');
    assert.equal(await waiting, 'queued');
    await world.rest();
    assert.deepEqual(handled, [1, 2, 3]);
    await supervisor.stop();
  });

  it('VIG-01: shows the child as suspended, which is active, and in OTP terms running', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b']);
    const supervisor = await world.started({ children: [a, b] });
    await world.clock.advance(2000);
    await supervisor.suspendChild('a');
    await world.clock.advance(1000);
    assert.deepEqual([supervisor.getChildInfo('a')?.state, supervisor.getChildInfo('a')?.uptimeMs], ['suspended', 3000]);
    assert.equal(supervisor.inspect().activeChildren, 2);
    assert.deepEqual((await supervisor.whichChildren())[0], { id: 'a', state: 'running', type: 'worker', ref: a.ref });
    assert.equal((await supervisor.countChildren()).active, 2);
    assert.match(formatTree(supervisor.inspect()), /a: suspended for 3 s/);
    await supervisor.resumeChild('a');
    assert.equal(supervisor.getChildInfo('a')?.state, 'running');
    await supervisor.stop();
  });

  it('VIG-01: is no crash and no restart', async () => {
    const world = new World();
    const a = world.child('a');
    const supervisor = await world.started({ children: [a], maxRestarts: 0 });
    const { ref } = a;
    await supervisor.suspendChild('a');
    await world.clock.advance(60_000);
    await supervisor.resumeChild('a');
    assert.deepEqual([supervisor.state, supervisor.getRestartHistory(), a.ref === ref, a.starts], ['running', [], true, 1]);
    await supervisor.stop();
  });

  it('VIG-01: twice is as once, and one resume undoes it', async () => {
    const world = new World();
    const { supervisor, handled } = await handling(world);
    await supervisor.resumeChild('a');
    await supervisor.suspendChild('a');
    await supervisor.suspendChild('a');
    supervisor.address('a').send(1);
    await supervisor.resumeChild('a');
    await supervisor.resumeChild('a');
    await world.rest();
    assert.deepEqual(handled, [1]);
    await supervisor.stop();
  });

  it('VIG-08: tells telemetry once for each change', async () => {
    const world = new World();
    const supervisor = await world.started({ name: 'app', children: [world.child('a')] });
    world.events.length = 0;
    await supervisor.resumeChild('a');
    await supervisor.suspendChild('a');
    await supervisor.suspendChild('a');
    await supervisor.resumeChild('a');
    await supervisor.resumeChild('a');
    const metadata = { id: 'a', incarnation: 1, supervisor: 'app' };
    assert.deepEqual(world.events, [
      { eventType: 'process_suspended', metadata },
      { eventType: 'process_resumed', metadata },
    ]);
    await supervisor.stop();
  });

  for (const method of ['suspendChild', 'resumeChild'] as const) {
    it(`VIG-01: ${method} knows no other id`, async () => {
      const world = new World();
      const supervisor = await world.started({ children: [world.child('a')] });
      await assert.rejects(supervisor[method]('b'), failsWith('ChildNotFound', { id: 'b' }));
      await supervisor.stop();
    });

    it(`VIG-01: ${method} is refused for a child that does not run, and while the supervisor does not`, async () => {
      const world = new World();
      const a = world.child('a');
      const supervisor = world.supervisor({ children: [a], restartDelay: { initialMs: 100 } });
      await assert.rejects(supervisor[method]('a'), failsWith('InvalidState', { state: 'idle' }));
      await supervisor.start();
      a.crash();
      await world.rest();
      await assert.rejects(supervisor[method]('a'), failsWith('InvalidState', { id: 'a', state: 'restarting' }));
      await supervisor.terminateChild('a');
      await assert.rejects(supervisor[method]('a'), failsWith('InvalidState', { id: 'a', state: 'stopped' }));
      await supervisor.stop();
      await assert.rejects(supervisor[method]('a'), failsWith('InvalidState', { state: 'stopped' }));
    });
  }

  it('VIG-01: a supervisor cannot be suspended, and goes on', async () => {
    const world = new World();
    const w = world.child('w');
    const supervisor = await world.started({ children: [world.subtree('sub', { children: [w] })] });
    world.events.length = 0;
    const error = await errorFrom(supervisor.suspendChild('sub'));
    assert.ok(isVigilError(error, 'InvalidState'));
    assert.match(error.message, /"sub" is a supervisor, which cannot be suspended/);
    assert.deepEqual([supervisor.getChildInfo('sub')?.state, w.alive, world.events], ['running', 1, []]);
    await supervisor.resumeChild('sub');
    await supervisor.stop();
  });

  it('VIG-01: are answered in their turn', async () => {
    const world = new World();
    const a = world.child('a', { readiness: 'explicit', startsAfterMs: 10 });
    const supervisor = await world.started();
    const starting = supervisor.startChild(a.spec);
    const suspending = supervisor.suspendChild('a');
    await world.clock.advance(10);
    await Promise.all([starting, suspending]);
    assert.equal(supervisor.getChildInfo('a')?.state, 'suspended');
    await supervisor.stop();
  });

  it('ctx.resumed() lets a loop without messages pause', async () => {
    const world = new World();
    const rounds: number[] = [];
    const startFn = async (ctx: ProcessContext) => {
      while (!ctx.signal.aborted) {
        await ctx.resumed();
        rounds.push(ctx.clock.now());
        await Promise.race([ctx.stopped, new Promise<void>((resolve) => ctx.clock.after(100, resolve))]);
      }
    };
    const supervisor = await world.started({ children: [{ id: 'a', startFn }] });
    await world.clock.advance(150);
    await supervisor.suspendChild('a');
    await world.clock.advance(1000);
    await supervisor.resumeChild('a');
    await world.clock.advance(150);
    assert.deepEqual(rounds, [0, 100, 1150, 1250]);
    await supervisor.suspendChild('a');
    await world.clock.advance(100);
    await supervisor.stop();
    assert.equal(supervisor.getChildInfo('a')?.lastExit?.reason.kind, 'shutdown');
  });
});

describe('a suspended child', () => {
  it('VIG-02: is not stuck when its supervisor stops: it gets what is queued, and is stopped like the others', async () => {
    const world = new World();
    const { supervisor, handled } = await handling(world);
    await supervisor.suspendChild('a');
    supervisor.address('a').send(1);
    await supervisor.stop();
    assert.deepEqual([handled, world.clock.now(), world.clock.pendingTimers], [[1], 0, 0]);
    assert.deepEqual(supervisor.getChildInfo('a')?.lastExit?.reason, { kind: 'shutdown' });
  });

  for (const strategy of ['one_for_all', 'rest_for_one'] as const) {
    it(`VIG-02: ${strategy}: is stopped with its group and comes back unsuspended`, async () => {
      const world = new World();
      const [a, b] = world.children(['a', 'b']);
      const supervisor = await world.started({ strategy, children: [a, b] });
      await supervisor.suspendChild('b');
      b.ref.send('for the old one');
      a.crash();
      await world.rest();
      assert.deepEqual(world.takeTrace(), ['-a(error)', '-b(shutdown)', '+a', '+b']);
      assert.equal(supervisor.getChildInfo('b')?.state, 'running');
      b.ref.send('x');
      assert.equal(b.context.inbox.tryRecv()?.payload, 'x');
      await supervisor.stop();
    });
  }

  const restarts: Record<string, (supervisor: Supervisor, a: ScriptedChild) => unknown> = {
    'a crash': (_, a) => a.crash(),
    restartChild: (supervisor) => supervisor.restartChild('a'),
    'terminateChild and restartChild': async (supervisor) => {
      await supervisor.terminateChild('a');
      await supervisor.restartChild('a');
    },
  };
  for (const [how, restart] of Object.entries(restarts)) {
    it(`VIG-02: comes back unsuspended after ${how}`, async () => {
      const world = new World();
      const a = world.child('a');
      const supervisor = await world.started({ children: [a] });
      await supervisor.suspendChild('a');
      await restart(supervisor, a);
      await world.rest();
      assert.deepEqual([a.starts, supervisor.getChildInfo('a')?.state], [2, 'running']);
      a.ref.send('x');
      assert.equal(a.context.inbox.tryRecv()?.payload, 'x');
      await supervisor.stop();
    });
  }

  it('VIG-02: can be killed', async () => {
    const world = new World();
    const a = world.child('a', { shutdownTimeoutMs: 'brutal_kill' });
    const supervisor = await world.started({ children: [a] });
    await supervisor.suspendChild('a');
    a.ref.send('unread');
    await supervisor.terminateChild('a');
    assert.deepEqual(world.takeNotes(), ['-a(killed)', '?a']);
    assert.deepEqual(
      world.environment.deadLetters.list().map(({ message }) => message.payload),
      ['unread'],
    );
    await supervisor.stop();
  });

  it('VIG-05: is not checked for its health, and is checked again an interval after it is resumed', async () => {
    const world = new World();
    const checkedAt: number[] = [];
    const healthCheckFn = () => checkedAt.push(world.clock.now()) > 0;
    const a = world.child('a', { healthCheckIntervalMs: 1000, healthCheckFn });
    const supervisor = await world.started({ children: [a] });
    await world.clock.advance(1500);
    await supervisor.suspendChild('a');
    assert.equal(world.clock.pendingTimers, 0);
    await world.clock.advance(10_000);
    await supervisor.resumeChild('a');
    await world.clock.advance(2000);
    assert.deepEqual(checkedAt, [1000, 12_500, 13_500]);
    await supervisor.stop();
    assert.equal(world.clock.pendingTimers, 0);
  });

  it('VIG-05: is not ended by a check that began before, and is not checked twice at a time after resuming twice', async () => {
    const world = new World();
    const checkedAt: number[] = [];
    const healthCheckFn = async () => {
      checkedAt.push(world.clock.now());
      await new Promise<void>((resolve) => world.clock.after(500, resolve));
      return checkedAt.length > 1;
    };
    const a = world.child('a', { healthCheckIntervalMs: 1000, healthCheckFn });
    const supervisor = await world.started({ children: [a] });
    await world.clock.advance(1200);
    await supervisor.suspendChild('a');
    await world.clock.advance(5000);
    await supervisor.resumeChild('a');
    await supervisor.resumeChild('a');
    await world.clock.advance(1500);
    assert.deepEqual([checkedAt, a.starts], [[1000, 7200], 1]);
    await supervisor.stop();
  });
});
