import type { FanOutResult, OwnedSender, SendOptions, TopicExchange } from '../core/index.js';
import type { Subscriber } from './subscriber.js';

/** Figures of a broker's whole life. */
export interface TopicStats {
  /** Subscribers that have patterns now. */
  readonly subscribers: number;
  /** Patterns of all of them now. */
  readonly patterns: number;
  /** Messages that were published, whether anybody wanted them or not. */
  readonly published: number;
  /** Messages that subscribers' mailboxes kept: one for each subscriber. */
  readonly delivered: number;
  /** Messages that a subscriber's mailbox refused. */
  readonly failed: number;
}

/** Publishing and subscribing, wherever the code runs. */
export interface TopicBroker extends TopicExchange {
  /**
   * Sends a payload to all whose patterns match the topic now; who subscribes or unsubscribes meanwhile changes nothing for it. A message
   * tells its topic in `metadata.topic`, and has one id for all its receivers.
   *
   * What one receiver refuses keeps it from nobody else: it is counted as failed, and telemetry has it as `message_dropped`. The messages
   * of one publisher reach one receiver in the order in which they were published.
   *
   * @throws {VigilError} `InvalidConfiguration` when the topic is not levels with dots between them or has wildcards; `InvalidMessage`
   *   when the options are not what they should be. Nobody was sent anything then.
   */
  publish(topic: string, payload: unknown, options?: SendOptions): FanOutResult;
  /** Publishes payloads, in their order, for those whose patterns match the topic now. Throws as `publish`. */
  publishBatch(topic: string, payloads: readonly unknown[], options?: SendOptions): FanOutResult;
  /**
   * Brings a subscriber here, with the patterns that it has and those that it will have. It stays with every other broker that it is with.
   *
   * @throws {VigilError} `InboxClosed` when its inbox is closed; `InvalidConfiguration` when it is no subscriber.
   */
  subscribe(subscriber: Subscriber): void;
  /** Sends it nothing more from here; false when it was not here. Throws `InvalidConfiguration` when it is no subscriber. */
  unsubscribe(subscriber: Subscriber): boolean;
  /**
   * Who would be sent what is published on a topic now.
   *
   * @throws {VigilError} as `publish`; `InvalidState` in a thread or fork, since the broker is on the other side.
   */
  receiversOf(topic: string): OwnedSender[];
  /** @throws {VigilError} `InvalidState` in a thread or fork, since the broker is on the other side. */
  stats(): TopicStats;
}
