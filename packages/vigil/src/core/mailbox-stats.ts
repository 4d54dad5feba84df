import type { FlowStats } from './flow-settings.js';
import type { MessagePriority } from './message.js';

/** One queue of a mailbox, over its whole life. Of what was taken out of its midst, the oldest counts as gone. */
export interface QueueFigures {
  /** `'all'` of a mailbox without priorities. */
  readonly priority: MessagePriority | 'all';
  /** Messages that came in. */
  readonly arrived: number;
  /** Those among them that are out again. */
  readonly left: number;
}

/**
 * The books of a mailbox. At any moment
 * `messagesSent = messagesReceived + messagesExpired + messagesDropped + messagesDeadLettered + messagesAbandoned + depth`.
 */
export interface MailboxStats {
  readonly capacity: number;
  /**
   * Messages that wait, expired ones among them until they are found; in a shared inbox also those that another thread is just taking out.
   */
  readonly depth: number;
  readonly depthByPriority: Readonly<Record<MessagePriority, number>>;
  readonly peakDepth: number;
  /** Messages that came into the queue, replayed dead letters among them. */
  readonly messagesSent: number;
  readonly messagesReceived: number;
  /** Messages whose ttl ended in the queue. */
  readonly messagesExpired: number;
  /** Messages that were in the queue and went nowhere: discarded while dead letters were off. */
  readonly messagesDropped: number;
  /** Messages that were in the queue and became dead letters. */
  readonly messagesDeadLettered: number;
  /** Messages of a shared inbox that a thread was just taking out when it was ended, once that is known; 0 elsewhere. */
  readonly messagesAbandoned: number;
  /** Sends that were refused, or became dead letters because the mailbox was full. */
  readonly messagesRejected: number;
  /** Dead letters held now. */
  readonly deadLetters: number;
  /** What flow control has done, where there is any. */
  readonly flow?: FlowStats;
}
