import {
  checkArray,
  checkSendOptions,
  type FanOutResult,
  invalidOption,
  type OwnedSender,
  type SendOptions,
  type TopicExchange,
  type TopicSubscription,
} from '../../core/index.js';
import { cloneForProcess, copied } from './data.js';
import { type Calls, SELF } from './protocol.js';
import { RemoteSender } from './remote-ref.js';

/** What topics need of the way home. */
export interface TopicsHome {
  /** The inbox of the code itself. */
  readonly inbox: OwnedSender | undefined;
  call<K extends keyof Calls>(call: K, ...args: Parameters<Calls[K]>): ReturnType<Calls[K]>;
}

/** The topics of the runtime, where the code is. Everything is asked, and waited for. */
export class BorrowedTopics implements TopicExchange {
  readonly #home: TopicsHome;
  #lastPlace = 0;

  constructor(home: TopicsHome) {
    this.#home = home;
  }

  publish(topic: string, payload: unknown, options?: SendOptions): FanOutResult {
    return this.#home.call('publish', topic, sendable(payload), plain(options));
  }

  publishBatch(topic: string, payloads: readonly unknown[], options?: SendOptions): FanOutResult {
    return this.#home.call('publishBatch', topic, checkArray('payloads', payloads).map(sendable), plain(options));
  }

  open(receiver: OwnedSender): TopicSubscription {
    const holder = this.#handleOf(receiver);
    if (holder === undefined)
      throw invalidOption('receiver', 'ctx.self, ctx.inbox or what whereis has found, since here is no broker', receiver);
    this.#lastPlace += 1;
    const place = this.#lastPlace;
    return {
      add: (patterns) => this.#home.call('addPatterns', place, holder, [...patterns]),
      remove: (patterns) => this.#home.call('removePatterns', place, [...patterns]),
      close: () => this.#home.call('closePlace', place),
    };
  }

  #handleOf(receiver: OwnedSender): number | undefined {
    if (receiver === this.#home.inbox) return SELF;
    return receiver instanceof RemoteSender ? receiver.handle : undefined;
  }
}

function sendable(payload: unknown): unknown {
  return copied(payload, 'this cannot be published from here', 'InvalidMessage', cloneForProcess);
}

/** What is an option and nothing else, since the rest may not be able to travel. */
function plain(options: SendOptions | undefined): SendOptions | undefined {
  checkSendOptions(options);
  if (options === undefined) return undefined;
  const { priority, ttlMs, signal, from, correlationId, replyTo } = options;
  return { priority, ttlMs, signal, from, correlationId, replyTo };
}
