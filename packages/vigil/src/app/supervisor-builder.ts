import { checkCount, checkName, checkObject, type Environment, optional } from '../core/index.js';
import type { Runner } from '../processes/index.js';
import {
  type AutoShutdown,
  type ChildOptions,
  type ChildSpec,
  type CrashHandler,
  checkChildSpecs,
  duplicateChild,
  type RestartDelay,
  type RestartStrategy,
  type RunnerSource,
  type Startable,
  type SupervisionDefaults,
  Supervisor,
  type SupervisorOptions,
  SupervisorRunner,
} from '../supervision/index.js';

/**
 * Collects what a supervisor is made of. Every method returns the builder; `build()` may be called again and makes
 * independent supervisors.
 *
 * A builder is also a child: added to another supervisor, it is built anew at each start, on the parent's runtime and with the
 * parent's defaults.
 */
export class SupervisorBuilder implements RunnerSource {
  readonly #environment: Environment;
  readonly #children: ChildSpec[] = [];
  readonly #ids = new Set<string>();
  #options: SupervisorOptions = {};

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** Default `'supervisor'`; below another supervisor its child id. */
  name(name: string): this {
    return this.#set({ name });
  }

  /** Default `'one_for_one'`. */
  strategy(strategy: RestartStrategy): this {
    return this.#set({ strategy });
  }

  /** Restarts that are allowed within `maxSeconds`; default 3. */
  maxRestarts(count: number): this {
    return this.#set({ maxRestarts: count });
  }

  /** Length of the sliding window in seconds; default 5. */
  maxSeconds(seconds: number): this {
    return this.#set({ maxSeconds: seconds });
  }

  /** How long to wait before children are restarted, unless they say otherwise; default: not at all. */
  restartDelay(delay: RestartDelay): this {
    return this.#set({ restartDelay: delay });
  }

  /** Whether the end of significant children ends the supervisor; default `'never'`. */
  autoShutdown(autoShutdown: AutoShutdown): this {
    return this.#set({ autoShutdown });
  }

  /** Called for each abnormal end of a child, before its restart. */
  onCrash(handler: CrashHandler): this {
    return this.#set({ onCrash: handler });
  }

  /** Whether the supervisor reports to telemetry; default true. */
  withTelemetry(enabled: boolean): this {
    return this.#set({ telemetry: enabled });
  }

  /** Whether the supervisor keeps Node alive while it runs; default true. */
  keepAlive(enabled: boolean): this {
    return this.#set({ keepAlive: enabled });
  }

  /**
   * Adds a child at the end of the start order.
   *
   * @throws {VigilError} `InvalidConfiguration` that names the option, `AlreadyMonitoring` when the id is taken. Nothing is added then.
   */
  child<TMessage, TArgs>(id: string, startFn: Startable<TMessage, TArgs>, options?: ChildOptions<TArgs>): this {
    return this.#add([childSpec(id, startFn, options)]);
  }

  /** The reference's name for `child` with options. */
  childWithOptions<TMessage, TArgs>(id: string, startFn: Startable<TMessage, TArgs>, options: ChildOptions<TArgs>): this {
    return this.child(id, startFn, options);
  }

  /** Adds `count` children that do the same, `prefix_0` first; 0 adds none. Throws as `child`, and then adds none. */
  childPool<TMessage, TArgs>(prefix: string, startFn: Startable<TMessage, TArgs>, count: number, options?: ChildOptions<TArgs>): this {
    return this.#add(poolSpecs(prefix, startFn, count, options));
  }

  /** @throws {VigilError} `InvalidConfiguration` that names the option. */
  build(): Supervisor {
    return new Supervisor(this.#toOptions(), this.#environment);
  }

  asRunner(defaults: SupervisionDefaults): Runner {
    // Built once for its checks: a mistake in it shows where the tree is written, not where it starts.
    void new Supervisor(this.#toOptions(), this.#environment, defaults);
    const options: SupervisorOptions = { ...this.#toOptions(), keepAlive: false };
    return new SupervisorRunner(
      (host, id) => new Supervisor({ ...options, name: options.name ?? id }, host.environment, defaults, host.path),
    );
  }

  #toOptions(): SupervisorOptions {
    return { ...this.#options, children: [...this.#children] };
  }

  #set(options: SupervisorOptions): this {
    this.#options = { ...this.#options, ...options };
    return this;
  }

  #add(specs: readonly ChildSpec[]): this {
    checkChildSpecs(specs);
    for (const { id } of specs) if (this.#ids.has(id)) throw duplicateChild(id, 'present');
    for (const spec of specs) {
      this.#ids.add(spec.id);
      this.#children.push(spec);
    }
    return this;
  }
}

export function childSpec<TMessage, TArgs>(
  id: string,
  startFn: Startable<TMessage, TArgs>,
  options: ChildOptions<TArgs> | undefined,
): ChildSpec {
  return { ...optional(checkObject)('child options', options), id, startFn };
}

/** The specs of a pool: children that differ only in their number. */
export function poolSpecs<TMessage, TArgs>(
  prefix: string,
  startFn: Startable<TMessage, TArgs>,
  count: number,
  options: ChildOptions<TArgs> | undefined,
): ChildSpec[] {
  checkName('prefix', prefix);
  checkCount('count', count);
  return Array.from({ length: count }, (_, index) => childSpec(`${prefix}_${index}`, startFn, options));
}
