import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemTime } from '../../core/index.js';
import { START } from './real-generate.suite.js';
import { describeRealHistory, replayReal, runRealSeed } from './real-history.suite.js';
import { countThreads } from './real-leftovers.suite.js';
import { shrinkReal } from './real-shrink.suite.js';
import type { RealStimulus, RealTurn } from './real-stimulus.suite.js';
import { DEEDS, type RealSupervisorSpec, type RealWorkerSpec, type WorkerKind } from './real-tree.suite.js';

/** Seeds of `npm test`: about fifteen seconds on two cores that have nothing else to do. */
const SEEDS = 30;
/** A machine that is busy with other things runs as many as it gets done meanwhile, and these at least. */
const LEAST_SEEDS = 8;
const ENOUGH_MS = 30_000;

/** Threads that Node starts once, for files and look-ups. */
const POOL_THREADS = 4;

const KINDS = ['task', 'thread', 'fork', 'command'] as const;

const worker = (runsAs: WorkerKind): RealWorkerSpec => ({
  kind: 'worker',
  id: runsAs,
  restartType: 'permanent',
  significant: false,
  shutdownTimeoutMs: 'infinity',
  budget: undefined,
  delay: undefined,
  isExplicit: true,
  startTimeoutMs: 'infinity',
  healthIntervalMs: undefined,
  runsAs,
  manners: { isExplicit: true, failsAt: [], declinesAt: [], hangsAt: [], onStop: 'returns' },
  spares: 0,
});

const allKinds: RealSupervisorSpec = {
  kind: 'supervisor',
  id: 'root',
  restartType: 'permanent',
  significant: false,
  shutdownTimeoutMs: 'infinity',
  budget: undefined,
  delay: undefined,
  strategy: 'one_for_one',
  maxRestarts: 100,
  periodMs: 1_000_000_000,
  autoShutdown: 'never',
  children: KINDS.map(worker),
  template: undefined,
  maxChildren: 0,
};

const alone = (stimulus: RealStimulus): RealTurn => [{ after: 0, stimulus }];

describe('random histories of supervision trees with real threads and processes', () => {
  it(`of up to ${SEEDS} seeds do what OTP's rules say, and leave neither thread nor process behind`, async () => {
    const threads = countThreads();
    const began = systemTime.now();
    const isEnough = (done: number) => done >= SEEDS || (done >= LEAST_SEEDS && systemTime.now() - began > ENOUGH_MS);
    for (let seed = 1; !isEnough(seed - 1); seed += 1) {
      const outcome = await runRealSeed(seed);
      if (outcome.problem === undefined) continue;
      const { problem } = outcome;
      assert.fail(
        `seed ${seed} fails: ${problem}\n\n${describeRealHistory(outcome)}\n\nshrunk:\n${describeRealHistory(await shrinkReal(outcome))}`,
      );
    }
    assert.ok(countThreads() <= threads + POOL_THREADS, `${countThreads()} threads at the end, ${threads} at the beginning`);
  });

  it('answer everything that a worker of any kind can be made to do', async () => {
    const deeds = KINDS.flatMap((kind) => DEEDS[kind].map((deed): RealStimulus => ({ do: 'deed', path: `root/${kind}`, deed })));
    const outcome = await replayReal({ tree: allKinds, turns: [START, ...deeds].map(alone) });
    assert.equal(outcome.problem, undefined, describeRealHistory(outcome));
    assert.deepEqual(
      outcome.observations.flatMap(({ given }) => given.map(({ stimulus }) => stimulus)).slice(1, -1),
      deeds,
      'some could not be done',
    );
  });
});
