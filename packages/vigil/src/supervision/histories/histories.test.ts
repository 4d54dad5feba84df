import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeHistory, type History, replay, runSeed } from './history.suite.js';
import { shrink } from './shrink.suite.js';
import type { Turn } from './stimulus.suite.js';
import type { SupervisorSpec, WorkerSpec } from './tree.suite.js';

const SEEDS = 2000;

const worker = (id: string, spec: Partial<WorkerSpec> = {}): WorkerSpec => ({
  kind: 'worker',
  id,
  restartType: 'permanent',
  significant: false,
  shutdownTimeoutMs: 500,
  budget: undefined,
  delay: undefined,
  isExplicit: false,
  startTimeoutMs: 'infinity',
  healthIntervalMs: undefined,
  ...spec,
});

const supervisor = (id: string, children: SupervisorSpec['children'], spec: Partial<SupervisorSpec> = {}): SupervisorSpec => ({
  kind: 'supervisor',
  id,
  restartType: 'permanent',
  significant: false,
  shutdownTimeoutMs: 'infinity',
  budget: undefined,
  delay: undefined,
  strategy: 'one_for_one',
  maxRestarts: 3,
  periodMs: 5000,
  autoShutdown: 'never',
  children,
  template: undefined,
  maxChildren: 0,
  ...spec,
});

const START: Turn = [{ do: 'call', path: 'root', call: { name: 'start' } }];
const STOP: Turn = [{ do: 'call', path: 'root', call: { name: 'stop' } }];

async function passes(history: History): Promise<void> {
  const outcome = await replay(history);
  assert.equal(outcome.problem, undefined, describeHistory(outcome));
}

describe('random histories of supervision trees', () => {
  it(`of ${SEEDS} seeds do what OTP's rules say`, async () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const outcome = await runSeed(seed);
      if (outcome.problem === undefined) continue;
      const { problem } = outcome;
      assert.fail(`seed ${seed} fails: ${problem}\n\nshrunk:\n${describeHistory(await shrink(outcome))}`);
    }
  });

  it('are the same for the same seed', async () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      assert.equal(describeHistory(await runSeed(seed)), describeHistory(await runSeed(seed)));
    }
  });

  it('replay from what was recorded of them', async () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const outcome = await runSeed(seed);
      assert.equal(describeHistory(await replay(outcome.history)), describeHistory(outcome));
    }
  });
});

describe('histories that once went wrong', () => {
  it('a supervisor that is stopped while it starts has ended only when its children have', () =>
    passes({
      tree: supervisor('root', [supervisor('sub', [worker('a'), worker('slow', { isExplicit: true })])]),
      turns: [
        START,
        [{ do: 'call', path: 'root', call: { name: 'stop' } }],
        [{ do: 'end', path: 'root/sub/slow', as: 'shutdown' }],
        [{ do: 'end', path: 'root/sub/a', as: 'shutdown' }],
      ],
    }));

  it('a restart on request that is overtaken by a stop starts nothing', () =>
    passes({
      tree: supervisor('root', [worker('a', { isExplicit: true })]),
      turns: [
        START,
        [{ do: 'decline', path: 'root/a' }],
        [{ do: 'call', path: 'root', call: { name: 'restartChild', id: 'a', onlyIfStopped: false } }, ...STOP],
      ],
    }));

  it('scaling down that is overtaken by a stop leaves the rest to it', () =>
    passes({
      tree: supervisor('root', [worker('w_0'), worker('w_1'), worker('b')]),
      turns: [
        START,
        [{ do: 'call', path: 'root', call: { name: 'scaleWorkers', prefix: 'w', count: 0 } }],
        STOP,
        [{ do: 'end', path: 'root/w_1', as: 'shutdown' }],
      ],
    }));

  it('scaling up that is overtaken by a stop starts nothing more', () =>
    passes({
      tree: supervisor('root', [worker('w_0')]),
      turns: [START, [{ do: 'call', path: 'root', call: { name: 'scaleWorkers', prefix: 'w', count: 4 } }, ...STOP]],
    }));
});
