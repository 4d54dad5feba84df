import {
  type CrashDecision,
  describeExit,
  type Environment,
  errorOf,
  type ExitReason,
  isAbnormal,
  noTelemetry,
  type ProcessFacts,
  type Signal,
  type TelemetrySink,
} from '../core/index.js';
import type { Child, StartFailure } from './child.js';
import type { CrashHandler } from './supervisor-options.js';

/** Tells telemetry, the log and the crash hook what happens in one supervisor. Nothing that a listener does comes back. */
export class Reporter {
  readonly #path: string;
  readonly #log: Environment['log'];
  readonly #telemetry: TelemetrySink;
  readonly #crashes: Environment['crashes'];
  readonly #onCrash: CrashHandler | undefined;

  constructor(path: string, environment: Environment, telemetry: boolean, onCrash: CrashHandler | undefined) {
    this.#path = path;
    this.#log = environment.log;
    this.#telemetry = telemetry ? environment.telemetry : noTelemetry;
    this.#crashes = environment.crashes;
    this.#onCrash = onCrash;
  }

  supervisorStarted(children: number): void {
    if (this.#telemetry.wants('supervisor_started')) this.#telemetry.report('supervisor_started', { supervisor: this.#path, children });
  }

  supervisorStopped(reason: ExitReason): void {
    if (this.#telemetry.wants('supervisor_stopped')) this.#telemetry.report('supervisor_stopped', { supervisor: this.#path, reason });
  }

  childAdded(id: string): void {
    if (this.#telemetry.wants('supervisor_child_added')) this.#telemetry.report('supervisor_child_added', { supervisor: this.#path, id });
  }

  childRemoved(id: string): void {
    if (this.#telemetry.wants('supervisor_child_removed'))
      this.#telemetry.report('supervisor_child_removed', { supervisor: this.#path, id });
  }

  started(child: Child): void {
    if (this.#telemetry.wants('process_started')) this.#telemetry.report('process_started', this.#factsOf(child));
  }

  startFailed(child: Child, failure: StartFailure): void {
    this.#log.error(`${this.#name(child)} did not start: ${describeExit(failure.reason)}`, errorOf(failure.reason));
  }

  suspended(child: Child): void {
    if (this.#telemetry.wants('process_suspended')) this.#telemetry.report('process_suspended', this.#factsOf(child));
  }

  resumed(child: Child): void {
    if (this.#telemetry.wants('process_resumed')) this.#telemetry.report('process_resumed', this.#factsOf(child));
  }

  /** A child ended by itself. */
  ended(child: Child, reason: ExitReason): void {
    if (!isAbnormal(reason)) {
      this.#stopped(child, reason);
      return;
    }
    if (this.#telemetry.wants('process_crashed')) this.#telemetry.report('process_crashed', { ...this.#factsOf(child), reason });
    this.#log.error(`${this.#name(child)} ${describeExit(reason)}`, errorOf(reason));
    if (this.#onCrash !== undefined) void this.#callHook(this.#onCrash, child.spec.id, reason);
  }

  /** A child was stopped by its supervisor. What a child may answer to that without remark is OTP's rule. */
  stopped(child: Child, reason: ExitReason): void {
    this.#stopped(child, reason);
    const { restartType } = child.spec;
    // Who killed it has said so, or meant to.
    if (reason.kind === 'killed') return;
    const isExpected =
      reason.kind === 'shutdown'
        ? restartType !== 'permanent' || reason.info === undefined
        : reason.kind === 'normal' && restartType !== 'permanent';
    if (!isExpected) {
      this.#log.error(`${this.#name(child)} was asked to stop and ended otherwise: ${describeExit(reason)}`, errorOf(reason));
    }
  }

  notified(child: Child, signal: Signal): void {
    if (this.#telemetry.wants('process_signalled')) this.#telemetry.report('process_signalled', { ...this.#factsOf(child), signal });
  }

  overdue(child: Child): void {
    this.#log.error(`${this.#name(child)} did not stop within ${child.spec.shutdownTimeoutMs} ms and is killed`);
  }

  /** What is done about an abnormal end. */
  answered(child: Child, reason: ExitReason, decision: CrashDecision, restartsLeft: number): void {
    this.#crashes.add({ ...child.crashOf(reason), decision, restartsLeft });
  }

  restarting(child: Child, reason: ExitReason, restartsLeft: number): void {
    if (!this.#telemetry.wants('supervisor_restart')) return;
    this.#telemetry.report('supervisor_restart', { supervisor: this.#path, id: child.spec.id, reason, restartsLeft });
  }

  gaveUp(error: Error): void {
    this.#log.error(error.message, error);
  }

  internalError(error: unknown): void {
    this.#log.error(`supervisor "${this.#path}" failed itself`, error);
  }

  async #callHook(hook: CrashHandler, id: string, reason: ExitReason): Promise<void> {
    try {
      await hook(id, reason);
    } catch (error) {
      this.#log.error(`onCrash of supervisor "${this.#path}" failed`, error);
    }
  }

  #stopped(child: Child, reason: ExitReason): void {
    if (this.#telemetry.wants('process_stopped')) this.#telemetry.report('process_stopped', { ...this.#factsOf(child), reason });
  }

  #name(child: Child): string {
    return `child "${child.spec.id}" of "${this.#path}" (incarnation ${child.incarnation})`;
  }

  #factsOf(child: Child): ProcessFacts {
    return { id: child.spec.id, incarnation: child.incarnation, supervisor: this.#path };
  }
}
