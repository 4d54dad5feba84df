import type { Runtime, SupervisorBuilder } from '../app/index.js';
import { checkFunction, checkName, describeValue, optional, VigilError } from '../core/index.js';
import type { ProcessBody, ProcessContext } from '../processes/index.js';
import type { ChildOptions, RestartStrategy, Supervisor } from '../supervision/index.js';
import type { VirtualClock } from './virtual-clock.js';

export interface MockSupervisorOptions {
  /** Default `'supervisor'`. */
  readonly name?: string | undefined;
  /** Default `'one_for_one'`. */
  readonly strategy?: RestartStrategy | undefined;
  /** Restarts that are allowed within `maxSeconds`; default 3. */
  readonly maxRestarts?: number | undefined;
  /** Default 5. */
  readonly maxSeconds?: number | undefined;
}

const checkBody = optional(checkFunction<ProcessBody>());

/**
 * A supervisor whose children end when the test says so. It is a real one, with real restarts, on the clock of the test; its children enter
 * their bodies, but stay when those return.
 */
export class MockSupervisor {
  readonly #builder: SupervisorBuilder;
  readonly #clock: VirtualClock;
  /** How to end the incarnation that runs, by child. */
  readonly #ends = new Map<string, (error: unknown) => void>();
  #added = 0;
  #supervisor: Supervisor | undefined;

  /** @internal `TestContext.mockSupervisor` makes them. */
  constructor(options: MockSupervisorOptions, runtime: Runtime, clock: VirtualClock) {
    const { name, strategy, maxRestarts, maxSeconds } = options;
    this.#builder = runtime.supervisor();
    if (name !== undefined) this.#builder.name(name);
    if (strategy !== undefined) this.#builder.strategy(strategy);
    if (maxRestarts !== undefined) this.#builder.maxRestarts(maxRestarts);
    if (maxSeconds !== undefined) this.#builder.maxSeconds(maxSeconds);
    this.#clock = clock;
  }

  /** The supervisor itself, once it was started. @throws {VigilError} `InvalidState` before that. */
  get supervisor(): Supervisor {
    if (this.#supervisor === undefined) throw new VigilError('InvalidState', 'the mock supervisor was not started');
    return this.#supervisor;
  }

  /**
   * @param body - what each incarnation does at its start; default: nothing.
   * @throws {VigilError} `AlreadyMonitoring` for an id that it has, `InvalidState` once it was started, `InvalidConfiguration`.
   */
  addChild<TMessage = unknown, TArgs = unknown>(id: string, body?: ProcessBody<TMessage, TArgs>, options?: ChildOptions): this {
    checkName('id', id);
    checkBody('body', body);
    if (this.#supervisor !== undefined) throw new VigilError('InvalidState', `mock supervisor: child "${id}" comes after the start`);
    const live = async (ctx: ProcessContext<TMessage, TArgs>): Promise<void> => {
      const failed = new Promise<never>((_, reject) => this.#ends.set(id, reject));
      await Promise.race([failed, ctx.stopped, Promise.resolve(body?.(ctx)).then(() => ctx.stopped)]);
    };
    this.#builder.child(id, live, options);
    this.#added += 1;
    return this;
  }

  /** @throws {VigilError} `InvalidConfiguration` that names the option; what `start` of a supervisor throws. */
  async start(): Promise<void> {
    this.#supervisor ??= this.#builder.build();
    await this.#supervisor.start();
  }

  /**
   * Makes the running incarnation of a child crash, and waits until everything that needs no time has followed from it.
   *
   * @param error - with which it crashes; default: an error that says so.
   * @throws {VigilError} `ChildNotFound` when there is no such child, `InvalidState` when it does not run.
   */
  async failChild(id: string, error: unknown = new Error(`the test made child ${describeValue(id)} fail`)): Promise<void> {
    const info = this.supervisor.getChildInfo(id);
    if (info === undefined) throw new VigilError('ChildNotFound', `the mock supervisor has no child "${id}"`);
    const end = this.#ends.get(id);
    if (info.ref?.isAlive() !== true || end === undefined) throw new VigilError('InvalidState', `child "${id}" does not run`);
    end(error);
    await this.#clock.advance(0);
  }

  /** Stops it and its children. */
  async stop(): Promise<void> {
    await this.#supervisor?.stop();
  }

  /** Restarts since the start; 0 before it. */
  getRestartCount(): number {
    return this.#supervisor?.inspect().totalRestarts ?? 0;
  }

  /** Children that it has now, running or not; before the start, those that were added. */
  childCount(): number {
    return this.#supervisor?.inspect().childCount ?? this.#added;
  }
}
