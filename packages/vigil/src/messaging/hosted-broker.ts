import {
  type FanOutResult,
  type OwnedSender,
  type SendOptions,
  type TopicExchange,
  type TopicSubscription,
  VigilError,
} from '../core/index.js';
import { checkSubscriber, type Subscriber } from './subscriber.js';
import type { TopicBroker, TopicStats } from './topic-broker.js';

/**
 * The topics of the application, in a thread or fork that runs a part of it: the broker is on the other side.
 *
 * Publishing and changing patterns wait there and back, so what they return is exact. Who can subscribe is who is on the other side, too:
 * `ctx.self`, `ctx.inbox`, and what `whereis` has found.
 */
export class HostedBroker implements TopicBroker {
  readonly #topics: TopicExchange;

  constructor(topics: TopicExchange) {
    this.#topics = topics;
  }

  publish(topic: string, payload: unknown, options?: SendOptions): FanOutResult {
    return this.#topics.publish(topic, payload, options);
  }

  publishBatch(topic: string, payloads: readonly unknown[], options?: SendOptions): FanOutResult {
    return this.#topics.publishBatch(topic, payloads, options);
  }

  subscribe(subscriber: Subscriber): void {
    checkSubscriber(subscriber).join(this);
  }

  unsubscribe(subscriber: Subscriber): boolean {
    return checkSubscriber(subscriber).leave(this);
  }

  receiversOf(): OwnedSender[] {
    throw notHere('receiversOf');
  }

  stats(): TopicStats {
    throw notHere('stats');
  }

  /** @internal */
  open(receiver: OwnedSender): TopicSubscription {
    return this.#topics.open(receiver);
  }
}

function notHere(method: string): VigilError {
  return new VigilError('InvalidState', `pubsub.${method} can be called where the broker is, not in a thread or fork`);
}
