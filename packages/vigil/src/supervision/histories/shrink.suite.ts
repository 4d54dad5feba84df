import { type History, type Outcome, replay } from './history.suite.js';
import type { Turn } from './stimulus.suite.js';
import type { SupervisorSpec, WorkerSpec } from './tree.suite.js';

/** Replays that one shrinking may take. */
const MOST_REPLAYS = 3000;

/** Makes a history that goes wrong as small as it gets while it still goes wrong: fewer turns, fewer stimuli, fewer and plainer children. */
export async function shrink(failed: Outcome): Promise<Outcome> {
  let best = failed;
  let replays = 0;
  let hasShrunk = true;
  while (hasShrunk) {
    hasShrunk = false;
    for (const candidate of smaller(best.history)) {
      replays += 1;
      if (replays > MOST_REPLAYS) return best;
      const outcome = await tryReplay(candidate);
      if (outcome?.problem === undefined) continue;
      best = { ...outcome, history: { tree: candidate.tree, turns: candidate.turns } };
      hasShrunk = true;
      break;
    }
  }
  const last = await replay(best.history);
  return last.problem === undefined ? best : last;
}

/** A tree that was made smaller can be one that the library refuses; that is not what was looked for. */
async function tryReplay(history: History): Promise<Outcome | undefined> {
  try {
    return await replay(history);
  } catch {
    return undefined;
  }
}

function* smaller({ tree, turns }: History): Generator<History> {
  for (let size = Math.ceil(turns.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < turns.length; from += size) yield { tree, turns: turns.toSpliced(from, size) };
  }
  for (const smallerTree of smallerTrees(tree)) yield { tree: smallerTree, turns };
  for (const [index, turn] of turns.entries()) {
    if (turn.length < 2) continue;
    yield { tree, turns: turns.toSpliced(index, 1, ...turn.map((stimulus): Turn => [stimulus])) };
    for (const at of turn.keys()) yield { tree, turns: turns.toSpliced(index, 1, turn.toSpliced(at, 1)) };
  }
}

function* smallerTrees(tree: SupervisorSpec): Generator<SupervisorSpec> {
  for (const [index, child] of tree.children.entries()) {
    yield { ...tree, children: tree.children.toSpliced(index, 1) };
    for (const simpler of child.kind === 'worker' ? plainerWorkers(child) : smallerTrees(child)) {
      yield { ...tree, children: tree.children.toSpliced(index, 1, simpler) };
    }
  }
  if (tree.template !== undefined) for (const template of plainerWorkers(tree.template)) yield { ...tree, template };
  yield* plainer<SupervisorSpec>(tree, { autoShutdown: 'never', strategy: 'one_for_one', shutdownTimeoutMs: 'infinity', ...PLAIN });
}

function plainerWorkers(worker: WorkerSpec): Generator<WorkerSpec> {
  return plainer<WorkerSpec>(worker, {
    isExplicit: false,
    healthIntervalMs: undefined,
    shutdownTimeoutMs: 500,
    startTimeoutMs: 'infinity',
    ...PLAIN,
  });
}

const PLAIN = { significant: false, budget: undefined, delay: undefined, restartType: 'permanent' } as const;

function* plainer<T extends object>(spec: T, plain: Partial<T>): Generator<T> {
  for (const key of Object.keys(plain)) {
    const changed = { ...spec, [key]: Reflect.get(plain, key) };
    if (Reflect.get(spec, key) !== Reflect.get(plain, key)) yield changed;
  }
}
