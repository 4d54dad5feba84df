import type { Cancel } from '../clock.js';
import { AwaitedReplies } from '../awaited-replies.js';
import { CloseCallbacks } from '../close-callbacks.js';
import type { DeadLetter, DeadLetterReason } from '../dead-letter.js';
import { DeadLetterQueue } from '../dead-letter-queue.js';
import type { Environment, MailboxEnvironment } from '../environment.js';
import { failFast, isVigilError, VigilError, type VigilErrorCode } from '../errors.js';
import { FlowControl, type TurnOptions } from '../flow-control.js';
import type { Backpressure, RateLimit } from '../flow-settings.js';
import type { InboxStats } from '../inbox.js';
import { InboxIterator } from '../inbox-iterator.js';
import { Message, MESSAGE_PRIORITIES, type MessagePriority, mailboxAccess, messageOf, type SendOptions } from '../message.js';
import type { QueueFigures } from '../mailbox-stats.js';
import type { ProcessInbox } from '../process-inbox.js';
import { type CloseOptions, MailboxSettings } from '../process-mailbox.js';
import type { SendOutcome, SendWaitOptions, WaitOptions } from '../sender.js';
import { messageFacts } from '../telemetry-event.js';
import {
  checkArray,
  checkBoolean,
  checkDuration,
  checkObject,
  checkOr,
  checkPositiveCount,
  checkWaitOptions,
  optional,
} from '../validation.js';
import { type JoinOptions, type Waiter, WaitingLine } from '../waiting-line.js';
import { machineLead } from '../clock.js';
import { Envelope } from './envelope.js';
import {
  BELL,
  CLOSED,
  DEAD_LETTERED,
  DROPPED,
  EXPIRED,
  INLINE_BYTES,
  LAST_MESSAGE,
  type LayoutSettings,
  RECEIVED,
  REJECTED,
  REPLY_BELL,
  ROOM_BELL,
} from './layout.js';
import { SharedFlowBooks } from './shared-flow-books.js';
import { isPlainData, type Parcels, Ticket } from './parcels.js';
import { keyOf, participantOf } from './participant.js';
import { NONE, SharedRing } from './ring.js';
import { Sleeper } from './sleeper.js';

/** What a shared inbox needs of the side that uses it: one event loop of the process. */
export type SharedInboxEnvironment = MailboxEnvironment & Partial<Pick<Environment, 'replies' | 'thread'>>;

/** The largest message, as a share of the bytes for messages: so that a few large ones cannot keep all others out. */
const LARGEST_SHARE = 4;

/** Messages that are taken at once, at the most: their records are free again when all of them were read. */
const MOST_AT_ONCE = 64;

/** A thread that would sleep looks so often first. */
const SPINS = 200;

/** A shared inbox on its way to another thread, made of what structured cloning keeps. */
export interface SharedInboxData {
  readonly name: string;
  readonly memory: SharedArrayBuffer;
  readonly arenaBytes: number;
  readonly settings: {
    readonly capacity: number;
    readonly priorityQueues: boolean;
    readonly enableDeadletter: boolean;
    readonly deadletterCapacity: number;
    readonly maxAttempts: number;
    readonly defaultTtlMs: number | undefined;
    readonly maxMessageSize: number | undefined;
    readonly backpressure: Backpressure | undefined;
    readonly rateLimit: RateLimit | undefined;
  };
  /** The beginning of the ids of its messages. */
  readonly label: string;
  /** Of the process whose inbox it is. */
  readonly supervisor: string | undefined;
  /** What the clock of the machine says when the time of the inbox is 0. */
  readonly zeroMs: number;
}

/** The side that made the inbox, as another one asks it for what it cannot do by itself. */
export interface SharedInboxOwner<T = unknown> {
  sendMessage(message: Message<T>): SendOutcome;
  sendWait(payload: T, options: SendWaitOptions): Promise<SendOutcome>;
}

/** What a side of a process's own inbox has that those of other inboxes do not have. */
export interface SharedInboxSide<T = unknown> {
  readonly parcels: Parcels;
  /**
   * Sends what needs a parcel, what finds the inbox closed, and what becomes a dead letter because it is full; left out where the inbox was made.
   */
  readonly owner?: SharedInboxOwner<T>;
  /** Whether its size limit is one that only the owner can measure by. */
  readonly isMeasuredElsewhere?: boolean;
  /** Called with each message that is taken, before it is given out. */
  readonly catchUp?: () => void;
  /** Of the process whose inbox it is. */
  readonly supervisor?: string;
}

export interface SharedInboxOptions {
  /** Bytes for messages that do not fit into their record of 92; default 1 MiB. The largest message takes a quarter of them. */
  readonly bytes?: number | undefined;
}

const NO_OPTIONS: Omit<SendWaitOptions, 'signal'> = Object.freeze({});

const DEFAULT_BYTES = 1024 * 1024;

/**
 * An inbox that any thread of the process can use, with its messages in shared memory. `ring.ts` has the protocol.
 *
 * Payloads are copied: strings, bytes and plain data as they are, everything else by structured clone as between two Node processes. Dead letters stay
 * in the thread that gave them up, and `onPoison` is called for those that the thread has given up that made the inbox.
 *
 * Invariants: receivers of this side wait only while it found nothing to take, senders only while it found no room; each side looks again
 * before it sleeps, and wakes those of other sides for whom it has changed that.
 */
export class SharedInbox<T = unknown> implements ProcessInbox<T> {
  readonly name: string;
  readonly #settings: MailboxSettings<T>;
  readonly #environment: SharedInboxEnvironment;
  readonly #arenaBytes: number;
  readonly #label: string;
  readonly #supervisor: string | undefined;
  readonly #zeroMs: number;
  /** Added to the time here it gives the time of the inbox. */
  readonly #offsetMs: number;
  readonly #ring: SharedRing;
  readonly #envelope: Envelope;
  readonly #largestBytes: number;
  /** The ring of messages of which nothing was said. */
  readonly #normalRank: number;
  /** Whether a payload alone needs no further check. */
  readonly #takesBarePayloads: boolean;
  readonly #receivers: WaitingLine<Message<T>>;
  readonly #senders: WaitingLine<SendOutcome, Message<T>>;
  readonly #flow: FlowControl | undefined;
  readonly #receiverSleep: Sleeper;
  readonly #senderSleep: Sleeper;
  readonly #replySleep: Sleeper;
  readonly #closeCallbacks = new CloseCallbacks();
  #deadLetters: DeadLetterQueue<T> | undefined;
  #lastReceived: Message<T> | undefined;
  #replies: AwaitedReplies<T> | undefined;
  #cancelExpiryWatch: Cancel | undefined;
  readonly #side: SharedInboxSide<T> | undefined;
  #isWatchingClose = false;
  /** Whether the last message that found no room had its record, and no bytes. */
  #lacksBytes = false;
  #hasToldClose = false;
  #made: number;

