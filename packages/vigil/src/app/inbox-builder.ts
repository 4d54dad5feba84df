import {
  checkName,
  type DeadLetter,
  type Inbox,
  LocalInbox,
  type MailboxEnvironment,
  type MailboxOptions,
  MailboxSettings,
} from '../core/index.js';

/** Collects the options of an inbox. `build()` may be called again and makes independent inboxes. */
export class InboxBuilder<T> {
  readonly #environment: MailboxEnvironment;
  #name: string | undefined;
  #options: MailboxOptions<T> = {};

  constructor(environment: MailboxEnvironment) {
    this.#environment = environment;
  }

  /** What errors, telemetry and dead letters call it; default `'inbox'`. */
  name(name: string): this {
    this.#name = name;
    return this;
  }

  /** Messages that can wait, over all priorities together; default 1,000. */
  capacity(messages: number): this {
    return this.#set({ capacity: messages });
  }

  /** Five priorities (default), or one queue in order of arrival. */
  priorityQueues(enabled: boolean): this {
    return this.#set({ priorityQueues: enabled });
  }

  /** Whether overflow and discarded messages are kept as dead letters; default false. */
  deadLetter(enabled: boolean): this {
    return this.#set({ enableDeadletter: enabled });
  }

  /** Dead letters that are kept; default 1,000. */
  deadLetterCapacity(messages: number): this {
    return this.#set({ deadletterCapacity: messages });
  }

  /** How often a message is received and given up before it is poison; default 5. */
  maxAttempts(attempts: number): this {
    return this.#set({ maxAttempts: attempts });
  }

  /** Called once for each message that became poison. */
  onPoison(handler: (letter: DeadLetter<T>) => void): this {
    return this.#set({ onPoison: handler });
  }

  /** Milliseconds that a message without a ttl of its own lives; default: for ever. */
  defaultTTL(ttlMs: number): this {
    return this.#set({ defaultTtlMs: ttlMs });
  }

  /** Largest message in bytes; default: no limit. */
  maxMessageSize(bytes: number): this {
    return this.#set({ maxMessageSize: bytes });
  }

  /** Tells the size of a payload that is neither a string nor bytes. */
  sizeOf(measure: (payload: T) => number): this {
    return this.#set({ sizeOf: measure });
  }

  /** @throws {VigilError} `InvalidConfiguration` that names the option. */
  build(): Inbox<T> {
    return new LocalInbox(
      checkName('name', this.#name === undefined ? 'inbox' : this.#name),
      new MailboxSettings(this.#options),
      this.#environment,
    );
  }

  #set(options: MailboxOptions<T>): this {
    this.#options = { ...this.#options, ...options };
    return this;
  }
}
