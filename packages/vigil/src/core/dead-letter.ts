import { isVigilError } from './errors.js';
import type { Message } from './message.js';

/** Why a message is a dead letter. */
export type DeadLetterReason = 'mailbox_full' | 'delivery_failed' | 'max_attempts' | 'inbox_closed' | 'process_exited' | 'late_reply';

/** A message that was not handled, kept for a person or a program to look at. */
export interface DeadLetter<T = unknown> {
  /** Counts up from 1 in each queue of dead letters. */
  readonly id: number;
  readonly message: Message<T>;
  readonly reason: DeadLetterReason;
  /** The mailbox it was meant for. */
  readonly mailbox: string;
  /** Wall-clock time, in milliseconds since 1970. */
  readonly timestampMs: number;
  /** It failed so often that it is not replayed any more. */
  readonly poisoned: boolean;
}

/** Why a message became one whose sender is not there to be told of a refusal. */
export function refusalReason(error: unknown): DeadLetterReason {
  if (isVigilError(error, 'MailboxFull')) return 'mailbox_full';
  if (isVigilError(error, 'InboxClosed')) return 'inbox_closed';
  if (isVigilError(error, 'ProcessNotFound')) return 'process_exited';
  return 'delivery_failed';
}
