import { type RealHistory, type RealOutcome, replayReal } from './real-history.suite.js';
import type { RealTurn } from './real-stimulus.suite.js';
import type { RealSupervisorSpec } from './real-tree.suite.js';

/** Replays that one shrinking may take: each takes real time. */
const MOST_REPLAYS = 60;
/** How often a smaller history may go well before it counts as one that does. */
const ATTEMPTS = 2;

/** Makes a history that goes wrong smaller while it still goes wrong. One that went wrong by a rare race stays as it is. */
export async function shrinkReal(failed: RealOutcome): Promise<RealOutcome> {
  let best = failed;
  let replays = 0;
  for (let next = smaller(best.history), candidate = next.next(); candidate.done !== true; candidate = next.next()) {
    for (let attempt = 0; attempt < ATTEMPTS && replays < MOST_REPLAYS; attempt += 1) {
      replays += 1;
      const outcome = await tryReplay(candidate.value);
      if (outcome?.problem === undefined) continue;
      best = outcome;
      next = smaller(best.history);
      break;
    }
  }
  return best;
}

/** A tree that was made smaller can be one that the library refuses; that is not what was looked for. */
async function tryReplay(history: RealHistory): Promise<RealOutcome | undefined> {
  try {
    return await replayReal(history);
  } catch {
    return undefined;
  }
}

function* smaller({ tree, turns }: RealHistory): Generator<RealHistory> {
  for (let size = Math.ceil(turns.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < turns.length; from += size) yield { tree, turns: turns.toSpliced(from, size) };
  }
  for (const smallerTree of smallerTrees(tree)) yield { tree: smallerTree, turns };
  for (const [index, turn] of turns.entries()) {
    if (turn.length < 2) continue;
    for (const at of turn.keys()) yield { tree, turns: turns.toSpliced(index, 1, turn.toSpliced(at, 1) satisfies RealTurn) };
  }
}

function* smallerTrees(tree: RealSupervisorSpec): Generator<RealSupervisorSpec> {
  for (const [index, child] of tree.children.entries()) {
    yield { ...tree, children: tree.children.toSpliced(index, 1) };
    if (child.kind === 'worker') continue;
    for (const simpler of smallerTrees(child)) yield { ...tree, children: tree.children.toSpliced(index, 1, simpler) };
  }
}