  /**
   * @param data - of an inbox that exists; default: a new one.
   * @param side - of a process's own inbox.
   */
  constructor(
    name: string,
    settings: MailboxSettings<T>,
    environment: SharedInboxEnvironment,
    { bytes = DEFAULT_BYTES }: SharedInboxOptions = {},
    data?: SharedInboxData,
    side?: SharedInboxSide<T>,
  ) {
    this.name = name;
    this.#side = side;
    this.#supervisor = data === undefined ? side?.supervisor : data.supervisor;
    this.#settings = settings;
    this.#environment = environment;
    const { clock } = environment;
    this.#arenaBytes = data?.arenaBytes ?? bytes;
    this.#label = data?.label ?? String(environment.nextMessageId()).replace(/^m-/, '');
    this.#zeroMs = data?.zeroMs ?? machineLead(clock);
    this.#offsetMs = data === undefined ? 0 : machineLead(clock) - this.#zeroMs;
    const layout: LayoutSettings = {
      capacity: settings.backpressure?.highWatermark ?? settings.capacity,
      rings: settings.priorityQueues ? MESSAGE_PRIORITIES.length : 1,
      arenaBytes: this.#arenaBytes,
    };
    this.#ring = new SharedRing(layout, participantOf(environment.thread), data?.memory);
    this.#envelope = new Envelope(name, this.#ring.layout, {
      clock,
      offsetMs: this.#offsetMs,
      replies: environment.replies,
      label: this.#label,
    });
    this.#normalRank = settings.priorityQueues ? MESSAGE_PRIORITIES.indexOf('normal') : 0;
    this.#largestBytes = Math.max(Math.floor(this.#ring.layout.arenaBytes / LARGEST_SHARE), INLINE_BYTES);
    const isControlled = settings.backpressure !== undefined || settings.rateLimit !== undefined;
    const flowHost = { now: () => this.#now(), refusal: this.#refusal.bind(this) };
    this.#flow = isControlled ? new FlowControl(name, settings, new SharedFlowBooks(this.#ring), clock, flowHost) : undefined;
    this.#takesBarePayloads = settings.defaultTtlMs === undefined && settings.maxMessageSize === undefined && !isControlled;
    this.#receivers = new WaitingLine(clock);
    this.#senders = new WaitingLine(clock);
    this.#receiverSleep = new Sleeper(this.#ring, BELL, clock, {
      serve: () => this.#serve(),
      passOn: () => this.#wakeNextReceiver(),
    });
    this.#senderSleep = new Sleeper(this.#ring, ROOM_BELL, clock, {
      serve: () => this.#admitSenders(),
      passOn: () => this.#ring.ringForRoom(),
    });
    this.#replySleep = new Sleeper(this.#ring, REPLY_BELL, clock, { serve: () => this.#serveReplies(), passOn: () => {} });
    this.#made = this.#ring.layout.floats[this.#ring.layout.counter(this.#ring.slot, LAST_MESSAGE)] ?? 0;
  }

  /** Attaches another thread to an inbox that exists. */
  static from<T>(data: SharedInboxData, environment: SharedInboxEnvironment): SharedInbox<T> {
    return new SharedInbox<T>(data.name, new MailboxSettings(data.settings), environment, {}, data);
  }

  /** @internal Whether it is a process's own, which begins and ends with that and is given to nobody. */
  get isOwned(): boolean {
    return this.#side !== undefined;
  }

  /** What another thread needs to use it. */
  data(): SharedInboxData {
    const { sizeOf: _, onPoison: __, ...settings } = this.#settings;
    return {
      name: this.name,
      memory: this.#ring.layout.memory,
      arenaBytes: this.#arenaBytes,
      settings,
      label: this.#label,
      supervisor: this.#supervisor,
      zeroMs: this.#zeroMs,
    };
  }

  /** @internal A thread is gone: what it was doing here is ended in its place. */
  bury(threadId: number): void {
    this.#ring.bury(keyOf(threadId));
    this.#serve();
    this.#admitSenders();
  }

  /** What this side gave up and keeps. */
  get deadLetters(): DeadLetterQueue<T> {
    const { clock, telemetry } = this.#environment;
    this.#deadLetters ??= new DeadLetterQueue(this.#settings.deadletterCapacity, clock, telemetry, {
      takeBack: (message) => this.#takeBack(message),
      copy: (payload) => this.#copy(payload),
    });
    return this.#deadLetters;
  }

  send(payload: T, options?: SendOptions): SendOutcome {
    this.#admitSenders();
    if (options === undefined && this.#sendsBarePayloads && this.#liesInMemory(payload) && this.#sendBare(payload)) return 'queued';
    const number = this.#nextNumber();
    return this.#accept(this.#messageOf(number, payload, options), number);
  }

  sendMessage(message: Message<T>): SendOutcome {
    if (!(message instanceof Message))
      throw new VigilError('InvalidMessage', `inbox "${this.name}" takes messages made by vigil.msg or new Message`);
    this.#admitSenders();
    return this.#accept(mailboxAccess.copy(message, this.#environment.clock, this.#settings.defaultTtlMs));
  }

  sendBatch(payloads: readonly T[], options?: SendOptions): number {
    this.#admitSenders();
    const isAwaited = this.#senders.size > 0 || this.#receivers.size > 0 || this.#environment.telemetry.wants('message_sent');
    const canBeBare = options === undefined && this.#sendsBarePayloads && !isAwaited;
    let accepted = 0;
    let isBellDue = false;
    try {
      for (const payload of checkArray('payloads', payloads)) {
        if (canBeBare && this.#liesInMemory(payload) && this.#placeBare(this.#nextNumber(), payload)) isBellDue = true;
        else this.send(payload, options);
        accepted += 1;
      }
    } catch (error) {
      if (accepted === 0 || !isVigilError(error)) throw error;
    } finally {
      if (isBellDue) this.#ring.ringBell();
    }
    return accepted;
  }

  async sendWait(payload: T, options: SendWaitOptions = {}): Promise<SendOutcome> {
    checkObject('send options', options, 'InvalidMessage');
    const signal = checkWaitOptions(options);
    const { timeoutMs, signal: _, ...rest } = options;
    if (timeoutMs !== undefined) checkDuration('timeoutMs', timeoutMs);
    signal?.throwIfAborted();
    this.#admitSenders();
    const given = this.#waitingMessageOf(payload, rest);
    const owner = this.#ownerFor(given);
    if (owner !== undefined) return owner.sendWait(payload, options);
    const message = mailboxAccess.copy(given, undefined, undefined, this.#copy(payload));
    const flow = this.#flow;
    if (flow === undefined || this.#ring.isClosed) return this.#acceptWhenRoom(message, { signal, timeoutMs });
    const post = (leftMs: number | undefined) => this.#acceptWhenRoom(message, { signal, timeoutMs: leftMs });
    return flow.sendInTurn(this.#depth, { signal, timeoutMs }, post);
  }

  async #acceptWhenRoom(message: Message<T>, { signal, timeoutMs }: TurnOptions): Promise<SendOutcome> {
    const isFirst = this.#senders.size === 0 && !this.#mustWaitBehindOthers();
    const outcome = (isFirst ? this.#tryAccept(message) : undefined) ?? this.#makeRoomFor(message);
    if (outcome !== undefined) return outcome;
    this.#flow?.count('blocked');
    this.#blockOthers();
    const timedOut = () => this.#throwDeliveryTimeout(timeoutMs);
    const admitted = this.#senders.join<never>(message, { signal, timeoutMs, timedOut });
    this.#senderSleep.wait();
    this.#watchExpiry();
    try {
      return await admitted;
    } finally {
      // It may have given up, and then nobody may be left for whom the time of an expiry matters.
      this.#watchExpiry();
      this.#senderSleep.left();
      if (this.#senders.size === 0) this.#blockOthersNoMore();
    }
  }

  /**
   * The same, blocking the thread until there is room.
   *
   * @param timeoutMs - milliseconds to wait; default: as long as it takes.
   * @throws {VigilError} as `sendWait`; `InvalidState` where an event loop must not block: outside the threads that Vigil runs.
   */
  sendSync(payload: T, options: Omit<SendWaitOptions, 'signal'> = NO_OPTIONS): SendOutcome {
    checkObject('send options', options, 'InvalidMessage');
    const { timeoutMs, ...rest } = options;
    const untilMs = this.#deadlineOf(timeoutMs);
    if (options === NO_OPTIONS && this.#takesBarePayloads && this.#liesInMemory(payload) && this.#sendBare(payload)) return 'queued';
    const message = this.#waitingMessageOf(payload, rest);
    const owner = this.#ownerFor(message);
    if (owner !== undefined) return owner.sendMessage(message);
    const flow = this.#flow;
    if (flow === undefined || this.#ring.isClosed) return this.#acceptWhenRoomSync(message, untilMs, timeoutMs);
    const pauseMs = flow.takeTurn(this.#depth, timeoutMs);
    this.#sleepUntil(Math.min(this.#environment.clock.now() + (pauseMs ?? Number.POSITIVE_INFINITY), untilMs));
    if (pauseMs === undefined) throw flow.timeoutError(timeoutMs);
    try {
      return this.#acceptWhenRoomSync(message, untilMs, timeoutMs);
    } catch (error) {
      flow.giveTurnBack();
      throw error;
    }
  }

  #acceptWhenRoomSync(message: Message<T>, untilMs: number, timeoutMs: number | undefined): SendOutcome {
    let isBlocked = this.#mustWaitBehindOthers();
    for (;;) {
      const number = this.#ring.wish(ROOM_BELL);
      const entering = this.#entering(message);
      const outcome = (isBlocked && !this.#canResume() ? undefined : this.#tryAccept(entering)) ?? this.#makeRoomFor(entering);
      // It may have been woken for one of two rooms.
      if (outcome !== undefined) {
        this.#ring.ringForRoom();
        return outcome;
      }
      if (!isBlocked) this.#flow?.count('blocked');
      isBlocked = true;
      this.#blockOthers();
      if (this.#sleep(ROOM_BELL, number, untilMs)) continue;
      this.#blockOthersNoMore();
      this.#throwDeliveryTimeout(timeoutMs);
    }
  }

  recv(options?: WaitOptions): Promise<Message<T>> {
    return this.#receive(options);
  }

  recvTimeout(timeoutMs: number, options?: WaitOptions): Promise<Message<T> | undefined> {
    try {
      checkDuration('timeoutMs', timeoutMs);
      checkWaitOptions(options)?.throwIfAborted();
      if (timeoutMs === 0) return Promise.resolve(this.tryRecv());
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#receive<undefined>({ signal: options?.signal, timeoutMs, timedOut: () => undefined });
  }

  /** @internal The message with a correlation id, past all others; `undefined` when the time ran out. */
  async recvReply(correlationId: string, timeoutMs: number): Promise<Message<T> | undefined> {
    this.#handOverReplies();
    const record = this.#takeReply((id) => id === correlationId);
    if (record !== NONE) {
      const message = this.#receiveFrom(record);
      this.#reportReceived(message);
      this.#admitSenders();
      return message;
    }
    if (this.isClosed()) throw this.#closedError();
    this.#replies ??= new AwaitedReplies(this.#environment.clock);
    if (timeoutMs === 0) return undefined;
    const reply = this.#replies.await(correlationId, timeoutMs);
    this.#replySleep.wait();
    try {
      return await reply;
    } finally {
      this.#replySleep.left();
    }
  }

  /** @internal How many replies came when nobody waited for them any more. */
  get lateReplies(): number {
    this.#handOverReplies();
    return this.#replies?.late ?? 0;
  }

  /**
   * The next message, blocking the thread until there is one.
   *
   * @param timeoutMs - milliseconds to wait; default: as long as it takes.
   * @returns the message, or `undefined` when the time ran out.
   * @throws {VigilError} `InboxClosed`; `InvalidState` where an event loop must not block: outside the threads that Vigil runs.
   */
  recvSync(timeoutMs?: number): Message<T> | undefined {
    const untilMs = this.#deadlineOf(timeoutMs);
    for (let message = this.tryRecv(); ; message = this.tryRecv()) {
      if (message !== undefined) return message;
      if (this.#spin()) continue;
      const number = this.#ring.wish(BELL);
      if (!this.#ring.isHeld && (!this.#ring.isEmpty() || this.#ring.isClosed)) continue;
      if (!this.#sleep(BELL, number, untilMs)) return this.tryRecv();
      const first = this.tryRecv();
      this.#wakeNextReceiver();
      if (first !== undefined) return first;
    }
  }

  tryRecv(): Message<T> | undefined {
    const message = this.#takeAndReport();
    if (message !== undefined || !this.#ring.isClosed) return message;
    // What was on its way in when it was closed is in by now, or refused.
    this.#ring.endRings();
    const last = this.#takeAndReport();
    if (last !== undefined || this.#ring.isHeld) return last;
    this.#tellClosed();
    throw this.#closedError();
  }

  recvBatch(limit: number): Message<T>[] {
    checkPositiveCount('limit', limit);
    const messages: Message<T>[] = [];
    while (messages.length < limit && this.#takeBatch(messages, Math.min(limit - messages.length, MOST_AT_ONCE)));
    if (messages.length === 0) {
      // One for whose sender there was no room, or the refusal of an inbox that has nothing left to give.
      const first = this.tryRecv();
      return first === undefined ? messages : [first];
    }
    // Once for all: to wake a sender for each takes longer than to receive them.
    this.#ring.ringForRoom();
    this.#admitSenders();
    return messages;
  }

  peek(limit?: number): Message<T>[] {
    const most = checkOr(checkPositiveCount, 'limit', limit, Number.POSITIVE_INFINITY);
    const messages: Message<T>[] = [];
    for (const record of this.#ring.waiting()) {
      if (messages.length >= most) break;
      const message = this.#ring.look(record, () => (this.#isPast(record) ? undefined : this.#look(record)));
      if (message === undefined) continue;
      // Nobody has received this copy.
      mailboxAccess.giveUp(message);
      messages.push(message);
    }
    return messages;
  }

  deadLetter(message: Message<T>): DeadLetter<T> {
    if (!(message instanceof Message)) throw new VigilError('InvalidMessage', `inbox "${this.name}" can only give up a message`);
    if (!mailboxAccess.giveUp(message))
      throw new VigilError('InvalidState', `message ${message.id} was not received, or was given up already`);
    const isPoison = message.attemptCount >= this.#settings.maxAttempts;
    const letter = this.deadLetters.add(message, isPoison ? 'max_attempts' : 'delivery_failed', this.name, isPoison);
    mailboxAccess.failCall(message, 'ReceiverUnavailable', `the receiver of "${this.name}" gave the request up`);
    if (isPoison) this.#callOnPoison(letter);
    return letter;
  }

  /** How many messages wait, as far as its capacity. */
  readonly #depth = (): number => this.#ring.depthUpTo(this.#settings.capacity);

  /** @internal */
  get lastReceived(): Message<T> | undefined {
    return this.#lastReceived;
  }

  /** @internal */
  queues(): QueueFigures[] {
    const { priorityQueues } = this.#settings;
    return this.#ring
      .figures()
      .map((figures, rank) => ({ priority: priorityQueues ? (MESSAGE_PRIORITIES[rank] ?? 'normal') : 'all', ...figures }));
  }

  stats(): InboxStats {
    const ring = this.#ring;
    const depthByPriority: Record<MessagePriority, number> = { critical: 0, high: 0, normal: 0, low: 0, batch: 0 };
    for (const record of ring.waiting()) depthByPriority[this.#envelope.priorityOf(record)] += 1;
    const [messagesReceived, messagesExpired, messagesDropped] = [ring.total(RECEIVED), ring.total(EXPIRED), ring.total(DROPPED)];
    const [messagesDeadLettered, messagesAbandoned] = [ring.total(DEAD_LETTERED), ring.abandoned];
    // Read last: whatever was counted as out by then is counted as in.
    const messagesSent = ring.sent;
    return {
      capacity: this.#settings.capacity,
      // Not counted one by one, since others send and receive meanwhile, and the books have to balance.
      depth: messagesSent - messagesReceived - messagesExpired - messagesDropped - messagesDeadLettered - messagesAbandoned,
      depthByPriority,
      peakDepth: ring.peakDepth,
      messagesSent,
      messagesReceived,
      messagesExpired,
      messagesDropped,
      messagesDeadLettered,
      messagesRejected: ring.total(REJECTED),
      messagesAbandoned,
      deadLetters: this.#deadLetters?.size ?? 0,
      waitingReceivers: this.#receivers.size,
      waitingSenders: this.#senders.size + (this.#flow?.delayed ?? 0),
      ...(this.#flow && { flow: this.#flow.stats() }),
    };
  }

  isClosed(): boolean {
    return this.#ring.isClosed;
  }

  /** @see OwnedSender.onClose; calls back when this side learns of it, if another one has closed it. */
  onClose(callback: () => void): Cancel {
    if (this.#hasToldClose) return () => false;
    const cancel = this.#closeCallbacks.add(callback);
    if (!this.#isWatchingClose) void this.#watchClose();
    return cancel;
  }

  close(options: CloseOptions = {}): void {
    checkObject('close options', options);
    const discard = optional(checkBoolean)('discard', options.discard) ?? false;
    this.#ring.close();
    // What has come in before goes to who waits for it, who may not have been woken yet.
    if (!discard) this.#serve();
    this.#tellClosed();
    if (discard) this.#discardAll();
    this.#sendEverybodyAway();
  }

  /** @internal */
  seal(): void {
    this.close();
  }

  /** @internal */
  end(deadLetters: DeadLetterQueue<unknown>, why: () => VigilError = () => this.#closedError()): void {
    this.#ring.close();
    this.#tellClosed();
    this.#giveUpQueued(deadLetters, 'process_exited', why);
    this.#sendEverybodyAway();
  }

  /** @internal On every side. */
  hold(): void {
    this.#ring.hold();
  }

  /** @internal */
  release(): void {
    this.#ring.release();
    this.#serve();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<Message<T>> {
    return new InboxIterator(this);
  }

  /** Sends a payload with which nothing was said, if there is room: the short way for most messages. */
  #sendBare(payload: T): boolean {
    const number = this.#nextNumber();
    if (!this.#placeBare(number, payload)) return false;
    this.#arrived(number, 'normal');
    return true;
  }

  /** Whether nothing is said with a payload but what its sender says. */
  get #sendsBarePayloads(): boolean {
    return this.#takesBarePayloads && this.#environment.tracing?.tracer === undefined;
  }

  /** Puts a payload with which nothing was said where it can be received, as far as nobody need be told. */
  #placeBare(number: number, payload: T): boolean {
    this.#envelope.sealPayload(payload, number);
    return !this.#ring.isClosed && this.#envelope.sizeBytes <= this.#largestBytes && this.#write(this.#normalRank, 0);
  }

  /** The number of the message that is made next; noted before it is used, so that no id is used twice if this thread is ended. */
  #nextNumber(): number {
    this.#made += 1;
    const { layout, slot } = this.#ring;
    layout.floats[layout.counter(slot, LAST_MESSAGE)] = this.#made;
    return this.#made;
  }

  #messageOf(number: number, payload: T, options: SendOptions | undefined): Message<T> {
    return messageOf(this.#envelope.idOf(this.#ring.slot, number), payload, options, this.#settings.defaultTtlMs, this.#environment);
  }

  /** The default time to live of a message that waits for room begins when it comes in. */
  #waitingMessageOf(payload: T, options: SendOptions): Message<T> {
    return messageOf(this.#envelope.idOf(this.#ring.slot, this.#nextNumber()), payload, options, undefined, this.#environment);
  }

  #entering(waiting: Message<T>): Message<T> {
    return mailboxAccess.copy(waiting, undefined, this.#settings.defaultTtlMs);
  }

  #receive<R = never>(options?: JoinOptions<R>): Promise<Message<T> | R> {
    try {
      checkWaitOptions(options)?.throwIfAborted();
      const message = this.tryRecv();
      if (message !== undefined) return Promise.resolve(message);
    } catch (error) {
      return Promise.reject(error);
    }
    const received = this.#receivers.join(undefined, options);
    this.#receiverSleep.wait();
    return options === undefined ? received : this.#untilLeft(received);
  }

  /** It may have left by itself. */
  async #untilLeft<R>(received: Promise<R>): Promise<R> {
    try {
      return await received;
    } finally {
      this.#receiverSleep.left();
    }
  }

  /** Whether this side can put a payload into the memory. */
  #liesInMemory(payload: T): boolean {
    if (this.#side === undefined) return true;
    return this.#side.isMeasuredElsewhere !== true && isPlainData(payload);
  }

  /** Who sends a message, where this side never could. */
  #ownerFor(message: Message<T>): SharedInboxOwner<T> | undefined {
    const owner = this.#side?.owner;
    const makesDeadLetters = this.#settings.enableDeadletter && this.#settings.backpressure?.strategy === 'drop_oldest';
    if (owner === undefined || makesDeadLetters || this.#ring.isClosed || !this.#liesInMemory(message.payload)) return owner;
    this.#envelope.seal(message);
    return this.#envelope.sizeBytes > this.#largestBytes ? owner : undefined;
  }

  /** @param number - of a message that was made here; any other keeps its id. */
  #accept(message: Message<T>, number?: number): SendOutcome {
    const owner = this.#side?.owner;
    if (owner !== undefined && (this.#ring.isClosed || !this.#liesInMemory(message.payload))) return owner.sendMessage(message);
    const flow = this.#flow;
    // What is closed says that first.
    if (flow === undefined || this.#ring.isClosed) return this.#tryAccept(message, number) ?? this.#overflow(message);
    return flow.send(() => {
      const mustWait = this.#senders.size > 0 || this.#mustWaitBehindOthers();
      return (flow.isBlocking && mustWait ? undefined : this.#tryAccept(message, number)) ?? this.#overflow(message, number);
    });
  }

  /** Whether others wait for the low watermark, who come first. */
  #mustWaitBehindOthers(): boolean {
    return this.#flow?.isBlocking === true && this.#ring.isBlocking && !this.#canResume();
  }

  /** Whether those who wait for room may go on, as far as the watermarks say. */
  #canResume(): boolean {
    const { isBlocking, backpressure } = this.#flow ?? {};
    if (isBlocking !== true || backpressure === undefined) return true;
    const { lowWatermark } = backpressure;
    const canResume = this.#ring.holdsLessThan(lowWatermark) || (this.#dropExpired() && this.#ring.holdsLessThan(lowWatermark));
    if (canResume) this.#ring.isBlocking = false;
    return canResume;
  }

  #blockOthers(): void {
    if (this.#flow?.isBlocking === true) this.#ring.isBlocking = true;
  }

  /** Nobody waits here any more. Those of other sides look again, and block others again. */
  #blockOthersNoMore(): void {
    if (this.#flow?.isBlocking !== true || !this.#ring.isBlocking) return;
    this.#ring.isBlocking = false;
    this.#ring.ringForRoom();
  }

  /** Queues a message; `undefined` when there is no room. */
  #tryAccept(message: Message<T>, number?: number): SendOutcome | undefined {
    const isIn = this.#place(message, number) || (this.#dropExpired() && this.#place(message, number));
    if (!isIn) return undefined;
    this.#messageArrived(message);
    return 'queued';
  }

  /** Puts a message in, as far as nobody need be told; false when there is no room. */
  #place(message: Message<T>, number?: number): boolean {
    const liesInMemory = this.#liesInMemory(message.payload);
    if (liesInMemory) this.#envelope.seal(message, number);
    if (this.#ring.isClosed) throw this.#closedRefusal();
    const { maxMessageSize, sizeOf } = this.#settings;
    if (maxMessageSize !== undefined) this.#checkSize(message.sizeBytes(sizeOf), maxMessageSize);
    if (this.#side === undefined) this.#checkSize(this.#envelope.sizeBytes, this.#largestBytes);
    const expiresAtMs = mailboxAccess.expiresAtMs(message);
    if (expiresAtMs !== undefined && this.#environment.clock.now() >= expiresAtMs)
      throw this.#refusal('MessageExpired', `message ${message.id} expired before it reached "${this.name}"`);
    const rank = this.#rankOf(message);
    const expiry = expiresAtMs === undefined ? 0 : expiresAtMs + this.#offsetMs;
    this.#lacksBytes = !liesInMemory || this.#envelope.sizeBytes > this.#largestBytes;
    if (!this.#lacksBytes && this.#write(rank, expiry)) return true;
    if (this.#lacksBytes && this.#placeParcel(message, number, rank, expiry)) return true;
    if (this.#ring.isClosed) throw this.#closedRefusal();
    return false;
  }

  /** The ring of a message. */
  #rankOf(message: Message<T>): number {
    return this.#settings.priorityQueues ? MESSAGE_PRIORITIES.indexOf(message.priority) : 0;
  }

  /** The same as `#place` for a message whose payload goes by another way. */
  #placeParcel(message: Message<T>, number: number | undefined, rank: number, expiresAtMs: number): boolean {
    const { parcels } = this.#side ?? {};
    if (parcels?.send === undefined || !this.#hasFreeRecord()) return false;
    const parcel = parcels.send(message.payload);
    this.#envelope.seal(mailboxAccess.copy<unknown>(message, undefined, undefined, new Ticket(parcel)), number);
    if (this.#write(rank, expiresAtMs)) return true;
    parcels.take(parcel);
    return false;
  }

  #hasFreeRecord(): boolean {
    const record = this.#ring.claim();
    if (record === NONE) return false;
    this.#ring.withdraw(record);
    return true;
  }

  /** Puts what is sealed into the ring of a priority; false when there is no room, or the inbox is closed. */
  #write(rank: number, expiresAtMs: number): boolean {
    const ring = this.#ring;
    const record = ring.claim();
    if (record === NONE) return false;
    if (ring.reserve(record, this.#envelope.sizeBytes)) {
      this.#envelope.write(record, ring.slot);
      ring.setExpiry(record, expiresAtMs);
      if (ring.publish(record, rank)) return true;
    } else this.#lacksBytes = true;
    ring.withdraw(record);
    return false;
  }

  /** Reports a message that is in, and has it received here or elsewhere. */
  #arrived(id: string | number, priority: MessagePriority): void {
    if (this.#environment.telemetry.wants('message_sent')) {
      const messageId = typeof id === 'string' ? id : String(this.#envelope.idOf(this.#ring.slot, id));
      this.#environment.telemetry.report('message_sent', messageFacts(this.name, messageId, priority, this.#supervisor));
    }
    if (this.#receivers.size > 0 || this.#replies?.isIdle === false) this.#serve();
    this.#ring.ringBell();
  }

  /** The same for a message that may be a reply. */
  #messageArrived(message: Message<T>): void {
    this.#arrived(message.id, message.priority);
    this.#ring.ringForReplies();
  }

  #overflow(message: Message<T>, number?: number): SendOutcome {
    const owner = this.#side?.owner;
    if (owner !== undefined && (this.#lacksBytes || this.#settings.enableDeadletter)) return owner.sendMessage(message);
    const strategy = this.#flow?.backpressure?.strategy;
    if (strategy === 'drop_oldest' || strategy === 'drop_newest') return this.#makeRoomFor(message, number) ?? this.#dropNew(message);
    if (strategy === undefined && this.#settings.enableDeadletter && !this.deadLetters.isFull) {
      this.#ring.count(REJECTED);
      const own = mailboxAccess.copy(message, undefined, undefined, this.#copy(message.payload));
      this.deadLetters.add(own, 'mailbox_full', this.name);
      mailboxAccess.failCall(message, 'MailboxFull', `the request found no room in "${this.name}" and became a dead letter`);
      return 'dead_lettered';
    }
    throw this.#refusal('MailboxFull', `inbox "${this.name}" has no room for a message of ${this.#envelope.sizeBytes} bytes`);
  }

  /** Drops the oldest of the least urgent messages, where it is told to, until a new one is in; `undefined` when others are more urgent than that one. */
  #makeRoomFor(message: Message<T>, number?: number): SendOutcome | undefined {
    if (this.#flow?.backpressure?.strategy !== 'drop_oldest') return undefined;
    const rank = this.#rankOf(message);
    for (let outcome = this.#tryAccept(message, number); ; outcome = this.#tryAccept(message, number)) {
      if (outcome !== undefined) return outcome;
      const record = this.#ring.takeLeastUrgent(rank);
      if (record === NONE) return undefined;
      this.#giveUpForRoom(record);
    }
  }

  #giveUpForRoom(record: number): void {
    if (this.#isPast(record)) {
      this.#expire(record);
      return;
    }
    this.#flow?.count('dropped');
    this.#giveUp(record, this.#settings.enableDeadletter ? this.deadLetters : undefined, 'mailbox_full', () =>
      failFast('MailboxFull', `a newer message has taken the place of the request in "${this.name}"`),
    );
  }

  #dropNew(message: Message<T>): SendOutcome {
    this.#flow?.count('dropped');
    mailboxAccess.failCall(message, 'MailboxFull', `the request found no room in "${this.name}" and was dropped`);
    this.#report('message_dropped', message);
    return 'dropped';
  }

  /** A dead letter comes back. */
  #takeBack(message: Message<T>): boolean {
    if (this.#ring.isClosed) return false;
    try {
      return this.#tryAccept(message) !== undefined;
    } catch (error) {
      if (isVigilError(error, 'InboxClosed')) return false;
      throw error;
    }
  }

  #takeAndReport(): Message<T> | undefined {
    this.#handOverReplies();
    const message = this.#take();
    this.#ring.ringForRoom();
    if (message !== undefined) this.#reportReceived(message);
    if (this.#senders.size === 0) return message;
    this.#admitSenders();
    // Where all that was queued had expired, the next message is one that has waited for room.
    return message ?? (this.#ring.isEmpty() || this.#ring.isHeld ? undefined : this.#takeAndReport());
  }

  /** The next message that has not expired. Whoever takes has to say that room was made. */
  #take(): Message<T> | undefined {
    const ring = this.#ring;
    for (let record = ring.take(); record !== NONE; record = ring.take()) {
      const message = this.#read(record);
      if (this.#isPast(record)) {
        ring.settle(record, EXPIRED);
        this.#reportExpired(message);
        continue;
      }
      // One that came in since the replies were handed over.
      if (this.#replies?.isMeant(message.metadata.correlationId) === true) {
        this.#handOver(record, message, this.#replies);
        continue;
      }
      return this.#receiveFrom(record, message);
    }
    return undefined;
  }

  #receiveFrom(record: number, message: Message<T> = this.#read(record)): Message<T> {
    mailboxAccess.countAttempt(message);
    this.#lastReceived = message;
    this.#ring.settle(record, RECEIVED);
    this.#side?.catchUp?.();
    return message;
  }

  /** Takes out a message that is somebody's reply. @returns its record, or `NONE`. */
  #takeReply(isIt: (correlationId: string) => boolean): number {
    return this.#ring.takeWhere((record) => {
      const correlationId = this.#envelope.correlationIdOf(record);
      return correlationId !== undefined && isIt(correlationId) && !this.#isPast(record);
    });
  }

  /** What is waited for by its correlation id is nobody else's on this side. */
  #handOverReplies(): void {
    const replies = this.#replies;
    if (replies === undefined || replies.isIdle) return;
    const isMeant = (correlationId: string) => replies.isMeant(correlationId);
    for (let record = this.#takeReply(isMeant); record !== NONE; record = this.#takeReply(isMeant)) {
      this.#handOver(record, this.#read(record), replies);
    }
  }

  /** To who waits for it; to the dead letters when that one has given up. */
  #handOver(record: number, message: Message<T>, replies: AwaitedReplies<T>): void {
    const waiter = replies.takeWaiter(message);
    if (waiter === undefined) {
      this.#ring.settle(record, DEAD_LETTERED);
      this.keepLate(message);
    } else {
      waiter.resolve(this.#receiveFrom(record, message));
      this.#reportReceived(message);
    }
    this.#ring.ringForRoom();
  }

  /** Keeps a reply that nobody waits for any more. */
  protected keepLate(message: Message<T>): void {
    this.deadLetters.add(message, 'late_reply', this.name);
  }

  /** Whether anybody of this side still waits for a reply. */
  #serveReplies(): boolean {
    this.#handOverReplies();
    if (this.#ring.isClosed) this.#hearOfClose();
    if (this.#replies?.isAwaited === true) return true;
    this.#replySleep.left();
    return false;
  }

  /** Takes what it can at once; whether there was anything, if only what has expired. */
  #takeBatch(into: Message<T>[], limit: number): boolean {
    if (this.#replies?.isIdle === false) return this.#takeOneOf(into);
    const ring = this.#ring;
    const count = ring.takeBatch(limit);
    const first = ring.taken(0);
    // What can expire comes alone.
    if (count === 1 && this.#isPast(first)) {
      this.#expire(first);
      return true;
    }
    if (count === 0) return false;
    const next = into.length;
    for (let index = 0; index < count; index += 1) {
      const message = this.#read(ring.taken(index));
      mailboxAccess.countAttempt(message);
      into.push(message);
    }
    ring.settleBatch(count);
    this.#lastReceived = into.at(-1);
    if (this.#environment.telemetry.wants('message_received')) for (const message of into.slice(next)) this.#reportReceived(message);
    return true;
  }

  /** The same where replies are awaited, which could be among those of a batch. */
  #takeOneOf(into: Message<T>[]): boolean {
    this.#handOverReplies();
    const message = this.#take();
    if (message === undefined) return false;
    into.push(message);
    this.#reportReceived(message);
    return true;
  }

  /** Whether anybody of this side still waits for a message. */
  #serve(): boolean {
    this.#handOverReplies();
    const receivers = this.#receivers;
    if (receivers.size === 0) return false;
    for (let message = this.#take(); message !== undefined; message = receivers.size > 0 ? this.#take() : undefined) {
      receivers.shift()?.resolve(message);
      // A listener may send its receiver away, who must have its message by then.
      this.#reportReceived(message);
    }
    this.#ring.ringForRoom();
    if (this.#ring.isClosed) this.#hearOfClose();
    if (receivers.size > 0) return true;
    this.#receiverSleep.left();
    return false;
  }

  /** Whether anybody of this side still waits for room. Called before others send, too: what has expired has made room for those who wait. */
  #admitSenders(): boolean {
    const senders = this.#senders;
    if (senders.size === 0) return false;
    if (this.#ring.isClosed) this.#hearOfClose();
    for (let sender = this.#canResume() ? senders.first : undefined; sender !== undefined; sender = senders.first) {
      if (!this.#admit(sender) && !this.#dropExpired()) break;
    }
    this.#watchExpiry();
    if (senders.size > 0) {
      this.#blockOthers();
      return true;
    }
    this.#senderSleep.left();
    return false;
  }

  /** False when there is no room for the first who waits. */
  #admit(sender: Waiter<SendOutcome, Message<T>>): boolean {
    const message = this.#entering(sender.item);
    try {
      if (!this.#place(message)) return false;
    } catch (error) {
      this.#senders.shift()?.reject(error);
      return true;
    }
    this.#senders.shift()?.resolve('queued');
    this.#messageArrived(message);
    return true;
  }

  /** Waiting senders are admitted when a message expires, too: nobody might receive for a long time. */
  #watchExpiry(): void {
    this.#cancelExpiryWatch?.();
    this.#cancelExpiryWatch = undefined;
    const { nextExpiryMs } = this.#ring;
    if (this.#senders.size === 0 || nextExpiryMs === Number.POSITIVE_INFINITY) return;
    const { clock } = this.#environment;
    this.#cancelExpiryWatch = clock.after(Math.max(nextExpiryMs - this.#now(), 0), () => this.#admitSenders(), { keepAlive: true });
  }

  /** Takes out what has expired, wherever it waits; whether there was any. */
  #dropExpired(): boolean {
    const past: Message<T>[] = [];
    const nowMs = this.#now();
    for (let record = this.#ring.takeExpired(nowMs); record !== NONE; record = this.#ring.takeExpired(nowMs)) {
      past.push(this.#read(record));
      this.#ring.settle(record, EXPIRED);
    }
    if (past.length === 0) return false;
    this.#ring.ringForRoom();
    // Last, since a listener may send to this inbox.
    for (const message of past) this.#reportExpired(message);
    return true;
  }

  #discardAll(): void {
    this.#giveUpQueued(this.#settings.enableDeadletter ? this.deadLetters : undefined, 'inbox_closed', () => this.#closedError());
  }

  /** @param deadLetters - where what is queued goes; nowhere without. */
  #giveUpQueued(deadLetters: DeadLetterQueue<unknown> | undefined, reason: DeadLetterReason, why: () => VigilError): void {
    const ring = this.#ring;
    for (let record = ring.takeLeft(); record !== NONE; record = ring.takeLeft()) {
      if (this.#isPast(record)) this.#expire(record);
      else this.#giveUp(record, deadLetters, reason, why);
    }
  }

  #giveUp(record: number, deadLetters: DeadLetterQueue<unknown> | undefined, reason: DeadLetterReason, why: () => VigilError): void {
    const message = this.#read(record);
    this.#ring.settle(record, deadLetters === undefined ? DROPPED : DEAD_LETTERED);
    deadLetters?.add(message, reason, this.name);
    mailboxAccess.portOf(message)?.fail(why());
    if (deadLetters === undefined) this.#report('message_dropped', message);
  }

  async #watchClose(): Promise<void> {
    this.#isWatchingClose = true;
    // Also when it is closed by now: nobody is called before it is known what asking has returned.
    await Atomics.waitAsync(this.#ring.layout.words, CLOSED, 0).value;
    this.#tellClosed();
  }

  /** Another side has closed it. Who asked to be told hears of it before those who wait, and who learns of it by a refusal. */
  #hearOfClose(): void {
    this.#tellClosed();
    this.#sendEverybodyAway();
  }

  #tellClosed(): void {
    if (this.#hasToldClose) return;
    this.#hasToldClose = true;
    this.#closeCallbacks.callAll(undefined, `inbox "${this.name}"`, this.#environment.log);
  }

  #sendEverybodyAway(): void {
    this.#receivers.rejectAll(() => this.#closedError());
    this.#replies?.rejectAll(() => this.#closedError());
    this.#senders.rejectAll(() => this.#closedRefusal());
    this.#flow?.rejectAll(() => this.#closedRefusal());
    this.#watchExpiry();
    this.#receiverSleep.left();
    this.#senderSleep.left();
    this.#replySleep.left();
  }

  #wakeNextReceiver(): void {
    if (!this.#ring.isEmpty()) this.#ring.ringBell();
  }

  /** Looks for a message for a moment; whether there may be one. */
  #spin(): boolean {
    for (let spin = 0; spin < SPINS; spin += 1) if (!this.#ring.isEmpty()) return !this.#ring.isHeld;
    return false;
  }

  #deadlineOf(timeoutMs: number | undefined): number {
    if (this.#environment.thread === undefined)
      throw new VigilError(
        'InvalidState',
        `inbox "${this.name}" blocks only threads that Vigil runs: an event loop that others use must not stand still`,
      );
    return timeoutMs === undefined ? Number.POSITIVE_INFINITY : this.#environment.clock.now() + checkDuration('timeoutMs', timeoutMs);
  }

  /** Blocks the thread until a time. */
  #sleepUntil(untilMs: number): void {
    const { clock, thread } = this.#environment;
    const { words } = this.#ring.layout;
    for (let nowMs = clock.now(); nowMs < untilMs && !this.#ring.isClosed; nowMs = clock.now())
      thread?.sleep(words, CLOSED, 0, untilMs - nowMs);
  }

  /** Blocks the thread at a bell; false when its time is over. Whoever rings takes the wish down, which was that of others, too. */
  #sleep(bell: number, number: number, untilMs: number): boolean {
    const leftMs = untilMs - this.#environment.clock.now();
    if (leftMs <= 0) return false;
    this.#environment.thread?.sleep(this.#ring.layout.words, bell, number, leftMs);
    this.#ring.wish(bell);
    return true;
  }

  /** The time of the inbox, by which messages expire. */
  #now(): number {
    return this.#environment.clock.now() + this.#offsetMs;
  }

  #isPast(record: number): boolean {
    const expiresAtMs = this.#ring.expiryOf(record);
    return expiresAtMs !== 0 && this.#now() >= expiresAtMs;
  }

  /** The message in a record that was taken. */
  #read(record: number): Message<T> {
    const message = this.#envelope.read(record);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what an `Inbox<T>` takes is what it gives out
    return unpacked(message, (parcel) => this.#side?.parcels.take(parcel)) as Message<T>;
  }

  /** The message in a record that waits. */
  #look(record: number): Message<T> {
    const message = this.#envelope.read(record);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
    return unpacked(message, (parcel) => this.#side?.parcels.look(parcel)) as Message<T>;
  }

  #copy(payload: T): T {
    const copy = this.#liesInMemory(payload) ? this.#envelope.copy(payload) : this.#side?.parcels.copy(payload);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a copy is of the type of what it was made of
    return copy as T;
  }

  #checkSize(sizeBytes: number, maxBytes: number): void {
    if (sizeBytes > maxBytes)
      throw this.#refusal('MessageTooLarge', `a message of ${sizeBytes} bytes is larger than the ${maxBytes} that "${this.name}" takes`);
  }

  #closedRefusal(): VigilError {
    this.#tellClosed();
    return this.#refusal('InboxClosed', `inbox "${this.name}" is closed`);
  }

  #throwDeliveryTimeout(timeoutMs: number | undefined): never {
    throw this.#refusal('DeliveryTimeout', `inbox "${this.name}" had no room for ${timeoutMs} ms`);
  }

  /** Counts a send that is refused and makes the error that tells its sender. */
  #refusal(code: VigilErrorCode, text: string): VigilError {
    this.#ring.count(REJECTED);
    return failFast(code, text);
  }

  #closedError(): VigilError {
    return failFast('InboxClosed', `inbox "${this.name}" is closed`);
  }

  #callOnPoison(letter: DeadLetter<T>): void {
    try {
      this.#settings.onPoison?.(letter);
    } catch (error) {
      this.#environment.log.error(`onPoison of inbox "${this.name}" failed`, error);
    }
  }

  #reportReceived(message: Message<T>): void {
    this.#report('message_received', message);
  }

  /** A message that was taken has expired. */
  #expire(record: number): void {
    const message = this.#read(record);
    this.#ring.settle(record, EXPIRED);
    this.#reportExpired(message);
  }

  #reportExpired(message: Message<T>): void {
    mailboxAccess.failCall(message, 'MessageExpired', `the request expired in "${this.name}"`);
    this.#report('message_expired', message);
  }

  #report(eventType: 'message_received' | 'message_expired' | 'message_dropped', message: Message<T>): void {
    const { telemetry } = this.#environment;
    if (!telemetry.wants(eventType)) return;
    telemetry.report(eventType, messageFacts(this.name, message.id, message.priority, this.#supervisor));
  }
}

function unpacked(message: Message, open: (parcel: number) => unknown): Message {
  const { payload } = message;
  return payload instanceof Ticket ? mailboxAccess.copy(message, undefined, undefined, open(payload.parcel)) : message;
}
