import {
  type Cancel,
  crashed,
  type CrashedProcess,
  type Environment,
  type ExitReason,
  growingDelayMs,
  type Signal,
  VigilError,
} from '../core/index.js';
import type { Process, ProcessHost, ProcessRef } from '../processes/index.js';
import type { CompleteChildSpec } from './child-spec.js';
import { watchHealth } from './health-check.js';
import { RestartIntensity } from './restart-intensity.js';
import { treeBelow } from './supervisor-process.js';
import type { ChildInfo, ChildRow, ChildState, LastExit } from './supervision-tree.js';

/** What a child needs of its supervisor. */
export interface ChildOwner {
  readonly environment: Environment;
  readonly path: string;
  /** The child ended by itself. `ended` is its phase; once that is no longer its phase, the end has been dealt with. */
  childEnded(child: Child, ended: EndedPhase): void;
  /** The child did not stop in time and has to be killed. */
  childOverdue(child: Child): void;
  /** The child was sent one of Vigil's own signals. */
  childNotified(child: Child, signal: Signal): void;
}

/** A start that did not succeed: what the process ended with before it was ready. */
export class StartFailure {
  readonly reason: ExitReason;
  /** It did not fail: it was asked to stop before it was ready. */
  readonly isCancelled: boolean;

  constructor(reason: ExitReason, isCancelled = false) {
    this.reason = reason;
    this.isCancelled = isCancelled;
  }
}

export type StartOutcome = Process | StartFailure;

/** The outcome of one start, which can be known before anybody waits for it: a body is free to stop or kill its own supervisor. */
class Start {
  #outcome: StartOutcome | undefined;
  #resolve: ((outcome: StartOutcome) => void) | undefined;

  settle(outcome: StartOutcome): void {
    this.#outcome = outcome;
    this.#resolve?.(outcome);
  }

  get outcome(): StartOutcome | Promise<StartOutcome> {
    return (
      this.#outcome ??
      new Promise((resolve) => {
        this.#resolve = resolve;
      })
    );
  }
}

export interface EndedPhase {
  readonly kind: 'ended';
  readonly reason: ExitReason;
}

export interface RestartingPhase {
  readonly kind: 'restarting';
  /** Ends the wait before the next attempt. */
  cancelDelay: Cancel | undefined;
}

/** Whether a stop keeps its own time, or somebody who stops several children keeps it for all of them. */
export type StopDeadline = 'own_deadline' | 'common_deadline';

interface StartingPhase {
  readonly kind: 'starting';
  readonly process: Process;
  readonly start: Start;
  cancelTimeout: Cancel | undefined;
}

interface StoppingPhase {
  readonly kind: 'stopping';
  readonly process: Process;
  readonly settle: (reason: ExitReason) => void;
  cancelGrace: Cancel | undefined;
}

interface RunningPhase {
  readonly kind: 'running';
  readonly process: Process;
  readonly sinceMs: number;
  isSuspended: boolean;
  stopHealthChecks: Cancel | undefined;
}

type Phase = StartingPhase | RunningPhase | StoppingPhase | EndedPhase | RestartingPhase | { readonly kind: 'stopped' };

const STOPPED: Phase = { kind: 'stopped' };

/**
 * One child of a supervisor through all its incarnations: it can be started, stopped within its grace period and killed,
 * and it tells when it ends by itself. What to do then is its supervisor's decision.
 *
 * Invariant: at most one incarnation is alive; only the phases `starting`, `running` and `stopping` have one.
 */
export class Child implements ProcessHost {
  readonly spec: CompleteChildSpec;
  restartCount = 0;
  readonly #owner: ChildOwner;
  /** Its own budget beside that of the supervisor. */
  readonly #intensity: RestartIntensity | undefined;
  #phase: Phase = STOPPED;
  #latest: Process | undefined;
  #latestReady: Process | undefined;
  #incarnation = 0;
  #restartsInARow = 0;
  #lastExit: LastExit | undefined;
  #lastUptimeMs: number | undefined;
  #releaseRunner: (() => Promise<void>) | undefined;

  constructor(spec: CompleteChildSpec, owner: ChildOwner) {
    this.spec = spec;
    this.#owner = owner;
    if (spec.maxRestarts !== undefined) this.#intensity = new RestartIntensity(spec.maxRestarts, spec.periodMs);
  }

  get environment(): Environment {
    return this.#owner.environment;
  }

  get path(): string {
    return this.#owner.path;
  }

  get restartType(): CompleteChildSpec['restartType'] {
    return this.spec.restartType;
  }

  get phase(): Phase {
    return this.#phase;
  }

  get incarnation(): number {
    return this.#incarnation;
  }

  get lastExit(): LastExit | undefined {
    return this.#lastExit;
  }

