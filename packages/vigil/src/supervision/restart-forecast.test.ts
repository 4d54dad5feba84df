import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RESTART_STRATEGIES, RESTART_TYPES } from './restart-plan.js';
import { failsWith, World } from './scripted-child.suite.js';

const IDS = ['a', 'b', 'c', 'd'] as const;

describe('planFor', () => {
  for (const [strategy, id, stop, start] of [
    ['one_for_one', 'b', [], ['b']],
    ['one_for_all', 'a', ['d', 'c', 'b'], ['a', 'b', 'c', 'd']],
    ['one_for_all', 'c', ['d', 'b', 'a'], ['a', 'b', 'c', 'd']],
    ['rest_for_one', 'a', ['d', 'c', 'b'], ['a', 'b', 'c', 'd']],
    ['rest_for_one', 'b', ['d', 'c'], ['b', 'c', 'd']],
    ['rest_for_one', 'd', [], ['d']],
  ] as const) {
    it(`${strategy}: names those that would stop and start if "${id}" crashed, in this order`, async () => {
      const world = new World();
      const supervisor = await world.started({ strategy, children: world.children(IDS) });
      assert.deepEqual(supervisor.planFor(id), { stop, forget: [], start, givesUp: false });
      await supervisor.stop();
    });
  }

  it('is what happens then, whatever the strategy and the restart types are', async () => {
    const types = fc.tuple(...IDS.map(() => fc.constantFrom(...RESTART_TYPES)));
    const terminated = fc.subarray([...IDS]);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...RESTART_STRATEGIES),
        types,
        fc.nat({ max: 3 }),
        terminated,
        async (strategy, chosen, pick, down) => {
          const world = new World();
          const children = IDS.map((id, index) => world.child(id, { restartType: chosen[index] }));
          const crashing = children[pick]!;
          const supervisor = await world.started({ strategy, children });
          for (const id of down) if (id !== crashing.id) await supervisor.terminateChild(id);
          world.takeTrace();
          const { stop, forget, start, givesUp } = supervisor.planFor(crashing.id);
          assert.equal(givesUp, false);
          const before = supervisor.inspect().children.map(({ id }) => id);
          crashing.crash();
          await world.rest();
          const expected = [`-${crashing.id}(error)`, ...stop.map((id) => `-${id}(shutdown)`), ...start.map((id) => `+${id}`)];
          assert.deepEqual(world.takeTrace(), expected);
          const after = supervisor.inspect().children.map(({ id }) => id);
          assert.deepEqual(
            after,
            before.filter((id) => !forget.includes(id)),
          );
          await supervisor.stop();
        },
      ),
      { numRuns: 200 },
    );
  });

  it('changes nothing', async () => {
    const world = new World();
    const supervisor = await world.started({ strategy: 'one_for_all', children: world.children(IDS), maxRestarts: 1 });
    const before = supervisor.inspect();
    for (const id of IDS) supervisor.planFor(id);
    await world.rest();
    assert.deepEqual(supervisor.inspect(), before);
    assert.deepEqual(world.takeTrace(), []);
    await supervisor.stop();
  });

  it('STRAT-04: names temporary children of the group among those that would stop and be forgotten', async () => {
    const world = new World();
    const children = [world.child('a'), world.child('t', { restartType: 'temporary' }), world.child('b')];
    const supervisor = await world.started({ strategy: 'one_for_all', children });
    assert.deepEqual(supervisor.planFor('b'), { stop: ['t', 'a'], forget: ['t'], start: ['a', 'b'], givesUp: false });
    await supervisor.stop();
  });

  it('a temporary child would be forgotten, and nothing else would follow, not even at the end of the budget', async () => {
    const world = new World();
    const children = [world.child('t', { restartType: 'temporary' }), world.child('a')];
    const supervisor = await world.started({ strategy: 'one_for_all', children, maxRestarts: 0 });
    assert.deepEqual(supervisor.planFor('t'), { stop: [], forget: ['t'], start: [], givesUp: false });
    await supervisor.stop();
  });

  it('names a stopped child of the group among those that would start, not among those that would stop', async () => {
    const world = new World();
    const supervisor = await world.started({ strategy: 'one_for_all', children: world.children(['a', 'b', 'c']) });
    await supervisor.terminateChild('b');
    assert.deepEqual(supervisor.planFor('a'), { stop: ['c'], forget: [], start: ['a', 'b', 'c'], givesUp: false });
    await supervisor.stop();
  });

  it('names a suspended child among those that would stop', async () => {
    const world = new World();
    const supervisor = await world.started({ strategy: 'one_for_all', children: world.children(['a', 'b']) });
    await supervisor.suspendChild('b');
    assert.deepEqual(supervisor.planFor('a').stop, ['b']);
    await supervisor.stop();
  });

  it('while a child is being restarted: it would not have to be stopped', async () => {
    const world = new World();
    const [a, b] = [world.child('a'), world.child('b', { restartDelay: { initialMs: 100 } })];
    const supervisor = await world.started({ strategy: 'rest_for_one', children: [a, b] });
    b.crash();
    await world.rest();
    assert.deepEqual(supervisor.planFor('a'), { stop: [], forget: [], start: ['a', 'b'], givesUp: false });
    assert.deepEqual(supervisor.planFor('b'), { stop: [], forget: [], start: ['b'], givesUp: false });
    await supervisor.stop();
  });

  it('says that the supervisor would give up while its budget is used up', async () => {
    const world = new World();
    const [a, b] = world.children(['a', 'b']);
    const supervisor = await world.started({ children: [a, b], maxRestarts: 1, maxSeconds: 5 });
    assert.equal(supervisor.planFor('b').givesUp, false);
    a.crash();
    await world.rest();
    assert.equal(supervisor.planFor('b').givesUp, true);
    await world.clock.advance(5001);
    assert.equal(supervisor.planFor('b').givesUp, false);
    await supervisor.stop();
  });

  it('says that it would give up while the own budget of the child is used up, and for no other', async () => {
    const world = new World();
    const supervisor = await world.started({ children: [world.child('a', { maxRestarts: 0 }), world.child('b')] });
    assert.deepEqual([supervisor.planFor('a').givesUp, supervisor.planFor('b').givesUp], [true, false]);
    await supervisor.stop();
  });

  it('knows no other id, and none at all while the supervisor does not run', async () => {
    const world = new World();
    const supervisor = world.supervisor({ children: [world.child('a')] });
    assert.throws(() => supervisor.planFor('a'), failsWith('ChildNotFound', { id: 'a' }));
    await supervisor.start();
    assert.throws(() => supervisor.planFor('b'), failsWith('ChildNotFound', { id: 'b' }));
    await supervisor.stop();
    assert.throws(() => supervisor.planFor('a'), failsWith('ChildNotFound', { id: 'a' }));
  });
});
