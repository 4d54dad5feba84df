import type { Clock, Inbox, Logger, Sender, Signal } from '../core/index.js';
import type { ProcessTimer } from './process-timer.js';
import type { ExitSignal, Monitor, ProcessRef } from './runner.js';

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
  /** Timers that end with this process. Made when first read. */
  readonly timer: ProcessTimer;
  /** Says that the start is complete; needed once with `readiness: 'explicit'`, without effect otherwise. */
  ready(): void;
  /**
   * Declines to start, with `readiness: 'explicit'` and before `ready()`: the process has ended, its start counts as a success, and a
   * supervisor keeps it as stopped, unless it is temporary. @see OTP `ignore`
   */
  ignore(): void;
  /** Resolves at once unless the process is suspended, else when it is resumed or asked to stop. */
  resumed(): Promise<void>;
  /** Watches a process, or whoever has a name now, until this process ends. @see Erlang `monitor/2` */
  monitor(target: ProcessRef | string): Monitor;
  /**
   * Ties this process to another: when one ends other than normally, the other ends at once with the same reason, unless it traps
   * exits. Linking with a process that has ended is an exit signal, too. @see Erlang `link/1`
   *
   * @throws {VigilError} `ProcessNotFound` when this process itself has ended.
   */
  link(target: ProcessRef): void;
  /** Undoes a link; false when there is none. */
  unlink(target: ProcessRef): boolean;
  /**
   * Traps exits: from now on the end of a linked process calls `handler`, even a normal one, instead of ending this process.
   * A throw in the handler is a crash of this process. @see Erlang `process_flag(trap_exit, true)`
   */
  onExit(handler: (signal: ExitSignal) => void): void;
  /**
   * Hears one of Vigil's own signals, one handler each: `healthCheck` when its health is about to be looked at, `memoryWarning` when it
   * has taken four fifths of its `maxMemoryBytes`, `cpuWarning` when it was busy throughout a whole measurement. A throw in the handler
   * is a crash of this process. A signal on a user's message is data and is not heard here.
   */
  onSignal(signal: Signal, handler: () => void): void;
  /** The process or mailbox that has a name now. */
  whereis(name: string): Sender | undefined;
  /**
   * Gives this process a name, until it ends or unregisters it.
   *
   * @param value - what others find with the name, by `lookup` of the runtime's registry.
   * @throws {VigilError} `AlreadyRegistered` when the name is taken, `ProcessNotFound` when this process has ended.
   */
  register(name: string, value?: unknown): void;
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
