import type { Process, ProcessHost, ProcessLimit, ProcessSettings, Readiness, Runner } from '../runner.js';
import { type CommandOptions, type CompleteCommandOptions, completeCommandOptions } from './command-options.js';
import { CommandProcess } from './command-process.js';

/** Runs a program of the operating system. @see command */
export class CommandRunner<TArgs = unknown> implements Runner<TArgs> {
  readonly kind = 'command';
  readonly obeys: readonly ProcessLimit[] = ['maxMemoryBytes', 'priority'];
  readonly readiness: Readiness;
  readonly #options: CompleteCommandOptions;

  /** @throws {VigilError} `InvalidConfiguration` that names the option. */
  constructor(program: string, args: readonly string[] = [], options: CommandOptions = {}) {
    this.#options = completeCommandOptions(program, args, options);
    this.readiness = this.#options.readyWhen === undefined ? 'immediate' : 'explicit';
  }

  create(settings: ProcessSettings<TArgs>, incarnation: number, host: ProcessHost): Process {
    return new CommandProcess(this.#options, settings, incarnation, host);
  }
}

/**
 * A child that is any program, in a process group of its own which ends with it.
 *
 * An exit code of `normalExitCodes` is exit `normal`, any other code or signal a crash with `AbnormalExit`, which quotes the last lines of
 * standard error. Asked to stop, it gets what is still queued for it, the end of its input and `stopSignal`; when it ends by that, or
 * with a normal code, that is `shutdown`. What does not start for want of a program, a right or a directory has failed to start.
 *
 * The lines of its output are logged. It finds its id, its incarnation and, as JSON, its `args` in the environment variables
 * `VIGIL_CHILD_ID`, `VIGIL_INCARNATION` and `VIGIL_ARGS`.
 *
 * @param program - a path, or a name that is looked up in the `PATH`. No shell reads it, or its arguments.
 * @throws {VigilError} `InvalidConfiguration` that names the option.
 * @example supervisor.child('encoder', vigil.command('ffmpeg', ['-i', 'in.mp4', 'out.webm'], { readyWhen: 'Press [q] to stop' }))
 */
export function command(program: string, args?: readonly string[], options?: CommandOptions): CommandRunner {
  return new CommandRunner(program, args, options);
}
