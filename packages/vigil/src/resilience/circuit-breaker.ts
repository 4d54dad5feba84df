import { checkFunction, checkName, type Environment, failFast, isVigilError, type VigilError, type WaitOptions } from '../core/index.js';
import { AbortScope, untilAborted } from './abort-scope.js';
import { type CircuitBreakerOptions, type CircuitRules, circuitRules } from './circuit-options.js';
import {
  type ClosedPhase,
  closedPhase,
  countFailure,
  countProbeSuccess,
  countSuccess,
  type HalfOpenPhase,
  halfOpenPhase,
  isTimeToTry,
  type OpeningCause,
  type Phase,
  type Probe,
  retryInMs,
  roomForProbe,
} from './circuit-phase.js';
import { checkSnapshot, type CircuitSnapshot, type CircuitState } from './circuit-snapshot.js';
import { type Attempt, callThrough, doWork, type Layer, type PolicyPart, refusal, Run, type Work } from './run.js';

/** What follows a call that a closed circuit let through: made once for a phase, since to make it for each call takes as long as the call. */
interface Sequel {
  succeeded<T>(this: void, value: T): T;
  failed(this: void, error: unknown): never;
}

/**
 * Stops calling what does not work, and tries now and then whether it works again.
 *
 * Calls go through while the circuit is closed. When too many in a row fail, or too large a part of them, it opens: calls are refused at
 * once. The first call after the reset time-out makes it half open: a few calls are tried, and it closes when enough of them succeed or
 * opens again when one fails. The result of a call counts only in the phase that let it through.
 *
 * A call whose caller's signal aborts counts neither as failure nor as success; one that is given up because its time is over counts as failure.
 */
export class CircuitBreaker implements PolicyPart {
  readonly name: string;
  readonly #rules: CircuitRules;
  readonly #environment: Pick<Environment, 'clock' | 'telemetry' | 'log'>;
  readonly #layer: Layer = this.around(doWork);
  #phase: Phase;
  /** Invariant: it belongs to the phase while that is closed. */
  #sequel: Sequel;
  #refused = 0;

