import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { noTelemetry, SeededRandom, silentLogger } from '../core/index.js';
import { DynamicSupervisor } from './dynamic-supervisor.js';
import { World } from './scripted-child.suite.js';

const CHILDREN = 100_000;
const CRASHES = 1_000;

describe('a dynamic supervisor with 100,000 children', () => {
  it('DYN-12: starts them, restarts a thousand that crash at random, and stops all of them', async () => {
    // A world notes all that is reported, which is more than the children themselves.
    const environment = { ...new World().environment, telemetry: noTelemetry, log: silentLogger };
    const random = new SeededRandom(1);
    const crash: ((error: Error) => void)[] = [];
    let alive = 0;
    let starts = 0;
    let allBack: (() => void) | undefined;
    const victims = new Set(Array.from({ length: CRASHES }, () => Math.floor(random.next() * CHILDREN)));
    const supervisor = new DynamicSupervisor<never, number>(
      {
        startFn: async ({ args: number, stopped }) => {
          alive += 1;
          starts += 1;
          if (starts === CHILDREN + victims.size) allBack?.();
          const crashed = new Promise<never>((_, reject) => {
            crash[number] = reject;
          });
          await Promise.race([stopped, crashed]).finally(() => {
            alive -= 1;
          });
        },
      },
      { maxRestarts: CRASHES },
      environment,
    );
    await supervisor.start();
    for (let number = 0; number < CHILDREN; number += 1) await supervisor.startChild(number);
    assert.deepEqual(await supervisor.countChildren(), { specs: 1, active: CHILDREN, supervisors: 0, workers: CHILDREN });

    const restarted = new Promise<void>((resolve) => {
      allBack = resolve;
    });
    for (const victim of victims) crash[victim]?.(new Error('chance'));
    await restarted;
    assert.deepEqual(await supervisor.countChildren(), { specs: 1, active: CHILDREN, supervisors: 0, workers: CHILDREN });
    assert.equal(supervisor.inspect().children.filter(({ restartCount }) => restartCount === 1).length, victims.size);
    assert.equal(alive, CHILDREN);

    await supervisor.stop();
    assert.equal(alive, 0);
    assert.equal(supervisor.state, 'stopped');
  });
});
