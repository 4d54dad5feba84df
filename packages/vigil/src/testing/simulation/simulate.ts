import { nextTurn, VigilError } from '../../core/index.js';
import { Simulation } from './simulation.js';

/** A program to simulate. It awaits nothing but what the simulation gives it, and what follows from that. */
export type Scenario<T> = (simulation: Simulation) => Promise<T>;

export interface SimulateOptions {
  /** Steps after which the scenario counts as one that never ends; default 10,000. */
  readonly maxSteps?: number;
}

export interface SimulationReport<T> {
  readonly seed: number;
  readonly result: T;
  readonly steps: number;
  /** What happened, one line each; the same for the same seed. */
  readonly trace: readonly string[];
}

const DEFAULT_MAX_STEPS = 10_000;

/**
 * Runs a scenario in one of the orders in which it could happen.
 *
 * @param seed - decides the order; the same one gives the same trace.
 * @throws whatever the scenario throws, or a {@link VigilError} `InvalidState` when it awaits something outside of the simulation, or
 *   does not end; each with the seed in its message or a `seed` in its details.
 */
export async function simulate<T>(seed: number, scenario: Scenario<T>, options: SimulateOptions = {}): Promise<SimulationReport<T>> {
  const { maxSteps = DEFAULT_MAX_STEPS } = options;
  const simulation = new Simulation(seed);
  const outsideBefore = outsideResources();
  const progress = new Progress(scenario(simulation));
  await nextTurn();
  let steps = 0;
  const failure = (why: string): VigilError =>
    new VigilError('InvalidState', `simulation with seed ${seed}, step ${steps}: ${why}`, { details: { seed, trace: simulation.trace } });
  for (; progress.end === undefined; steps += 1) {
    const outside = added(outsideBefore, outsideResources());
    if (outside.length > 0) throw failure(`the scenario awaits something outside of the simulation: ${outside.join(', ')}`);
    if (steps >= maxSteps) throw failure(`the scenario has not ended after ${maxSteps} steps`);
    const hasHappened = await simulation.step();
    if (!hasHappened && progress.end === undefined) {
      throw failure('the scenario awaits something that nothing in the simulation settles');
    }
  }
  if (progress.end.status === 'rejected') throw progress.end.reason;
  return { seed, result: progress.end.value, steps, trace: simulation.trace };
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
