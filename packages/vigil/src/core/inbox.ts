import type { DeadLetter } from './dead-letter.js';
import type { DeadLetterQueue } from './dead-letter-queue.js';
import type { MailboxStats } from './mailbox-stats.js';
import type { Message, SendOptions } from './message.js';
import type { CloseOptions } from './process-mailbox.js';
import type { OwnedSender, WaitOptions } from './sender.js';

export interface InboxStats extends MailboxStats {
  readonly waitingReceivers: number;
  readonly waitingSenders: number;
}

/**
 * What a process reads from: a bounded queue of messages that can be awaited.
 *
 * After `close()` nothing comes in, waiting receivers are rejected at once, and what is still queued is given out to
 * later receives; then every receive ends with `InboxClosed`.
 *
 * @see Erlang `receive`; priorities, expiry and dead letters are Vigil's own, closing is that of Go's channels.
 */
export interface Inbox<T = unknown> extends OwnedSender<T>, AsyncIterable<Message<T>>, Disposable {
  readonly name: string;
  /** What could not be queued or was given up: to look at, replay and discard. */
  readonly deadLetters: DeadLetterQueue<T>;

  /** Sends payloads until one is refused: how many came in, or the refusal when it was the first. */
  sendBatch(payloads: readonly T[], options?: SendOptions): number;

  /**
   * Waits for the next message: highest priority first, oldest first within a priority. Waiting receivers are served in
   * the order of their calls, one message each.
   *
   * A message whose ttl ends while it waits is dropped and never delivered.
   *
   * @throws {VigilError} `InboxClosed` when the inbox is closed, before or during the wait; the signal's reason when it aborts.
   */
  recv(options?: WaitOptions): Promise<Message<T>>;
  /**
   * The same with a limit.
   *
   * @param timeoutMs - milliseconds to wait; 0 only looks.
   * @returns the message, or `undefined` when the time ran out.
   */
  recvTimeout(timeoutMs: number, options?: WaitOptions): Promise<Message<T> | undefined>;
  /** The next message, or `undefined` when there is none now. @throws {VigilError} `InboxClosed` when there will be none. */
  tryRecv(): Message<T> | undefined;
  /** Up to `limit` messages that are there now, in the order of delivery. @throws {VigilError} `InboxClosed` as `tryRecv`. */
  recvBatch(limit: number): Message<T>[];
  /** Copies of the first `limit` messages (default: all) in the order of delivery, without receiving them. */
  peek(limit?: number): Message<T>[];
  /**
   * Gives up a received message: it becomes a dead letter, and poison when it was received `maxAttempts` times.
   *
   * @throws {VigilError} `InvalidState` when it was not received, or was given up since; `InvalidMessage` when it is no message.
   */
  deadLetter(message: Message<T>): DeadLetter<T>;
  stats(): InboxStats;
  close(options?: CloseOptions): void;
}
