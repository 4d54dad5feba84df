import {
  type Cancel,
  checkDuration,
  describeExit,
  describeValue,
  type Environment,
  errorOf,
  type ExitReason,
  failFast,
  KILLED,
  type Sender,
  settledWithin,
  SHUTDOWN,
  VigilError,
} from '../core/index.js';
import { Address, type Process, type ProcessRef, type Runner } from '../processes/index.js';
import { Child, type ChildOwner, type EndedPhase, StartFailure } from './child.js';
import {
  type ChildSpec,
  type CompleteChildSpec,
  completeChildSpec,
  DEFAULTS,
  duplicateChild,
  type SupervisionDefaults,
} from './child-spec.js';
import { Reporter } from './reporter.js';
import { type RestartEvent, RestartHistory } from './restart-history.js';
import { RestartIntensity } from './restart-intensity.js';
import { decideExit, planRestart } from './restart-plan.js';
import { SerialQueue } from './serial-queue.js';
import type { ChildCounts, ChildInfo, ChildRow, SupervisorInfo, SupervisorState } from './supervision-tree.js';
import { checkSignificance, completeSupervisorOptions, type SupervisorOptions, type SupervisorSettings } from './supervisor-options.js';
import { type Supervised, SupervisorRunner } from './supervisor-process.js';

type Phase =
  | { readonly kind: 'idle' | 'starting' | 'running' }
  | { readonly kind: 'stopping'; readonly reason: ExitReason }
  | { readonly kind: 'stopped'; readonly reason: ExitReason };

/**
 * Starts children in order, restarts them by a strategy when they end, stops them in reverse order, and gives up when
 * there is too much to restart.
 *
 * It does one thing at a time, in the order in which things happened: ends of children, requests, attempts to restart. Only
 * stopping goes first: it cuts short a start that is being waited for, and whatever is queued behind it finds the
 * supervisor stopping. A stopped supervisor can be started again, with the children it was given before its first start
 * and a fresh restart budget.
 *
 * @see OTP `supervisor`
 */
export class Supervisor implements ChildOwner, Supervised {
  readonly environment: Environment;
  /** Its name with those of the supervisors above: `app/pool`. */
  readonly path: string;
  readonly #settings: SupervisorSettings;
  readonly #defaults: SupervisionDefaults;
  readonly #reporter: Reporter;
  readonly #jobs: SerialQueue;
  /** The specs that each start begins with. */
  readonly #specs: CompleteChildSpec[];
  /** In start order, which a child keeps until it is deleted. */
  readonly #children = new Map<string, Child>();
  #phase: Phase = { kind: 'idle' };
  #intensity: RestartIntensity;
  #history = new RestartHistory();
  #exit = new Exit();
  #releaseNode: Cancel | undefined;

  /**
   * @param defaults - what it and its children use where they were told nothing.
   * @throws {VigilError} `InvalidConfiguration` that names the option, `AlreadyMonitoring` for two children with one id.
   */
  constructor(options: SupervisorOptions, environment: Environment, defaults: SupervisionDefaults = DEFAULTS, parentPath = '') {
    this.#settings = completeSupervisorOptions(options, defaults);
    const { name, maxRestarts, periodMs, telemetry, onCrash, children } = this.#settings;
    this.environment = environment;
    this.path = parentPath === '' ? name : `${parentPath}/${name}`;
    this.#defaults = defaults;
    this.#specs = [...children];
    this.#reporter = new Reporter(this.path, environment, telemetry, onCrash);
    this.#intensity = new RestartIntensity(maxRestarts, periodMs);
    this.#jobs = new SerialQueue(environment.clock, (error) => this.#failItself(error));
  }

  get name(): string {
    return this.#settings.name;
  }

  get state(): SupervisorState {
    return this.#phase.kind;
  }

  /**
   * Settles when the supervisor has ended, with the reason: `shutdown` after `stop()`, `shutdown` with a
   * `TooManyRestarts` or `ProcessStartFailed` error as its info when it gave up, `killed` after `kill()`. Never rejects.
   */
  get exited(): Promise<ExitReason> {
    return this.#exit.promise;
  }

