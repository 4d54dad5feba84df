/**
 * OTP's supervisor, written down once more as naively as possible: what the library is held against.
 *
 * Every supervisor is a process with a mailbox that handles one message after the other, as a `gen_server` does. It is written as a
 * generator that yields what it waits for; between two yields nothing else happens.
 *
 * What is Vigil's own and not OTP's is marked `Vigil:`; the rest follows `supervisor.erl`, whose functions are named.
 */
import type { Call, Health } from './stimulus.suite.js';
import type { Budget, SupervisorSpec, WorkerSpec } from './tree.suite.js';

/** What a supervisor waits for before its next step. */
export type Wait = () => boolean;
export type Steps<T = void> = Generator<Wait, T, void>;

/** Anybody else may do something now. */
export const NOTHING: Wait = () => true;

export interface Timer {
  readonly dueMs: number;
  readonly fire: () => void;
}

/** Calls about one child. */
type ChildCall = Extract<Call, { readonly id: string }>;
/** Calls that are answered in their turn. */
type Request = Exclude<Call, { readonly name: 'start' | 'stop' | 'kill' }>;

type ChildState = 'starting' | 'running' | 'suspended' | 'stopping' | 'ended' | 'restarting' | 'stopped';
/** How a start came out. Vigil: it can be cut short by a stop, and is then no failure that is made good. */
type StartOutcome = 'up' | 'declined' | 'failed' | 'cancelled';

export interface ModelChild {
  readonly spec: WorkerSpec | SupervisorSpec;
  /** Whose spec it was first: the workers of a pool share the health check of the first. */
  readonly healthPath: string;
  readonly owner: ModelSupervisor;
  state: ChildState;
  incarnation: number;
  restartCount: number;
  lastExit: string | undefined;
  outcome: StartOutcome | undefined;
  /** The supervisor that it is, while it lives. */
  below: ModelSupervisor | undefined;
  /** Its timers: start, grace, health, delay. At most one runs at a time. */
  timer: Timer | undefined;
  /** Vigil: its own budget, and the row of delayed restarts. */
  readonly restartsAtMs: number[];
  restartsInARow: number;
  /** The latest incarnation that was up. */
  lastUp: number;
  /** The group that starts together after a delay, and the timer of that. */
  waiting: { readonly members: Set<ModelChild>; readonly timer: Timer } | undefined;
  sinceMs: number;
  /** Changes with every state, so that a message about an old state can be told. */
  epoch: number;
}
/** What supervisors share: time, what was done to their children, and what is seen of them. */
export interface ModelWorld {
  readonly nowMs: number;
  /** The latest supervisor at each path. */
  readonly supervisors: Map<string, ModelSupervisor>;
  /** Workers that are alive. */
  readonly workers: Map<string, ModelChild>;
  readonly sabotage: Map<string, number>;
  readonly health: Map<string, Health>;
  readonly timers: Set<Timer>;
  /** Runs a process until it waits for something that only the outside can bring. */
  run(steps: Steps): void;
  after(ms: number, fire: () => void): Timer;
  see(supervisor: string, text: string): void;
  answer(call: number, text: string): void;
}

export class ModelSupervisor {
  readonly spec: SupervisorSpec;
  readonly path: string;
  readonly model: ModelWorld;
  /** As which child of whom it runs. */
  readonly parent: ModelChild | undefined;
  state: 'idle' | 'starting' | 'running' | 'stopping' | 'stopped' = 'idle';
  reason = '';
  /** In start order. */
  children: ModelChild[] = [];
  restartsAtMs: number[] = [];
  totalRestarts = 0;
  started = 0;
  readonly mailbox: (() => Steps)[] = [];
  /** Answers to calls that wait for the end. */
  readonly endAnswers: (() => void)[] = [];

  constructor(spec: SupervisorSpec, path: string, model: ModelWorld, parent?: ModelChild) {
    this.spec = spec;
    this.path = path;
    this.model = model;
    this.parent = parent;
    model.supervisors.set(path, this);
    model.run(this.#loop());
  }

  *#loop(): Steps {
    for (;;) {
      yield () => this.mailbox.length > 0;
      const message = this.mailbox.shift();
      if (message !== undefined) yield* message();
    }
  }

