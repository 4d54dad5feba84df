import {
  type Check,
  checkName,
  checkObject,
  checkOr,
  checkPositiveNumber,
  describeExit,
  type Environment,
  errorOf,
  type ExitReason,
  invalidOption,
  isAbnormal,
  isVigilError,
  KILLED,
  type MailboxOptions,
  MailboxSettings,
  settledWithin,
  VigilError,
} from '../core/index.js';
import {
  type ArgsOf,
  type LoadedBy,
  LocalProcess,
  type Process,
  type ProcessBody,
  type ProcessHost,
  type ProcessRef,
  type Runner,
  TaskRunner,
} from '../processes/index.js';
import { makeHandle, type ServerHandle } from './server-handle.js';

export interface StartServerOptions<TArgs = unknown> {
  /** What it is called in reports; default `'server'`. */
  readonly id?: string | undefined;
  /** A name to register before it starts. */
  readonly name?: string | undefined;
  /** What `init` gets; default those of the `thread` or `fork`. */
  readonly args?: TArgs | undefined;
  /** Milliseconds until `init` must be done, or `'infinity'`; default 30,000. */
  readonly startTimeoutMs?: number | 'infinity' | undefined;
  readonly inbox?: MailboxOptions | undefined;
}

/** A server that was started without a supervisor. */
export interface StartedServer<M> extends ServerHandle<M>, AsyncDisposable {
  readonly ref: ProcessRef;
  /** Ends it without asking; `terminate` does not run. */
  kill(): void;
}

/** A server, or a runner of a module whose default export is one. */
export type ServerStart = ProcessBody<unknown, never> | Runner;

/** What `init` of a server takes. */
export type ArgsOfStart<T> = T extends LoadedBy<infer M> & Runner ? ArgsOf<M> : ArgsOf<{ readonly default: T }>;

/** What a handle is typed by. */
export type ServedBy<T> = T extends LoadedBy<infer M> & Runner ? M : T;

const DEFAULT_START_TIMEOUT_MS = 30_000;

const checkStartTimeout: Check<number | 'infinity'> = (name, value) => (value === 'infinity' ? value : checkPositiveNumber(name, value));

/** One process without a supervisor: its crash is logged, and whoever monitors it hears of it. */
class LoneHost implements ProcessHost {
  readonly path = 'servers';
  readonly environment: Environment;
  readonly started: Promise<'ready' | 'ignored' | ExitReason>;
  /** When nothing of it runs or has a name any more. */
  readonly exited: Promise<void>;
  readonly #release: (() => Promise<void>) | undefined;
  #settle: (how: 'ready' | 'ignored' | ExitReason) => void = () => {};
  #settleExited: () => void = () => {};
  #isReady = false;

  constructor(environment: Environment, runner: Runner) {
    this.environment = environment;
    this.#release = runner.hold?.();
    this.started = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.exited = new Promise((resolve) => {
      this.#settleExited = resolve;
    });
  }

  processReady(): void {
    this.#isReady = true;
    this.#settle('ready');
  }

  processIgnored(): void {
    this.#settle('ignored');
  }

  processExited(process: Process, reason: ExitReason): void {
    void this.#release?.();
    this.#settle(reason);
    this.#settleExited();
    if (this.#isReady && isAbnormal(reason) && reason.kind !== 'killed') {
      this.environment.log.error(`process "${process.ref.id}", which has no supervisor, ${describeExit(reason)}`, errorOf(reason));
    }
  }

  processNotified(): void {}
}

/**
 * Starts a server without a supervisor, and resolves when its `init` is done. It does not keep Node alive. A start that fails is heard of
 * when nothing of it runs and its names are free.
 *
 * @throws {VigilError} `AlreadyRegistered` when its name is taken, with the holder in `details.holder`; `ProcessStartFailed` when `init`
 *   throws or declines, with the error as `cause`; `OperationTimeout` when `init` takes too long, and what it still does has no effect;
 *   `InvalidConfiguration` that names the option.
 */
export async function startServer<M>(
  environment: Environment,
  start: ServerStart,
  options: StartServerOptions = {},
): Promise<StartedServer<M>> {
  checkObject('server options', options);
  const runner = runnerOf(start);
  const id = checkOr(checkName, 'id', options.id, options.name ?? 'server');
  const timeoutMs = checkOr(checkStartTimeout, 'startTimeoutMs', options.startTimeoutMs, DEFAULT_START_TIMEOUT_MS);
  const name = checkOr(checkName, 'name', options.name, '');
  const inbox = new MailboxSettings(options.inbox);
  const host = new LoneHost(environment, runner);
  const process = runner.create(
    {
      id,
      args: options.args === undefined ? runner.args : options.args,
      readiness: 'explicit',
      inbox,
      healthCheckIntervalMs: 5000,
      maxMemoryBytes: undefined,
      maxBlockedMs: undefined,
      priority: 'normal',
    },
    1,
    host,
  );
  try {
    if (name !== '' && process instanceof LocalProcess) process.register(name);
    process.start();
    checkStarted(id, await startedWithin(host, timeoutMs));
  } catch (error) {
    process.kill(KILLED);
    await host.exited;
    throw error;
  }
  return started<M>(environment, process);
}

async function startedWithin(host: LoneHost, timeoutMs: number | 'infinity'): Promise<'ready' | 'ignored' | ExitReason> {
  if (timeoutMs === 'infinity') return host.started;
  const outcome = await settledWithin(host.started, timeoutMs, host.environment.clock);
  if (outcome === undefined) throw new VigilError('OperationTimeout', `the server did not start within ${timeoutMs} ms`);
  return outcome.value;
}

function checkStarted(id: string, how: 'ready' | 'ignored' | ExitReason): void {
  if (how === 'ready') return;
  if (how === 'ignored') throw new VigilError('ProcessStartFailed', `server "${id}" declined to start`, { details: { id, ignored: true } });
  const cause = errorOf(how);
  if (isVigilError(cause, 'AlreadyRegistered')) throw cause;
  throw new VigilError('ProcessStartFailed', `server "${id}" did not start: ${describeExit(how)}`, { cause, details: { id, reason: how } });
}

function started<M>(environment: Environment, process: Process): StartedServer<M> {
  const { ref } = process;
  const handle = makeHandle<M>(environment, () => ref);
  return Object.assign(handle, {
    ref,
    kill: () => process.kill(),
    async [Symbol.asyncDispose](): Promise<void> {
      if (ref.isAlive()) await handle.stop();
    },
  });
}

function runnerOf(start: ServerStart): Runner {
  if (typeof start === 'function') return new TaskRunner(start);
  if (typeof start === 'object' && start !== null && typeof start.create === 'function') return start;
  throw invalidOption('server', 'a server or a runner of its module', start);
}
