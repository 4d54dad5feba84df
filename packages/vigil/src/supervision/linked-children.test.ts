import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SHUTDOWN } from '../core/index.js';
import type { ExitSignal, ProcessContext } from '../processes/index.js';
import { BOOM, CRASH, type ScriptedChild, World } from './scripted-child.suite.js';

function link(one: ScriptedChild, other: ScriptedChild): void {
  one.context.link(other.ref);
}

describe('linked children of a supervisor', () => {
  it('MON-03: one_for_one: both end, are heard of in the order of their ends, and both are restarted, at the cost of two', async () => {
    const world = new World();
    const [a, b, c] = world.children(['a', 'b', 'c']);
    const supervisor = await world.started({ children: [a, b, c] });
    link(a, b);
    b.crash();
    await world.rest();
    assert.deepEqual(world.takeTrace(), ['-b(error)', '-a(error)', '+b', '+a']);
    assert.deepEqual(
      supervisor.getRestartHistory().map(({ id, reason }) => [id, reason]),
      [
        ['b', BOOM],
        ['a', BOOM],
      ],
    );
    assert.deepEqual([supervisor.inspect().restartsLeft, c.starts], [1, 1]);
    await supervisor.stop();
  });

  for (const strategy of ['one_for_all', 'rest_for_one'] as const) {
    it(`MON-03: STRAT-07: ${strategy}: the end of a linked one of the group costs nothing more`, async () => {
      const world = new World();
      const [a, b] = world.children(['a', 'b']);
      const supervisor = await world.started({ strategy, children: [a, b], maxRestarts: 1 });
      link(a, b);
      a.crash();
      await world.rest();
      assert.deepEqual(world.takeTrace(), ['-a(error)', '-b(error)', '+a', '+b']);
      assert.deepEqual([supervisor.state, supervisor.inspect().totalRestarts], ['running', 1]);
      await supervisor.stop();
    });
  }

  it('MON-03: a clean return of one leaves the other alone', async () => {
    const world = new World();
    const [a, b] = [world.child('a', { restartType: 'transient' }), world.child('b')];
    const supervisor = await world.started({ children: [a, b] });
    link(a, b);
    a.finish();
    await world.rest();
    assert.deepEqual([world.takeTrace(), supervisor.getChildInfo('a')?.state], [['-a(normal)'], 'stopped']);
    await supervisor.stop();
  });

  it('MON-03: EXIT-05: a stop by request ends the other with shutdown, which is an end like any other', async () => {
    const world = new World();
    const [a, p, t] = [world.child('a'), world.child('p'), world.child('t', { restartType: 'transient' })];
    const supervisor = await world.started({ children: [a, p, t] });
    link(a, p);
    link(a, t);
    await supervisor.terminateChild('a');
    await world.rest();
    assert.deepEqual(world.takeTrace(), ['-a(shutdown)', '-p(shutdown)', '-t(shutdown)', '+p']);
    assert.deepEqual(
      (await supervisor.whichChildren()).map(({ id, state }) => `${id} ${state}`),
      ['a stopped', 'p running', 't stopped'],
    );
    assert.deepEqual(supervisor.getChildInfo('p')?.lastExit?.reason, SHUTDOWN);
    await supervisor.stop();
  });

  it('SHUT-07: when the supervisor stops, nobody comes back', async () => {
    const world = new World();
    const [a, b, c] = world.children(['a', 'b', 'c']);
    const supervisor = await world.started({ children: [a, b, c] });
    link(a, b);
    link(b, c);
    await supervisor.stop();
    assert.deepEqual(world.takeTrace(), ['-c(shutdown)', '-b(shutdown)', '-a(shutdown)']);
    assert.deepEqual([await supervisor.exited, world.errors, world.clock.pendingTimers], [SHUTDOWN, [], 0]);
  });

  it('a link holds for two incarnations, not for their successors', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b']);
    const supervisor = await world.started({ children: [a, b] });
    link(a, b);
    a.crash();
    await world.rest();
    world.takeTrace();
    a.crash();
    await world.rest();
    assert.deepEqual(world.takeTrace(), ['-a(error)', '+a']);
    await supervisor.stop();
  });

  it('a link between the trees of two supervisors restarts a child in each', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b']);
    const [one, other] = [await world.started({ name: 'one', children: [a] }), await world.started({ name: 'other', children: [b] })];
    link(a, b);
    a.crash();
    await world.rest();
    assert.deepEqual([a.starts, b.starts], [2, 2]);
    assert.deepEqual([one.getRestartHistory().length, other.getRestartHistory()[0]?.reason], [1, BOOM]);
    await Promise.all([one.stop(), other.stop()]);
  });

  it('MON-03: a server that traps exits hears of its workers, and lives', async () => {
    const world = new World();
    const [server, worker] = world.children(['server', 'worker']);
    const supervisor = await world.started({ children: [server, worker] });
    const signals: ExitSignal[] = [];
    server.context.onExit((signal) => signals.push(signal));
    link(server, worker);
    const { ref } = worker;
    worker.crash();
    await world.rest();
    assert.deepEqual(world.takeTrace(), ['-worker(error)', '+worker']);
    assert.deepEqual(signals, [{ ref, reason: BOOM }]);
    await supervisor.stop();
  });

  it('MON-03: a server whose handler throws has crashed, and is restarted', async () => {
    const world = new World();
    const [server, worker] = [world.child('server'), world.child('worker', { restartType: 'temporary' })];
    const supervisor = await world.started({ children: [server, worker] });
    const failure = new Error('from the handler');
    server.context.onExit(() => {
      throw failure;
    });
    link(server, worker);
    worker.finish();
    await world.rest();
    assert.deepEqual(world.takeTrace(), ['-worker(normal)', '-server(error)', '+server']);
    assert.deepEqual(supervisor.getRestartHistory()[0]?.reason, { kind: 'crashed', error: failure });
    await supervisor.stop();
  });

  it('a child that links with one that is gone is a crash of its own', async () => {
    const world = new World();
    const [a, b] = [world.child('a'), world.child('b', { restartType: 'temporary' })];
    const supervisor = await world.started({ children: [a, b] });
    const { ref } = b;
    b.finish();
    await world.rest();
    a.context.link(ref);
    await world.rest();
    assert.deepEqual(world.takeTrace(), ['-b(normal)', '-a(error)', '+a']);
    await supervisor.stop();
  });
});

