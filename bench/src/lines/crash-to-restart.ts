import { dispatch, spawn, start, stop } from 'nact';
import { type ProcessContext, supervisor } from 'vigiljs';
import type { Line, Measurement } from '../line.js';

/**
 * From the moment before a child throws to the moment in which its successor's body is entered.
 *
 * A supervisor keeps the times of its latest restarts; OTP's looks through them all at each one, so nobody's supervisor
 * lives longer than a hundred crashes. Crash reports are off everywhere.
 */
export const crashToRestart: Line = {
  name: 'crash to restart',
  item: 'restart',
  unit: 'ns',
  count: 50_000,
  contestants: [
    { name: 'Vigil: permanent child', measure: vigil },
    { name: 'nact: onCrash resets the actor', measure: nact },
    { name: 'Erlang: permanent child', erlang: 'crash_to_restart' },
  ],
};

const CRASHES_PER_SUPERVISOR = 100;

async function vigil(count: number): Promise<Measurement> {
  return sumOfLives(count, async (stopwatch) => {
    const body = async ({ inbox }: ProcessContext) => {
      stopwatch.entered();
      await inbox.recv();
      stopwatch.crashes();
      throw new Error('crash');
    };
    await using root = supervisor().child('task', body).maxRestarts(CRASHES_PER_SUPERVISOR).build();
    await root.start();
    const task = root.address('task');
    for (let crash = 0; crash < CRASHES_PER_SUPERVISOR; crash += 1) {
      const restart = stopwatch.nextEntry();
      task.send('crash');
      await restart;
    }
  });
}

async function nact(count: number): Promise<Measurement> {
  return sumOfLives(count, async (stopwatch) => {
    const system = start();
    const crash = (): void => {
      stopwatch.crashes();
      throw new Error('crash');
    };
    const actor = spawn(system, crash, 'task', {
      initialStateFunc: () => stopwatch.entered(),
      onCrash: (_message, _error, context) => context.reset,
    });
    for (let crashes = 0; crashes < CRASHES_PER_SUPERVISOR; crashes += 1) {
      const restart = stopwatch.nextEntry();
      dispatch(actor, 'crash');
      await restart;
    }
    stop(system);
  });
}

async function sumOfLives(count: number, live: (stopwatch: Stopwatch) => Promise<void>): Promise<Measurement> {
  const stopwatch = new Stopwatch();
  while (stopwatch.restarts < count) await live(stopwatch);
  return { handled: stopwatch.restarts, total: Number(stopwatch.totalNs) };
}

/** Adds up the times from each crash to the next entry. */
class Stopwatch {
  restarts = 0;
  totalNs = 0n;
  #crashedAt: bigint | undefined;
  #hasEntered = () => {};

  nextEntry(): Promise<void> {
    return new Promise((resolve) => {
      this.#hasEntered = resolve;
    });
  }

  crashes(): void {
    this.#crashedAt = process.hrtime.bigint();
  }

  /** The first entry of a life follows no crash. */
  entered(): void {
    if (this.#crashedAt === undefined) return;
    this.totalNs += process.hrtime.bigint() - this.#crashedAt;
    this.restarts += 1;
    this.#crashedAt = undefined;
    this.#hasEntered();
  }
}
