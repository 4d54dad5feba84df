import type { Cancel } from './clock.js';
import type { DeadLetter } from './dead-letter.js';
import type { DeadLetterQueue } from './dead-letter-queue.js';
import type { MailboxEnvironment } from './environment.js';
import { failFast, isVigilError, type VigilError } from './errors.js';
import type { InboxStats } from './inbox.js';
import { InboxIterator } from './inbox-iterator.js';
import { type Message, messageOf, type SendOptions } from './message.js';
import type { QueueFigures } from './mailbox-stats.js';
import type { ProcessInbox } from './process-inbox.js';
import { type ArrivalListener, type CloseOptions, type MailboxSettings, type Outlet, ProcessMailbox } from './process-mailbox.js';
import type { SendOutcome, SendWaitOptions, WaitOptions } from './sender.js';
import { checkArray, checkDuration, checkObject, checkPositiveCount, checkWaitOptions } from './validation.js';
import { AwaitedReplies } from './awaited-replies.js';
import type { TurnOptions } from './flow-control.js';
import type { FlowSettings } from './flow-settings.js';
import { type JoinOptions, type Waiter, WaitingLine } from './waiting-line.js';

/** Whoever has the process whose inbox it is. */
export interface InboxHost {
  readonly path: string;
}

/**
 * The inbox of one event loop: a {@link ProcessMailbox} and the promises that wait for it.
 *
 * Invariants: receivers wait only while the mailbox is empty or held, senders only while it is full, or has not fallen below its low watermark
 * since; whoever makes either untrue serves them before it returns.
 */
export class LocalInbox<T = unknown> implements ProcessInbox<T>, ArrivalListener<T> {
  /** Where its messages go when they are not received here. */
  readonly outlet: Outlet<T> | undefined;
  readonly #mailbox: ProcessMailbox<T>;
  readonly #host: InboxHost | undefined;
  readonly #environment: MailboxEnvironment;
  #receivers: WaitingLine<Message<T>> | undefined;
  #senders: WaitingLine<SendOutcome, Message<T>> | undefined;
  #replies: AwaitedReplies<T> | undefined;
  #cancelExpiryWatch: Cancel | undefined;
  #isHeld = false;

  constructor(name: string, settings: MailboxSettings<T>, environment: MailboxEnvironment, outlet?: Outlet<T>, host?: InboxHost) {
    this.outlet = outlet;
    this.#host = host;
    this.#environment = environment;
    this.#mailbox = new ProcessMailbox(name, settings, environment, this);
  }

  get name(): string {
    return this.#mailbox.name;
  }

  /** @internal */
  get supervisor(): string | undefined {
    return this.#host?.path;
  }

  get deadLetters(): DeadLetterQueue<T> {
    return this.#mailbox.deadLetters;
  }

  send(payload: T, options?: SendOptions): SendOutcome {
    this.#letWaitingGoFirst();
    return this.#mailbox.post(payload, options);
  }

  sendMessage(message: Message<T>): SendOutcome {
    this.#letWaitingGoFirst();
    return this.#mailbox.send(message);
  }

  sendBatch(payloads: readonly T[], options?: SendOptions): number {
    let accepted = 0;
    for (const payload of checkArray('payloads', payloads)) {
      try {
        this.send(payload, options);
      } catch (error) {
        if (accepted === 0 || !isVigilError(error)) throw error;
        return accepted;
      }
      accepted += 1;
    }
    return accepted;
  }

