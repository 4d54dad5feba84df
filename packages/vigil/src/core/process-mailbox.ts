import type { Cancel } from './clock.js';
import { CloseCallbacks } from './close-callbacks.js';
import type { DeadLetter, DeadLetterReason } from './dead-letter.js';
import { DeadLetterQueue } from './dead-letter-queue.js';
import type { MailboxEnvironment } from './environment.js';
import { failFast, VigilError, type VigilErrorCode } from './errors.js';
import type { MailboxStats, QueueFigures } from './mailbox-stats.js';
import { MESSAGE_PRIORITIES, Message, type MessagePriority, mailboxAccess, messageOf, type SendOptions } from './message.js';
import { FlowControl, LocalFlowBooks } from './flow-control.js';
import {
  type Backpressure,
  type BackpressureOptions,
  checkBackpressure,
  checkRateLimit,
  type FlowSettings,
  type RateLimit,
  type RateLimitOptions,
} from './flow-settings.js';
import { RingQueue } from './ring-queue.js';
import { messageFacts } from './telemetry-event.js';
import type { SendOutcome } from './sender.js';
import { checkBoolean, checkDuration, checkOr, checkFunction, checkObject, checkPositiveCount, optional } from './validation.js';

export interface MailboxOptions<T = unknown> {
  /** Messages that can wait, over all priorities together; default 1,000. */
  readonly capacity?: number | undefined;
  /** Five priorities (default), or one queue in order of arrival. */
  readonly priorityQueues?: boolean | undefined;
  /** Whether a message that finds the mailbox full, or is still queued when it is discarded, is kept as a dead letter; default false. */
  readonly enableDeadletter?: boolean | undefined;
  /** Dead letters that are kept; default 1,000. */
  readonly deadletterCapacity?: number | undefined;
  /** A message that was received this often and given up again is poison: it is not replayed any more. Default 5. */
  readonly maxAttempts?: number | undefined;
  /** Milliseconds that a message without a ttl of its own lives; default: for ever. */
  readonly defaultTtlMs?: number | undefined;
  /** Largest message in bytes, counted by `Message.sizeBytes`; default: no limit. */
  readonly maxMessageSize?: number | undefined;
  /** Tells the size of a payload that is neither a string nor bytes; without it such a payload counts 0. */
  readonly sizeOf?: ((payload: T) => number) | undefined;
  /** Called once for each message that became poison. */
  readonly onPoison?: ((letter: DeadLetter<T>) => void) | undefined;
  /** What is done when it fills up; default: it refuses, or keeps dead letters, when it is full. */
  readonly backpressure?: BackpressureOptions | undefined;
  /** How many messages may come in in a second; default: any number. */
  readonly rateLimit?: RateLimitOptions | undefined;
}

const checkSizeOf = optional(checkFunction<(payload: unknown) => number>());
const checkOnPoison = optional(checkFunction<(letter: DeadLetter<unknown>) => void>());

/** The options of a mailbox, checked and with their defaults. Any number of mailboxes can share one. */
export class MailboxSettings<T = unknown> {
  readonly capacity: number;
  readonly priorityQueues: boolean;
  readonly enableDeadletter: boolean;
  readonly deadletterCapacity: number;
  readonly maxAttempts: number;
  readonly defaultTtlMs: number | undefined;
  readonly maxMessageSize: number | undefined;
  readonly sizeOf: ((payload: T) => number) | undefined;
  readonly onPoison: ((letter: DeadLetter<T>) => void) | undefined;
  readonly backpressure: Backpressure | undefined;
  readonly rateLimit: RateLimit | undefined;