  // ── Life ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** `init_children` */
  begin(answer: (text: string) => void): void {
    this.state = 'starting';
    this.children = [];
    this.restartsAtMs = [];
    this.totalRestarts = 0;
    this.mailbox.push(() => this.#initChildren(answer));
  }

  *#initChildren(answer: (text: string) => void): Steps {
    this.#see('starts');
    for (const spec of this.spec.children) {
      const child = this.#newChild(spec);
      const outcome = yield* this.#startAgain(child);
      // Vigil: a supervisor can be stopped while it starts. Whoever started it hears of that when nothing is left of it.
      if (this.state !== 'starting') return void this.endAnswers.push(() => answer('InvalidState(stopped)'));
      if (isFailure(outcome)) {
        this.state = 'stopping';
        this.reason = 'shutdown(ProcessStartFailed)';
        yield* this.#terminateChildren();
        return answer('ProcessStartFailed');
      }
    }
    if (this.state !== 'starting') return answer('ok');
    this.state = 'running';
    this.parent?.owner.childReady(this.parent);
    answer('ok');
  }

  /** Vigil: stopping goes first. It cuts short a start that is being waited for, and nothing is started any more. */
  terminate(reason: string): void {
    if (this.state !== 'starting' && this.state !== 'running') return;
    this.state = 'stopping';
    this.reason = reason;
    for (const child of this.children) if (child.state === 'starting') this.#askToStop(child);
    this.mailbox.push(() => this.#terminateChildren());
  }

  kill(): void {
    if (this.state === 'idle' || this.state === 'stopped') return;
    const isStopping = this.state === 'stopping';
    this.state = 'stopping';
    this.reason = 'killed';
    for (const child of this.children.toReversed()) this.#killChild(child, 'killed');
    if (!isStopping) this.mailbox.push(() => this.#terminateChildren());
  }

  /** `terminate_children`; `terminate_dynamic_children` asks all of them at once and has one deadline. */
  *#terminateChildren(): Steps {
    const { template } = this.spec;
    if (template === undefined) {
      for (const child of this.children.toReversed()) yield* this.#stopChild(child);
    } else {
      const all = [...this.children];
      const { shutdownTimeoutMs } = template;
      const overdue = () => all.filter(({ state }) => state === 'stopping').forEach((child) => this.#killChild(child, 'killed'));
      const deadline = typeof shutdownTimeoutMs === 'number' && all.length > 0 ? this.model.after(shutdownTimeoutMs, overdue) : undefined;
      for (const child of all) {
        if (isUp(child)) this.#askToStop(child, 'common deadline');
        else if (child.state !== 'stopping') this.#settle(child, 'stopped');
      }
      yield () => all.every(({ state }) => state === 'stopped');
      if (deadline !== undefined) this.model.timers.delete(deadline);
    }
    if (this.state !== 'stopping') return;
    this.state = 'stopped';
    this.#see(`stopped(${this.reason})`);
    for (const answer of this.endAnswers.splice(0)) answer();
    this.parent?.owner.childExited(this.parent, this.reason);
  }

  // ── Ends and restarts ───────────────────────────────────────────────────────────────────────────────────────────────

  /** `handle_info({'EXIT', …})`, `do_restart` */
  *#handleExit(child: ModelChild, epoch: number): Steps {
    if (child.epoch !== epoch) return;
    if (this.state !== 'running') {
      this.#settle(child, 'stopped');
      return;
    }
    const { restartType, significant } = child.spec;
    const reason = child.lastExit ?? '';
    const isAbnormal = reason === 'killed' || reason.startsWith('crashed');
    if (restartType === 'permanent' || (restartType === 'transient' && isAbnormal)) return yield* this.#restart(child);
    this.#settle(child, 'stopped');
    if (restartType === 'temporary' || this.#isDynamic) this.#forget(child);
    // `check_significant`
    const { autoShutdown } = this.spec;
    const isLast = !this.children.some((other) => other.spec.significant && other.state !== 'stopped');
    if (significant && (autoShutdown === 'any_significant' || (autoShutdown === 'all_significant' && isLast))) this.terminate('shutdown');
  }

  /** `restart`, with `add_restart` */
  *#restart(child: ModelChild): Steps {
    const { budget, delay } = child.spec;
    if (this.#left(this.spec, this.restartsAtMs) <= 0 || (budget !== undefined && this.#left(budget, child.restartsAtMs) <= 0)) {
      this.#settle(child, 'stopped');
      this.#see('gives up');
      return this.terminate('shutdown(TooManyRestarts)');
    }
    this.restartsAtMs.push(this.model.nowMs);
    child.restartsAtMs.push(this.model.nowMs);
    this.totalRestarts += 1;
    this.#see(`restarts ${child.spec.id}, ${this.#left(this.spec, this.restartsAtMs)} left`);
    const epoch = this.#settle(child, 'restarting');
    yield* this.#stopGroup(child);
    yield NOTHING;
    const group = this.#groupOf(child);
    if (delay === undefined) return yield* this.#startGroup(group);
    // Vigil: the group stops now and starts after the delay; who is taken out meanwhile keeps nobody else of it down.
    const delayMs = Math.min(delay.initialMs * delay.multiplier ** child.restartsInARow, delay.maxMs);
    child.restartsInARow += 1;
    if (this.state !== 'running') return;
    const epochs = new Map(group.map((member) => [member, member === child ? epoch : this.#settle(member, 'restarting')]));
    const timer = this.model.after(delayMs, () => {
      this.mailbox.push(() => this.#startGroup(group.filter((member) => member.epoch === epochs.get(member))));
    });
    const waiting = { members: new Set(group), timer };
    for (const member of group) member.waiting = waiting;
  }

  /**
   * `restart_multiple_children`; a failed start is tried again behind what is in the mailbox by then, as `try_again_restart` is.
   * Vigil: one that was cut short is not, and keeps nobody else of the group down.
   */
  *#startGroup(group: readonly ModelChild[]): Steps {
    for (const child of group) {
      yield NOTHING;
      if (this.state !== 'running') return;
      child.restartCount += 1;
      const outcome = yield* this.#startAgain(child);
      if (outcome !== 'failed') continue;
      const retry = this.#settle(child, 'restarting');
      this.mailbox.push(() => (child.epoch === retry && this.state === 'running' ? this.#restart(child) : none()));
      return;
    }
  }

  *#stopGroup(failed: ModelChild): Steps {
    const others = this.#groupOf(failed).filter((child) => child !== failed);
    for (const child of others.toReversed()) {
      yield* this.#stopChild(child);
      if (this.state !== 'running') return;
    }
    for (const child of others) if (child.spec.restartType === 'temporary') this.#forget(child);
  }

  #groupOf(failed: ModelChild): ModelChild[] {
    if (this.#isDynamic || this.spec.strategy === 'one_for_one') return [failed];
    return this.spec.strategy === 'one_for_all' ? [...this.children] : this.children.slice(this.children.indexOf(failed));
  }

  /** How many restarts a budget still allows: those within the window count, its edge included. */
  #left({ maxRestarts, periodMs }: Budget, atMs: readonly number[]): number {
    return maxRestarts - atMs.filter((then) => this.model.nowMs - then <= periodMs).length;
  }

  // ── Calls ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  call(call: Call, number: number): void {
    const answer = (text: string) => this.model.answer(number, text);
    switch (call.name) {
      case 'start':
        return this.state === 'idle' || this.state === 'stopped' ? this.begin(answer) : answer('ProcessAlreadyRunning');
      case 'stop':
        this.terminate('shutdown');
        if (this.state === 'idle' || this.state === 'stopped') answer('ok');
        else this.endAnswers.push(() => answer('ok'));
        return;
      case 'kill':
        this.kill();
        return answer('ok');
      case 'whichChildren':
      case 'startChild':
      case 'scaleWorkers':
      case 'terminateChild':
      case 'deleteChild':
      case 'restartChild':
      case 'suspendChild':
      case 'resumeChild':
        return this.#request(call, answer);
    }
  }

  /** `handle_call`: in its turn, and only while the supervisor runs. Vigil: a question is answered while it stops, too. */
  #request(call: Request, answer: (text: string) => void): void {
    if (call.name === 'whichChildren' && this.state === 'stopping') return answer(this.#rows());
    if (this.state !== 'running' && this.state !== 'starting') return answer(`InvalidState(${this.state})`);
    if (call.name === 'terminateChild' && this.state === 'running') {
      // Vigil: a start that is being waited for is cut short.
      const child = this.#find(call.id, call.incarnation);
      if (child?.state === 'starting') this.#askToStop(child);
    }
    const handle = function* (this: ModelSupervisor): Steps {
      const isAnswered = this.state === 'running' || (call.name === 'whichChildren' && this.state === 'stopping');
      if (!isAnswered) return answer(`InvalidState(${this.state})`);
      answer(yield* this.#handle(call));
    };
    this.mailbox.push(handle.bind(this));
  }

  #rows(): string {
    return `[${this.children.map((child) => `${child.spec.id} ${rowState(child)}`).join(', ')}]`;
  }

  *#handle(call: Request): Steps<string> {
    switch (call.name) {
      case 'whichChildren':
        return this.#rows();
      case 'startChild': {
        if (!this.#isDynamic) return yield* this.#admit(call.spec);
        if (this.children.length >= this.spec.maxChildren) return 'TooManyChildren';
        this.started += 1;
        return yield* this.#admit({ ...(this.spec.template ?? call.spec), id: `child_${this.started}` });
      }
      case 'scaleWorkers':
        return yield* this.#scale(call.prefix, call.count);
      case 'terminateChild':
      case 'deleteChild':
      case 'restartChild':
      case 'suspendChild':
      case 'resumeChild': {
        const child = this.#find(call.id, 'incarnation' in call ? call.incarnation : 0);
        return child === undefined ? 'ChildNotFound' : yield* this.#administer(call, child);
      }
    }
  }

  *#administer(call: ChildCall, child: ModelChild): Steps<string> {
    const refusal = `InvalidState(${rowState(child)})`;
    switch (call.name) {
      case 'terminateChild':
        yield* this.#stopChild(child);
        if (child.spec.restartType === 'temporary' || this.#isDynamic) this.#forget(child);
        return 'ok';
      case 'deleteChild':
        if (child.state !== 'stopped') return refusal;
        this.#forget(child);
        return 'ok';
      case 'restartChild': {
        // Vigil: a running child is stopped first, unless the caller asks for OTP's refusal.
        if (child.state !== 'stopped' && (!isRunning(child) || call.onlyIfStopped)) return refusal;
        yield* this.#stopChild(child);
        if (this.state !== 'running') return `InvalidState(${this.state})`;
        child.restartCount += 1;
        this.totalRestarts += 1;
        const outcome = yield* this.#startAgain(child);
        return isFailure(outcome) ? 'ProcessStartFailed' : `ok <${nameOf(child)}>`;
      }
      case 'suspendChild':
        if (!isRunning(child)) return refusal;
        if (child.state === 'suspended') return 'ok';
        if (child.spec.kind === 'supervisor') return 'InvalidState';
        this.#settle(child, 'suspended');
        return 'ok';
      case 'resumeChild':
        if (!isRunning(child)) return refusal;
        if (child.state === 'suspended') this.#runs(child);
        return 'ok';
    }
  }

  *#admit(spec: WorkerSpec, healthPath?: string): Steps<string> {
    const present = this.children.find((child) => child.spec.id === spec.id);
    if (present !== undefined) return `AlreadyMonitoring(${isRunning(present) ? 'running' : 'present'})`;
    const child = this.#newChild(spec, healthPath);
    const outcome = yield* this.#startChild(child);
    if (isFailure(outcome) || this.#hasDeclinedForGood(child)) this.children = this.children.filter((other) => other !== child);
    if (isFailure(outcome)) return 'ProcessStartFailed';
    if (this.children.includes(child)) this.#see(`added ${spec.id}`);
    return `ok <${nameOf(child)}>`;
  }

  /** Vigil: pools. */
  *#scale(prefix: string, count: number): Steps<string> {
    const numberOf = (id: string) => (id.startsWith(`${prefix}_`) ? Number(id.slice(prefix.length + 1)) : Number.NaN);
    const isMember = ({ id }: { id: string }) => !Number.isNaN(numberOf(id));
    const workers = this.children.filter(({ spec }) => isMember(spec)).toSorted((a, b) => numberOf(a.spec.id) - numberOf(b.spec.id));
    const first = this.spec.children.find(isMember);
    const template = workers[0]?.spec ?? first;
    if (template?.kind !== 'worker') return 'ChildNotFound';
    for (const worker of workers.slice(count).toReversed()) {
      if (this.state !== 'running') return `InvalidState(${this.state})`;
      yield* this.#stopChild(worker);
      this.#forget(worker);
    }
    const kept = workers.slice(0, count).map(({ spec }) => numberOf(spec.id));
    const healthPath = workers[0]?.healthPath ?? `${this.path}/${template.id}`;
    for (let number = 0; kept.length < count; number += 1) {
      if (kept.includes(number)) continue;
      if (this.state !== 'running') return `InvalidState(${this.state})`;
      const answer = yield* this.#admit({ ...template, id: `${prefix}_${number}` }, healthPath);
      if (!answer.startsWith('ok')) return answer;
      kept.push(number);
    }
    return 'ok';
  }

  // ── One child ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** `do_start_child` */
  *#startChild(child: ModelChild): Steps<StartOutcome> {
    const { spec } = child;
    const path = `${this.path}/${spec.id}`;
    child.incarnation += 1;
    child.outcome = undefined;
    if (spec.kind === 'supervisor') {
      this.#settle(child, 'starting');
      child.below = new ModelSupervisor(spec, path, this.model, child);
      child.below.begin(() => {});
    } else {
      const failures = this.model.sabotage.get(path) ?? 0;
      if (failures > 0) {
        this.model.sabotage.set(path, failures - 1);
        this.#settle(child, 'stopped');
        return 'failed';
      }
      this.#see(`+${nameOf(child)}`);
      this.model.workers.set(path, child);
      this.#settle(child, 'starting');
      const late = () => this.#killChild(child, 'crashed(OperationTimeout)');
      if (!spec.isExplicit) this.childReady(child);
      else if (spec.startTimeoutMs !== 'infinity') this.#arm(child, spec.startTimeoutMs, late);
    }
    yield () => child.outcome !== undefined;
    return child.outcome ?? 'up';
  }

  /** The same for a child that has had its row: if it declines for good, the row goes. */
  *#startAgain(child: ModelChild): Steps<StartOutcome> {
    const outcome = yield* this.#startChild(child);
    if (this.#hasDeclinedForGood(child)) this.#forget(child);
    return outcome;
  }

  #hasDeclinedForGood({ outcome, spec }: ModelChild): boolean {
    return outcome === 'declined' && (spec.restartType === 'temporary' || this.#isDynamic);
  }

  /** `shutdown` */
  *#stopChild(child: ModelChild): Steps {
    yield NOTHING;
    if (isUp(child)) this.#askToStop(child);
    else if (child.state !== 'stopping') this.#settle(child, 'stopped');
    yield () => child.state === 'stopped';
  }

