import type { DeadLetterQueue } from './dead-letter-queue.js';
import type { VigilError } from './errors.js';
import type { Inbox } from './inbox.js';
import type { QueueFigures } from './mailbox-stats.js';
import type { Message } from './message.js';

/** The inbox of a process, as the process has it: it begins and ends with it. */
export interface ProcessInbox<T = unknown> extends Inbox<T> {
  /** What was received last, here. */
  readonly lastReceived: Message<T> | undefined;
  /** Its queues that were ever used. */
  queues(): QueueFigures[];
  /** Ends the intake. */
  seal(): void;
  /**
   * Ends it: what was not received goes to the dead letters of the runtime.
   *
   * @param why - what those are told who wait for a reply to it.
   */
  end(deadLetters: DeadLetterQueue<unknown>, why?: () => VigilError): void;
  /** Gives out nothing until `release`; what comes in waits. */
  hold(): void;
  release(): void;
}