  /**
   * @param defaults - settings to fall back to, before Vigil's own defaults.
   * @throws {VigilError} `InvalidConfiguration` that names the option.
   */
  constructor(options: MailboxOptions<T> = {}, defaults: MailboxOptions<T> = {}) {
    checkObject('inbox', options);
    this.capacity = checkOr(checkPositiveCount, 'capacity', options.capacity, defaults.capacity ?? 1000);
    this.priorityQueues = checkOr(checkBoolean, 'priorityQueues', options.priorityQueues, defaults.priorityQueues ?? true);
    this.enableDeadletter = checkOr(checkBoolean, 'enableDeadletter', options.enableDeadletter, defaults.enableDeadletter ?? false);
    this.deadletterCapacity = checkOr(
      checkPositiveCount,
      'deadletterCapacity',
      options.deadletterCapacity,
      defaults.deadletterCapacity ?? 1000,
    );
    this.maxAttempts = checkOr(checkPositiveCount, 'maxAttempts', options.maxAttempts, defaults.maxAttempts ?? 5);
    this.defaultTtlMs = checkOr(optional(checkDuration), 'defaultTtlMs', options.defaultTtlMs, defaults.defaultTtlMs);
    this.maxMessageSize = checkOr(optional(checkPositiveCount), 'maxMessageSize', options.maxMessageSize, defaults.maxMessageSize);
    this.sizeOf = checkOr(checkSizeOf, 'sizeOf', options.sizeOf, defaults.sizeOf);
    this.onPoison = checkOr(checkOnPoison, 'onPoison', options.onPoison, defaults.onPoison);
    const { backpressure = defaults.backpressure, rateLimit = defaults.rateLimit } = options;
    this.backpressure = backpressure === undefined ? undefined : checkBackpressure(backpressure, this.capacity);
    this.rateLimit = rateLimit === undefined ? undefined : checkRateLimit(rateLimit);
  }
}

const NO_DEPTHS: Readonly<Record<MessagePriority, number>> = Object.freeze({ critical: 0, high: 0, normal: 0, low: 0, batch: 0 });

/** An object rather than a function, since there is one for each inbox. */
export interface ArrivalListener<T = unknown> {
  readonly outlet?: Outlet<T> | undefined;
  /** Of the process whose mailbox it is: its supervisor's name with its ancestors'. */
  readonly supervisor?: string | undefined;
  arrived(): void;
  /** A message has left the queue. */
  left?(message: Message<T>, how: 'received' | 'expired'): void;
}

/** Where the messages of a mailbox go when their receiver is not in this event loop: it lends them out and settles each loan. */
export interface Outlet<T = unknown> {
  /** A payload as it will arrive, made when it is sent. @throws {VigilError} `InvalidMessage` when it cannot go there. */
  convert(payload: T): T;
  /** A message came in, or the mailbox was released or closed: there may be something to lend. */
  arrived(): void;
}

export interface CloseOptions {
  /** Whether what is still queued is given up (as dead letters where those are on) instead of being left to later receives. */
  readonly discard?: boolean | undefined;
}

/**
 * The mailbox under an inbox: bounded, by priority, with expiry and dead letters, and without any waiting.
 *
 * Invariants: `#depth` is the sum of the queues' sizes; bit r of `#occupied` is set exactly while queue r holds something;
 * no queued message expires before `#nextExpiryMs`.
 */
export class ProcessMailbox<T = unknown> {
  readonly name: string;
  readonly #settings: MailboxSettings<T>;
  readonly #environment: MailboxEnvironment;
  readonly #queues: (RingQueue<Message<T>> | undefined)[] = [];
  readonly #listener: ArrivalListener<T> | undefined;
  #flow: FlowControl | undefined;
  /** Messages that may wait. */
  #room: number;
  /** Messages that are out on loan, in the order in which they went. */
  #lent: Set<Message<T>> | undefined;
  #closeCallbacks: CloseCallbacks | undefined;
  #deadLetters: DeadLetterQueue<T> | undefined;
  #isClosed = false;
  #depth = 0;
  #occupied = 0;
  #nextExpiryMs = Number.POSITIVE_INFINITY;
  #peakDepth = 0;
  #sent = 0;
  #received = 0;
  #expired = 0;
  #dropped = 0;
  #deadLettered = 0;
  #rejected = 0;
  #lastReceived: Message<T> | undefined;

  /** @param listener - hears of each message that came into the queue. */
  constructor(name: string, settings: MailboxSettings<T>, environment: MailboxEnvironment, listener?: ArrivalListener<T>) {
    this.name = name;
    this.#settings = settings;
    this.#environment = environment;
    this.#listener = listener;
    this.#room = settings.capacity;
    if (settings.backpressure !== undefined || settings.rateLimit !== undefined) this.control(settings);
  }

