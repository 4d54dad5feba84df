import { crashed, type ExitReason, isVigilError, KILLED, NORMAL, ProcessExit, SHUTDOWN } from '../../core/index.js';
import { LocalProcess } from '../local-process.js';
import type { ProcessBody } from '../process-context.js';
import type { ProcessHost, ProcessSettings } from '../runner.js';
import { TaskContext } from './task-context.js';

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
  #controller: AbortController | undefined;
  #stopped: Promise<void> | undefined;
  #resolveStopped: (() => void) | undefined;

  constructor(body: ProcessBody<TMessage, TArgs>, settings: ProcessSettings<TArgs>, incarnation: number, host: ProcessHost) {
    super(settings, incarnation, host);
    this.#body = body;
  }

  get kind(): 'task' {
    return 'task';
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#isAsked) this.#controller.abort(new ProcessExit('shutdown'));
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

  start(): void {
    if (!this.isAlive) return;
    let running: void | Promise<void>;
    try {
      running = this.#body(new TaskContext(this));
    } catch (error) {
      running = Promise.reject(error);
    }
    Promise.resolve(running).then(
      () => this.#settle(this.#isAsked ? SHUTDOWN : NORMAL),
      (error: unknown) => this.#settle(this.#reasonFor(error)),
    );
    if (this.settings.readiness === 'immediate') this.ready();
  }

  ready(): void {
    // Its own code, or whoever that called, may have ended it meanwhile.
    if (this.#isReady || !this.isAlive) return;
    this.#isReady = true;
    this.host.processReady(this);
  }

  stop(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.refuseMessages();
    this.#resolveStopped?.();
    this.#controller?.abort(new ProcessExit('shutdown'));
  }

  kill(reason: ExitReason = KILLED): void {
    this.end(reason, () => this.stop());
  }

  #settle(reason: ExitReason): void {
    if (this.isAlive) this.end(reason, () => this.stop());
    else this.#logLateEnd(reason);
  }

  #reasonFor(error: unknown): ExitReason {
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
