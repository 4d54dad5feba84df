import { checkObject, type Environment, type ExitReason, guardedLogger, type Logger, silentLogger, VigilError } from '../core/index.js';
import {
  type ChildOptions,
  type ChildSpec,
  type CrashHandler,
  duplicateChild,
  type RestartStrategy,
  type Startable,
  type SupervisionDefaults,
  Supervisor,
  type SupervisorInfo,
} from '../supervision/index.js';
import { type RunOptions, runProgram } from './run-program.js';
import type { ShutdownManager } from './shutdown-manager.js';
import { childSpec, poolSpecs } from './supervisor-builder.js';

export interface AppOptions {
  /** What reports and trees call it; default `'app'`. */
  readonly name?: string | undefined;
  /** Default `'one_for_one'`. */
  readonly strategy?: RestartStrategy | undefined;
  readonly onCrash?: CrashHandler | undefined;
  /** Where warnings and crash reports of its tree go; default: the runtime's logger, or `console` if that has none. `false`: nowhere. */
  readonly log?: Logger | false | undefined;
  /** Whether it keeps Node alive while it runs; default true. */
  readonly keepAlive?: boolean | undefined;
}

/**
 * An application: one supervision tree with a name, a log and an orderly end.
 *
 * Its root supervisor and all below it use the figures of its preset wherever they were told nothing.
 */
export class App {
  readonly #root: Supervisor;
  readonly #environment: Environment;
  readonly #shutdownManager: ShutdownManager;
  readonly #ids = new Set<string>();
  #isOver = false;

  /** @throws {VigilError} `InvalidConfiguration` that names the option. */
  constructor(options: AppOptions, defaults: SupervisionDefaults, environment: Environment, shutdownManager: ShutdownManager) {
    checkObject('app options', options);
    const { log, name = 'app', ...rest } = options;
    this.#environment = { ...environment, log: chooseLog(log, environment.log) };
    this.#shutdownManager = shutdownManager;
    this.#root = new Supervisor({ ...rest, name }, this.#environment, defaults);
  }

  /** Settles when the tree has ended, by request or because it gave up. @see Supervisor.exited */
  get exited(): Promise<ExitReason> {
    return this.#root.exited;
  }

  /** The root of the tree: to look at, and to start and stop children while it runs. */
  get root(): Supervisor {
    return this.#root;
  }

  /**
   * Adds a worker: a body, a process of another kind, or a supervisor with workers of its own.
   *
   * @throws {VigilError} `InvalidConfiguration` for a bad option, `AlreadyMonitoring` for a taken id, `InvalidState` after the
   *   start or `shutdown()`.
   */
  worker<TMessage, TArgs>(id: string, startFn: Startable<TMessage, TArgs>, options?: ChildOptions<TArgs>): this {
    return this.#add([childSpec(id, startFn, options)]);
  }

  /** Adds `count` workers that do the same, `prefix_0` first; 0 adds none. Throws as `worker`, and then adds none. */
  workerPool<TMessage, TArgs>(prefix: string, startFn: Startable<TMessage, TArgs>, count: number, options?: ChildOptions<TArgs>): this {
    return this.#add(poolSpecs(prefix, startFn, count, options));
  }

  /**
   * Starts the tree. From then on the runtime's shutdown stops it, in its place among the hooks.
   *
   * @throws {VigilError} as `Supervisor.start`; `InvalidState` after `shutdown()`, or once the runtime's shutdown has begun.
   */
  async start(): Promise<void> {
    this.#refuseIfOver();
    const withdraw = this.#shutdownManager.onShutdown(() => this.shutdown());
    try {
      await this.#root.start();
    } catch (error) {
      withdraw();
      throw error;
    }
    // A tree that has ended, by request or by itself, is no business of the shutdown any more.
    void this.#root.exited.then(withdraw);
  }

  /** Stops the tree, the last child first. May be called at any time and again. */
  async shutdown(): Promise<void> {
    this.#isOver = true;
    await this.#root.stop();
  }

  /**
   * Runs the app as the program: starts it unless it was started, waits for SIGINT, SIGTERM or the tree's end, runs the runtime's shutdown hooks (the app's
   * own among them), and ends Node. Exit code 0 after a signal, 1 when the app did not start, gave up, or an exception came from
   * nowhere; a second signal ends Node at once.
   *
   * @throws {VigilError} `InvalidConfiguration` that names the option.
   */
  async run(options: RunOptions = {}): Promise<void> {
    const start = () => (this.#root.state === 'idle' ? this.start() : Promise.resolve());
    await runProgram({ start, exited: this.exited }, this.#shutdownManager, this.#environment.log, options);
  }

  inspect(): SupervisorInfo {
    return this.#root.inspect();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  /** Adds all of them or none. */
  #add(specs: readonly ChildSpec[]): this {
    this.#refuseIfOver();
    for (const { id } of specs) if (this.#ids.has(id)) throw duplicateChild(id, 'present');
    for (const spec of specs) {
      this.#root.addChild(spec);
      this.#ids.add(spec.id);
    }
    return this;
  }

  #refuseIfOver(): void {
    if (this.#isOver) throw new VigilError('InvalidState', `app "${this.#root.name}" was shut down; make a new one`);
  }
}

function chooseLog(log: Logger | false | undefined, inherited: Logger): Logger {
  if (log === false) return silentLogger;
  if (log === undefined) return inherited === silentLogger ? guardedLogger(console) : inherited;
  return guardedLogger(log);
}