describe('a supervisor in a link', () => {
  it('ADM-08: does not end with whom it is linked', async () => {
    const world = new World();
    const [a, w] = [world.child('a'), world.child('w')];
    const sub = world.subtree('sub', { children: [w] });
    const supervisor = await world.started({ children: [a, sub] });
    const ref = supervisor.getChildInfo('sub')?.ref;
    assert.ok(ref);
    a.context.link(ref);
    a.crash();
    await world.rest();
    assert.deepEqual(world.takeTrace(), ['-a(error)', '+a']);
    assert.deepEqual([w.alive, ref.isAlive()], [1, true]);
    await supervisor.stop();
  });

  it('MON-03: takes along whom it is linked with when it gives up, once its own children are gone', async () => {
    const world = new World();
    const [a, w] = [world.child('a', { restartType: 'temporary' }), world.child('w')];
    const sub = world.subtree('sub', { children: [w], maxRestarts: 0 }, { restartType: 'temporary' });
    const supervisor = await world.started({ children: [a, sub] });
    const ref = supervisor.getChildInfo('sub')?.ref;
    assert.ok(ref);
    a.context.link(ref);
    w.crash(CRASH);
    await world.rest();
    assert.deepEqual(world.takeTrace(), ['-w(error)', '-a(shutdown(info))']);
    assert.deepEqual(await supervisor.whichChildren(), []);
    await supervisor.stop();
  });

  it('MON-04: tells who watches it when nothing of its tree is left', async () => {
    const world = new World();
    const w = world.child('w', { stopsAfterMs: 10 });
    const sub = world.subtree('sub', { children: [w] });
    const supervisor = await world.started({ children: [sub] });
    const monitor = supervisor.getChildInfo('sub')?.ref?.monitor();
    const aliveThen = monitor?.down.then(({ reason }) => [reason, w.alive]);
    const terminating = supervisor.terminateChild('sub');
    await world.clock.advance(10);
    await terminating;
    assert.deepEqual(await aliveThen, [SHUTDOWN, 0]);
    await supervisor.stop();
  });
});

describe('many linked children', () => {
  it('a chain longer than the stack ends link by link, in order', async () => {
    const world = new World();
    const length = 20_000;
    const ended: string[] = [];
    const contexts: ProcessContext[] = [];
    const end: { crash?: () => void } = {};
    const startFn = (ctx: ProcessContext) => {
      const before = contexts.at(-1);
      contexts.push(ctx);
      ctx.self.onClose(() => ended.push(ctx.id));
      if (before !== undefined) ctx.link(before.self);
      return Promise.race([
        ctx.stopped,
        new Promise<void>((_, reject) => {
          if (before === undefined) end.crash = () => reject(CRASH);
        }),
      ]);
    };
    const children = Array.from({ length }, (_, index) => ({ id: `${index}`, startFn, restartType: 'temporary' as const }));
    const supervisor = await world.started({ children });
    end.crash?.();
    await world.rest();
    assert.deepEqual(
      ended,
      children.map(({ id }) => id),
    );
    assert.deepEqual([await supervisor.whichChildren(), supervisor.state], [[], 'running']);
    await supervisor.stop();
  });

  it('a ring ends once', async () => {
    const world = new World();
    const ring = world.children(['a', 'b', 'c'], { restartType: 'temporary' });
    const supervisor = await world.started({ children: [...ring] });
    ring.forEach((child, index) => link(child, ring[(index + 1) % 3]!));
    ring[1].crash();
    await world.rest();
    assert.deepEqual(world.takeTrace().toSorted(), ['-a(error)', '-b(error)', '-c(error)']);
    await supervisor.stop();
  });
});
