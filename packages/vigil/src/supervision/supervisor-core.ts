import {
  type Cancel,
  checkDuration,
  crashed,
  type CrashDecision,
  describeExit,
  describeValue,
  type Environment,
  errorOf,
  type ExitReason,
  failFast,
  isAbnormal,
  KILLED,
  type Sender,
  type Signal,
  settledWithin,
  SHUTDOWN,
  VigilError,
} from '../core/index.js';
import { Address, type Process, type ProcessHost, type Runner } from '../processes/index.js';
import { Child, type ChildOwner, type EndedPhase, type RestartingPhase, StartFailure, type StopDeadline } from './child.js';
import type { CompleteChildSpec, SupervisionDefaults } from './child-spec.js';
import { Reporter } from './reporter.js';
import { type RestartEvent, RestartHistory } from './restart-history.js';
import { RestartIntensity } from './restart-intensity.js';
import { isRestarted, type RestartPlan } from './restart-plan.js';
import { SerialQueue } from './serial-queue.js';
import type { ChildCounts, ChildInfo, SupervisorInfo, SupervisorState } from './supervision-tree.js';
import type { LifecycleSettings } from './supervisor-options.js';
import { type Supervised, SupervisorRunner } from './supervisor-process.js';

type Phase =
  | { readonly kind: 'idle' | 'starting' | 'running' }
  | { readonly kind: 'stopping'; readonly reason: ExitReason }
  | { readonly kind: 'stopped'; readonly reason: ExitReason };

type RestartTrigger = 'exit' | 'start_failure';

/** What the end of a child would lead to now: ids of those that would stop and start, in this order. */
export interface RestartForecast {
  readonly stop: readonly string[];
  /** Temporary children among them, which would not come back. */
  readonly forget: readonly string[];
  readonly start: readonly string[];
  /** Whether a budget is used up, so that the supervisor would give up instead. */
  readonly givesUp: boolean;
}

/**
 * What every supervisor does: live and end, answer the ends of its children, count restarts and give up. Which children it
 * starts with, who is restarted together and how all of them are stopped is left to its kinds.
 *
 * It does one thing at a time, in the order in which things happened: ends of children, requests, attempts to restart. Only
 * stopping goes first: it cuts short a start that is being waited for, and whatever is queued behind it finds the
 * supervisor stopping. A stopped supervisor can be started again, with a fresh restart budget.
 *
 * @see OTP `supervisor`
 */
export abstract class SupervisorCore implements ChildOwner, Supervised {
  /** @internal In start order, which a child keeps until it is forgotten. */
  protected readonly children: Map<string, Child> = new Map();
  #settings: LifecycleSettings;
  /** Whether it was started as a child: then it is its root that keeps Node alive. */
  #isBelow = false;
  #environment: Environment;
  #path: string;
  #reporter: Reporter;
  #jobs: SerialQueue;
  #phase: Phase = { kind: 'idle' };
  #intensity: RestartIntensity;
  #history = new RestartHistory();
  #exit = new Exit();
  #releaseNode: Cancel | undefined;
  #leaveRoots: ((reason: ExitReason) => void) | undefined;

  /** @internal */
  protected constructor(settings: LifecycleSettings, environment: Environment, parentPath: string) {
    const { name, maxRestarts, periodMs } = settings;
    this.#settings = settings;
    this.#environment = environment;
    this.#path = parentPath === '' ? name : `${parentPath}/${name}`;
    this.#reporter = this.#newReporter();
    this.#jobs = this.#newQueue();
    this.#intensity = new RestartIntensity(maxRestarts, periodMs);
  }

  get name(): string {
    return this.#settings.name;
  }

  get environment(): Environment {
    return this.#environment;
  }

  /** Its name with those of the supervisors above: `app/pool`. */
  get path(): string {
    return this.#path;
  }

