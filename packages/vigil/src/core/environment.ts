import type { Cancel, Clock } from './clock.js';
import type { CrashReports } from './crash-report.js';
import type { DeadLetterQueue } from './dead-letter-queue.js';
import type { Logger } from './logger.js';
import type { NameDirectory } from './name-directory.js';
import type { Lookout, Outpost } from './outpost.js';
import type { Random } from './random.js';
import type { ReplyExchange } from './reply-exchange.js';
import type { Roots } from './roots.js';
import type { TelemetrySink } from './telemetry-event.js';
import type { TopicExchange } from './topic-exchange.js';
import type { Tracing } from './tracing.js';

/**
 * What a runtime lends to its parts: time, chance, and where to report. Nothing below `app` owns or looks up any of it;
 * everything is handed in.
 */
export interface Environment {
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: TelemetrySink;
  readonly log: Logger;
  readonly names: NameDirectory;
  /** Keeps what ended processes had not received. */
  readonly deadLetters: DeadLetterQueue<unknown>;
  readonly guard: ProcessGuard;
  /** Where replies arrive. */
  readonly replies: ReplyExchange;
  readonly topics: TopicExchange;
  /** The trees that run, which enter and leave by themselves. */
  readonly roots: Roots;
  /** What ended abnormally. */
  readonly crashes: CrashReports;
  /** The processes elsewhere that run now, which enter and leave by themselves. */
  readonly outposts?: Set<Outpost>;
  /** In a thread or fork. */
  readonly lookout?: Lookout;
  /** Follows work from process to process, if anybody wants that. */
  readonly tracing?: Tracing;
  /** Decides when tasks go on, in a simulation. */
  readonly tasks?: TaskWrapper;
  /** Of a thread that Vigil runs, whose code may block it; absent elsewhere. */
  readonly thread?: HostThread;
  /** An id that no other message of the runtime has. @see Message */
  nextMessageId(): number | string;
}

/** Puts something around the body of each task. */
export interface TaskWrapper {
  wrap<C extends object>(body: (context: C) => unknown): (context: C) => Promise<void>;
}

/** The thread in which the code of one process runs. */
export interface HostThread {
  /** As Node numbers the threads of a process. */
  readonly id: number;
  /** The id of the thread that started it, with which it ends; 0 for the application's. */
  readonly startedBy: number;
  /** Blocks until somebody rings, the word has another value, or the time is over. */
  sleep(words: Int32Array<SharedArrayBuffer>, word: number, value: number, timeoutMs: number): void;
}

/** Ends the operating system's processes that a runtime has started when the runtime's own process is gone, however it went. */
export interface ProcessGuard {
  /** @param group - the id of a process group, which is that of the process that leads it. The returned function ends the watch. */
  watch(group: number): Cancel;
}

/** What a mailbox needs of its runtime. */
export type MailboxEnvironment = Pick<Environment, 'clock' | 'telemetry' | 'log' | 'nextMessageId' | 'tracing'>;
