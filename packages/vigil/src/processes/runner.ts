import type { Environment, ExitReason, InboxStats, MailboxSettings, OwnedSender, QueueFigures, Signal } from '../core/index.js';

/** What a process runs in. */
export type ProcessKind = 'task' | 'thread' | 'fork' | 'command' | 'supervisor';

/** How the operating system prefers a process to others when they compete: from most to least. */
export const PROCESS_PRIORITIES = ['critical', 'high', 'normal', 'low', 'batch'] as const;
export type ProcessPriority = (typeof PROCESS_PRIORITIES)[number];

/** The settings that a process can obey only where it is more than code in this event loop. */
export type ProcessLimit = 'maxMemoryBytes' | 'maxBlockedMs' | 'priority';

/**
 * When a process counts as started: `immediate`, once its body was entered; `explicit`, once it called `ctx.ready()`.
 * With `explicit` an end before that is a start failure, with `immediate` it is a crash.
 */
export const READINESS = ['immediate', 'explicit'] as const;
export type Readiness = (typeof READINESS)[number];

/** What all incarnations of a process have in common. */
export interface ProcessSettings<TArgs = unknown> {
  readonly id: string;
  readonly args: TArgs;
  readonly readiness: Readiness;
  readonly inbox: MailboxSettings;
  /** Milliseconds between two measurements of a process outside this event loop. */
  readonly healthCheckIntervalMs: number;
  /** Ends it when it takes more: the heap and the buffers of a thread, the resident size of a process. */
  readonly maxMemoryBytes: number | undefined;
  /** Ends it when its event loop has not turned for so long. */
  readonly maxBlockedMs: number | undefined;
  readonly priority: ProcessPriority;
}

/** What a process outside this event loop looks like from here, as far as it is known; the figures are those of the last measurement. */
export interface Vitals {
  readonly pid?: number | undefined;
  readonly threadId?: number | undefined;
  /** The resident size of a process; heap and buffers of a thread. */
  readonly memoryBytes?: number | undefined;
  /**
   * How busy it was between the last two measurements: the share of time in which a thread's event loop was at work, the share of one
   * processor that a process used, which is above 1 when several of its threads ran.
   */
  readonly utilization?: number | undefined;
  /** Milliseconds that its event loop took to answer. */
  readonly eventLoopDelayMs?: number | undefined;
}

/** How an inbox fares. */
export interface InboxFigures {
  readonly stats: InboxStats;
  readonly queues: readonly QueueFigures[];
}

/** What was with a process when it ended. */
export interface Remains {
  /** The payload that it had received last, as far as that is known. */
  readonly lastMessage: unknown;
  /** `undefined` when it never had an inbox. */
  readonly inboxDepth: number | undefined;
}

/** What a monitor tells: which process ended and why. */
export interface Down {
  readonly id: string;
  /** `undefined` when a name was watched that nobody had. */
  readonly ref: ProcessRef | undefined;
  /** `noproc` when there was no such process, or it had ended already. */
  readonly reason: ExitReason | { readonly kind: 'noproc' };
}

/** One watch over one process. */
export interface Monitor {
  /** Settles once, when the process has ended and its names are free; never after `demonitor`. */
  readonly down: Promise<Down>;
  /** Ends the watch; true when `down` will never settle, false when it was settled already. */
  demonitor(): boolean;
}

/** What a process that traps exits hears when a process that it is linked with ends. */
export interface ExitSignal {
  readonly ref: ProcessRef;
  readonly reason: ExitReason;
}

/** Names one incarnation of a process, for ever: it is never reused for the next one. */
export interface ProcessRef<TMessage = unknown> extends OwnedSender<TMessage> {
  readonly id: string;
  /** 1 for the first start, one more for each restart. */
  readonly incarnation: number;
  readonly kind: ProcessKind;
  isAlive(): boolean;
  /** Watches the process; of one that has ended the notice says `noproc`. @see Erlang `monitor/2` */
  monitor(): Monitor;
}

/** Whoever starts a process and hears of it: its supervisor. */
export interface ProcessHost {
  readonly environment: Environment;
  /** The supervisor's name with its ancestors'. */
  readonly path: string;
  processReady(process: Process): void;
  /** Instead of `processReady`: the process declined to start, which is no failure. */
  processIgnored(process: Process): void;
  processExited(process: Process, reason: ExitReason): void;
  /** The process was sent one of Vigil's own signals. */
  processNotified(process: Process, signal: Signal): void;
}

/**
 * One incarnation of a process, whatever it runs in. `index.ts` has its life as a diagram.
 *
 * The host hears `processReady` at most once and `processExited` exactly once, last, when the process's inbox is closed and
 * its names are free. `processExited` never comes while `start()` or `stop()` is running, unless it comes during `kill()` or at
 * once after `processIgnored`.
 */
export interface Process {
  readonly ref: ProcessRef;
  start(): void;
  /** Asks the process to end. It may take its time, or not listen. */
  stop(): void;
  /** Lets it handle no more messages. @throws {VigilError} `InvalidState` when this kind of process cannot be suspended. */
  suspend(): void;
  /** Lets it go on where it was. */
  resume(): void;
  /** Ends the process without asking; it is recorded to have ended with `reason`, by default `killed`. */
  kill(reason?: ExitReason): void;
  /** Calls the handlers that its code has for one of Vigil's own signals. */
  notify(signal: Signal): void;
  /** `undefined` for code in this event loop, and while nothing of it runs. */
  vitals(): Vitals | undefined;
  /** Of its inbox; `undefined` when nobody ever asked for it. */
  inboxFigures(): InboxFigures | undefined;
  /** What it left when it ended abnormally. */
  readonly remains: Remains | undefined;
}

/** How processes of one kind come to be. Each kind passes the suite of `runner.suite.ts`. */
export interface Runner<TArgs = unknown> {
  readonly kind: ProcessKind;
  /** What its processes get where their child spec says nothing. */
  readonly args?: TArgs | undefined;
  /** Which limits its processes obey; default none. */
  readonly obeys?: readonly ProcessLimit[];
  /** The only readiness its processes can have; default: whatever they are told. */
  readonly readiness?: Readiness;
  create(settings: ProcessSettings<TArgs>, incarnation: number, host: ProcessHost): Process;
  /**
   * Said by each child that will use it, until the returned function is called: what it keeps at hand is given up after the last, and the
   * promise, which does not reject, resolves when nothing of that is left.
   */
  hold?(): () => Promise<void>;
}

/** Tells the type of the module that a runner loads; never there at run time. */
export interface LoadedBy<TModule> {
  readonly loads?: TModule;
}

/** What the body in a module takes as its args; of any other type, that type itself. */
export type ArgsOf<T> = T extends { readonly default: (context: infer C) => unknown }
  ? C extends { readonly args: infer A }
    ? A
    : unknown
  : T;
