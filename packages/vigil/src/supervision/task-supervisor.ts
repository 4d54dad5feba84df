import {
  checkFunction,
  checkMethods,
  checkObject,
  type Environment,
  errorOf,
  type ExitReason,
  failFast,
  type VigilError,
} from '../core/index.js';
import { type Down, type ProcessContext, type ProcessRef, StopRequest } from '../processes/index.js';
import type { SupervisionDefaults } from './child-spec.js';
import { DynamicSupervisor, type DynamicSupervisorOptions } from './dynamic-supervisor.js';

/** One-off work: what it returns is its result. */
export type TaskFunction<T> = (context: ProcessContext) => T | Promise<T>;

export interface RunTaskOptions {
  /** The process that wants the result: when it ends, the task is stopped. */
  readonly owner?: ProcessRef | undefined;
}

type Job = (context: ProcessContext) => Promise<void>;

const checkWork = checkFunction<Job>();

/**
 * Runs functions once, each as a temporary child, and gives their results to those who asked. A crash is seen and reported
 * like that of any child, and the caller gets the error.
 *
 * @see Elixir `Task.Supervisor`
 */
export class TaskSupervisor extends DynamicSupervisor<unknown, Job> {
  /** @throws {VigilError} `InvalidConfiguration` that names the option. */
  constructor(options: DynamicSupervisorOptions, environment: Environment, defaults?: SupervisionDefaults, parentPath?: string) {
    super(
      { id: 'task', restartType: 'temporary', startFn: (context) => context.args(context) },
      options,
      environment,
      defaults,
      parentPath,
    );
  }

  /**
   * Runs a function and resolves with its result.
   *
   * @throws what the function throws; {VigilError} `ProcessNotFound` when the task was stopped or killed before it had a result,
   *   `TooManyChildren` at `maxChildren`, `InvalidState` when the supervisor does not run.
   */
  run<T>(work: TaskFunction<T>, options: RunTaskOptions = {}): Promise<T> {
    return new Promise((resolve, reject) => {
      checkWork('work', work);
      const { owner } = checkRunOptions(options);
      const job: Job = async (context) => {
        try {
          resolve(await work(context));
        } catch (error) {
          // Asked to stop, it has no result: its end says so.
          if (!(error instanceof StopRequest)) reject(error);
          throw error;
        }
      };
      this.#start(job, owner, reject).catch(reject);
    });
  }

  async #start(job: Job, owner: ProcessRef | undefined, reject: (error: unknown) => void): Promise<void> {
    const ref = await this.startChild(job);
    if (owner !== undefined) void this.#stopWith(owner, ref);
    const { reason } = await ref.monitor().down;
    reject(withoutResult(ref, reason));
  }

  async #stopWith(owner: ProcessRef, task: ProcessRef): Promise<void> {
    const watch = owner.monitor();
    void task.monitor().down.then(() => watch.demonitor());
    await watch.down;
    // It may have ended in this very moment, or the supervisor may be stopping it already.
    await this.terminateChild(task).catch(() => {});
  }
}

function checkRunOptions(options: RunTaskOptions): RunTaskOptions {
  checkObject('run options', options);
  if (options.owner !== undefined) checkMethods('owner', options.owner, ['isAlive', 'monitor']);
  return options;
}

function withoutResult(ref: ProcessRef, reason: Down['reason']): VigilError {
  const cause = reason.kind === 'noproc' ? undefined : errorOf(reason satisfies ExitReason);
  return failFast('ProcessNotFound', `task "${ref.id}" ended without a result: ${reason.kind}`, { cause });
}
