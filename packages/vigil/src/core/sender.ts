import type { Cancel } from './clock.js';
import type { MailboxStats } from './mailbox-stats.js';
import type { Message, SendOptions } from './message.js';

/**
 * What became of a sent message: `queued` for its receiver, `dead_lettered` because the mailbox was full, or `dropped`
 * because the mailbox was told to drop when it is full.
 */
export type SendOutcome = 'queued' | 'dead_lettered' | 'dropped';

export interface WaitOptions {
  /** Gives up the wait; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface SendWaitOptions extends Omit<SendOptions, 'signal'>, WaitOptions {
  /** Milliseconds to wait for room; default: as long as it takes. */
  readonly timeoutMs?: number | undefined;
}

/** The half of a mailbox that producers get. */
export interface Sender<T = unknown> {
  /**
   * Queues a message now or refuses it now; never waits.
   *
   * @throws {VigilError} when nothing kept the message: `MailboxFull`, `InboxClosed`, `MessageTooLarge`, `MessageExpired`,
   *   `RateLimitExceeded`, `InvalidMessage`; for an address also `ProcessNotFound` or `NotRegistered`.
   */
  send(payload: T, options?: SendOptions): SendOutcome;
  /** The same for a message made with `vigil.msg(…).build()`. */
  sendMessage(message: Message<T>): SendOutcome;
  /**
   * Waits for room in a full mailbox, and for its turn where there is a rate limit, in the order of the calls; resolves once the message is in.
   *
   * @throws {VigilError} as `send`, but `DeliveryTimeout` instead of `MailboxFull` and `RateLimitExceeded`.
   */
  sendWait(payload: T, options?: SendWaitOptions): Promise<SendOutcome>;
}

/** A sender that lives and ends: what a name can be given to. */
export interface OwnedSender<T = unknown> extends Sender<T> {
  isClosed(): boolean;
  stats(): MailboxStats;
  /** Calls back once when it closes; not at all when it is closed already. */
  onClose(callback: () => void): Cancel;
}
