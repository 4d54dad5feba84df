import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ExitReason, KILLED, NORMAL, SHUTDOWN } from '../core/index.js';
import { BOOM, wordFor, World } from './scripted-child.suite.js';

const INFO: ExitReason = { kind: 'shutdown', info: 'enough' };
const TEMPORARY = { restartType: 'temporary', significant: true } as const;
const TRANSIENT = { restartType: 'transient', significant: true } as const;

describe('auto-shutdown', () => {
  it('AUTO-01: never: no end of a child stops the supervisor', async () => {
    const world = new World();
    const [a, b] = [world.child('a', { restartType: 'temporary' }), world.child('b', { restartType: 'transient' })];
    const supervisor = await world.started({ children: [a, b] });
    a.crash();
    b.finish();
    await world.rest();
    assert.equal(supervisor.state, 'running');
    await supervisor.stop();
  });

  it('AUTO-01: the end of a child that is not significant stops no supervisor', async () => {
    for (const autoShutdown of ['any_significant', 'all_significant'] as const) {
      const world = new World();
      const [a, b] = [world.child('a', { restartType: 'temporary' }), world.child('b', { restartType: 'transient' })];
      const supervisor = await world.started({ autoShutdown, children: [a, b] });
      a.crash();
      b.finish();
      await world.rest();
      assert.equal(supervisor.state, 'running');
      await supervisor.stop();
    }
  });

  for (const reason of [NORMAL, SHUTDOWN, INFO, BOOM, KILLED]) {
    it(`AUTO-02: any_significant: a temporary child's ${wordFor(reason)} stops the rest in reverse`, async () => {
      const world = new World();
      const significant = world.child('s', TEMPORARY);
      const supervisor = await world.started({
        autoShutdown: 'any_significant',
        children: [world.child('a'), significant, world.child('b')],
      });
      significant.end(reason);
      assert.deepEqual(await supervisor.exited, SHUTDOWN);
      assert.deepEqual(world.takeTrace(), [`-s(${wordFor(reason)})`, '-b(shutdown)', '-a(shutdown)']);
    });
  }

  for (const reason of [NORMAL, SHUTDOWN, INFO]) {
    it(`AUTO-03: any_significant: a transient child's ${wordFor(reason)} stops the rest`, async () => {
      const world = new World();
      const significant = world.child('s', TRANSIENT);
      const supervisor = await world.started({ autoShutdown: 'any_significant', children: [world.child('a'), significant] });
      significant.end(reason);
      assert.deepEqual(await supervisor.exited, SHUTDOWN);
      assert.deepEqual(world.takeTrace(), [`-s(${wordFor(reason)})`, '-a(shutdown)']);
    });
  }

  for (const reason of [BOOM, KILLED]) {
    it(`AUTO-03: any_significant: a transient child is restarted after ${wordFor(reason)}, at the cost of one restart`, async () => {
      const world = new World();
      const significant = world.child('s', TRANSIENT);
      const supervisor = await world.started({ autoShutdown: 'any_significant', children: [significant] });
      significant.end(reason);
      await world.rest();
      assert.deepEqual(world.takeTrace(), [`-s(${wordFor(reason)})`, '+s']);
      assert.equal(supervisor.state, 'running');
      assert.equal(supervisor.inspect().restartsLeft, 2);
      await supervisor.stop();
    });
  }

  it('all_significant: only the end of the last significant child stops the rest', async () => {
    const world = new World();
    const [s1, s2] = [world.child('s1', TEMPORARY), world.child('s2', TRANSIENT)];
    const supervisor = await world.started({ autoShutdown: 'all_significant', children: [world.child('a'), s1, s2] });
    s1.crash();
    await world.rest();
    assert.equal(supervisor.state, 'running');
    s2.finish();
    assert.deepEqual(await supervisor.exited, SHUTDOWN);
    assert.deepEqual(world.takeTrace(), ['-s1(error)', '-s2(normal)', '-a(shutdown)']);
  });

  it('all_significant: ends in one turn stop the rest once', async () => {
    const world = new World();
    const [s1, s2] = [world.child('s1', TEMPORARY), world.child('s2', TEMPORARY)];
    const supervisor = await world.started({ autoShutdown: 'all_significant', children: [s1, s2, world.child('a')] });
    s1.finish();
    s2.finish();
    assert.deepEqual(await supervisor.exited, SHUTDOWN);
    assert.deepEqual(world.takeTrace(), ['-s1(normal)', '-s2(normal)', '-a(shutdown)']);
  });

  for (const autoShutdown of ['any_significant', 'all_significant'] as const) {
    it(`AUTO-05: ${autoShutdown}: a stop by request does not trigger it, even of the last one`, async () => {
      const world = new World();
      const [s1, s2] = [world.child('s1', TEMPORARY), world.child('s2', TRANSIENT)];
      const supervisor = await world.started({ autoShutdown, children: [s1, s2] });
      await supervisor.terminateChild('s1');
      await supervisor.terminateChild('s2');
      await world.rest();
      assert.equal(supervisor.state, 'running');
      await supervisor.stop();
    });
  }

  it('AUTO-05: all_significant: a child that was stopped by request counts as ended for the others', async () => {
    const world = new World();
    const [s1, s2] = [world.child('s1', TRANSIENT), world.child('s2', TRANSIENT)];
    const supervisor = await world.started({ autoShutdown: 'all_significant', children: [s1, s2] });
    await supervisor.terminateChild('s1');
    s2.finish();
    assert.deepEqual(await supervisor.exited, SHUTDOWN);
  });

  for (const strategy of ['one_for_all', 'rest_for_one'] as const) {
    it(`AUTO-06: being stopped by a sibling's failure under ${strategy} does not trigger it`, async () => {
      const world = new World();
      const a = world.child('a');
      const children = [a, world.child('s1', TEMPORARY), world.child('s2', TRANSIENT)];
      const supervisor = await world.started({ strategy, autoShutdown: 'any_significant', children });
      a.crash();
      await world.rest();
      assert.deepEqual(world.takeTrace(), ['-a(error)', '-s2(shutdown)', '-s1(shutdown)', '+a', '+s2']);
      assert.equal(supervisor.state, 'running');
      await supervisor.stop();
    });
  }

  it('AUTO-03: a significant child that was added later counts, too', async () => {
    const world = new World();
    const s = world.child('s', TRANSIENT);
    const supervisor = await world.started({ autoShutdown: 'any_significant' });
    await supervisor.startChild(s.spec);
    s.finish();
    assert.deepEqual(await supervisor.exited, SHUTDOWN);
  });
});
