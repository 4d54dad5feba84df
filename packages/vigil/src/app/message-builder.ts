import {
  type Environment,
  type Message,
  type MessagePriority,
  messageOf,
  type SendOptions,
  type Signal,
  type TraceContext,
} from '../core/index.js';

/** Collects what a message says beside its payload. `build()` may be called again; each message has an id of its own. */
export class MessageBuilder<T> {
  readonly #payload: T;
  readonly #environment: Pick<Environment, 'clock' | 'nextMessageId'>;
  #options: SendOptions = {};

  constructor(payload: T, environment: Pick<Environment, 'clock' | 'nextMessageId'>) {
    this.#payload = payload;
    this.#environment = environment;
  }

  /** Who sends it. */
  from(sender: string): this {
    return this.#set({ from: sender });
  }

  /** Default `'normal'`. */
  priority(priority: MessagePriority): this {
    return this.#set({ priority });
  }

  /** Milliseconds from `build()` until the message expires; default: the mailbox's own ttl. */
  ttl(ttlMs: number): this {
    return this.#set({ ttlMs });
  }

  signal(signal: Signal): this {
    return this.#set({ signal });
  }

  /** Ties a reply to its request. */
  withCorrelation(correlationId: string): this {
    return this.#set({ correlationId });
  }

  /** The name that a reply should go to. */
  replyTo(address: string): this {
    return this.#set({ replyTo: address });
  }

  /** What it is a part of; default: what the tracer of the runtime says when it is built. */
  trace(trace: TraceContext): this {
    return this.#set({ trace });
  }

  /** @throws {VigilError} `InvalidMessage` that names the option. */
  build(): Message<T> {
    return messageOf(this.#environment.nextMessageId(), this.#payload, this.#options, undefined, this.#environment);
  }

  #set(options: SendOptions): this {
    this.#options = { ...this.#options, ...options };
    return this;
  }
}
