import {
  checkCount,
  checkObject,
  checkOr,
  checkPositiveCount,
  describeValue,
  invalidOption,
  isVigilError,
  VigilError,
} from '../../core/index.js';
import { withoutTail } from './choices.js';
import { runScenario, type Scenario, type SimulateOptions, type SimulationOutcome } from './simulate.js';

export interface ExploreOptions {
  /** How many seeds are tried; default 100. */
  readonly seeds?: number | undefined;
  /** The first of them; default 1. */
  readonly fromSeed?: number | undefined;
  /** Steps after which a run counts as one that never ends; default 10,000. */
  readonly maxSteps?: number | undefined;
  /** Runs that may be spent on making a failure short; default 500, 0 for none. */
  readonly maxShrinks?: number | undefined;
}

export interface ExploreReport {
  readonly seeds: number;
  /** Of all runs together. */
  readonly steps: number;
}

/**
 * Runs a scenario in many of the orders in which it could happen.
 *
 * @returns when no run has failed.
 * @throws {VigilError} `InvalidState` for the first that fails, with the error as its cause: the message has the shortest history that was found to
 *   fail in the same way, `details` its `seed`, `choices` and `trace`, with which `simulate(seed, scenario, { choices })` replays it;
 *   `InvalidConfiguration`.
 */
export async function explore(scenario: Scenario<unknown>, options: ExploreOptions = {}): Promise<ExploreReport> {
  checkObject('explore options', options);
  const seeds = checkOr(checkPositiveCount, 'seeds', options.seeds, 100);
  const maxSteps = checkOr(checkPositiveCount, 'maxSteps', options.maxSteps, 10_000);
  const maxShrinks = checkOr(checkCount, 'maxShrinks', options.maxShrinks, 500);
  const fromSeed = checkOr(checkSeed, 'fromSeed', options.fromSeed, 1);
  let steps = 0;
  for (let seed = fromSeed; seed < fromSeed + seeds; seed += 1) {
    const outcome = await runScenario(seed, scenario, { maxSteps });
    steps += outcome.steps;
    if (outcome.end.status === 'rejected') throw failureOf(await shrink(outcome, scenario, { maxSteps }, maxShrinks));
  }
  return { seeds, steps };
}

/** Makes a history that fails as short and as plain as it gets while it still fails in the same way. */
async function shrink<T>(
  failed: SimulationOutcome<T>,
  scenario: Scenario<T>,
  options: SimulateOptions,
  maxShrinks: number,
): Promise<SimulationOutcome<T>> {
  const way = wayOf(failed);
  let best = failed;
  let runsLeft = maxShrinks;
  for (let hasShrunk = true; hasShrunk; ) {
    hasShrunk = false;
    for (const choices of smaller(withoutTail(best.choices))) {
      if (runsLeft === 0) return best;
      runsLeft -= 1;
      const outcome = await runScenario(failed.seed, scenario, { ...options, choices });
      if (wayOf(outcome) !== way || !isPlainer(outcome, best)) continue;
      best = outcome;
      hasShrunk = true;
      break;
    }
  }
  return best;
}

/** How a run has failed: two failures with one way are taken for the same. */
function wayOf({ end }: SimulationOutcome<unknown>): string | undefined {
  if (end.status === 'fulfilled') return undefined;
  const { reason } = end;
  if (!(reason instanceof Error)) return describeValue(reason);
  return `${reason.name} ${isVigilError(reason) ? reason.code : ''} ${reason.stack?.split('\n').find((line) => line.includes(' at ')) ?? ''}`;
}

function isPlainer(one: SimulationOutcome<unknown>, other: SimulationOutcome<unknown>): boolean {
  const [weights, others] = [weightOf(one), weightOf(other)];
  const index = weights.findIndex((weight, at) => weight !== others[at]);
  return index >= 0 && (weights[index] ?? 0) < (others[index] ?? 0);
}

/** The less happens the better, then the fewer decisions are not the plainest, then the smaller they are. */
function weightOf({ points, choices }: SimulationOutcome<unknown>): number[] {
  return [points, choices.filter((choice) => choice !== 0).length, choices.reduce((sum, choice) => sum + choice, 0)];
}

/** Lists with a part cut out, or made plain: large parts first. */
function* smaller(choices: readonly number[]): Generator<readonly number[]> {
  for (let size = choices.length; size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < choices.length; from += size) {
      yield choices.toSpliced(from, size);
      const part = choices.slice(from, from + size);
      if (part.some((choice) => choice !== 0)) yield choices.toSpliced(from, size, ...part.map(() => 0));
    }
  }
}

function failureOf({ seed, end, steps, trace, choices }: SimulationOutcome<unknown>): VigilError {
  const cause: unknown = end.status === 'rejected' ? end.reason : undefined;
  const what = cause instanceof Error ? `${cause.name}: ${cause.message}` : describeValue(cause);
  const list = withoutTail(choices);
  const text = [
    `the scenario fails with seed ${seed} after ${steps} steps: ${what}`,
    ...trace.map((line) => `  ${line}`),
    `replay it with simulate(${seed}, scenario, { choices: [${list.join(', ')}] })`,
  ];
  return new VigilError('InvalidState', text.join('\n'), { cause, details: { seed, choices: list, trace, steps } });
}

function checkSeed(option: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw invalidOption(option, 'an integer', value);
  return value;
}