  /** @internal */
  protected get reporter(): Reporter {
    return this.#reporter;
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
   * Starts the children that it begins with, one after the other, and supervises them from then on.
   *
   * @throws {VigilError} `ProcessStartFailed` when a child did not start, or `InvalidState` when it was stopped while it started, both
   *   once the children that did start are stopped again, in reverse order; `ProcessAlreadyRunning` when it runs.
   */
  async start(): Promise<void> {
    if (this.#phase.kind !== 'idle' && this.#phase.kind !== 'stopped') {
      throw new VigilError('ProcessAlreadyRunning', `supervisor "${this.path}" is ${this.#phase.kind}`);
    }
    if (this.#phase.kind === 'stopped') this.#exit = new Exit();
    this.#phase = { kind: 'starting' };
    this.children.clear();
    this.#intensity = new RestartIntensity(this.#settings.maxRestarts, this.#settings.periodMs);
    this.#history = new RestartHistory();
    if (!this.#isBelow) {
      this.#leaveRoots = this.environment.roots.enter(this);
      if (this.#settings.keepAlive) this.#releaseNode = this.environment.clock.keepAlive();
    }
    if (await this.#jobs.run(() => this.#startAll())) return;
    // Who hears that it did not start, a supervisor above it for one, may rely on it that nothing of it runs any more.
    await this.exited;
    throw this.invalidState('was stopped while it started');
  }

  /**
   * Stops all children and resolves when none is left. May be called at any time and again.
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
    for (const child of this.inStopOrder()) child.kill();
    if (!isStopping) this.#jobs.push(() => this.#stopAll());
  }

  /** What the supervisor and the tree below it look like at this moment, in any state. */
  inspect(): SupervisorInfo {
    const children = Array.from(this.children.values(), (child) => child.info());
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
      activeChildren: children.filter(({ state }) => state === 'running' || state === 'suspended').length,
      children,
    };
  }

  /** What a child looks like at this moment; `undefined` when there is none with this id. */
  getChildInfo(id: string): ChildInfo | undefined {
    return this.children.get(id)?.info();
  }

  /** The last hundred restarts since the start, oldest first. */
  getRestartHistory(): RestartEvent[] {
    return this.#history.list();
  }

  /**
   * What would happen if a child crashed now.
   *
   * @throws {VigilError} `ChildNotFound`, also while the supervisor does not run.
   */
  planFor(id: string): RestartForecast {
    if (this.#phase.kind !== 'running') throw this.notFound(id);
    const child = this.find(id);
    if (!isRestarted(child.restartType, crashed(undefined))) return { stop: [], forget: [id], start: [], givesUp: false };
    const plan = this.planOf(child);
    return {
      stop: idsOf(plan.stop.filter(isRunning)),
      forget: idsOf(plan.forget),
      start: idsOf(plan.start),
      givesUp: !this.canRestart(child),
    };
  }

  /**
   * A sender that reaches whatever incarnation of a child runs when something is sent.
   *
   * Its sends throw `ChildNotFound` when there is no such child, and `ProcessNotFound` while it does not run.
   */
  address<T = unknown>(id: string): Sender<T> {
    return new Address<T>(() => {
      const { ref } = this.find(id);
      if (ref === undefined) throw failFast('ProcessNotFound', `child "${id}" of "${this.path}" does not run`);
      return ref;
    });
  }

  /**
   * How it is started as a child of another supervisor: on that one's runtime, with its log, below its name, and with its defaults
   * wherever this one was told nothing.
   */
  asRunner(defaults: SupervisionDefaults): Runner {
    return new SupervisorRunner((host, id) => {
      this.#moveBelow(host, id, defaults);
      return this;
    });
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
    this.reporter.overdue(child);
  }

  /** @internal */
  childNotified(child: Child, signal: Signal): void {
    this.reporter.notified(child, signal);
  }

  /** @internal Takes over what it was told nothing about from a parent; returns its settings. */
  protected abstract settle(defaults: SupervisionDefaults, name: string): LifecycleSettings;

  /** @internal What it starts with, in order. */
  protected abstract firstChildren(): readonly CompleteChildSpec[];

  /** @internal Who stops and who starts when `failed` is restarted. */
  protected abstract planOf(failed: Child): RestartPlan<Child>;

  /** @internal Stops all children, in the way of this kind of supervisor. */
  protected abstract stopChildren(): Promise<void>;

  /** @internal Runs a request in its turn, if the supervisor runs now and still does then. */
  protected request<T>(job: () => Promise<T>): Promise<T> {
    const refuse = () => Promise.reject(this.#notRunning());
    if (this.#phase.kind !== 'running' && this.#phase.kind !== 'starting') return refuse();
    return this.#jobs.run(() => (this.#phase.kind === 'running' ? job() : refuse()));
  }

  /** @internal Answers a question in its turn; at once while the supervisor stops, since nothing has its turn behind that. */
  protected question<T>(look: () => T): Promise<T> {
    const answer = async () => {
      if (this.#phase.kind !== 'running' && this.#phase.kind !== 'stopping') throw this.#notRunning();
      return look();
    };
    return this.#phase.kind === 'running' || this.#phase.kind === 'starting' ? this.#jobs.run(answer) : answer();
  }

  /** @internal A request that has waited for something may find the supervisor stopping: then it starts and stops nobody any more. */
  protected checkRunning(): void {
    if (this.#phase.kind !== 'running') throw this.#notRunning();
  }

  /** @internal Starts a child that has just been added, and forgets it if that fails. */
  protected async admit(child: Child): Promise<Process> {
    this.checkRunning();
    this.children.set(child.spec.id, child);
    const outcome = await this.#launch(child);
    if (outcome instanceof StartFailure) {
      this.#remove(child);
      throw this.#startFailed(child, outcome);
    }
    if (this.#hasDeclinedForGood(child)) this.#remove(child);
    else this.reporter.childAdded(child.spec.id);
    return outcome;
  }

  /** @internal Starts a child anew because somebody asked for it: the budget is not touched. */
  protected async restartOnRequest(child: Child): Promise<Process> {
    const reason = (await this.stopChild(child)) ?? child.lastExit?.reason ?? SHUTDOWN;
    this.checkRunning();
    child.restartCount += 1;
    this.#history.add({ id: child.spec.id, reason, trigger: 'request', timestampMs: this.environment.clock.wallTime() });
    const outcome = await this.#relaunch(child);
    if (outcome instanceof StartFailure) throw this.#startFailed(child, outcome);
    return outcome;
  }

  /** @internal */
  protected async stopChild(child: Child, deadline?: StopDeadline): Promise<ExitReason | undefined> {
    // It ended by itself and its turn has not come: it never will now.
    if (child.phase.kind === 'ended') this.reporter.ended(child, child.phase.reason);
    const reason = await child.stop(deadline);
    if (reason !== undefined) this.reporter.stopped(child, reason);
    return reason;
  }

  /** @internal */
  protected suspend(child: Child): void {
    if (child.phase.kind !== 'running') throw this.refusal(child);
    if (child.suspend()) this.reporter.suspended(child);
  }

  /** @internal */
  protected resume(child: Child): void {
    if (child.phase.kind !== 'running') throw this.refusal(child);
    if (child.resume()) this.reporter.resumed(child);
  }

  /** @internal Whether every budget allows one more restart of `child` now. */
  protected canRestart(child: Child): boolean {
    const nowMs = this.environment.clock.now();
    return this.#intensity.remaining(nowMs) > 0 && child.restartsLeft(nowMs) > 0;
  }

  /** @internal How many children there are by type, and how many of them are up. */
  protected tally(): Omit<ChildCounts, 'specs'> {
    let active = 0;
    let supervisors = 0;
    for (const { isUp, spec } of this.children.values()) {
      if (isUp) active += 1;
      if (spec.type === 'supervisor') supervisors += 1;
    }
    return { active, supervisors, workers: this.children.size - supervisors };
  }

  /** @internal Lets the event loop turn. */
  protected nextTurn(): Promise<void> {
    return new Promise((resolve) => this.environment.clock.soon(resolve));
  }

  /** @internal The last started first. */
  protected inStopOrder(): Child[] {
    return [...this.children.values()].toReversed();
  }

  /** @internal */
  protected forget(child: Child): void {
    if (this.#remove(child)) this.reporter.childRemoved(child.spec.id);
  }

  /** @internal */
  protected find(id: string): Child {
    const child = this.children.get(id);
    if (child === undefined) throw this.notFound(id);
    return child;
  }

  /** @internal */
  protected notFound(id: string): VigilError {
    return new VigilError('ChildNotFound', `supervisor "${this.path}" has no child ${describeValue(id)}`, { details: { id } });
  }

  /** @internal Whether a child whose end is not answered with a restart stays in the tree. */
  protected keepsEnded(child: Child): boolean {
    return child.restartType !== 'temporary';
  }

  /** @internal The refusal of something that `child` is in no state for. */
  protected refusal(child: Child): VigilError {
    const { id, state } = child.row();
    return new VigilError('InvalidState', `child "${id}" of "${this.path}" is ${state}`, { details: { id, state } });
  }

  /** @internal */
  protected invalidState(what: string): VigilError {
    return new VigilError('InvalidState', `supervisor "${this.path}" ${what}`, { details: { state: this.state } });
  }

  /** @returns whether it got to the end; false when it was overtaken by `stop()` or `kill()`. */
  async #startAll(): Promise<boolean> {
    const specs = this.firstChildren();
    this.reporter.supervisorStarted(specs.length);
    for (const [index, spec] of specs.entries()) {
      if (isTurnDue(index)) await this.nextTurn();
      if (this.#phase.kind !== 'starting') return false;
      const child = new Child(spec, this);
      this.children.set(spec.id, child);
      const outcome = await this.#relaunch(child);
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
    for (const child of this.children.values()) child.cancelStart();
    this.#jobs.push(() => this.#stopAll());
  }

  async #stopAll(): Promise<void> {
    await this.stopChildren();
    if (this.#phase.kind !== 'stopping') return;
    await this.#leaveAll();
    const { reason } = this.#phase;
    this.#phase = { kind: 'stopped', reason };
    this.#releaseNode?.();
    this.#leaveRoots?.(reason);
    this.reporter.supervisorStopped(reason);
    this.#exit.settle(reason);
  }

  async #answerEnd(child: Child, ended: EndedPhase): Promise<void> {
    // It was stopped or started again since, as one of its group: nothing is left to answer.
    if (child.phase !== ended) return;
    const { reason } = ended;
    this.reporter.ended(child, reason);
    if (isAbnormal(reason)) this.#report(child, reason);
    if (this.#phase.kind !== 'running') {
      child.settleStopped();
      return;
    }
    if (this.#isToRestart(child, reason)) return this.#restart(child, reason, 'exit');
    child.settleStopped();
    if (!this.keepsEnded(child)) this.forget(child);
    if (this.#endsWith(child)) this.#terminate(SHUTDOWN);
  }

  #isToRestart({ restartType }: Child, reason: ExitReason): boolean {
    // Who has nothing left to do while the runtime drains would only begin to look for work again.
    return isRestarted(restartType, reason) && !(reason.kind === 'normal' && this.environment.roots.isDraining);
  }

  #report(child: Child, reason: ExitReason, decision: CrashDecision = this.#decisionOn(child, reason)): void {
    const nowMs = this.environment.clock.now();
    const left = Math.min(this.#intensity.remaining(nowMs), child.restartsLeft(nowMs));
    this.reporter.answered(child, reason, decision, decision.do === 'restart' ? left - 1 : left);
  }

  #decisionOn(child: Child, reason: ExitReason): CrashDecision {
    if (this.#phase.kind !== 'running') return { do: 'stop' };
    if (!isRestarted(child.restartType, reason)) return { do: 'leave' };
    if (!this.canRestart(child)) return { do: 'give_up' };
    const { stop, start } = this.planOf(child);
    return { do: 'restart', stop: idsOf(stop.filter(isRunning)), start: idsOf(start) };
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
        return !this.#hasActiveSignificant();
    }
  }

  #hasActiveSignificant(): boolean {
    // No copy of the children: in a large family each end would cost as much as all of them.
    for (const { spec, phase } of this.children.values()) if (spec.significant && phase.kind !== 'stopped') return true;
    return false;
  }

  /** Restarts a child and whom it takes along, after its delay if it has one. */
  async #restart(failed: Child, reason: ExitReason, trigger: RestartTrigger): Promise<void> {
    const nowMs = this.environment.clock.now();
    if (!this.canRestart(failed)) return this.#giveUp(failed, reason);
    this.#intensity.record(nowMs);
    failed.recordRestart(nowMs);
    const restarting = failed.settleRestarting();
    this.#history.add({ id: failed.spec.id, reason, trigger, timestampMs: this.environment.clock.wallTime() });
    this.reporter.restarting(failed, reason, this.#intensity.remaining(nowMs));

    const plan = this.planOf(failed);
    await this.#stopGroup(plan);
    const delayMs = failed.nextDelayMs();
    if (delayMs === 0) return this.#startGroup(plan.start);
    if (this.#phase.kind === 'running')
      this.#startGroupLater(new Map(plan.start.map((child) => [child, child === failed ? restarting : child.settleRestarting()])), delayMs);
  }

  /** Who is taken out of a waiting group keeps nobody else of it down. */
  #startGroupLater(waiting: Map<Child, RestartingPhase>, delayMs: number): void {
    const cancelTimer = this.environment.clock.after(delayMs, () => {
      this.#jobs.push(() => this.#startGroup([...waiting.keys()].filter((child) => child.phase === waiting.get(child))));
    });
    for (const [child, phase] of waiting) {
      phase.cancelDelay = () => {
        waiting.delete(child);
        return waiting.size === 0 && cancelTimer();
      };
    }
  }

  /** An attempt that fails is made again, behind whatever is queued by then. */
  async #startGroup(group: readonly Child[]): Promise<void> {
    for (const child of group) {
      // The last await, or whoever listens to the reports, may have stopped the supervisor.
      if (this.#phase.kind !== 'running') return;
      child.restartCount += 1;
      const outcome = await this.#relaunch(child);
      // A start that `terminateChild` has cancelled is not made again, and keeps nobody else of the group down.
      if (outcome instanceof StartFailure && !outcome.isCancelled) return this.#tryAgain(child, outcome);
    }
  }

  async #stopGroup(plan: RestartPlan<Child>): Promise<void> {
    for (const child of plan.stop) {
      await this.stopChild(child);
      if (this.#phase.kind !== 'running') return;
    }
    for (const child of plan.forget) this.forget(child);
  }

  async #leaveAll(): Promise<void> {
    const leaving: Promise<void>[] = [];
    for (const child of this.children.values()) {
      const left = child.leave();
      if (left !== undefined) leaving.push(left);
    }
    // Most have nothing to wait for, and then there is no wait.
    if (leaving.length > 0) await Promise.all(leaving);
  }

  #remove(child: Child): boolean {
    void child.leave();
    return this.children.delete(child.spec.id);
  }

  #tryAgain(child: Child, failure: StartFailure): void {
    // Nobody awaits this start, so nobody else would tell of its failure.
    if (this.#phase.kind === 'running') this.reporter.startFailed(child, failure);
    this.#report(child, failure.reason);
    const restarting = child.settleRestarting();
    this.#jobs.push(async () => {
      if (child.phase === restarting && this.#phase.kind === 'running') await this.#restart(child, failure.reason, 'start_failure');
    });
  }

  #giveUp(child: Child, reason: ExitReason): void {
    child.settleStopped();
    const error = this.#tooManyRestarts(child, reason);
    this.reporter.gaveUp(error);
    this.#terminate({ kind: 'shutdown', info: error });
  }

  #failItself(error: unknown): void {
    this.reporter.internalError(error);
    this.#terminate({ kind: 'crashed', error });
  }

  #moveBelow({ environment, path }: ProcessHost, id: string, defaults: SupervisionDefaults): void {
    // It runs already, and will refuse to be started as a child.
    if (this.#phase.kind !== 'idle' && this.#phase.kind !== 'stopped') return;
    this.#settings = this.settle(defaults, id);
    this.#isBelow = true;
    this.#environment = environment;
    this.#path = `${path}/${this.name}`;
    this.#reporter = this.#newReporter();
    this.#jobs = this.#newQueue();
  }

  #newReporter(): Reporter {
    const { telemetry, onCrash } = this.#settings;
    return new Reporter(this.#path, this.#environment, telemetry, onCrash);
  }

  #newQueue(): SerialQueue {
    return new SerialQueue(this.#environment.clock, (error) => this.#failItself(error));
  }

  async #launch(child: Child): Promise<Process | StartFailure> {
    const end = this.#traceStart(child);
    const outcome = await (this.environment.tracing?.tracer?.apart(() => child.start()) ?? child.start());
    end?.(outcome instanceof StartFailure ? (errorOf(outcome.reason) ?? new Error(describeExit(outcome.reason))) : undefined);
    if (outcome instanceof StartFailure) return outcome;
    if (child.phase.kind !== 'stopped') this.reporter.started(child);
    return outcome;
  }

  #traceStart({ spec, incarnation, lastExit }: Child): ((error?: unknown) => void) | undefined {
    const facts = { id: spec.id, incarnation: incarnation + 1, supervisor: this.path, kind: spec.runner.kind, after: lastExit?.reason };
    return this.environment.tracing?.tracer?.beginStart(facts);
  }

  /** The same for a child that has had its row already. */
  async #relaunch(child: Child): Promise<Process | StartFailure> {
    const outcome = await this.#launch(child);
    if (!(outcome instanceof StartFailure) && this.#hasDeclinedForGood(child)) this.forget(child);
    return outcome;
  }

  /** Whether a child that did not fail to start has declined to, and nothing would ever start it again. */
  #hasDeclinedForGood(child: Child): boolean {
    return child.phase.kind === 'stopped' && !this.keepsEnded(child);
  }

  #notRunning(): VigilError {
    return this.invalidState(this.#phase.kind === 'idle' ? 'was not started' : `is ${this.#phase.kind}`);
  }

  #startFailed(child: Child, { reason, isCancelled }: StartFailure): VigilError {
    if (!isCancelled) this.#report(child, reason, { do: 'fail_start' });
    const { id } = child.spec;
    const text = `child "${id}" of "${this.path}" did not start: ${describeExit(reason)}`;
    return new VigilError('ProcessStartFailed', text, { cause: errorOf(reason), details: { id, reason } });
  }

