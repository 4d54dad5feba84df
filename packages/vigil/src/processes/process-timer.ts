import { type Cancel, Timer, type TimerOptions } from '../core/index.js';
import type { ProcessRef } from './runner.js';

/** Timers of a process: what waits when it ends is cancelled. */
export class ProcessTimer extends Timer {
  readonly #process: { stop(): void; kill(): void };

  constructor(environment: ConstructorParameters<typeof Timer>[0], ref: ProcessRef, process: { stop(): void; kill(): void }) {
    super(environment, ref);
    this.#process = process;
  }

  /**
   * Asks the process to stop later, as its supervisor would; it ends with `shutdown`.
   *
   * @throws {VigilError} `InvalidConfiguration` for a delay that is none.
   * @see Erlang `timer:exit_after/2`
   */
  exitAfter(delayMs: number, options?: TimerOptions): Cancel {
    return this.setTimeout(delayMs, () => this.#process.stop(), options);
  }

  /**
   * Ends the process later without asking: `killed`.
   *
   * @throws {VigilError} `InvalidConfiguration` for a delay that is none.
   * @see Erlang `timer:kill_after/1`
   */
  killAfter(delayMs: number, options?: TimerOptions): Cancel {
    return this.setTimeout(delayMs, () => this.#process.kill(), options);
  }
}
