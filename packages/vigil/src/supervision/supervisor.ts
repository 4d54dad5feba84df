import { checkBoolean, checkCount, checkName, checkObject, checkOr, type Environment, type VigilError } from '../core/index.js';
import type { ProcessRef } from '../processes/index.js';
import { Child } from './child.js';
import {
  type ChildSpec,
  type CompleteChildSpec,
  completeChildSpec,
  DEFAULTS,
  duplicateChild,
  type SupervisionDefaults,
} from './child-spec.js';
import { planRestart, type RestartPlan } from './restart-plan.js';
import type { ChildCounts, ChildRow } from './supervision-tree.js';
import { isTurnDue, SupervisorCore } from './supervisor-core.js';
import {
  checkSignificance,
  completeChildren,
  completeLifecycleOptions,
  type LifecycleSettings,
  type SupervisorOptions,
} from './supervisor-options.js';

/**
 * Starts children in order, restarts them by a strategy when they end, and stops them in reverse order, one after the other,
 * each within its own shutdown time.
 *
 * Every start begins with the children it was given before its first start; those added later are gone with a stop.
 *
 * @see OTP `supervisor`
 */
export class Supervisor extends SupervisorCore {
  readonly #options: SupervisorOptions;
  /** As they were given; `#specs` is what they come to with the defaults of its place in the tree. */
  readonly #given: ChildSpec[];
  #settings: LifecycleSettings;
  #specs: CompleteChildSpec[];

  /**
   * @param defaults - what it and its children use where they were told nothing.
   * @throws {VigilError} `InvalidConfiguration` that names the option, `AlreadyMonitoring` for two children with one id.
   */
  constructor(options: SupervisorOptions, environment: Environment, defaults: SupervisionDefaults = DEFAULTS, parentPath = '') {
    const settings = completeLifecycleOptions(options, defaults);
    super(settings, environment, parentPath);
    const { children = [] } = options;
    this.#options = options;
    this.#settings = settings;
    this.#specs = completeChildren(children, settings);
    this.#given = [...children];
  }

