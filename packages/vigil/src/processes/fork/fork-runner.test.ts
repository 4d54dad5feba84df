import { nextTurn } from '../../core/index.js';
import { scriptModule } from '../remote/module.suite.js';
import { roundTrip } from '../remote/round-trip.suite.js';
import type { Process, Runner } from '../runner.js';
import { describeRunner } from '../runner.suite.js';
import type { Script } from '../scripts.suite.js';
import type { RunnerHarness } from '../workbench.suite.js';
import { fork } from './fork-runner.js';

/** Runs the scripts as forks. */
class ForkHarness implements RunnerHarness {
  readonly #started: Process[] = [];
  /** Who stands still cannot answer. */
  readonly #suspended = new Set<Process>();

  /** What is killed runs no more. */
  letGo(): void {}

  async quiet(): Promise<void> {
    const awake = this.#started.filter((process) => !this.#suspended.has(process));
    await Promise.all(awake.map((process) => roundTrip(process, process.ref.monitor().down)));
    await nextTurn();
  }

  runner(script: Script): Runner {
    const runner = fork(scriptModule(script));
    return {
      kind: runner.kind,
      create: (settings, incarnation, host) => {
        const process = runner.create(settings, incarnation, host);
        this.#started.push(process);
        const suspend = process.suspend.bind(process);
        const resume = process.resume.bind(process);
        process.suspend = () => {
          this.#suspended.add(process);
          suspend();
        };
        process.resume = () => {
          this.#suspended.delete(process);
          resume();
        };
        return process;
      },
    };
  }
}

describeRunner('fork', () => new ForkHarness());
