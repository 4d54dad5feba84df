import type { SendOptions } from './message.js';
import type { OwnedSender } from './sender.js';

/** What became of messages that were sent to many. */
export interface FanOutResult {
  /** Messages that their receivers' mailboxes kept, in the queue or as dead letters. */
  readonly delivered: number;
  /** Messages that were refused, because a mailbox was full or closed for example, or dropped. */
  readonly failed: number;
}

/** What publishers and subscribers ask of a broker, on whichever side of a boundary it is. */
export interface TopicExchange {
  /**
   * Sends a payload to all whose patterns match the topic now; the message says the topic in its `metadata.topic`.
   *
   * @throws {VigilError} `InvalidConfiguration` when the topic is none, `InvalidMessage` when the options are not what they should be;
   *   nobody was sent anything then. What a single receiver refuses is counted as failed.
   */
  publish(topic: string, payload: unknown, options?: SendOptions): FanOutResult;
  /** Publishes payloads, in their order, for those whose patterns match the topic now. Throws as `publish`. */
  publishBatch(topic: string, payloads: readonly unknown[], options?: SendOptions): FanOutResult;
  /**
   * Makes a place for a receiver, which has no patterns yet and is sent a message once however many of them match.
   *
   * @throws {VigilError} `InvalidConfiguration` when it cannot be reached from where the broker is.
   */
  open(receiver: OwnedSender): TopicSubscription;
}

/** The place of one receiver in a broker, which is left when the receiver ends. Patterns have been checked. */
export interface TopicSubscription {
  /** @throws {VigilError} `InboxClosed` when the receiver has ended. */
  add(patterns: ReadonlySet<string>): void;
  remove(patterns: ReadonlySet<string>): void;
  /** Removes all. */
  close(): void;
}
