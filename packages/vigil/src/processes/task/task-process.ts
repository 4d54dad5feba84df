import { setMaxListeners } from 'node:events';
import {
  checkFunction,
  checkOneOf,
  crashed,
  type ExitReason,
  isVigilError,
  KILLED,
  NORMAL,
  ProcessExit,
  SHUTDOWN,
  SIGNALS,
  type Signal,
} from '../../core/index.js';
import { LocalProcess } from '../local-process.js';
import type { ProcessBody } from '../process-context.js';
import type { ProcessHost, ProcessKind, ProcessRef, ProcessSettings } from '../runner.js';
import { ProcessTimer } from '../process-timer.js';
import { StopRequest } from '../stop-request.js';
import { TaskContext } from './task-context.js';

const checkHandler = checkFunction<() => void>();
const checkSignal = checkOneOf(SIGNALS);

/**
 * One incarnation of a task. Signal and promise are made when the body asks for them: an idle task is small.
 *
 * JavaScript that runs cannot be killed. A killed task is *disowned*: it has ended for everybody else, and what its code
 * still does has no effect here.
 */
export class TaskProcess<TMessage = unknown, TArgs = unknown> extends LocalProcess<TMessage, TArgs> {
  readonly #body: ProcessBody<TMessage, TArgs>;
  #isReady = false;
  #isAsked = false;
  #madeStopRequest: StopRequest | undefined;
  #controller: AbortController | undefined;
  #stopped: Promise<void> | undefined;
  #resolveStopped: (() => void) | undefined;
  #resumed: Promise<void> | undefined;
  #resolveResumed: (() => void) | undefined;
  #isIgnored = false;
  #signalHandlers: Map<Signal, () => void> | undefined;
  #timer: ProcessTimer | undefined;

  constructor(body: ProcessBody<TMessage, TArgs>, settings: ProcessSettings<TArgs>, incarnation: number, host: ProcessHost) {
    super(settings, incarnation, host);
    this.#body = body;
  }

  get kind(): ProcessKind {
    return 'task';
  }

  get self(): ProcessRef<TMessage> {
    return this.ref;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      // A body may wait for any number of things that its end should end; Node takes more than ten for a leak.
      setMaxListeners(0, this.#controller.signal);
      if (this.#isAsked) this.#controller.abort(this.#stopRequest);
    }
    return this.#controller.signal;
  }

  get stopped(): Promise<void> {
    this.#stopped ??= this.#isAsked
      ? Promise.resolve()
      : new Promise((resolve) => {
          this.#resolveStopped = resolve;
        });
    return this.#stopped;
  }

  get timer(): ProcessTimer {
    this.#timer ??= new ProcessTimer(this.host.environment, this.ref, this);
    return this.#timer;
  }

  start(): void {
    if (!this.isAlive) return;
    let running: void | Promise<void>;
    try {
      running = this.#body(new TaskContext(this));
    } catch (error) {
      running = Promise.reject(error);
    }
    // Bound methods are smaller than closures, and each idle task keeps two of them.
    Promise.resolve(running).then(this.#returned.bind(this), this.#threw.bind(this));
    if (this.settings.readiness === 'immediate') this.ready();
  }

  ready(): void {
    // Its own code, or whoever that called, may have ended it meanwhile.
    if (this.#isReady || !this.isAlive) return;
    this.#isReady = true;
    this.host.processReady(this);
  }

  /** The start is declined: that is its end, and no failure. */
  ignore(): void {
    if (this.settings.readiness !== 'explicit' || this.#isReady || !this.isAlive) return;
    this.#isIgnored = true;
    this.host.processIgnored(this);
    this.end(NORMAL, () => this.stop());
  }

  /** Resolves at once unless the task is suspended, else when it is resumed or asked to stop. */
  resumed(): Promise<void> {
    return this.#resumed ?? Promise.resolve();
  }

  suspend(): void {
    if (this.#isAsked) return;
    this.#resumed ??= new Promise((resolve) => {
      this.#resolveResumed = resolve;
    });
    this.holdMessages();
  }

  resume(): void {
    this.#resumed = undefined;
    this.#resolveResumed?.();
    this.releaseMessages();
  }

  stop(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    // A suspended task could not hear of it.
    this.resume();
    this.refuseMessages();
    this.#resolveStopped?.();
    this.#controller?.abort(this.#stopRequest);
  }

  kill(reason: ExitReason = KILLED): void {
    this.end(reason, () => this.stop());
  }

  onSignal(signal: Signal, handler: () => void): void {
    this.#signalHandlers ??= new Map();
    this.#signalHandlers.set(checkSignal('signal', signal), checkHandler('handler', handler));
  }

  override notify(signal: Signal): void {
    if (!this.isAlive) return;
    try {
      this.#signalHandlers?.get(signal)?.();
    } catch (error) {
      this.kill(crashed(error));
    }
  }

  get #stopRequest(): StopRequest {
    this.#madeStopRequest ??= new StopRequest();
    return this.#madeStopRequest;
  }

  #returned(): void {
    this.#settle(this.#isAsked ? SHUTDOWN : NORMAL);
  }

  #threw(error: unknown): void {
    this.#settle(this.#reasonFor(error));
  }

  #settle(reason: ExitReason): void {
    if (this.isAlive) this.end(reason, () => this.stop());
    else if (!this.#isIgnored) this.#logLateEnd(reason);
  }

  #reasonFor(error: unknown): ExitReason {
    if (error instanceof StopRequest) return error === this.#madeStopRequest ? SHUTDOWN : crashed(error);
    if (error instanceof ProcessExit) return error.reason;
    return this.#isAsked && answersStopRequest(error) ? SHUTDOWN : crashed(error);
  }

  #logLateEnd(reason: ExitReason): void {
    const who = `task "${this.settings.id}" (incarnation ${this.incarnation})`;
    this.host.environment.log.warn(
      `${who} was killed and its code has ended only now`,
      reason.kind === 'crashed' ? reason.error : undefined,
    );
  }
}

/** What a body lets through that was waiting when it was asked to stop. */
function answersStopRequest(error: unknown): boolean {
  return isVigilError(error, 'InboxClosed') || (error instanceof Error && error.name === 'AbortError');
}