  /** What a report of its last end tells. */
  crashOf(reason: ExitReason): Pick<CrashedProcess, 'process' | 'reason' | 'uptimeMs' | 'args' | 'lastMessage' | 'inboxDepth'> {
    const { id, runner, args } = this.spec;
    const process = { id, incarnation: this.#incarnation, supervisor: this.path, kind: runner.kind };
    const { lastMessage, inboxDepth } = this.#latest?.remains ?? {};
    return { process, reason, uptimeMs: this.#lastUptimeMs, args, lastMessage, inboxDepth };
  }

  /** The incarnation that is alive, whether it is ready or not. */
  get ref(): ProcessRef | undefined {
    return this.#process?.ref;
  }

  get #process(): Process | undefined {
    return 'process' in this.#phase ? this.#phase.process : undefined;
  }

  /** Starts a new incarnation. The answer comes at once unless the start is one that has to be waited for. */
  start(): StartOutcome | Promise<StartOutcome> {
    this.#incarnation += 1;
    const start = new Start();
    try {
      this.#releaseRunner ??= this.spec.runner.hold?.();
      const process = this.spec.runner.create(this.spec, this.#incarnation, this);
      this.#latest = process;
      this.#phase = { kind: 'starting', process, start, cancelTimeout: undefined };
      process.start();
    } catch (error) {
      this.#phase = STOPPED;
      return new StartFailure(crashed(error));
    }
    this.#limitStart();
    return start.outcome;
  }

  /**
   * Stops the child by its spec: asks and waits, kills when the grace period is over, or kills at once.
   *
   * @returns what it ended with; `undefined` when nothing of it was running.
   */
  async stop(deadline: StopDeadline = 'own_deadline'): Promise<ExitReason | undefined> {
    const { phase } = this;
    switch (phase.kind) {
      case 'stopped':
      case 'ended':
      case 'restarting':
        this.settleStopped();
        return undefined;
      case 'starting':
        phase.cancelTimeout?.();
        return this.#stopProcess(phase.process, deadline, phase.start);
      case 'running':
        phase.stopHealthChecks?.();
        this.#noteRun(phase.sinceMs);
        return this.#stopProcess(phase.process, deadline);
      case 'stopping':
        throw new Error(`child "${this.spec.id}" is stopped twice at a time`);
    }
  }

  /** Ends a start that is being waited for; it fails. */
  cancelStart(): void {
    if (this.#phase.kind === 'starting') void this.stop();
  }

  /**
   * It is not a child any more, or its supervisor has ended: nothing will start it again.
   *
   * @returns when what was kept at hand for that is gone; it does not reject. `undefined` when nothing was.
   */
  leave(): Promise<void> | undefined {
    const release = this.#releaseRunner;
    this.#releaseRunner = undefined;
    return release?.();
  }

  /** Handles no more messages until `resume`; false when it did not already. */
  suspend(): boolean {
    const { phase } = this;
    if (phase.kind !== 'running' || phase.isSuspended) return false;
    phase.process.suspend();
    phase.isSuspended = true;
    phase.stopHealthChecks?.();
    return true;
  }

  resume(): boolean {
    const { phase } = this;
    if (phase.kind !== 'running' || !phase.isSuspended) return false;
    phase.isSuspended = false;
    phase.stopHealthChecks = this.#watchHealth(phase.process);
    phase.process.resume();
    return true;
  }

  /** Whether `ref` is that of its latest incarnation, or of the last one that was up, while attempts to restart it fail. */
  isNamedBy(ref: ProcessRef): boolean {
    return this.#latest?.ref === ref || this.#latestReady?.ref === ref;
  }

  /** How many restarts its own budget allows. */
  restartsLeft(nowMs: number): number {
    return this.#intensity?.remaining(nowMs) ?? Number.POSITIVE_INFINITY;
  }

  recordRestart(nowMs: number): void {
    this.#intensity?.record(nowMs);
  }

  /** Milliseconds to wait before the restart that is due; each call is one more restart in a row. */
  nextDelayMs(): number {
    const { restartDelay } = this.spec;
    if (restartDelay === undefined) return 0;
    const delayMs = growingDelayMs(restartDelay, this.#restartsInARow, this.environment.random.next());
    this.#restartsInARow += 1;
    return delayMs;
  }

  /** Kills it if it has been asked to stop and has not ended. */
  killIfOverdue(): void {
    if (this.#phase.kind === 'stopping') this.#killOverdue(this.#phase.process);
  }

  /** Kills what runs. */
  kill(): void {
    this.#process?.kill();
  }

  /** Its last end is answered: it stays down. */
  settleStopped(): void {
    if (this.#phase.kind === 'restarting') this.#phase.cancelDelay?.();
    this.#phase = STOPPED;
  }

  /** Its last end will be answered with a new start. */
  settleRestarting(): RestartingPhase {
    const phase: RestartingPhase = { kind: 'restarting', cancelDelay: undefined };
    this.#phase = phase;
    return phase;
  }

  /** Whether an incarnation has started and has not ended. */
  get isUp(): boolean {
    return this.#phase.kind === 'running' || this.#phase.kind === 'stopping';
  }

  row(): ChildRow {
    const { id, type } = this.spec;
    switch (this.#phase.kind) {
      case 'running':
      case 'stopping':
        return { id, type, state: 'running', ref: this.ref };
      case 'starting':
      case 'ended':
      case 'restarting':
        return { id, type, state: 'restarting', ref: undefined };
      case 'stopped':
        return { id, type, state: 'stopped', ref: undefined };
    }
  }

  info(): ChildInfo {
    const { phase } = this;
    return {
      id: this.spec.id,
      kind: this.spec.runner.kind,
      type: this.spec.type,
      state: stateOf(phase),
      restartType: this.spec.restartType,
      incarnation: this.#incarnation,
      restartCount: this.restartCount,
      uptimeMs: phase.kind === 'running' ? this.environment.clock.now() - phase.sinceMs : undefined,
      lastExit: this.#lastExit,
      ref: this.ref,
      vitals: this.#process?.vitals(),
      inbox: this.#process?.inboxFigures(),
      supervisor: treeBelow(this.#process),
    };
  }

  processReady(process: Process): void {
    const { phase } = this;
    if (phase.kind !== 'starting' || phase.process !== process) return;
    phase.cancelTimeout?.();
    this.#latestReady = process;
    this.#phase = {
      kind: 'running',
      process,
      sinceMs: this.environment.clock.now(),
      isSuspended: false,
      stopHealthChecks: this.#watchHealth(process),
    };
    phase.start.settle(process);
  }

  processIgnored(process: Process): void {
    const { phase } = this;
    if (phase.kind !== 'starting' || phase.process !== process) return;
    phase.cancelTimeout?.();
    this.#phase = STOPPED;
    phase.start.settle(process);
  }

  processExited(process: Process, reason: ExitReason): void {
    const { phase } = this;
    if (this.#process !== process) return;
    this.#lastUptimeMs = phase.kind === 'running' ? this.environment.clock.now() - phase.sinceMs : undefined;
    this.#lastExit = { reason, timestampMs: this.environment.clock.wallTime() };
    switch (phase.kind) {
      case 'starting':
        phase.cancelTimeout?.();
        this.#phase = STOPPED;
        phase.start.settle(new StartFailure(reason));
        break;
      case 'running': {
        phase.stopHealthChecks?.();
        this.#noteRun(phase.sinceMs);
        const ended: EndedPhase = { kind: 'ended', reason };
        this.#phase = ended;
        this.#owner.childEnded(this, ended);
        break;
      }
      case 'stopping':
        phase.cancelGrace?.();
        this.#phase = STOPPED;
        phase.settle(reason);
        break;
      case 'stopped':
      case 'ended':
      case 'restarting':
        break;
    }
  }

  processNotified(process: Process, signal: Signal): void {
    if (this.#process === process) this.#owner.childNotified(this, signal);
  }

  /** A run that was long enough ends a row of restarts. */
  #noteRun(sinceMs: number): void {
    const { restartDelay } = this.spec;
    if (restartDelay !== undefined && this.environment.clock.now() - sinceMs >= restartDelay.maxMs) this.#restartsInARow = 0;
  }

  #limitStart(): void {
    const { id, readiness, startTimeoutMs, runner } = this.spec;
    const { phase } = this;
    if (phase.kind !== 'starting' || startTimeoutMs === 'infinity') return;
    // A supervisor takes as long as its children take, each of which has a limit of its own.
    if (readiness !== 'explicit' && runner.kind === 'supervisor') return;
    const late = () =>
      phase.process.kill(crashed(new VigilError('OperationTimeout', `child "${id}" was not ready within ${startTimeoutMs} ms`)));
    phase.cancelTimeout = this.environment.clock.after(startTimeoutMs, late, { keepAlive: true });
  }

  #stopProcess(process: Process, deadline: StopDeadline, start?: Start): Promise<ExitReason> {
    return new Promise((resolve) => {
      const settle = (reason: ExitReason) => {
        start?.settle(new StartFailure(reason, true));
        resolve(reason);
      };
      const phase: StoppingPhase = { kind: 'stopping', process, settle, cancelGrace: undefined };
      this.#phase = phase;
      const { shutdownTimeoutMs } = this.spec;
      if (shutdownTimeoutMs === 'brutal_kill') return process.kill();
      if (shutdownTimeoutMs !== 'infinity' && deadline === 'own_deadline') {
        phase.cancelGrace = this.environment.clock.after(shutdownTimeoutMs, () => this.#killOverdue(process), { keepAlive: true });
      }
      process.stop();
    });
  }

  #killOverdue(process: Process): void {
    this.#owner.childOverdue(this);
    process.kill();
  }

  #watchHealth(process: Process): Cancel | undefined {
    const { healthCheckFn, healthCheckIntervalMs } = this.spec;
    if (healthCheckFn === undefined) return undefined;
    const check = (): boolean | Promise<boolean> => {
      process.notify('healthCheck');
      this.processNotified(process, 'healthCheck');
      return healthCheckFn();
    };
    return watchHealth(check, healthCheckIntervalMs, this.environment.clock, (error) => process.kill(crashed(error)));
  }
}

function stateOf(phase: Phase): ChildState {
  if (phase.kind === 'running' && phase.isSuspended) return 'suspended';
  return phase.kind === 'ended' ? 'restarting' : phase.kind;
}