  /**
   * Adds a child that every start begins with; only before the first start. Use `startChild` on a running supervisor.
   *
   * @throws {VigilError} `InvalidConfiguration` for a bad spec, `AlreadyMonitoring` for a taken id, `InvalidState` after the start.
   */
  addChild<TMessage, TArgs>(spec: ChildSpec<TMessage, TArgs>): this {
    if (this.state !== 'idle') throw this.invalidState('takes its first children only before it starts');
    const complete = this.#completeSpec(spec);
    if (this.#specs.some(({ id }) => id === complete.id)) throw duplicateChild(complete.id, 'present');
    this.#specs.push(complete);
    this.#given.push(spec);
    return this;
  }

  /**
   * Starts one more child, at the end of the order. It belongs to the strategy like the others, until the supervisor stops.
   *
   * @returns the started incarnation; one that has ended already when the child declined to start.
   * @throws {VigilError} `InvalidConfiguration` for a bad spec; `AlreadyMonitoring` when the id is taken, with `details.state` and,
   *   when it runs, `details.ref`; `ProcessStartFailed` when it did not start, and then it is forgotten; `InvalidState` when
   *   the supervisor does not run.
   */
  startChild<TMessage, TArgs>(spec: ChildSpec<TMessage, TArgs>): Promise<ProcessRef<TMessage>> {
    return this.request(async () => {
      const complete = this.#completeSpec(spec);
      const present = this.children.get(complete.id);
      if (present !== undefined) throw alreadyThere(present);
      return (await this.admit(new Child(complete, this))).ref;
    });
  }

  /**
   * Stops a child and keeps its spec, or forgets it if it is temporary. Ends a loop of restarts, too.
   *
   * @throws {VigilError} `ChildNotFound`, `InvalidState` when the supervisor does not run.
   */
  terminateChild(id: string): Promise<void> {
    if (this.state === 'running') this.children.get(id)?.cancelStart();
    return this.request(async () => {
      const child = this.find(id);
      await this.stopChild(child);
      if (!this.keepsEnded(child)) this.forget(child);
    });
  }

  /**
   * Restarts one child, whether it runs or not, without touching the others and without using the budget.
   *
   * @param options - `onlyIfStopped` refuses a child that runs, as OTP does.
   * @throws {VigilError} `ChildNotFound`; `InvalidState` when the child is being restarted already, when it runs and must
   *   not, or when the supervisor does not run; `ProcessStartFailed` when it did not start, and then it stays stopped.
   */
  restartChild(id: string, options: { readonly onlyIfStopped?: boolean } = {}): Promise<ProcessRef> {
    return this.request(async () => {
      checkObject('restart options', options);
      const onlyIfStopped = checkOr(checkBoolean, 'onlyIfStopped', options.onlyIfStopped, false);
      const child = this.find(id);
      if (child.phase.kind !== 'stopped' && (child.phase.kind !== 'running' || onlyIfStopped)) throw this.refusal(child);
      return (await this.restartOnRequest(child)).ref;
    });
  }

  /**
   * Forgets a stopped child, so that its id is free.
   *
   * @throws {VigilError} `ChildNotFound`, `InvalidState` when it runs or is being restarted, or the supervisor does not run.
   */
  deleteChild(id: string): Promise<void> {
    return this.request(async () => {
      const child = this.find(id);
      if (child.phase.kind !== 'stopped') throw this.refusal(child);
      this.forget(child);
    });
  }

  /**
   * Brings the number of workers `prefix_0`, `prefix_1`, … to `count`: the highest numbers are stopped and deleted, or the next ones
   * are started after the spec of the first. After a restart of the supervisor their number is the original one again.
   *
   * @throws {VigilError} `ChildNotFound` when there is no such worker, nor one that every start begins with; `ProcessStartFailed`, and then the workers before the one
   *   that did not start stay; `InvalidConfiguration`, `InvalidState`.
   */
  scaleWorkers(prefix: string, count: number): Promise<void> {
    return this.request(async () => {
      checkName('prefix', prefix);
      checkCount('count', count);
      const workers = this.#workersOf(prefix);
      const template = workers[0]?.spec ?? this.#specs.find(({ id }) => numberOf(id, prefix) !== undefined);
      if (template === undefined) throw this.notFound(`${prefix}_0`);
      for (const worker of workers.slice(count).toReversed()) {
        this.checkRunning();
        await this.stopChild(worker);
        this.forget(worker);
      }
      const numbers = new Set(workers.slice(0, count).map(({ spec }) => numberOf(spec.id, prefix)));
      for (let number = 0; numbers.size < count; number += 1) {
        if (numbers.has(number)) continue;
        if (isTurnDue(numbers.size)) await this.nextTurn();
        await this.admit(new Child({ ...template, id: `${prefix}_${number}` }, this));
        numbers.add(number);
      }
    });
  }

  /** Lets a running child handle no more messages until `resumeChild`. No effect on one that is suspended. Throws as `terminateChild`. */
  suspendChild(id: string): Promise<void> {
    return this.request(async () => this.suspend(this.find(id)));
  }

  /** Lets a suspended child go on. No effect on one that is not suspended. Throws as `terminateChild`. */
  resumeChild(id: string): Promise<void> {
    return this.request(async () => this.resume(this.find(id)));
  }

  /**
   * One row a child, in start order, between two things that the supervisor does; while it stops, at once.
   *
   * @throws {VigilError} `InvalidState` when it was not started or has stopped.
   */
  whichChildren(): Promise<ChildRow[]> {
    return this.question(() => Array.from(this.children.values(), (child) => child.row()));
  }

  /** Answers when `whichChildren` does, and throws as it does. */
  countChildren(): Promise<ChildCounts> {
    return this.question(() => ({ specs: this.children.size, ...this.tally() }));
  }

  /** The spec of a child with all defaults filled in. Answers when `whichChildren` does; throws as it does, and `ChildNotFound`. */
  getChildSpec(id: string): Promise<CompleteChildSpec> {
    return this.question(() => this.find(id).spec);
  }

  protected settle(defaults: SupervisionDefaults, name: string): LifecycleSettings {
    this.#settings = completeLifecycleOptions(this.#options, defaults, name);
    this.#specs = completeChildren(this.#given, this.#settings);
    return this.#settings;
  }

  protected firstChildren(): readonly CompleteChildSpec[] {
    return this.#specs;
  }

  protected planOf(failed: Child): RestartPlan<Child> {
    return planRestart(this.children.values(), failed, this.#settings.strategy);
  }

  protected async stopChildren(): Promise<void> {
    for (const child of this.inStopOrder()) await this.stopChild(child);
  }

  #workersOf(prefix: string): Child[] {
    const workers = [...this.children.values()].filter(({ spec }) => numberOf(spec.id, prefix) !== undefined);
    return workers.toSorted((a, b) => (numberOf(a.spec.id, prefix) ?? 0) - (numberOf(b.spec.id, prefix) ?? 0));
  }

  #completeSpec(spec: ChildSpec): CompleteChildSpec {
    const complete = completeChildSpec(spec, this.#settings.defaults);
    checkSignificance(complete, this.#settings.autoShutdown);
    return complete;
  }
}

/** The number of a worker `prefix_number`; `undefined` for any other id. */
function numberOf(id: string, prefix: string): number | undefined {
  const digits = id.startsWith(`${prefix}_`) ? id.slice(prefix.length + 1) : '';
  return /^(0|[1-9]\d*)$/.test(digits) ? Number(digits) : undefined;
}

function alreadyThere(child: Child): VigilError {
  return child.phase.kind === 'running'
    ? duplicateChild(child.spec.id, 'running', { ref: child.ref })
    : duplicateChild(child.spec.id, 'present');
}
