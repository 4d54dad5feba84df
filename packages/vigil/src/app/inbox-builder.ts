import {
  type BackpressureOptions,
  checkName,
  checkObject,
  checkOr,
  checkPositiveCount,
  type DeadLetter,
  type Inbox,
  invalidOption,
  LocalInbox,
  type MailboxOptions,
  MailboxSettings,
  type RateLimitOptions,
  SharedInbox,
  type SharedInboxEnvironment,
  type SharedInboxOptions,
} from '../core/index.js';
import type { MailboxProfile } from './mailbox-profiles.js';
import type { BuiltInbox } from './runtime-parts.js';

/** Builds inboxes in shared memory. */
export interface SharedInboxBuilder<T> extends InboxBuilder<T> {
  build(): SharedInbox<T>;
}

/** Collects the options of an inbox. `build()` may be called again and makes independent inboxes. */
export class InboxBuilder<T> {
  readonly #environment: SharedInboxEnvironment;
  #name: string | undefined;
  readonly #onBuilt: (inbox: BuiltInbox) => void;
  #options: MailboxOptions<T>;
  #shared: SharedInboxOptions | undefined;

  /**
   * @param profile - options to begin with.
   * @param onBuilt - hears of each inbox that is built.
   */
  constructor(environment: SharedInboxEnvironment, profile: MailboxProfile, onBuilt: (inbox: BuiltInbox) => void) {
    this.#environment = environment;
    this.#options = { ...profile };
    this.#onBuilt = onBuilt;
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

  /** Called once for each message that became poison; of a shared inbox, in the thread that made it, for those given up there. */
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

  /** How many messages may come in in a second; default: any number. `stats().flow` tells how often it held somebody back. */
  withRateLimit(limit: RateLimitOptions): this {
    return this.#set({ rateLimit: limit });
  }

  /** What is done when it fills up; default: it refuses, or keeps dead letters, when it is full. */
  withBackpressure(backpressure: BackpressureOptions): this {
    return this.#set({ backpressure });
  }

  /**
   * In shared memory, for every thread of this process: pass the inbox in the `args` of a thread, and it is there the same inbox.
   *
   * Payloads are copied: strings, bytes and plain data straight into the memory, everything else by structured clone.
   */
  shared(options: SharedInboxOptions = {}): SharedInboxBuilder<T> {
    checkObject('shared options', options);
    this.#shared = { bytes: checkOr(checkPositiveCount, 'bytes', options.bytes, undefined) };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- from now on this is what it builds
    return this as unknown as SharedInboxBuilder<T>;
  }

  /** @throws {VigilError} `InvalidConfiguration` that names the option. */
  build(): Inbox<T> {
    const name = checkName('name', this.#name === undefined ? 'inbox' : this.#name);
    const settings = new MailboxSettings(this.#options);
    const inbox = this.#make(name, settings);
    this.#onBuilt(inbox);
    return inbox;
  }

  #make(name: string, settings: MailboxSettings<T>): LocalInbox<T> | SharedInbox<T> {
    if (this.#shared === undefined) return new LocalInbox(name, settings, this.#environment);
    if (settings.sizeOf !== undefined)
      throw invalidOption('sizeOf', 'left out of a shared inbox, which counts the bytes of every payload', settings.sizeOf);
    return new SharedInbox(name, settings, this.#environment, this.#shared);
  }

  #set(options: MailboxOptions<T>): this {
    this.#options = { ...this.#options, ...options };
    return this;
  }
}
