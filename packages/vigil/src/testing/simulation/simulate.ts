import { checkFunction, checkObject, checkOr, checkPositiveCount, invalidOption, nextTurn, VigilError } from '../../core/index.js';
import { Simulation } from './simulation.js';

/** A program to simulate. It awaits nothing but what the simulation gives it, and what follows from that. */
export type Scenario<T> = (simulation: Simulation) => Promise<T>;

export interface SimulateOptions {
  /** Steps after which the scenario counts as one that never ends; default 10,000. */
  readonly maxSteps?: number | undefined;
  /** Decides instead of the seed, which then stands only for the chance of the runtime and the scenario: those of a report, or of a failure of `explore`. */
  readonly choices?: readonly number[] | undefined;
}

export interface SimulationReport<T> {
  readonly seed: number;
  readonly result: T;
  readonly steps: number;
  /** What happened, one line each; the same for the same seed. */
  readonly trace: readonly string[];
  /** What the scheduler decided, one number each. */
  readonly choices: readonly number[];
}

const DEFAULT_MAX_STEPS = 10_000;

/** How one run of a scenario ended. */
export interface SimulationOutcome<T> extends Omit<SimulationReport<T>, 'result'> {
  readonly end: PromiseSettledResult<T>;
  /** How much has happened in its steps. */
  readonly points: number;
}

/**
 * Runs a scenario in one of the orders in which it could happen.
 *
 * @param seed - an integer that decides the order; the same one gives the same trace.
 * @throws whatever the scenario throws, or a {@link VigilError} `InvalidState` when it awaits something outside of the simulation, or
 *   does not end; `InvalidConfiguration`.
 * @example
 * const { trace } = await simulate(7, async ({ runtime }) => {
 *   const supervisor = runtime.supervisor().child('worker', worker).build();
 *   await supervisor.start();
 *   supervisor.address('worker').send('an order');
 *   await supervisor.stop();
 * });
 */
export async function simulate<T>(seed: number, scenario: Scenario<T>, options: SimulateOptions = {}): Promise<SimulationReport<T>> {
  const { end, steps, trace, choices } = await runScenario(seed, scenario, checkOptions(options));
  if (end.status === 'rejected') throw end.reason;
  return { seed, result: end.value, steps, trace, choices };
}

function checkOptions(options: SimulateOptions): SimulateOptions {
  checkObject('simulation options', options);
  const { choices } = options;
  if (choices !== undefined && !(Array.isArray(choices) && choices.every((choice) => Number.isSafeInteger(choice) && choice >= 0)))
    throw invalidOption('choices', 'an array of integers >= 0', choices);
  return { choices, maxSteps: checkOr(checkPositiveCount, 'maxSteps', options.maxSteps, DEFAULT_MAX_STEPS) };
}

/** The same without a throw for what the scenario does. */
export async function runScenario<T>(seed: number, scenario: Scenario<T>, options: SimulateOptions): Promise<SimulationOutcome<T>> {
  const { maxSteps = DEFAULT_MAX_STEPS, choices } = options;
  const simulation = new Simulation(seed, choices);
  const outsideBefore = outsideResources();
  const progress = new Progress(checkFunction<Scenario<T>>()('scenario', scenario)(simulation));
  await nextTurn();
  let steps = 0;
  const outcome = (end: PromiseSettledResult<T>): SimulationOutcome<T> => {
    return { seed, end, steps, points: simulation.points, trace: simulation.trace, choices: simulation.choices };
  };
  const failure = (why: string): SimulationOutcome<T> => {
    const reason = new VigilError('InvalidState', `simulation with seed ${seed}, step ${steps}: ${why}`, {
      details: { seed, trace: simulation.trace },
    });
    return outcome({ status: 'rejected', reason });
  };
  for (; progress.end === undefined; steps += 1) {
    const outside = added(outsideBefore, outsideResources());
    if (outside.length > 0) return failure(`the scenario awaits something outside of the simulation: ${outside.join(', ')}`);
    if (steps >= maxSteps) return failure(`the scenario has not ended after ${maxSteps} steps`);
    const hasHappened = await simulation.step();
    if (!hasHappened && progress.end === undefined) return failure('the scenario awaits something that nothing in the simulation settles');
  }
  return outcome(progress.end);
}

/** What has become of some work. */
class Progress<T> {
  end: PromiseSettledResult<T> | undefined;

  constructor(work: Promise<T>) {
    void this.#follow(work);
  }

  async #follow(work: Promise<T>): Promise<void> {
    [this.end] = await Promise.allSettled([work]);
  }
}

/** What Node waits for that would come back at a moment which no seed decides: timers, files, sockets, threads. */
function outsideResources(): string[] {
  return process.getActiveResourcesInfo().filter((type) => !BELONGS_TO_NODE.has(type));
}

/** Output of the test runner, and the turns in which a simulation itself drains microtasks. */
const BELONGS_TO_NODE: ReadonlySet<string> = new Set(['Immediate', 'PipeWrap', 'TTYWrap', 'WriteWrap', 'ShutdownWrap', 'TickObject']);

function added(before: readonly string[], after: readonly string[]): string[] {
  const rest = [...before];
  return after.filter((type) => {
    const index = rest.indexOf(type);
    if (index >= 0) rest.splice(index, 1);
    return index < 0;
  });
}
