import { nextTurn } from '../../core/index.js';
import { scriptModule } from '../remote/module.suite.js';
import { roundTrip } from '../remote/round-trip.suite.js';
import type { Process, Runner } from '../runner.js';
import { describeRunner } from '../runner.suite.js';
import type { Script } from '../scripts.suite.js';
import type { RunnerHarness } from '../workbench.suite.js';
import { thread } from './thread-runner.js';

/** Runs the scripts as threads. */
class ThreadHarness implements RunnerHarness {
  readonly #started: Process[] = [];

  /** What is killed runs no more. */
  letGo(): void {}

  async quiet(): Promise<void> {
    await Promise.all(this.#started.map((process) => roundTrip(process, process.ref.monitor().down)));
    await nextTurn();
  }

  runner(script: Script): Runner {
    const runner = thread(scriptModule(script));
    return {
      kind: runner.kind,
      create: (settings, incarnation, host) => {
        const process = runner.create(settings, incarnation, host);
        this.#started.push(process);
        return process;
      },
    };
  }
}

describeRunner('thread', () => new ThreadHarness());