  #askToStop(child: ModelChild, deadline?: 'common deadline'): void {
    if (isRunning(child)) this.#noteRun(child);
    this.#settle(child, 'stopping');
    const { shutdownTimeoutMs } = child.spec;
    if (shutdownTimeoutMs === 'brutal_kill') return this.#killChild(child, 'killed');
    if (shutdownTimeoutMs !== 'infinity' && deadline === undefined) {
      this.#arm(child, shutdownTimeoutMs, () => this.#killChild(child, 'killed'));
    }
    if (child.below !== undefined) child.below.terminate('shutdown');
    else this.#see(`?${nameOf(child)}`);
  }

  #killChild(child: ModelChild, reason: string): void {
    if (!isUp(child) && child.state !== 'stopping') return;
    if (child.below !== undefined) return child.below.kill();
    this.#see(`!${nameOf(child)}`);
    this.workerEnds(child, reason);
  }

  workerEnds(child: ModelChild, reason: string): void {
    this.#see(`-${nameOf(child)}(${reason})`);
    this.model.workers.delete(`${this.path}/${child.spec.id}`);
    this.childExited(child, reason);
  }

  childReady(child: ModelChild): void {
    if (child.state !== 'starting') return;
    child.sinceMs = this.model.nowMs;
    child.outcome = 'up';
    this.#runs(child);
  }

  childDeclined(child: ModelChild): void {
    if (child.state !== 'starting') return;
    this.#see(`-${nameOf(child)}(normal)`);
    this.model.workers.delete(`${this.path}/${child.spec.id}`);
    this.#settle(child, 'stopped');
    child.outcome = 'declined';
  }

  childExited(child: ModelChild, reason: string): void {
    child.lastExit = reason;
    child.below = undefined;
    if (isRunning(child)) {
      this.#noteRun(child);
      const epoch = this.#settle(child, 'ended');
      this.mailbox.push(() => this.#handleExit(child, epoch));
    } else {
      const wasAsked = child.state === 'stopping';
      this.#settle(child, 'stopped');
      child.outcome ??= wasAsked ? 'cancelled' : 'failed';
    }
  }

  /** Vigil: a run that was long enough ends a row of delayed restarts, however it ends. */
  #noteRun(child: ModelChild): void {
    const { delay } = child.spec;
    if (delay !== undefined && this.model.nowMs - child.sinceMs >= delay.maxMs) child.restartsInARow = 0;
  }

  #runs(child: ModelChild): void {
    child.lastUp = child.incarnation;
    this.#settle(child, 'running');
    const { spec } = child;
    if (spec.kind === 'supervisor' || spec.healthIntervalMs === undefined) return;
    const intervalMs = spec.healthIntervalMs;
    const fail = () => this.#killChild(child, 'crashed(HealthCheckFailed)');
    const check = () => {
      // No answer in time is a failure, too.
      this.#arm(child, intervalMs, fail);
      const { epoch } = child;
      this.model.run(answer.call(this, epoch));
    };
    const answer = function* (this: ModelSupervisor, epoch: number): Steps {
      const health = this.model.health.get(child.healthPath) ?? 'well';
      yield NOTHING;
      if (child.epoch !== epoch || health === 'mute') return;
      if (health === 'sick') return fail();
      this.#disarm(child);
      this.#arm(child, intervalMs, check);
    };
    this.#arm(child, intervalMs, check);
  }

  // ── Small things ────────────────────────────────────────────────────────────────────────────────────────────────────

  get #isDynamic(): boolean {
    return this.spec.template !== undefined;
  }

  #newChild(spec: WorkerSpec | SupervisorSpec, healthPath?: string): ModelChild {
    const child: ModelChild = {
      spec,
      healthPath: healthPath ?? `${this.path}/${this.spec.template?.id ?? spec.id}`,
      owner: this,
      state: 'stopped',
      incarnation: 0,
      restartCount: 0,
      lastExit: undefined,
      outcome: undefined,
      below: undefined,
      timer: undefined,
      restartsAtMs: [],
      restartsInARow: 0,
      lastUp: 0,
      waiting: undefined,
      sinceMs: 0,
      epoch: 0,
    };
    this.children.push(child);
    return child;
  }

  /** A dynamic child is named by the ref of its latest incarnation, or of the last one that was up. */
  #find(id: string, incarnation: number): ModelChild | undefined {
    const child = this.children.find(({ spec }) => spec.id === id);
    const isNamed = !this.#isDynamic || child?.incarnation === incarnation || child?.lastUp === incarnation;
    return isNamed ? child : undefined;
  }

  #forget(child: ModelChild): void {
    if (!this.children.includes(child)) return;
    this.children = this.children.filter((other) => other !== child);
    this.#see(`removed ${child.spec.id}`);
  }

  /** Whatever timer belonged to the state before is no more. */
  #settle(child: ModelChild, state: ChildState): number {
    this.#disarm(child);
    child.state = state;
    child.epoch += 1;
    return child.epoch;
  }

  #arm(child: ModelChild, ms: number, fire: () => void): void {
    child.timer = this.model.after(ms, fire);
  }

  #disarm(child: ModelChild): void {
    if (child.waiting !== undefined) {
      const { members, timer } = child.waiting;
      child.waiting = undefined;
      members.delete(child);
      if (members.size === 0) this.model.timers.delete(timer);
    }
    if (child.timer !== undefined) this.model.timers.delete(child.timer);
    child.timer = undefined;
  }

  #see(text: string): void {
    this.model.see(this.path, text);
  }

  /** As `treeText` writes what `inspect()` shows. */
  text(indent = ''): string {
    const left = this.#left(this.spec, this.restartsAtMs);
    const head = `${indent}${this.spec.id}: ${this.state}, ${this.totalRestarts} restarts, ${left} left`;
    const lines = this.children.map((child) => {
      const state = child.state === 'ended' ? 'restarting' : child.state;
      const last = child.lastExit === undefined ? '' : `, last ${child.lastExit}`;
      const line = `${indent}  ${nameOf(child)} ${state}, restarted ${child.restartCount}${last}`;
      return child.below === undefined ? line : `${line}\n${child.below.text(`${indent}    `)}`;
    });
    return [head, ...lines].join('\n');
  }
}
function* none(): Steps {}

function isFailure(outcome: StartOutcome): boolean {
  return outcome === 'failed' || outcome === 'cancelled';
}

function nameOf(child: ModelChild): string {
  return `${child.spec.id}#${child.incarnation}`;
}

function isRunning({ state }: ModelChild): boolean {
  return state === 'running' || state === 'suspended';
}

function isUp(child: ModelChild): boolean {
  return child.state === 'starting' || isRunning(child);
}

/** What `which_children` shows. */
function rowState({ state }: ModelChild): string {
  switch (state) {
    case 'running':
    case 'suspended':
    case 'stopping':
      return 'running';
    case 'starting':
    case 'ended':
    case 'restarting':
      return 'restarting';
    case 'stopped':
      return 'stopped';
  }
}
