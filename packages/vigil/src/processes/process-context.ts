import type { Clock, Inbox, Logger, Sender } from '../core/index.js';
import type { ProcessRef } from './runner.js';

/** What a process body gets: who it is, its messages, and the wish that it end. */
export interface ProcessContext<TMessage = unknown, TArgs = unknown> {
  readonly id: string;
  /** 1 for the first start, one more for each restart. */
  readonly incarnation: number;
  /** The `args` of the child spec: the same at every restart. */
  readonly args: TArgs;
  /** This incarnation's own name for others: what they send to. */
  readonly self: ProcessRef<TMessage>;
  /**
   * This incarnation's own inbox. When the process is asked to stop it closes: a waiting receive ends with `InboxClosed`, what
   * is queued is still given out. What is left at the end goes to the runtime's dead letters.
   */
  readonly inbox: Inbox<TMessage>;
  /** Aborts when the process is asked to stop, with a `ProcessExit` as its reason. Made when first read. */
  readonly signal: AbortSignal;
  /** Resolves when the process is asked to stop: what a body without messages awaits. */
  readonly stopped: Promise<void>;
  readonly log: Logger;
  readonly clock: Clock;
  /** Says that the start is complete; needed once with `readiness: 'explicit'`, without effect otherwise. */
  ready(): void;
  /** The process or mailbox that has a name now. */
  whereis(name: string): Sender | undefined;
  /**
   * Gives this process a name, until it ends or unregisters it.
   *
   * @throws {VigilError} `AlreadyRegistered` when the name is taken, `ProcessNotFound` when this process has ended.
   */
  register(name: string): void;
  /** Frees a name of this process; false when it does not have it. */
  unregister(name: string): boolean;
}

/**
 * What a process does. Resolving is exit `normal`, throwing is a crash, `throw new ProcessExit(…)` chooses the reason. A
 * body that has been asked to stop and returns, or lets the `InboxClosed` or `AbortError` of that request through, has
 * ended with `shutdown`.
 */
export type ProcessBody<TMessage = unknown, TArgs = unknown> = ProcessFunction<TMessage, TArgs>['run'];

// Declared as a method, so that a body for orders can be kept in a list of bodies for anything.
interface ProcessFunction<TMessage, TArgs> {
  run(context: ProcessContext<TMessage, TArgs>): void | Promise<void>;
}