  async sendWait(payload: T, options: SendWaitOptions = {}): Promise<SendOutcome> {
    checkObject('send options', options, 'InvalidMessage');
    const signal = checkWaitOptions(options);
    const { timeoutMs, signal: _, ...rest } = options;
    if (timeoutMs !== undefined) checkDuration('timeoutMs', timeoutMs);
    signal?.throwIfAborted();
    const own = this.outlet === undefined ? payload : this.outlet.convert(payload);
    const message = messageOf(this.#environment.nextMessageId(), own, rest, undefined, this.#environment);
    if (this.#mailbox.isClosed()) return this.#mailbox.send(message);
    const { flow } = this.#mailbox;
    if (flow === undefined) return this.#admitWhenRoom(message, { signal, timeoutMs });
    const post = (leftMs: number | undefined) => this.#admitWhenRoom(message, { signal, timeoutMs: leftMs });
    return flow.sendInTurn(() => this.#mailbox.depth, { signal, timeoutMs }, post);
  }

  async #admitWhenRoom(message: Message<T>, { signal, timeoutMs }: TurnOptions): Promise<SendOutcome> {
    const mustWait = (this.#hasWaitingSenders() || !this.#mailbox.hasRoom()) && !this.#mailbox.canMakeRoom(message);
    if (this.#mailbox.isClosed() || !mustWait) return this.#mailbox.admit(message);
    this.#mailbox.flow?.count('blocked');
    this.#senders ??= new WaitingLine(this.#environment.clock);
    const admitted = this.#senders.join<never>(message, { signal, timeoutMs, timedOut: () => this.#throwDeliveryTimeout(timeoutMs) });
    this.#watchExpiry();
    try {
      return await admitted;
    } finally {
      // It may have given up, and then nobody may be left for whom the time of an expiry matters.
      this.#watchExpiry();
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
  recvReply(correlationId: string, timeoutMs: number): Promise<Message<T> | undefined> {
    const isIt = (message: Message<T>) => message.metadata.correlationId === correlationId;
    const here = this.#isHeld ? undefined : this.#mailbox.takeWhere(isIt);
    if (here !== undefined) {
      this.#mailbox.reportReceived(here);
      this.#admitSenders();
      return Promise.resolve(here);
    }
    this.#replies ??= new AwaitedReplies(this.#environment.clock);
    if (timeoutMs === 0 && !this.isClosed()) return Promise.resolve(undefined);
    if (this.isClosed()) return Promise.reject(this.#closedError());
    return this.#replies.await(correlationId, timeoutMs);
  }

  /** @internal How many replies came when nobody waited for them any more. */
  get lateReplies(): number {
    return this.#replies?.late ?? 0;
  }

  tryRecv(): Message<T> | undefined {
    if (this.#isHeld) return undefined;
    return this.#take() ?? this.#mailbox.tryReceive();
  }

  recvBatch(limit: number): Message<T>[] {
    checkPositiveCount('limit', limit);
    const messages: Message<T>[] = [];
    // A closed inbox refuses only when it has nothing left to give.
    for (let message = this.tryRecv(); message !== undefined; message = messages.length < limit ? this.#take() : undefined) {
      messages.push(message);
    }
    return messages;
  }

  peek(limit?: number): Message<T>[] {
    return this.#mailbox.peek(limit);
  }

  deadLetter(message: Message<T>): DeadLetter<T> {
    return this.#mailbox.deadLetter(message);
  }

  /** @internal */
  get lastReceived(): Message<T> | undefined {
    return this.#mailbox.lastReceived;
  }

  /** @internal */
  queues(): QueueFigures[] {
    return this.#mailbox.queues();
  }

  stats(): InboxStats {
    const waitingSenders = (this.#senders?.size ?? 0) + (this.#mailbox.flow?.delayed ?? 0);
    return Object.assign(this.#mailbox.stats(), { waitingReceivers: this.#receivers?.size ?? 0, waitingSenders });
  }

  isClosed(): boolean {
    return this.#mailbox.isClosed();
  }

  onClose(callback: () => void): Cancel {
    return this.#mailbox.onClose(callback);
  }

  close(options?: CloseOptions): void {
    this.#endIntake(options);
  }

  /** @internal @see ProcessMailbox.control */
  control(settings: FlowSettings): void {
    this.#mailbox.control(settings);
  }

  /** @internal */
  seal(): void {
    this.#endIntake();
  }

  /** @internal */
  end(deadLetters: DeadLetterQueue<unknown>, why?: () => VigilError): void {
    this.#mailbox.end(deadLetters, why);
    this.#sendEverybodyAway();
  }

  /** @internal */
  hold(): void {
    this.#isHeld = true;
  }

  /** @internal */
  release(): void {
    this.#isHeld = false;
    this.arrived();
    this.#admitSenders();
    if (this.#mailbox.isClosed()) this.#receivers?.rejectAll(() => this.#closedError());
  }

  /** @internal @see ProcessMailbox.adopt */
  adopt(message: Message<T>): boolean {
    return this.#mailbox.adopt(message);
  }

  /** @internal @see ProcessMailbox.lend */
  lend(isOpen: (rank: number) => boolean): Message<T> | undefined {
    return this.#isHeld ? undefined : this.#mailbox.lend(isOpen);
  }

  /** @internal @see ProcessMailbox.settle */
  settle(message: Message<T>, outcome: 'received' | 'expired'): boolean {
    const wasLent = this.#mailbox.settle(message, outcome);
    this.#admitSenders();
    return wasLent;
  }

  /** @internal @see ProcessMailbox.rankOf */
  rankOf(message: Message<T>): number {
    return this.#mailbox.rankOf(message);
  }

  /** @internal Whether nothing is left to lend and nothing more will come. */
  isDrained(): boolean {
    return this.#mailbox.isClosed() && this.#mailbox.waiting === 0;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<Message<T>> {
    return new InboxIterator(this);
  }

  #endIntake(options?: CloseOptions): void {
    this.#mailbox.close(options);
    this.#sendEverybodyAway();
    this.outlet?.arrived();
  }

  #receive<R = never>(options?: JoinOptions<R>): Promise<Message<T> | R> {
    try {
      checkWaitOptions(options)?.throwIfAborted();
      const message = this.tryRecv();
      if (message !== undefined) return Promise.resolve(message);
    } catch (error) {
      return Promise.reject(error);
    }
    this.#receivers ??= new WaitingLine(this.#environment.clock);
    return this.#receivers.join(undefined, options);
  }

  /** The next message, if there is one; who waits for room is let in behind it. */
  #take(): Message<T> | undefined {
    const message = this.#mailbox.take();
    if (message !== undefined) this.#mailbox.reportReceived(message);
    if (!this.#hasWaitingSenders()) return message;
    this.#admitSenders();
    // Where all that was queued had expired, the next message is one that has waited for room.
    return message ?? (this.#mailbox.depth > 0 ? this.#take() : undefined);
  }

  /** @internal A message came into the mailbox. */
  arrived(): void {
    if (this.#replies !== undefined) this.#handOverReplies(this.#replies);
    if (!this.#isHeld) this.outlet?.arrived();
    while (!this.#isHeld && this.#receivers !== undefined && this.#receivers.size > 0) {
      const message = this.#mailbox.take();
      if (message === undefined) return;
      this.#receivers.shift()?.resolve(message);
      // A listener may send its receiver away, who must have its message by then.
      this.#mailbox.reportReceived(message);
    }
  }

  /** What is waited for by its correlation id is nobody else's. Several may have come while the inbox was held. */
  #handOverReplies(replies: AwaitedReplies<T>): void {
    while (!this.#isHeld && !replies.isIdle) {
      const message = this.#mailbox.takeWhere(({ metadata }) => replies.isMeant(metadata.correlationId));
      if (message === undefined) return;
      const waiter = replies.takeWaiter(message);
      if (waiter === undefined) this.#mailbox.giveUpLate(message);
      else {
        waiter.resolve(message);
        this.#mailbox.reportReceived(message);
      }
    }
  }

  #hasWaitingSenders(): boolean {
    return this.#senders !== undefined && this.#senders.size > 0;
  }

  /** What has expired meanwhile has made room for those who wait. While they still do, there is none for others. */
  #letWaitingGoFirst(): void {
    this.#admitSenders();
    if (this.#hasWaitingSenders() && this.#mailbox.flow?.isBlocking === true && !this.#mailbox.isClosed())
      throw this.#mailbox.refusal('MailboxFull', `others wait for room in inbox "${this.name}", below its low watermark`);
  }

  #admitSenders(): void {
    if (!this.#hasWaitingSenders()) return;
    if (this.#mailbox.canResume()) {
      while (this.#hasWaitingSenders() && this.#mailbox.hasRoom()) {
        const sender = this.#senders?.shift();
        if (sender !== undefined) this.#admit(sender);
      }
    }
    this.#watchExpiry();
  }

  #admit(sender: Waiter<SendOutcome, Message<T>>): void {
    try {
      sender.resolve(this.#mailbox.admit(sender.item));
    } catch (error) {
      sender.reject(error);
    }
  }

  /** Waiting senders are admitted when a message expires, too: nobody might receive for a long time. */
  #watchExpiry(): void {
    this.#cancelExpiryWatch?.();
    this.#cancelExpiryWatch = undefined;
    const { nextExpiryMs } = this.#mailbox;
    if (!this.#hasWaitingSenders() || nextExpiryMs === Number.POSITIVE_INFINITY) return;
    const { clock } = this.#environment;
    this.#cancelExpiryWatch = clock.after(Math.max(nextExpiryMs - clock.now(), 0), () => this.#admitSenders(), { keepAlive: true });
  }

  #sendEverybodyAway(): void {
    this.#receivers?.rejectAll(() => this.#closedError());
    this.#replies?.rejectAll(() => this.#closedError());
    const refusal = () => this.#mailbox.refusal('InboxClosed', `inbox "${this.name}" is closed`);
    this.#senders?.rejectAll(refusal);
    this.#mailbox.flow?.rejectAll(refusal);
  }

  #closedError(): VigilError {
    return failFast('InboxClosed', `inbox "${this.name}" is closed`);
  }

  #throwDeliveryTimeout(timeoutMs: number | undefined): never {
    throw this.#mailbox.refusal('DeliveryTimeout', `inbox "${this.name}" had no room for ${timeoutMs} ms`);
  }
}
