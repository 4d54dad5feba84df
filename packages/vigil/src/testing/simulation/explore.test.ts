import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isVigilError, type VigilError } from '../../core/index.js';
import { explore } from './explore.js';
import { type Scenario, simulate } from './simulate.js';

/** Fails when the second of two comes before the first, with much else going on. */
const race: Scenario<void> = async (simulation) => {
  const order: string[] = [];
  const arrive = async (who: string) => {
    await simulation.reach(who);
    order.push(who);
  };
  const others = ['x', 'y', 'z', 'x', 'y', 'z'].map((who) => arrive(who));
  await Promise.all([arrive('first'), arrive('second'), ...others]);
  assert.ok(order.indexOf('first') < order.indexOf('second'), 'the second came first');
};

async function failureOf(exploration: Promise<unknown>): Promise<VigilError> {
  try {
    await exploration;
  } catch (error) {
    if (isVigilError(error, 'InvalidState')) return error;
    throw error;
  }
  return assert.fail('nothing has failed');
}

describe('explore', () => {
  it('tells how much it has tried when nothing fails', async () => {
    const seeds: number[] = [];
    const scenario: Scenario<void> = async (simulation) => {
      seeds.push(simulation.random.next());
      await simulation.reach('the end');
    };
    assert.deepEqual(await explore(scenario, { seeds: 5, fromSeed: 3 }), { seeds: 5, steps: 5 });
    assert.equal(new Set(seeds).size, 5);
  });

  it('makes the history of a failure short and plain, and says how to replay it', async () => {
    const error = await failureOf(explore(race));
    const { seed, choices, steps, trace } = error.details;
    assert.ok(error.cause instanceof assert.AssertionError);
    assert.ok(Array.isArray(choices) && Array.isArray(trace) && typeof steps === 'number' && typeof seed === 'number');
    // All eight arrive, and the plainest way to be wrong is that the second arrives first.
    assert.equal(choices.filter((choice) => choice !== 0).length, 1);
    assert.match(error.message, new RegExp(`fails with seed ${seed} after ${steps} steps: AssertionError: the second came first`));
    assert.match(error.message, /\n {2}0 delivery second/);
    assert.ok(error.message.endsWith(`replay it with simulate(${seed}, scenario, { choices: [${choices.join(', ')}] })`));
    await assert.rejects(simulate(seed, race, { choices }), /the second came first/);
  });

  it('does not spend more runs on that than it may', async () => {
    let runs = 0;
    const counted: Scenario<void> = (simulation) => {
      runs += 1;
      return race(simulation);
    };
    await failureOf(explore(counted, { maxShrinks: 0 }));
    const found = runs;
    runs = 0;
    await failureOf(explore(counted, { maxShrinks: 7 }));
    assert.equal(runs - found, 7);
  });

  it('keeps to the failure that it has found', async () => {
    const twoWays: Scenario<void> = async (simulation) => {
      const order: number[] = [];
      await Promise.all(
        [0, 1, 2].map(async (number) => {
          await simulation.reach(`${number}`);
          order.push(number);
        }),
      );
      if (order.join('') === '210') throw new RangeError('backwards');
      if (order[0] === 1) throw new TypeError('one is first');
    };
    for (let fromSeed = 1; fromSeed < 20; fromSeed += 1) {
      const first = await simulate(fromSeed, twoWays).catch((error: unknown) => error);
      if (!(first instanceof Error)) continue;
      const { cause } = await failureOf(explore(twoWays, { seeds: 1, fromSeed }));
      assert.deepEqual(cause, first);
    }
  });

  it('finds a scenario that never ends, or awaits what never comes', async () => {
    const endless: Scenario<never> = async (simulation) => {
      for (;;) await simulation.reach('again');
    };
    assert.match((await failureOf(explore(endless, { maxSteps: 50, maxShrinks: 1 }))).message, /has not ended after 50 steps/);
    assert.match((await failureOf(explore(() => new Promise(() => {})))).message, /nothing in the simulation settles/);
  });
});

describe('simulate with choices', () => {
  it('goes the way that it went before', async () => {
    for (let seed = 1; seed < 30; seed += 1) {
      const scenario: Scenario<string> = async (simulation) => {
        const order: string[] = [];
        const arrive = async (who: string) => {
          await simulation.reach(who);
          order.push(who);
        };
        await Promise.all(['a', 'b', 'c', 'd'].map((who) => arrive(who)));
        return order.join('');
      };
      const report = await simulate(seed, scenario);
      assert.deepEqual(await simulate(seed, scenario, { choices: report.choices }), report);
    }
  });

  it('without any, lets what could happen first happen first, alone', async () => {
    const { result } = await simulate(
      1,
      async (simulation) => {
        const order: string[] = [];
        const timer = new Promise<void>((resolve) => simulation.clock.after(0, () => resolve(void order.push('timer'))));
        const arrivals = ['a', 'b', 'c'].map(async (who) => {
          await simulation.reach(who);
          order.push(who);
        });
        await Promise.all([...arrivals, timer]);
        return order;
      },
      { choices: [] },
    );
    assert.deepEqual(result, ['a', 'b', 'c', 'timer']);
  });
});
