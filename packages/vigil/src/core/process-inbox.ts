import type { DeadLetterQueue } from './dead-letter-queue.js';
import type { VigilError } from './errors.js';
import type { Inbox } from './inbox.js';

/** The inbox of a process, as the process has it: it begins and ends with it. */
export interface ProcessInbox<T = unknown> extends Inbox<T> {
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