  #shutdownTimeout(timeoutMs: number): VigilError {
    const children = this.inStopOrder()
      .filter((child) => child.phase.kind !== 'stopped')
      .map((child) => child.spec.id);
    const text = `supervisor "${this.path}" did not stop within ${timeoutMs} ms; still up: ${children.join(', ')}`;
    return new VigilError('ShutdownTimeout', text, { details: { children } });
  }

  #tooManyRestarts(child: Child, reason: ExitReason): VigilError {
    const { id } = child.spec;
    const isOwnBudget = child.restartsLeft(this.environment.clock.now()) <= 0;
    const { maxRestarts, periodMs } = isOwnBudget ? child.spec : this.#settings;
    const budget = `${isOwnBudget ? 'its own' : 'the'} budget of ${maxRestarts} restarts within ${periodMs / 1000} s is used up`;
    const advice = reason.kind === 'normal' ? `. ${RETURNING_BODY_ADVICE}` : '';
    const text = `supervisor "${this.path}" gives up: child "${id}" ended (${describeExit(reason)}) and ${budget}${advice}`;
    return new VigilError('TooManyRestarts', text, {
      cause: errorOf(reason),
      details: { id, reason, maxRestarts, maxSeconds: periodMs / 1000 },
    });
  }
}

/** The supervisors of a runtime that run and that nobody supervises. */
export function runningRoots({ roots }: Pick<Environment, 'roots'>): SupervisorCore[] {
  return [...roots.running].filter((root) => root instanceof SupervisorCore);
}

function isRunning({ phase }: Child): boolean {
  return phase.kind === 'running';
}

function idsOf(children: readonly Child[]): string[] {
  return children.map(({ spec }) => spec.id);
}

const STARTS_PER_TURN = 64;

/** Whether it is time for a turn of the event loop in a long row of starts, all of which could be done in microtasks. */
export function isTurnDue(index: number): boolean {
  return index % STARTS_PER_TURN === STARTS_PER_TURN - 1;
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