  /**
   * Adds a child that every start begins with; only before the start. Use `startChild` on a running supervisor.
   *
   * @throws {VigilError} `InvalidConfiguration` for a bad spec, `AlreadyMonitoring` for a taken id, `InvalidState` after the start.
   */
  addChild(spec: ChildSpec): this {
    if (this.#phase.kind !== 'idle') throw this.#invalidState('takes its first children only before it starts');
    const complete = this.#completeSpec(spec);
    if (this.#specs.some(({ id }) => id === complete.id)) throw duplicateChild(complete.id, 'present');
    this.#specs.push(complete);
    return this;
  }

  /**
   * Starts the children one after the other and supervises them from then on. Rejects only when nothing of it runs any more.
   *
   * @throws {VigilError} `ProcessStartFailed` when a child did not start: those before it are stopped again, in reverse order;
   *   `ProcessAlreadyRunning` when it runs; `InvalidState` when it was stopped while it started.
   */
  async start(): Promise<void> {
    if (this.#phase.kind !== 'idle' && this.#phase.kind !== 'stopped') {
      throw new VigilError('ProcessAlreadyRunning', `supervisor "${this.path}" is ${this.#phase.kind}`);
    }
    if (this.#phase.kind === 'stopped') this.#exit = new Exit();
    this.#phase = { kind: 'starting' };
    this.#children.clear();
    this.#intensity = new RestartIntensity(this.#settings.maxRestarts, this.#settings.periodMs);
    this.#history = new RestartHistory();
    if (this.#settings.keepAlive) this.#releaseNode = this.environment.clock.keepAlive();
    if (await this.#jobs.run(() => this.#startAll())) return;
    await this.exited;
    throw this.#invalidState('was stopped while it started');
  }

  /**
   * Stops the children one after the other, the last one first, each within its own shutdown time, and resolves when none is
   * left. May be called at any time and again.
   */
  async stop(): Promise<void> {
    if (this.#phase.kind === 'idle') return;
    this.#terminate(SHUTDOWN);
    await this.exited;
  }

  /**
   * Stops with a deadline for all of it.
   *
   * @param timeoutMs - milliseconds; the teardown goes on behind a missed deadline.
   * @throws {VigilError} `ShutdownTimeout` with the ids of the children that were still up in `details.children`.
   */
  async shutdown(timeoutMs: number): Promise<void> {
    checkDuration('timeoutMs', timeoutMs);
    const inTime = await settledWithin(this.stop(), timeoutMs, this.environment.clock);
    if (inTime === undefined) throw this.#shutdownTimeout(timeoutMs);
  }

  /** Kills the whole tree without asking. It has ended, with `killed`, when the last process is gone: see `exited`. */
  kill(): void {
    if (this.#phase.kind === 'idle' || this.#phase.kind === 'stopped') return;
    const isStopping = this.#phase.kind === 'stopping';
    this.#phase = { kind: 'stopping', reason: KILLED };
    for (const child of this.#inStopOrder()) child.kill();
    if (!isStopping) this.#jobs.push(() => this.#stopAll());
  }

  /**
   * Starts one more child, at the end of the order. It belongs to the strategy like the others, until the supervisor stops.
   *
   * @throws {VigilError} `InvalidConfiguration` for a bad spec; `AlreadyMonitoring` when the id is taken, with `details.state` and,
   *   when it runs, `details.ref`; `ProcessStartFailed` when it did not start, and then it is forgotten; `InvalidState` when
   *   the supervisor does not run.
   */
  startChild(spec: ChildSpec): Promise<ProcessRef> {
    return this.#request(async () => {
      const complete = this.#completeSpec(spec);
      const present = this.#children.get(complete.id);
      if (present !== undefined) throw alreadyThere(present);
      const child = this.#add(complete);
      const outcome = await this.#launch(child);
      if (outcome instanceof StartFailure) {
        this.#children.delete(complete.id);
        throw this.#startFailed(child, outcome);
      }
      this.#reporter.childAdded(complete.id);
      return outcome.ref;
    });
  }

  /**
   * Stops a child and keeps its spec, or forgets it if it is temporary. Ends a loop of restarts, too.
   *
   * @throws {VigilError} `ChildNotFound`, `InvalidState` when the supervisor does not run.
   */
  terminateChild(id: string): Promise<void> {
    if (this.#phase.kind === 'running') this.#children.get(id)?.cancelStart();
    return this.#request(async () => {
      const child = this.#find(id);
      await this.#stopChild(child);
      if (child.restartType === 'temporary') this.#forget(child);
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
    return this.#request(async () => {
      const child = this.#find(id);
      if (child.phase.kind !== 'stopped' && (child.phase.kind !== 'running' || options.onlyIfStopped === true)) throw this.#refuse(child);
      const reason = (await this.#stopChild(child)) ?? child.lastExit?.reason ?? SHUTDOWN;
      if (this.#phase.kind !== 'running') throw this.#notRunning();
      child.restartCount += 1;
      this.#history.add({ id, reason, trigger: 'request', timestampMs: this.environment.clock.wallTime() });
      const outcome = await this.#launch(child);
      if (outcome instanceof StartFailure) throw this.#startFailed(child, outcome);
      return outcome.ref;
    });
  }

  /**
   * Forgets a stopped child, so that its id is free.
   *
   * @throws {VigilError} `ChildNotFound`, `InvalidState` when it runs or is being restarted, or the supervisor does not run.
   */
  deleteChild(id: string): Promise<void> {
    return this.#request(async () => {
      const child = this.#find(id);
      if (child.phase.kind !== 'stopped') throw this.#refuse(child);
      this.#forget(child);
    });
  }

  /** One row a child, in start order, between two things that the supervisor does. @throws {VigilError} `InvalidState` when it does not run. */
  whichChildren(): Promise<ChildRow[]> {
    return this.#request(async () => Array.from(this.#children.values(), (child) => child.row()));
  }

  /** @throws {VigilError} `InvalidState` when the supervisor does not run. */
  async countChildren(): Promise<ChildCounts> {
    const rows = await this.whichChildren();
    const supervisors = rows.filter(({ type }) => type === 'supervisor').length;
    const active = rows.filter(({ state }) => state === 'running').length;
    return { specs: rows.length, active, supervisors, workers: rows.length - supervisors };
  }

  /** The spec of a child with all defaults filled in. @throws {VigilError} `ChildNotFound`, `InvalidState` when the supervisor does not run. */
  getChildSpec(id: string): Promise<CompleteChildSpec> {
    return this.#request(async () => this.#find(id).spec);
  }

  /** What the supervisor and the tree below it look like at this moment, in any state. */
  inspect(): SupervisorInfo {
    const children = Array.from(this.#children.values(), (child) => child.info());
    const { strategy, autoShutdown, maxRestarts, periodMs } = this.#settings;
    return {
      name: this.name,
      state: this.state,
      strategy,
      autoShutdown,
      maxRestarts,
      maxSeconds: periodMs / 1000,
      restartsLeft: this.#intensity.remaining(this.environment.clock.now()),
      totalRestarts: this.#history.total,
      childCount: children.length,
      activeChildren: children.filter(({ state }) => state === 'running').length,
      children,
    };
  }

  /** What a child looks like at this moment; `undefined` when there is none with this id. */
  getChildInfo(id: string): ChildInfo | undefined {
    return this.#children.get(id)?.info();
  }

  /** The last hundred restarts since the start, oldest first. */
  getRestartHistory(): RestartEvent[] {
    return this.#history.list();
  }

  /**
   * A sender that reaches whatever incarnation of a child runs when something is sent.
   *
   * Its sends throw `ChildNotFound` when there is no such child, and `ProcessNotFound` while it does not run.
   */
  address<T = unknown>(id: string): Sender<T> {
    return new Address<T>(() => {
      const { ref } = this.#find(id);
      if (ref === undefined) throw failFast('ProcessNotFound', `child "${id}" of "${this.path}" does not run`);
      return ref;
    });
  }

  /** How it is started as a child of another supervisor. */
  asRunner(): Runner {
    return new SupervisorRunner(() => this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** @internal */
  childEnded(child: Child, ended: EndedPhase): void {
    this.#jobs.push(() => this.#answerEnd(child, ended));
  }

  /** @internal */
  childOverdue(child: Child): void {
    this.#reporter.overdue(child);
  }

  /** @returns whether it got to the end; false when it was overtaken by `stop()` or `kill()`. */
  async #startAll(): Promise<boolean> {
    this.#reporter.supervisorStarted(this.#specs.length);
    for (const spec of this.#specs) {
      if (this.#phase.kind !== 'starting') return false;
      const child = this.#add(spec);
      const outcome = await this.#launch(child);
      if (outcome instanceof StartFailure && this.#phase.kind === 'starting') await this.#rollBack(child, outcome);
    }
    if (this.#phase.kind !== 'starting') return false;
    this.#phase = { kind: 'running' };
    return true;
  }

  async #rollBack(failed: Child, failure: StartFailure): Promise<never> {
    const error = this.#startFailed(failed, failure);
    this.#phase = { kind: 'stopping', reason: { kind: 'shutdown', info: error } };
    await this.#stopAll();
    throw error;
  }

  /** Decides to stop; the stopping itself waits for its turn. The first reason counts. */
  #terminate(reason: ExitReason): void {
    if (this.#phase.kind !== 'starting' && this.#phase.kind !== 'running') return;
    this.#phase = { kind: 'stopping', reason };
    for (const child of this.#children.values()) child.cancelStart();
    this.#jobs.push(() => this.#stopAll());
  }

  async #stopAll(): Promise<void> {
    for (const child of this.#inStopOrder()) await this.#stopChild(child);
    this.#finish();
  }

  #finish(): void {
    if (this.#phase.kind !== 'stopping') return;
    const { reason } = this.#phase;
    this.#phase = { kind: 'stopped', reason };
    this.#releaseNode?.();
    this.#reporter.supervisorStopped(reason);
    this.#exit.settle(reason);
  }

  async #answerEnd(child: Child, ended: EndedPhase): Promise<void> {
    // It was stopped or started again since, as one of its group: nothing is left to answer.
    if (child.phase !== ended) return;
    const { reason } = ended;
    this.#reporter.ended(child, reason);
    if (this.#phase.kind !== 'running') {
      child.settleStopped();
      return;
    }
    const decision = decideExit(child.restartType, reason);
    if (decision === 'restart') return this.#restart(child, reason, 'exit');
    child.settleStopped();
    if (decision === 'forget') this.#forget(child);
    if (this.#endsWith(child)) this.#terminate(SHUTDOWN);
  }

  /** Whether the end of this child is the end of the supervisor. */
  #endsWith(child: Child): boolean {
    if (!child.spec.significant) return false;
    switch (this.#settings.autoShutdown) {
      case 'never':
        return false;
      case 'any_significant':
        return true;
      case 'all_significant':
        return ![...this.#children.values()].some((other) => other.spec.significant && other.phase.kind !== 'stopped');
    }
  }

  /** Restarts a child and whom it takes along. An attempt that fails is made again, behind whatever is queued by then. */
  async #restart(failed: Child, reason: ExitReason, trigger: 'exit' | 'start_failure'): Promise<void> {
    const nowMs = this.environment.clock.now();
    if (!this.#intensity.record(nowMs)) return this.#giveUp(failed, reason);
    failed.settleRestarting();
    this.#history.add({ id: failed.spec.id, reason, trigger, timestampMs: this.environment.clock.wallTime() });
    this.#reporter.restarting(failed, reason, this.#intensity.remaining(nowMs));

    const plan = planRestart(this.#children.values(), failed, this.#settings.strategy);
    for (const child of plan.stop) await this.#stopChild(child);
    for (const child of plan.forget) this.#forget(child);
    for (const child of plan.start) {
      // The last await, or whoever listens to the reports, may have stopped the supervisor.
      if (this.#phase.kind !== 'running') return;
      child.restartCount += 1;
      const outcome = await this.#launch(child);
      // A start that `terminateChild` has cancelled is not made again, and keeps nobody else of the group down.
      if (outcome instanceof StartFailure && !outcome.isCancelled) return this.#tryAgain(child, outcome);
    }
  }

  #tryAgain(child: Child, failure: StartFailure): void {
    const restarting = child.settleRestarting();
    this.#jobs.push(async () => {
      if (child.phase === restarting && this.#phase.kind === 'running') await this.#restart(child, failure.reason, 'start_failure');
    });
  }

  #giveUp(child: Child, reason: ExitReason): void {
    child.settleStopped();
    const error = this.#tooManyRestarts(child, reason);
    this.#reporter.gaveUp(error);
    this.#terminate({ kind: 'shutdown', info: error });
  }

  #failItself(error: unknown): void {
    this.#reporter.internalError(error);
    this.#terminate({ kind: 'crashed', error });
  }

  async #launch(child: Child): Promise<Process | StartFailure> {
    const outcome = await child.start();
    if (!(outcome instanceof StartFailure)) this.#reporter.started(child);
    else if (!outcome.isCancelled && this.#phase.kind !== 'stopping') this.#reporter.startFailed(child, outcome);
    return outcome;
  }

  async #stopChild(child: Child): Promise<ExitReason | undefined> {
    // It ended by itself and its turn has not come: it never will now.
    if (child.phase.kind === 'ended') this.#reporter.ended(child, child.phase.reason);
    const reason = await child.stop();
    if (reason !== undefined) this.#reporter.stopped(child, reason);
    return reason;
  }

  #add(spec: CompleteChildSpec): Child {
    const child = new Child(spec, this);
    this.#children.set(spec.id, child);
    return child;
  }

  #forget(child: Child): void {
    this.#children.delete(child.spec.id);
    this.#reporter.childRemoved(child.spec.id);
  }

  #find(id: string): Child {
    const child = this.#children.get(id);
    if (child === undefined)
      throw new VigilError('ChildNotFound', `supervisor "${this.path}" has no child ${describeValue(id)}`, { details: { id } });
    return child;
  }

  #inStopOrder(): Child[] {
    return [...this.#children.values()].toReversed();
  }

  /** Runs a request in its turn, if the supervisor runs now and still does then. */
  #request<T>(job: () => Promise<T>): Promise<T> {
    const refuse = () => Promise.reject(this.#notRunning());
    if (this.#phase.kind !== 'running' && this.#phase.kind !== 'starting') return refuse();
    return this.#jobs.run(() => (this.#phase.kind === 'running' ? job() : refuse()));
  }

  #completeSpec(spec: ChildSpec): CompleteChildSpec {
    const complete = completeChildSpec(spec, this.#defaults);
    checkSignificance(complete, this.#settings.autoShutdown);
    return complete;
  }

  #notRunning(): VigilError {
    return this.#invalidState(this.#phase.kind === 'idle' ? 'was not started' : `is ${this.#phase.kind}`);
  }

  #invalidState(what: string): VigilError {
    return new VigilError('InvalidState', `supervisor "${this.path}" ${what}`, { details: { state: this.state } });
  }

  #refuse(child: Child): VigilError {
    const { id, state } = child.row();
    return new VigilError('InvalidState', `child "${id}" of "${this.path}" is ${state}`, { details: { id, state } });
  }

  #startFailed(child: Child, { reason }: StartFailure): VigilError {
    const { id } = child.spec;
    const text = `child "${id}" of "${this.path}" did not start: ${describeExit(reason)}`;
    return new VigilError('ProcessStartFailed', text, { cause: errorOf(reason), details: { id, reason } });
  }

  #shutdownTimeout(timeoutMs: number): VigilError {
    const children = this.#inStopOrder()
      .filter((child) => child.phase.kind !== 'stopped')
      .map((child) => child.spec.id);
    const text = `supervisor "${this.path}" did not stop within ${timeoutMs} ms; still up: ${children.join(', ')}`;
    return new VigilError('ShutdownTimeout', text, { details: { children } });
  }

  #tooManyRestarts(child: Child, reason: ExitReason): VigilError {
    const { maxRestarts, periodMs } = this.#settings;
    const { id } = child.spec;
    const budget = `its budget of ${maxRestarts} restarts within ${periodMs / 1000} s is used up`;
    const advice = reason.kind === 'normal' ? `. ${RETURNING_BODY_ADVICE}` : '';
    const text = `supervisor "${this.path}" gives up: child "${id}" ended (${describeExit(reason)}) and ${budget}${advice}`;
    return new VigilError('TooManyRestarts', text, {
      cause: errorOf(reason),
      details: { id, reason, maxRestarts, maxSeconds: periodMs / 1000 },
    });
  }
}

const RETURNING_BODY_ADVICE =
  "A body that returns has ended, and a permanent child is then restarted: let it await ctx.stopped or its inbox, or make the child 'transient'";

/** The promise of a supervisor's end. */
class Exit {
  readonly promise: Promise<ExitReason>;
  settle!: (reason: ExitReason) => void;

  constructor() {
    this.promise = new Promise((resolve) => {
      this.settle = resolve;
    });
  }
}

function alreadyThere(child: Child): VigilError {
  return child.phase.kind === 'running'
    ? duplicateChild(child.spec.id, 'running', { ref: child.ref })
    : duplicateChild(child.spec.id, 'present');
}