  /** @throws {VigilError} `InvalidConfiguration` that names the option. */
  constructor(name: string, options: CircuitBreakerOptions, environment: Pick<Environment, 'clock' | 'telemetry' | 'log'>) {
    this.name = checkName('name', name);
    this.#rules = circuitRules(options);
    this.#environment = environment;
    const phase = closedPhase(this.#rules);
    this.#phase = phase;
    this.#sequel = this.#sequelOf(phase);
  }

  /** Calls that were refused since the circuit breaker was made. */
  get refused(): number {
    return this.#refused;
  }

  /**
   * Calls `work` if the circuit lets it through, and gives what it gives.
   *
   * @param work - a function that returns a value or a promise; it is told the `signal` that aborts with that of the options.
   * @throws {VigilError} `CircuitOpen` when the circuit is open, or half open and enough calls are being tried; `OperationTimeout` to a call
   *   that was tried for longer than `probeTimeoutMs` and whose place another one has got; what `work` throws, unchanged; the reason of the
   *   options' signal, as soon as it aborts.
   */
  call<T>(work: Work<T>, options?: WaitOptions): Promise<T> {
    return callThrough(this.#layer, work, options);
  }

  /**
   * The same for a function that returns its value and no promise.
   *
   * @throws {VigilError} `CircuitOpen`; what `work` throws, unchanged.
   */
  callSync<T>(work: (attempt: Attempt) => T): T {
    checkSyncWork('work', work);
    const phase = this.#phase;
    if (phase.kind === 'closed') {
      const { succeeded, failed } = this.#sequel;
      return settleSync(() => work(new Run(work, undefined, undefined)), succeeded, failed);
    }
    const nowMs = this.#environment.clock.now();
    const probe = this.#admitProbe(undefined, nowMs);
    if (probe === undefined) throw this.#refuse(nowMs);
    return settleSync(
      () => work(new Run(work, probe.scope, undefined)),
      (value) => {
        this.#probeSucceeded(probe);
        return value;
      },
      (error) => {
        this.#probeFailed(probe, error);
        throw error;
      },
    );
  }

  /** The state as the last call left it: an open circuit whose time is over stays open until somebody calls. */
  getState(): CircuitState {
    return this.#phase.kind;
  }

  /** Failures in a row; of a circuit that is not closed, as many as had opened it. */
  getFailureCount(): number {
    return this.#phase.failures;
  }

  /** Opens the circuit now, for the whole reset time-out. */
  forceOpen(): void {
    this.#open(this.#phase.failures, 'forced');
  }

  /** Closes the circuit now, with no failures. Calls that are on their way count no more. */
  forceClose(): void {
    this.#close(closedPhase(this.#rules));
  }

  /** What it knows now, to be restored into another one with the same options, in another process perhaps. */
  save(): CircuitSnapshot {
    const phase = this.#phase;
    const nowMs = this.#environment.clock.now();
    switch (phase.kind) {
      case 'closed':
        return { state: 'closed', failures: phase.failures, ...(phase.recent !== undefined && { recent: phase.recent.save(nowMs) }) };
      case 'open':
        return { state: 'open', failures: phase.failures, retryInMs: retryInMs(phase, this.#rules, nowMs) };
      case 'half_open':
        return { state: 'half_open', failures: phase.failures, successes: phase.successes };
    }
  }

  /**
   * Goes on from what was saved. Calls that are on their way count no more.
   *
   * @throws {VigilError} `InvalidConfiguration` for what is no snapshot; the circuit is then left as it is.
   */
  restore(snapshot: CircuitSnapshot): void {
    const saved = checkSnapshot(snapshot);
    const nowMs = this.#environment.clock.now();
    switch (saved.state) {
      case 'closed': {
        const phase = closedPhase(this.#rules);
        phase.failures = saved.failures;
        phase.recent?.load(nowMs, saved.recent ?? []);
        this.#close(phase);
        return;
      }
      case 'open': {
        const waitMs = Math.min(saved.retryInMs, this.#rules.resetTimeoutMs);
        this.#open(saved.failures, 'restored', nowMs - this.#rules.resetTimeoutMs + waitMs);
        return;
      }
      case 'half_open':
        this.#halfOpen({ ...halfOpenPhase(saved.failures), successes: saved.successes });
        return;
    }
  }

  /** @internal */
  around<G>(next: Layer<G>): Layer<G> {
    return (run) => this.#guard(run, next);
  }

  #guard<T, G>(run: Run<T>, next: Layer<G>): Promise<T | G> {
    const phase = this.#phase;
    if (phase.kind === 'closed') {
      const { scope } = run;
      if (scope !== undefined) return this.#follow(phase, scope, () => next(run));
      const { succeeded, failed } = this.#sequel;
      return next(run).then(succeeded, failed);
    }
    const nowMs = this.#environment.clock.now();
    const probe = this.#admitProbe(run.scope, nowMs);
    if (probe === undefined) return refusal(this.#refuse(nowMs));
    return this.#try(probe, () => next(run.within(probe.scope)));
  }

  /** A call that can be given up, let through by a closed circuit. */
  #follow<T>(phase: ClosedPhase, scope: AbortScope, begin: () => Promise<T>): Promise<T> {
    let isGivenUp = false;
    const forget = scope.onAbort((reason) => {
      isGivenUp = true;
      if (isTimeout(reason)) this.#failed(phase, reason);
    });
    return begin().then(
      (value) => {
        forget();
        if (!isGivenUp) this.#succeeded(phase);
        return value;
      },
      (error) => {
        forget();
        if (!isGivenUp) this.#failed(phase, error);
        throw error;
      },
    );
  }

  #try<T>(probe: Probe, begin: () => Promise<T>): Promise<T> {
    const { scope } = probe;
    scope.onAbort((reason) => {
      if (isTimeout(reason)) this.#probeFailed(probe, reason);
      else this.#leave(probe);
    });
    return untilAborted(scope, begin).then(
      (value) => {
        scope.end();
        this.#probeSucceeded(probe);
        return value;
      },
      (error) => {
        scope.end();
        this.#probeFailed(probe, error);
        throw error;
      },
    );
  }

  /** A place for a call of a circuit that is not closed; `undefined` when there is none. */
  #admitProbe(parent: AbortScope | undefined, nowMs: number): Probe | undefined {
    const phase = this.#phase;
    if (phase.kind === 'closed' || (phase.kind === 'open' && !isTimeToTry(phase, this.#rules, nowMs))) return undefined;
    const tried = phase.kind === 'open' ? halfOpenPhase(phase.failures) : phase;
    const overdue = roomForProbe(tried, this.#rules, nowMs);
    if (overdue === undefined) return undefined;
    const probe = { sinceMs: nowMs, scope: new AbortScope(parent) };
    for (const lost of overdue) tried.probes.delete(lost);
    tried.probes.add(probe);
    this.#halfOpen(tried);
    for (const { scope } of overdue) scope.abort(this.#lost());
    return probe;
  }

  #sequelOf(phase: ClosedPhase): Sequel {
    return {
      succeeded: (value) => {
        this.#succeeded(phase);
        return value;
      },
      failed: (error) => {
        this.#failed(phase, error);
        throw error;
      },
    };
  }

  /** If the circuit has moved on, this phase is of the past, and so is what is counted in it. */
  #succeeded(phase: ClosedPhase): void {
    // To read the clock takes as long as the rest of the call, and only the rate of failures needs it.
    countSuccess(phase, phase.recent === undefined ? 0 : this.#environment.clock.now());
  }

  #failed(phase: ClosedPhase, error: unknown): void {
    // The circuit can move on while a call is on its way, and even in `isFailure`; a result counts only in the phase that let the call through.
    if (!this.#isFailure(error) || phase !== this.#phase) return;
    const cause = countFailure(phase, this.#rules, this.#environment.clock.now());
    if (cause !== undefined) this.#open(phase.failures, cause);
  }

  #probeSucceeded(probe: Probe): void {
    const phase = this.#leave(probe);
    if (phase !== undefined && countProbeSuccess(phase, this.#rules)) this.#close(closedPhase(this.#rules));
  }

  #probeFailed(probe: Probe, error: unknown): void {
    const isFailure = this.#holds(probe) && this.#isFailure(error);
    const phase = this.#leave(probe);
    if (phase !== undefined && isFailure) this.#open(phase.failures + 1, 'probe_failed');
  }

  #holds(probe: Probe): boolean {
    return this.#phase.kind === 'half_open' && this.#phase.probes.has(probe);
  }

  /** Gives the place of a probe back; `undefined` when it had none any more, and its result does not count. */
  #leave(probe: Probe): HalfOpenPhase | undefined {
    const phase = this.#phase;
    return phase.kind === 'half_open' && phase.probes.delete(probe) ? phase : undefined;
  }

  #isFailure(error: unknown): boolean {
    const { isFailure } = this.#rules;
    if (isFailure === undefined) return true;
    try {
      return isFailure(error);
    } catch (broken) {
      this.#environment.log.error(`isFailure of circuit "${this.name}" failed`, broken);
      return true;
    }
  }

  #open(failures: number, because: OpeningCause, sinceMs: number = this.#environment.clock.now()): void {
    const { telemetry } = this.#environment;
    const wasOpen = this.#phase.kind === 'open';
    this.#phase = { kind: 'open', failures, sinceMs };
    if (!wasOpen && telemetry.wants('circuit_opened')) telemetry.report('circuit_opened', { circuit: this.name, failures, because });
  }

  #halfOpen(phase: HalfOpenPhase): void {
    const { telemetry } = this.#environment;
    const wasHalfOpen = this.#phase.kind === 'half_open';
    this.#phase = phase;
    if (!wasHalfOpen && telemetry.wants('circuit_half_open')) telemetry.report('circuit_half_open', { circuit: this.name });
  }

  #close(phase: ClosedPhase): void {
    const { telemetry } = this.#environment;
    const wasClosed = this.#phase.kind === 'closed';
    this.#phase = phase;
    this.#sequel = this.#sequelOf(phase);
    if (!wasClosed && telemetry.wants('circuit_closed')) telemetry.report('circuit_closed', { circuit: this.name });
  }

  /** Counts a call that is not let through, and makes its error. */
  #refuse(nowMs: number): VigilError {
    this.#refused += 1;
    const phase = this.#phase;
    const state = phase.kind;
    const waitMs = phase.kind === 'closed' ? 0 : retryInMs(phase, this.#rules, nowMs);
    const situation = state === 'open' ? 'is open' : `is half open and tries ${this.#rules.halfOpenRequests} calls already`;
    return failFast('CircuitOpen', `circuit "${this.name}" ${situation}`, { details: { circuit: this.name, state, retryInMs: waitMs } });
  }

  #lost(): VigilError {
    const { probeTimeoutMs } = this.#rules;
    return failFast('OperationTimeout', `circuit "${this.name}" tried a call for ${probeTimeoutMs} ms, and then another one in its place`, {
      details: { circuit: this.name, timeoutMs: probeTimeoutMs },
    });
  }
}

function settleSync<T>(work: () => T, succeeded: (value: T) => T, failed: (error: unknown) => never): T {
  let value: T;
  try {
    value = work();
  } catch (error) {
    return failed(error);
  }
  return succeeded(value);
}

/** Whether somebody gave up because the time was over, and not because the result is wanted no more. */
function isTimeout(reason: unknown): boolean {
  return isVigilError(reason, 'OperationTimeout') || (reason instanceof Error && reason.name === 'TimeoutError');
}

const checkSyncWork = checkFunction<(attempt: Attempt) => unknown>();
