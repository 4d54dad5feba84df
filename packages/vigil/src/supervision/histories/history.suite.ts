import { nextTurn, SeededRandom } from '../../core/index.js';
import { Choices } from './choices.suite.js';
import { randomTurn, scriptedTurn, tidyTurn, type TurnSource } from './generate.suite.js';
import { difference, type Observation } from './observation.suite.js';
import { ANY, ORDERLY, OtpModel, Unseen } from './otp-model.suite.js';
import { describeTurn, type Turn } from './stimulus.suite.js';
import { describeTree, Dice, randomTree, type SupervisorSpec } from './tree.suite.js';
import { World } from './world.suite.js';

/** A tree and what happens to it: all that is needed to see the same again. */
export interface History {
  readonly tree: SupervisorSpec;
  readonly turns: readonly Turn[];
}

export interface Outcome {
  /** What really happened: stimuli that were impossible are left out, and at the end everything is stopped. */
  readonly history: History;
  readonly observations: readonly Observation[];
  /** What is wrong with it; `undefined` when nothing is. */
  readonly problem: string | undefined;
}

/** Turns that a stopped tree may take to come to rest. */
const MOST_TIDY_TURNS = 300;
/** Ways to choose that are tried for one history. */
const MOST_TRIES = 20_000;

/** The history of a seed. */
export function runSeed(seed: number): Promise<Outcome> {
  const dice = new Dice(new SeededRandom(seed));
  const tree = randomTree(dice);
  return runHistory(tree, randomTurn(dice, 10 + dice.below(30)));
}

/** The same history again, or one that was made smaller. */
export function replay({ tree, turns }: History): Promise<Outcome> {
  return runHistory(tree, scriptedTurn(turns));
}

async function runHistory(tree: SupervisorSpec, source: TurnSource): Promise<Outcome> {
  const world = new World(tree);
  const turns: Turn[] = [];
  const observations: Observation[] = [];
  const { violations } = world.invariants;
  const take = async (wanted: Turn): Promise<void> => {
    const turn = wanted.filter((stimulus) => world.apply(stimulus));
    await settle(world);
    if (turn.length === 0) return;
    turns.push(turn);
    observations.push(world.observe());
  };
  for (let turn = source(world); turn !== undefined && violations.length === 0; turn = source(world)) await take(turn);
  for (let i = 0; i < MOST_TIDY_TURNS && !world.isAtRest && violations.length === 0; i += 1) await take(tidyTurn(world, i));
  if (violations.length === 0) world.checkRest();
  const history = { tree, turns };
  const violated = violations[0];
  const problem = violated === undefined ? explain(history, observations) : `turn ${turns.length}: ${violated}`;
  return { history, observations, problem };
}

/** Lets everything happen that waits for nothing from outside. */
async function settle(world: World): Promise<void> {
  do await nextTurn();
  while (world.clock.continueNext());
}

/** What the model does instead of what was seen; `undefined` when some choices of it explain everything. */
function explain(history: History, observations: readonly Observation[]): string | undefined {
  const problem = search(history, observations, (tree) => new OtpModel(tree, ORDERLY));
  return problem && search(history, observations, (tree) => new OtpModel(tree, ANY)) && problem;
}

/** Looks for choices, turn by turn, and goes back to the last one that could have been another when they lead nowhere. */
function search({ tree, turns }: History, observations: readonly Observation[], makeModel: ModelMaker): string | undefined {
  const modelAfter = (chosen: readonly Choices[]): OtpModel => {
    const fresh = makeModel(tree);
    chosen.forEach(({ picks }, index) => fresh.apply(turns[index] ?? [], new Choices(picks)));
    fresh.observe();
    return fresh;
  };
  const chosen: Choices[] = [];
  let furthest: readonly Choices[] = [];
  let model = makeModel(tree);
  let given: number[] | undefined = [];
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const turn = turns[chosen.length];
    const seen = observations[chosen.length];
    if (turn === undefined || seen === undefined) return undefined;
    const choices = new Choices(given);
    if (isExplained(model, turn, choices, seen)) {
      chosen.push(choices);
      if (chosen.length > furthest.length) furthest = [...chosen];
      given = [];
      continue;
    }
    given = choices.next();
    while (given === undefined && chosen.length > 0) given = chosen.pop()?.next();
    if (given === undefined) break;
    model = modelAfter(chosen);
  }
  return whatItDoes(modelAfter(furthest), turns[furthest.length], observations[furthest.length], furthest.length);
}

type ModelMaker = (tree: SupervisorSpec) => OtpModel;

function isExplained(model: OtpModel, turn: Turn, choices: Choices, seen: Observation): boolean {
  try {
    model.apply(turn, choices, seen);
  } catch (error) {
    if (error instanceof Unseen) return false;
    throw error;
  }
  return difference(seen, model.observe(), model.wasConcurrent || turn.length > 1) === undefined;
}

function whatItDoes(model: OtpModel, turn: Turn = [], seen: Observation = NOTHING_SEEN, index = 0): string {
  model.apply(turn, new Choices());
  const isRace = model.wasConcurrent || turn.length > 1;
  return `turn ${index + 1}, ${describeTurn(turn)}:\n  ${difference(seen, model.observe(), isRace) ?? 'the model got no further'}`;
}

const NOTHING_SEEN: Observation = { events: [], answers: [], tree: '', deadlines: [] };

/** A history for people: the tree, then what happens and what is seen, turn by turn. */
export function describeHistory({ history, observations, problem }: Outcome): string {
  const lines = history.turns.map((turn, index) => {
    const seen = observations[index];
    const events = seen?.events.map(({ supervisor, text }) => `\n        ${supervisor}: ${text}`) ?? [];
    const answers = seen?.answers.map((answer) => `\n        answer ${answer}`) ?? [];
    return `${String(index + 1).padStart(4)}  ${describeTurn(turn)}${[...events, ...answers].join('')}`;
  });
  return [describeTree(history.tree, '  '), ...lines, ...(problem === undefined ? [] : [`problem: ${problem}`])].join('\n');
}
