import { checkCount, checkMethods, checkObject, type Environment, failFast, type VigilError } from '../core/index.js';
import type { ProcessRef } from '../processes/index.js';
import { Child } from './child.js';
import { type ChildSpec, type CompleteChildSpec, completeChildSpec, DEFAULTS, type SupervisionDefaults } from './child-spec.js';
import type { RestartPlan } from './restart-plan.js';
import type { ChildCounts, ChildRow } from './supervision-tree.js';
import { SupervisorCore } from './supervisor-core.js';
import { checkSignificance, completeLifecycleOptions, type LifecycleOptions, type LifecycleSettings } from './supervisor-options.js';

/** How all children of a dynamic supervisor are started: a child spec whose `id` (default `'child'`) begins their ids, and whose args each start brings. */
export type ChildTemplate<TMessage = unknown, TArgs = unknown> = Omit<ChildSpec<TMessage, TArgs>, 'id' | 'args'> & {
  readonly id?: string | undefined;
};

export interface DynamicSupervisorOptions extends LifecycleOptions {
  /** Children that there can be at a time, those being restarted included; default: no limit. */
  readonly maxChildren?: number | undefined;
}

/**
 * Starts any number of children of one kind, when they are asked for. Each is restarted by itself; one that has ended for good is
 * forgotten. A stop asks all of them at once and kills at one common deadline whoever has not ended.
 *
 * @see OTP `supervisor` with `simple_one_for_one`, Elixir `DynamicSupervisor`
 */
export class DynamicSupervisor<TMessage = unknown, TArgs = unknown> extends SupervisorCore {
  readonly #given: ChildTemplate<TMessage, TArgs>;
  readonly #options: DynamicSupervisorOptions;
  #template: CompleteChildSpec;
  readonly #maxChildren: number;
  #started = 0;

  /** @throws {VigilError} `InvalidConfiguration` that names the option. */
  constructor(
    template: ChildTemplate<TMessage, TArgs>,
    options: DynamicSupervisorOptions,
    environment: Environment,
    defaults: SupervisionDefaults = DEFAULTS,
    parentPath = '',
  ) {
    checkObject('template', template);
    const settings = completeLifecycleOptions(options, defaults);
    super(settings, environment, parentPath);
    this.#maxChildren = options.maxChildren === undefined ? Number.POSITIVE_INFINITY : checkCount('maxChildren', options.maxChildren);
    this.#given = template;
    this.#options = options;
    this.#template = completeTemplate(template, settings);
  }

  /**
   * Starts one more child.
   *
   * @param args - what its body finds in `ctx.args`, the same at every restart.
   * @returns the started incarnation; one that has ended already when the child declined to start.
   * @throws {VigilError} `TooManyChildren` at `maxChildren`; `ProcessStartFailed` when it did not start; `InvalidState` when the
   *   supervisor does not run.
   */
  startChild(args: TArgs): Promise<ProcessRef<TMessage>> {
    return this.request(async () => {
      if (this.children.size >= this.#maxChildren) throw this.#tooManyChildren();
      this.#started += 1;
      const spec = { ...this.#template, id: `${this.#template.id}_${this.#started}`, args };
      return (await this.admit(new Child(spec, this))).ref;
    });
  }

  /**
   * Stops a child and forgets it. Ends a loop of restarts, too: the ref of the last incarnation that was up still
   * names the child then.
   *
   * @throws {VigilError} `ChildNotFound` when the ref names no child that is alive or being restarted; `InvalidState`.
   */
  async terminateChild(ref: ProcessRef): Promise<void> {
    if (this.state === 'running') this.#lookUp(ref)?.cancelStart();
    await this.request(async () => {
      const child = this.#childOf(ref);
      await this.stopChild(child);
      this.forget(child);
    });
  }

  /** Lets a running child handle no more messages until `resumeChild`. Throws as `terminateChild`. */
  suspendChild(ref: ProcessRef): Promise<void> {
    return this.request(async () => this.suspend(this.#childOf(ref)));
  }

  /** Lets a suspended child go on. Throws as `terminateChild`. */
  resumeChild(ref: ProcessRef): Promise<void> {
    return this.request(async () => this.resume(this.#childOf(ref)));
  }

  /**
   * One row a child, in start order, between two things that the supervisor does; while it stops, at once.
   *
   * @throws {VigilError} `InvalidState` when it was not started or has stopped.
   */
  whichChildren(): Promise<ChildRow[]> {
    return this.question(() => Array.from(this.children.values(), (child) => child.row()));
  }

  /** As OTP counts: one spec, the template's. Answers when `whichChildren` does, and throws as it does. */
  countChildren(): Promise<ChildCounts> {
    return this.question(() => ({ specs: 1, ...this.tally() }));
  }

  /** The template, asked for by any of its children. Answers when `whichChildren` does; throws as it does, and `ChildNotFound`. */
  getChildSpec(ref: ProcessRef): Promise<CompleteChildSpec> {
    return this.question(() => {
      this.#childOf(ref);
      return this.#template;
    });
  }

  protected settle(defaults: SupervisionDefaults, name: string): LifecycleSettings {
    const settings = completeLifecycleOptions(this.#options, defaults, name);
    this.#template = completeTemplate(this.#given, settings);
    return settings;
  }

  protected firstChildren(): readonly CompleteChildSpec[] {
    return [];
  }

  protected planOf(failed: Child): RestartPlan<Child> {
    return { stop: [], forget: [], start: [failed] };
  }

  protected override keepsEnded(): boolean {
    return false;
  }

  /** All at once, with one deadline for all. */
  protected async stopChildren(): Promise<void> {
    const children = [...this.children.values()];
    const { shutdownTimeoutMs } = this.#template;
    const cancelDeadline =
      typeof shutdownTimeoutMs === 'number' && children.length > 0
        ? this.environment.clock.after(shutdownTimeoutMs, () => children.forEach((child) => child.killIfOverdue()), { keepAlive: true })
        : undefined;
    await Promise.all(children.map((child) => this.stopChild(child, 'common_deadline')));
    cancelDeadline?.();
  }

  #lookUp(ref: ProcessRef): Child | undefined {
    const { id } = checkMethods('ref', ref, ['isAlive', 'monitor']);
    const child = this.children.get(id);
    return child?.isNamedBy(ref) === true ? child : undefined;
  }

  #childOf(ref: ProcessRef): Child {
    const child = this.#lookUp(ref);
    if (child === undefined) throw this.notFound(`${ref.id}#${ref.incarnation}`);
    return child;
  }

  #tooManyChildren(): VigilError {
    const text = `supervisor "${this.path}" has ${this.children.size} of ${this.#maxChildren} children`;
    return failFast('TooManyChildren', text, { details: { maxChildren: this.#maxChildren } });
  }
}

function completeTemplate<TMessage, TArgs>(
  template: ChildTemplate<TMessage, TArgs>,
  { autoShutdown, defaults }: LifecycleSettings,
): CompleteChildSpec {
  const complete = completeChildSpec({ ...template, id: template.id === undefined ? 'child' : template.id }, defaults);
  checkSignificance(complete, autoShutdown);
  return complete;
}
