import {
  type Cancel,
  checkObject,
  type Clock,
  checkWaitOptions,
  CloseCallbacks,
  failFast,
  isVigilError,
  type Logger,
  type MailboxStats,
  Message,
  messageOf,
  type OwnedSender,
  type ReplyExchange,
  type SendOptions,
  type SendOutcome,
  type SendWaitOptions,
  type SharedInbox,
  type SharedInboxData,
  type Tracing,
  VigilError,
  withTrace,
} from '../../core/index.js';
import type { Monitor, ProcessKind, ProcessRef } from '../runner.js';
import { dehydrateMessage } from './message-data.js';
import type { Calls, Handle, MessageData, SendWait } from './protocol.js';

/** What a sender over there needs of its side of the boundary. */
export interface RefHome {
  readonly clock: Clock;
  readonly log: Logger;
  readonly replies: ReplyExchange;
  readonly tracing: Tracing;
  nextMessageId(): string;
  /** @throws {VigilError} `MailboxFull` when too many are on their way, `InvalidMessage` when it cannot be cloned. */
  postMessage(to: number, message: MessageData): void;
  request(question: SendWait, signal: AbortSignal | undefined): Promise<SendOutcome>;
  call<K extends keyof Calls>(call: K, ...args: Parameters<Calls[K]>): ReturnType<Calls[K]>;
  isAlive(handle: number): boolean;
  watch(target: number | string): Monitor;
  /** @throws {VigilError} `InvalidConfiguration` when as many threads use it as can. */
  inboxOf(handle: number, data: SharedInboxData): SharedInbox;
}

/**
 * A mailbox or process on the other side of the boundary.
 *
 * `send` answers `queued` as soon as the message is on its way; when it is refused over there, it becomes a dead letter of the runtime.
 * `sendWait` resolves once it is in the mailbox, or rejects with the refusal. Between threads both put it into the mailbox itself.
 */
export class RemoteSender<TMessage = unknown> implements OwnedSender<TMessage> {
  readonly handle: number;
  protected readonly home: RefHome;
  #data: SharedInboxData | undefined;
  #inbox: SharedInbox | undefined;

  /** @param data - of its inbox, where this side shares memory with it. */
  constructor(handle: number, home: RefHome, data?: SharedInboxData) {
    this.handle = handle;
    this.home = home;
    this.#data = data;
  }

  /** @internal Where the replies to requests for it arrive, whichever runtime they are made with. */
  get replies(): ReplyExchange {
    return this.home.replies;
  }

  send(payload: TMessage, options?: SendOptions): SendOutcome {
    const inbox = this.#attached();
    if (inbox !== undefined) return inbox.send(payload, options);
    return this.#post(messageOf(this.home.nextMessageId(), payload, options, undefined, this.home));
  }

  sendMessage(message: Message<TMessage>): SendOutcome {
    if (!(message instanceof Message))
      throw new VigilError('InvalidMessage', 'sendMessage takes messages made by vigil.msg or new Message');
    return this.#attached()?.sendMessage(message) ?? this.#post(message);
  }

  async sendWait(payload: TMessage, options: SendWaitOptions = {}): Promise<SendOutcome> {
    const inbox = this.#attached();
    if (inbox !== undefined) return inbox.sendWait(payload, options);
    checkObject('send options', options, 'InvalidMessage');
    const signal = checkWaitOptions(options);
    signal?.throwIfAborted();
    const { signal: _, ...rest } = options;
    return this.home.request({ to: this.handle, payload, options: withTrace(rest, this.home.tracing) }, signal);
  }

  isClosed(): boolean {
    return !this.home.isAlive(this.handle);
  }

  stats(): MailboxStats {
    return this.home.call('stats', this.handle);
  }

  onClose(callback: () => void): Cancel {
    const monitor = this.home.watch(this.handle);
    void this.#callBack(monitor, callback);
    return () => monitor.demonitor();
  }

  async #callBack(monitor: Monitor, callback: () => void): Promise<void> {
    const { reason } = await monitor.down;
    const callbacks = new CloseCallbacks();
    callbacks.add(callback);
    if (reason.kind !== 'noproc') callbacks.callAll(undefined, 'a mailbox of another thread or process', this.home.log);
  }

  /** Its inbox, when it is known from the first time on that this thread can use it. */
  #attached(): SharedInbox | undefined {
    const data = this.#data;
    if (data === undefined) return this.#inbox;
    this.#data = undefined;
    try {
      this.#inbox = this.home.inboxOf(this.handle, data);
    } catch (error) {
      if (!isVigilError(error, 'InvalidConfiguration')) throw error;
    }
    return this.#inbox;
  }

  #post(message: Message<TMessage>): SendOutcome {
    if (message.isExpired()) throw failFast('MessageExpired', `message ${message.id} expired before it was sent`);
    this.home.postMessage(this.handle, dehydrateMessage(message, this.home.clock));
    return 'queued';
  }
}

/** The half of a process on the other side of the boundary that is known here. */
export class RemoteRef<TMessage = unknown> extends RemoteSender<TMessage> implements ProcessRef<TMessage> {
  readonly id: string;
  readonly incarnation: number;
  readonly kind: ProcessKind;

  constructor(handle: number, { id, incarnation, kind }: NonNullable<Handle['process']>, home: RefHome, data?: SharedInboxData) {
    super(handle, home, data);
    this.id = id;
    this.incarnation = incarnation;
    this.kind = kind;
  }

  isAlive(): boolean {
    return this.home.isAlive(this.handle);
  }

  monitor(): Monitor {
    return this.home.watch(this.handle);
  }

  override toString(): string {
    return `<${this.id}#${this.incarnation}>`;
  }
}
