import {
  checkArray,
  checkSendOptions,
  type FanOutResult,
  invalidOption,
  type OwnedSender,
  type SendOptions,
  type TopicExchange,
  type TopicSubscription,
  type TraceSource,
  withTrace,
} from '../../core/index.js';
import { cloneForProcess, copied } from './data.js';
import { type Calls, SELF } from './protocol.js';
import { RemoteSender } from './remote-ref.js';

/** What topics need of the way home. */
export interface TopicsHome {
  /** The inbox of the code itself. */
  readonly inbox: OwnedSender | undefined;
  readonly tracing: TraceSource;
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
    return this.#home.call('publish', topic, sendable(payload), this.#plain(options));
  }

  publishBatch(topic: string, payloads: readonly unknown[], options?: SendOptions): FanOutResult {
    return this.#home.call('publishBatch', topic, checkArray('payloads', payloads).map(sendable), this.#plain(options));
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

  #plain(options: SendOptions | undefined): SendOptions {
    checkSendOptions(options);
    const { priority, ttlMs, signal, from, correlationId, replyTo, trace } = withTrace(options ?? {}, this.#home.tracing);
    return { priority, ttlMs, signal, from, correlationId, replyTo, trace };
  }

  #handleOf(receiver: OwnedSender): number | undefined {
    if (receiver === this.#home.inbox) return SELF;
    return receiver instanceof RemoteSender ? receiver.handle : undefined;
  }
}

function sendable(payload: unknown): unknown {
  return copied(payload, 'this cannot be published from here', 'InvalidMessage', cloneForProcess);
}
