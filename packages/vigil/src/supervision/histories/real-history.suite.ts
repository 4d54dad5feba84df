import { SeededRandom } from '../../core/index.js';
import { randomRealTurn, type RealTurnSource, scriptedRealTurn, STOP } from './real-generate.suite.js';
import { explainTurn } from './real-model.suite.js';
import type { RealObservation } from './real-observation.suite.js';
import { describeRealTurn, type RealTurn } from './real-stimulus.suite.js';
import { describeRealTree, randomRealTree, type RealSupervisorSpec } from './real-tree.suite.js';
import { RealWorld } from './real-world.suite.js';
import { Dice } from './tree.suite.js';

/** A tree and what is done to it. What follows is up to threads and processes, and need not be the same again. */
export interface RealHistory {
  readonly tree: RealSupervisorSpec;
  readonly turns: readonly RealTurn[];
}

export interface RealOutcome {
  readonly history: RealHistory;
  readonly observations: readonly RealObservation[];
  /** What is wrong with it; `undefined` when nothing is. */
  readonly problem: string | undefined;
  /** Processes that were started. */
  readonly births: number;
}

/** A history of a seed: always the same tree, and the same acts as long as these lead to the same. */
export function runRealSeed(seed: number): Promise<RealOutcome> {
  const dice = new Dice(new SeededRandom(seed));
  const tree = randomRealTree(dice);
  return runRealHistory(tree, randomRealTurn(dice, 4 + dice.below(8)));
}

export function replayReal({ tree, turns }: RealHistory): Promise<RealOutcome> {
  return runRealHistory(tree, scriptedRealTurn(turns));
}

/** Does one turn after the other, holds each against the model, and stops everything at the end. */
async function runRealHistory(tree: RealSupervisorSpec, source: RealTurnSource): Promise<RealOutcome> {
  const world = new RealWorld(tree);
  const { violations } = world.invariants;
  const turns: RealTurn[] = [];
  const observations: RealObservation[] = [];
  let before = world.observe();
  let misfit: string | undefined;
  const isFine = () => violations.length === 0 && misfit === undefined;
  const take = async (turn: RealTurn): Promise<void> => {
    const seen = await world.take(turn);
    turns.push(turn);
    observations.push(seen);
    if (isFine()) misfit = explainTurn(before.tree, seen);
    before = seen;
  };
  try {
    for (let turn = source(world); turn !== undefined && isFine(); turn = source(world)) await take(turn);
    if (isFine() && !world.isDown) await take([{ after: 0, stimulus: STOP }]);
    if (isFine()) await world.checkEnd();
  } finally {
    if (!world.isDown) await world.abandon();
  }
  const found = violations[0] ?? misfit;
  const problem = found === undefined ? undefined : `turn ${turns.length}: ${found}`;
  return { history: { tree, turns }, observations, problem, births: world.births };
}

/** A history for people: the tree, then what is done and what is seen, turn by turn. */
export function describeRealHistory({ history, observations, problem }: RealOutcome): string {
  const lines = history.turns.map((turn, index) => {
    const seen = observations[index];
    const events = seen?.events.map(({ supervisor, text }) => `\n        ${supervisor}: ${text}`) ?? [];
    const answers = seen?.answers.map((answer) => `\n        answer ${answer}`) ?? [];
    return `${String(index + 1).padStart(4)}  ${describeRealTurn(turn)}${[...events, ...answers].join('')}`;
  });
  return [describeRealTree(history.tree), ...lines, ...(problem === undefined ? [] : [`problem: ${problem}`])].join('\n');
}