  /** What holds its senders back, if anything does. */
  get flow(): FlowControl | undefined {
    return this.#flow;
  }

  /** @internal Holds its senders back from now on. @throws {VigilError} `InvalidState` when that is done already. */
  control(settings: FlowSettings): void {
    if (this.#flow !== undefined) throw new VigilError('InvalidState', `the flow of inbox "${this.name}" is controlled already`);
    const { clock } = this.#environment;
    const host = { now: () => clock.now(), refusal: this.refusal.bind(this) };
    this.#flow = new FlowControl(this.name, settings, new LocalFlowBooks(), clock, host);
    this.#room = settings.backpressure?.highWatermark ?? this.#room;
  }

  get depth(): number {
    return this.#depth;
  }

  /** What was received last, which a report of a crash shows. */
  get lastReceived(): Message<T> | undefined {
    return this.#lastReceived;
  }

  /** When the next message may expire; Infinity while none can. */
  get nextExpiryMs(): number {
    return this.#depth === 0 ? Number.POSITIVE_INFINITY : this.#nextExpiryMs;
  }

  /** What the mailbox gave up and keeps; empty unless dead letters are on or somebody called `deadLetter`. */
  get deadLetters(): DeadLetterQueue<T> {
    const { clock, telemetry } = this.#environment;
    this.#deadLetters ??= new DeadLetterQueue(this.#settings.deadletterCapacity, clock, telemetry, {
      takeBack: (message) => this.adopt(message),
    });
    return this.#deadLetters;
  }

  /**
   * Queues a copy of a message.
   *
   * @throws {VigilError} `MailboxFull`, `InboxClosed`, `MessageTooLarge`, `MessageExpired`, `RateLimitExceeded`, `InvalidMessage`.
   */
  send(message: Message<T>): SendOutcome {
    if (!(message instanceof Message))
      throw new VigilError('InvalidMessage', `mailbox "${this.name}" takes messages made by vigil.msg or new Message`);
    return this.#acceptInRate(this.#arrivingCopy(message));
  }

  /** Makes a message of a payload and queues it; throws as `send`. */
  post(payload: T, options?: SendOptions): SendOutcome {
    return this.#acceptInRate(
      messageOf(this.#environment.nextMessageId(), this.#arriving(payload), options, this.#settings.defaultTtlMs, this.#environment),
    );
  }

  /** @internal Queues a copy of a message whose sender has waited for his turn. Throws as `send`. */
  admit(message: Message<T>): SendOutcome {
    return this.#accept(this.#arrivingCopy(message));
  }

  /**
   * The next message: highest priority first, oldest first within a priority.
   *
   * @throws {VigilError} `EmptyMailbox` when there is none, `InboxClosed` when there will be none.
   */
  receive(): Message<T> {
    const message = this.tryReceive();
    if (message === undefined) throw failFast('EmptyMailbox', `mailbox "${this.name}" is empty`);
    return message;
  }

  /** The same, but `undefined` when the mailbox is empty. */
  tryReceive(): Message<T> | undefined {
    const message = this.take();
    if (message !== undefined) this.reportReceived(message);
    else if (this.#isClosed) throw this.#closedError();
    return message;
  }

  /** The same, but `undefined` when the mailbox is empty or closed, and without a report: that is due when the receiver has it. */
  take(): Message<T> | undefined {
    while (this.#occupied !== 0) {
      const rank = 31 - Math.clz32(this.#occupied & -this.#occupied);
      const message = this.#takeFrom(rank);
      if (message === undefined) continue;
      if (this.#isPast(message)) {
        this.#countExpired(message);
        continue;
      }
      mailboxAccess.countAttempt(message);
      this.#received += 1;
      this.#lastReceived = message;
      return message;
    }
    return undefined;
  }

  /** Takes the first message that is meant, by priority, out of the midst of the others; without a report, as `take`. */
  takeWhere(isMeant: (message: Message<T>) => boolean): Message<T> | undefined {
    for (let rank = 0; rank < this.#queues.length; rank += 1) {
      const message = this.#queues[rank]?.takeWhere((candidate) => !this.#isPast(candidate) && isMeant(candidate));
      if (this.#queues[rank]?.size === 0) this.#occupied &= ~(1 << rank);
      if (message === undefined) continue;
      this.#depth -= 1;
      this.#received += 1;
      mailboxAccess.countAttempt(message);
      return message;
    }
    return undefined;
  }

  /** Gives up a message that nobody waits for any more: as a dead letter. */
  giveUpLate(message: Message<T>): void {
    this.#received -= 1;
    this.#deadLettered += 1;
    this.deadLetters.add(message, 'late_reply', this.name);
    this.#listener?.left?.(message, 'received');
  }

  /** Queues a message that is the mailbox's own already; false when it cannot. */
  adopt(message: Message<T>): boolean {
    if (this.#isClosed || !this.hasRoom()) return false;
    this.#enqueue(message);
    return true;
  }

  /**
   * The next message as a loan, if its rank is open: it is out, but counts as queued until it is settled.
   *
   * @param isOpen - by rank, 0 for the most urgent; a mailbox without priorities has rank 0 only.
   */
  lend(isOpen: (rank: number) => boolean): Message<T> | undefined {
    for (let rank = 0; rank < this.#queues.length; rank += 1) {
      while (isOpen(rank)) {
        const message = this.#queues[rank]?.shift();
        if (this.#queues[rank]?.size === 0) this.#occupied &= ~(1 << rank);
        if (message === undefined) break;
        if (this.#isPast(message)) {
          this.#depth -= 1;
          this.#countExpired(message);
          continue;
        }
        this.#lent ??= new Set();
        this.#lent.add(message);
        return message;
      }
      // What is less urgent must not overtake what waits until its rank is open again.
      if ((this.#queues[rank]?.size ?? 0) > 0) return undefined;
    }
    return undefined;
  }

  /** Ends a loan: the message was received, or has expired where it was; false when there is no such loan. */
  settle(message: Message<T>, outcome: 'received' | 'expired'): boolean {
    if (this.#lent?.delete(message) !== true) return false;
    this.#depth -= 1;
    if (outcome === 'expired') {
      this.#countExpired(message);
      return true;
    }
    mailboxAccess.countAttempt(message);
    this.#received += 1;
    this.#lastReceived = message;
    this.reportReceived(message);
    return true;
  }

  /** How many messages are queued and not out on loan. */
  get waiting(): number {
    return this.#depth - (this.#lent?.size ?? 0);
  }

  /** The rank of a message, 0 for the most urgent. */
  rankOf(message: Message<T>): number {
    if (!this.#settings.priorityQueues) return 0;
    return message.priority === 'normal' ? NORMAL_RANK : MESSAGE_PRIORITIES.indexOf(message.priority);
  }

  reportReceived(message: Message<T>): void {
    this.#listener?.left?.(message, 'received');
    if (this.#environment.telemetry.wants('message_received')) this.#report('message_received', message);
  }

  /** Copies of the first `limit` messages in the order of delivery, without taking them. */
  peek(limit?: number): Message<T>[] {
    const most = checkOr(checkPositiveCount, 'limit', limit, Number.POSITIVE_INFINITY);
    const messages: Message<T>[] = [];
    for (const queue of [this.#lent, ...this.#queues]) {
      for (const message of queue ?? []) {
        if (messages.length >= most) return messages;
        if (!this.#isPast(message)) messages.push(mailboxAccess.copy(message));
      }
    }
    return messages;
  }

  /**
   * Gives up a received message: it becomes a dead letter, whether overflow does or not. At the `maxAttempts`-th time it
   * is poison.
   *
   * @throws {VigilError} `InvalidState` when it was not received, or was given up since; `InvalidMessage` when it is no message.
   */
  deadLetter(message: Message<T>, reason: DeadLetterReason = 'delivery_failed'): DeadLetter<T> {
    if (!(message instanceof Message)) throw new VigilError('InvalidMessage', `mailbox "${this.name}" can only give up a message`);
    if (!mailboxAccess.giveUp(message))
      throw new VigilError('InvalidState', `message ${message.id} was not received, or was given up already`);
    const isPoison = message.attemptCount >= this.#settings.maxAttempts;
    const letter = this.deadLetters.add(message, isPoison ? 'max_attempts' : reason, this.name, isPoison);
    mailboxAccess.failCall(message, 'ReceiverUnavailable', `the receiver of "${this.name}" gave the request up`);
    if (isPoison) this.#callOnPoison(letter);
    return letter;
  }

  isClosed(): boolean {
    return this.#isClosed;
  }

  /** Ends the intake. What is queued is left to later receives, or given up with `discard`. */
  close(options: CloseOptions = {}): void {
    checkObject('close options', options);
    const discard = optional(checkBoolean)('discard', options.discard) ?? false;
    this.#closeIntake();
    if (discard) this.#giveUpQueued(this.#buryAs('inbox_closed'));
  }

  /**
   * @internal Ends a process's own mailbox: what is queued goes to the dead letters of its runtime.
   *
   * @param why - what those are told who wait for a reply to it.
   */
  end(deadLetters: DeadLetterQueue<unknown>, why: () => VigilError = () => this.#closedError()): void {
    this.#closeIntake();
    this.#giveUpQueued((message) => {
      deadLetters.add(message, 'process_exited', this.name);
      mailboxAccess.portOf(message)?.fail(why());
    });
  }

  onClose(callback: () => void): Cancel {
    if (this.#isClosed) return () => false;
    this.#closeCallbacks ??= new CloseCallbacks();
    return this.#closeCallbacks.add(callback);
  }

  /** Whether a message can come in, now that expired ones have made room. */
  hasRoom(): boolean {
    return this.#holdsLessThan(this.#room);
  }

  /** Whether room can be made for a message by dropping others. */
  canMakeRoom(message: Message<T>): boolean {
    if (this.#flow?.backpressure?.strategy !== 'drop_oldest') return false;
    return this.#queues.findLastIndex((queue) => queue !== undefined && queue.size > 0) >= this.rankOf(message);
  }

  /** Whether those who wait for room may go on. */
  canResume(): boolean {
    const { backpressure, isBlocking } = this.#flow ?? {};
    return this.#holdsLessThan(isBlocking === true && backpressure !== undefined ? backpressure.lowWatermark : this.#room);
  }

  /** Its queues that were ever used. */
  queues(): QueueFigures[] {
    return this.#queues.flatMap((queue, rank) => {
      if (queue === undefined) return [];
      const priority = this.#settings.priorityQueues ? (MESSAGE_PRIORITIES[rank] ?? 'normal') : 'all';
      return [{ priority, arrived: queue.pushed, left: queue.pushed - queue.size }];
    });
  }

  stats(): MailboxStats {
    const stats: MailboxStats = {
      capacity: this.#settings.capacity,
      depth: this.#depth,
      depthByPriority: this.#depthByPriority(),
      peakDepth: this.#peakDepth,
      messagesSent: this.#sent,
      messagesReceived: this.#received,
      messagesExpired: this.#expired,
      messagesDropped: this.#dropped,
      messagesDeadLettered: this.#deadLettered,
      messagesAbandoned: 0,
      messagesRejected: this.#rejected,
      deadLetters: this.#deadLetters?.size ?? 0,
    };
    return this.#flow === undefined ? stats : { ...stats, flow: this.#flow.stats() };
  }

  #holdsLessThan(depth: number): boolean {
    if (this.#depth >= depth) this.#dropExpired();
    return this.#depth < depth;
  }

  #acceptInRate(message: Message<T>): SendOutcome {
    // What is closed says that first.
    return this.#flow === undefined || this.#isClosed ? this.#accept(message) : this.#flow.send(() => this.#accept(message));
  }

  #accept(message: Message<T>): SendOutcome {
    if (this.#isClosed) throw this.refusal('InboxClosed', `inbox "${this.name}" is closed`);
    const { maxMessageSize, sizeOf } = this.#settings;
    if (maxMessageSize !== undefined) this.#checkSize(message.sizeBytes(sizeOf), maxMessageSize);
    if (this.#isPast(message)) throw this.refusal('MessageExpired', `message ${message.id} expired before it reached "${this.name}"`);
    if (!this.hasRoom() && !this.#makeRoom(message)) return this.#overflow(message);
    this.#enqueue(message);
    return 'queued';
  }

  #arrivingCopy(message: Message<T>): Message<T> {
    return mailboxAccess.copy(message, this.#environment.clock, this.#settings.defaultTtlMs, this.#arriving(message.payload));
  }

  #arriving(payload: T): T {
    const outlet = this.#listener?.outlet;
    return outlet === undefined ? payload : outlet.convert(payload);
  }

  #enqueue(message: Message<T>): void {
    const rank = this.rankOf(message);
    let queue = this.#queues[rank];
    if (queue === undefined) {
      queue = new RingQueue();
      this.#queues[rank] = queue;
    }
    queue.push(message);
    this.#occupied |= 1 << rank;
    this.#depth += 1;
    this.#sent += 1;
    if (this.#depth > this.#peakDepth) this.#peakDepth = this.#depth;
    const expiresAtMs = mailboxAccess.expiresAtMs(message);
    if (expiresAtMs !== undefined && expiresAtMs < this.#nextExpiryMs) this.#nextExpiryMs = expiresAtMs;
    if (this.#environment.telemetry.wants('message_sent')) this.#report('message_sent', message);
    this.#listener?.arrived();
  }

  #takeFrom(rank: number): Message<T> | undefined {
    const queue = this.#queues[rank];
    const message = queue?.shift();
    if (queue === undefined || queue.size === 0) this.#occupied &= ~(1 << rank);
    if (message !== undefined) this.#depth -= 1;
    return message;
  }

  /** Drops the oldest of the least urgent messages, as far as they are not more urgent than a new one. */
  #makeRoom(message: Message<T>): boolean {
    const flow = this.#flow;
    if (flow?.backpressure?.strategy !== 'drop_oldest') return false;
    for (let rank = this.#queues.length - 1; rank >= this.rankOf(message); rank -= 1) {
      const oldest = this.#takeFrom(rank);
      if (oldest === undefined) continue;
      flow.count('dropped');
      this.#giveUp(oldest, this.#buryAs('mailbox_full'), () => this.#displacedError());
      return true;
    }
    return false;
  }

  #displacedError(): VigilError {
    return failFast('MailboxFull', `a newer message has taken the place of the request in "${this.name}"`);
  }

  #overflow(message: Message<T>): SendOutcome {
    const strategy = this.#flow?.backpressure?.strategy;
    if (strategy === 'drop_newest' || strategy === 'drop_oldest') {
      this.#flow?.count('dropped');
      mailboxAccess.failCall(message, 'MailboxFull', `the request found no room in "${this.name}" and was dropped`);
      if (this.#environment.telemetry.wants('message_dropped')) this.#report('message_dropped', message);
      return 'dropped';
    }
    if (strategy === undefined && this.#settings.enableDeadletter && !this.deadLetters.isFull) {
      this.#rejected += 1;
      this.deadLetters.add(message, 'mailbox_full', this.name);
      mailboxAccess.failCall(message, 'MailboxFull', `the request found no room in "${this.name}" and became a dead letter`);
      return 'dead_lettered';
    }
    throw this.refusal('MailboxFull', `inbox "${this.name}" holds ${this.#depth} of ${this.#room} messages`);
  }

  #closeIntake(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closeCallbacks?.callAll(undefined, `inbox "${this.name}"`, this.#environment.log);
  }

  #giveUpQueued(bury: ((message: Message<T>) => void) | undefined): void {
    const lent = [...(this.#lent ?? [])];
    this.#lent?.clear();
    this.#depth -= lent.length;
    for (const message of lent) this.#giveUpOrExpire(message, bury);
    for (let rank = 0; rank < this.#queues.length; rank += 1) {
      for (let message = this.#takeFrom(rank); message !== undefined; message = this.#takeFrom(rank)) {
        this.#giveUpOrExpire(message, bury);
      }
    }
  }

  /** How what is given up becomes a dead letter, where those are on. */
  #buryAs(reason: DeadLetterReason): ((message: Message<T>) => void) | undefined {
    return this.#settings.enableDeadletter ? (message) => this.deadLetters.add(message, reason, this.name) : undefined;
  }

  #giveUpOrExpire(message: Message<T>, bury: ((message: Message<T>) => void) | undefined): void {
    if (this.#isPast(message)) this.#countExpired(message);
    else this.#giveUp(message, bury, () => this.#closedError());
  }

  #giveUp(message: Message<T>, bury: ((message: Message<T>) => void) | undefined, why: () => VigilError): void {
    if (bury !== undefined) {
      this.#deadLettered += 1;
      bury(message);
    } else this.#dropped += 1;
    mailboxAccess.portOf(message)?.fail(why());
    if (bury !== undefined) return;
    if (this.#environment.telemetry.wants('message_dropped')) this.#report('message_dropped', message);
  }

  /** Drops what has expired, wherever it is queued. */
  #dropExpired(): void {
    const nowMs = this.#environment.clock.now();
    if (nowMs < this.nextExpiryMs) return;
    const past: Message<T>[] = [];
    this.#nextExpiryMs = Number.POSITIVE_INFINITY;
    this.#queues.forEach((queue, rank) => {
      queue?.retain((message) => this.#keepUnlessPast(message, nowMs, past));
      if (queue?.size === 0) this.#occupied &= ~(1 << rank);
    });
    this.#depth -= past.length;
    this.#expired += past.length;
    // Last, since a listener may send to this mailbox.
    for (const message of past) this.#reportExpired(message);
  }

  #keepUnlessPast(message: Message<T>, nowMs: number, past: Message<T>[]): boolean {
    const expiresAtMs = mailboxAccess.expiresAtMs(message);
    if (expiresAtMs === undefined) return true;
    if (expiresAtMs <= nowMs) {
      past.push(message);
      return false;
    }
    this.#nextExpiryMs = Math.min(this.#nextExpiryMs, expiresAtMs);
    return true;
  }

  #isPast(message: Message<T>): boolean {
    const expiresAtMs = mailboxAccess.expiresAtMs(message);
    return expiresAtMs !== undefined && this.#environment.clock.now() >= expiresAtMs;
  }

  #countExpired(message: Message<T>): void {
    this.#expired += 1;
    this.#reportExpired(message);
  }

  #reportExpired(message: Message<T>): void {
    mailboxAccess.failCall(message, 'MessageExpired', `the request expired in "${this.name}"`);
    this.#listener?.left?.(message, 'expired');
    if (this.#environment.telemetry.wants('message_expired')) this.#report('message_expired', message);
  }

  #depthByPriority(): Readonly<Record<MessagePriority, number>> {
    if (this.#depth === 0) return NO_DEPTHS;
    const depths = { ...NO_DEPTHS };
    for (const message of this.#lent ?? []) depths[message.priority] += 1;
    this.#queues.forEach((queue, rank) => {
      const priority = MESSAGE_PRIORITIES[rank];
      if (queue === undefined || priority === undefined) return;
      if (this.#settings.priorityQueues) depths[priority] += queue.size;
      else for (const message of queue) depths[message.priority] += 1;
    });
    return depths;
  }

  #checkSize(sizeBytes: number, maxBytes: number): void {
    if (sizeBytes > maxBytes)
      throw this.refusal('MessageTooLarge', `a message of ${sizeBytes} bytes is larger than the ${maxBytes} that "${this.name}" takes`);
  }

  /** Counts a send that is refused and makes the error that tells its sender. */
  refusal(code: VigilErrorCode, text: string): VigilError {
    this.#rejected += 1;
    return failFast(code, text);
  }

  #closedError(): VigilError {
    return failFast('InboxClosed', `inbox "${this.name}" is closed`);
  }

  #callOnPoison(letter: DeadLetter<T>): void {
    try {
      this.#settings.onPoison?.(letter);
    } catch (error) {
      this.#environment.log.error(`onPoison of mailbox "${this.name}" failed`, error);
    }
  }

  #report(eventType: 'message_sent' | 'message_received' | 'message_expired' | 'message_dropped', message: Message<T>): void {
    this.#environment.telemetry.report(eventType, messageFacts(this.name, message.id, message.priority, this.#listener?.supervisor));
  }
}

const NORMAL_RANK = MESSAGE_PRIORITIES.indexOf('normal');
