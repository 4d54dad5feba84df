import type { SendOutcome } from '../core/index.js';

/** What became of messages that were sent to many. */
export interface FanOutResult {
  /** Messages that their receivers' mailboxes kept, in the queue or as dead letters. */
  readonly delivered: number;
  /** Messages that were refused, because a mailbox was full or closed for example, or dropped. */
  readonly failed: number;
}

/** Whether a message is kept where it was sent to. */
export function isKept(outcome: SendOutcome): boolean {
  return outcome !== 'dropped';
}
