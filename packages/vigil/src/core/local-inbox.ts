import type { Cancel } from './clock.js';
import type { DeadLetter } from './dead-letter.js';
import type { DeadLetterQueue } from './dead-letter-queue.js';
import type { MailboxEnvironment } from './environment.js';
import { failFast, isVigilError } from './errors.js';
import type { Inbox, InboxStats } from './inbox.js';
import { type Message, messageOf, type SendOptions } from './message.js';
import { type CloseOptions, type MailboxSettings, ProcessMailbox } from './process-mailbox.js';
import type { SendOutcome, SendWaitOptions, WaitOptions } from './sender.js';
import { checkDuration, checkPositiveCount } from './validation.js';
import { type JoinOptions, type Waiter, WaitingLine } from './waiting-line.js';

/**
 * The inbox of one event loop: a {@link ProcessMailbox} and the promises that wait for it.
 *
 * Invariants: receivers wait only while the mailbox is empty, senders only while it is full; whoever makes either untrue
 * serves them before it returns.
 */
export class LocalInbox<T = unknown> implements Inbox<T> {
  readonly #mailbox: ProcessMailbox<T>;
  readonly #environment: MailboxEnvironment;
  #receivers: WaitingLine<Message<T>> | undefined;
  #senders: WaitingLine<SendOutcome, Message<T>> | undefined;
  #cancelExpiryWatch: Cancel | undefined;

  constructor(name: string, settings: MailboxSettings<T>, environment: MailboxEnvironment) {
    this.#environment = environment;
    this.#mailbox = new ProcessMailbox(name, settings, environment, () => this.#serveReceivers());
  }

  get name(): string {
    return this.#mailbox.name;
  }

  get deadLetters(): DeadLetterQueue<T> {
    return this.#mailbox.deadLetters;
  }

  send(payload: T, options?: SendOptions): SendOutcome {
    this.#admitSenders();
    return this.#mailbox.post(payload, options);
  }

  sendMessage(message: Message<T>): SendOutcome {
    this.#admitSenders();
    return this.#mailbox.send(message);
  }

  sendBatch(payloads: readonly T[], options?: SendOptions): number {
    let accepted = 0;
    for (const payload of payloads) {
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
    const { signal, timeoutMs, ...rest } = options;
    if (timeoutMs !== undefined) checkDuration('timeoutMs', timeoutMs);
    signal?.throwIfAborted();
    const message = messageOf(this.#environment.nextMessageId(), payload, rest, undefined, this.#environment.clock);
    const mustWait = this.#hasWaitingSenders() || !this.#mailbox.hasRoom();
    if (this.#mailbox.isClosed() || !mustWait) return this.#mailbox.send(message);
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
      options?.signal?.throwIfAborted();
      if (timeoutMs === 0) return Promise.resolve(this.tryRecv());
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#receive<undefined>({ signal: options?.signal, timeoutMs, timedOut: () => undefined });
  }

  tryRecv(): Message<T> | undefined {
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
    if (limit !== undefined) checkPositiveCount('limit', limit);
    return this.#mailbox.peek(limit);
  }

  deadLetter(message: Message<T>): DeadLetter<T> {
    return this.#mailbox.deadLetter(message);
  }

  stats(): InboxStats {
    return { ...this.#mailbox.stats(), waitingReceivers: this.#receivers?.size ?? 0, waitingSenders: this.#senders?.size ?? 0 };
  }

  isClosed(): boolean {
    return this.#mailbox.isClosed();
  }

  onClose(callback: () => void): Cancel {
    return this.#mailbox.onClose(callback);
  }

  close(options?: CloseOptions): void {
    this.#mailbox.close(options);
    this.#sendEverybodyAway();
  }

  /** @internal Ends a process's own inbox: what it had not received goes to the dead letters of its runtime. */
  end(deadLetters: DeadLetterQueue<unknown>): void {
    this.#mailbox.end(deadLetters);
    this.#sendEverybodyAway();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<Message<T>> {
    return {
      next: async () => {
        try {
          return { done: false, value: await this.recv() };
        } catch (error) {
          if (isVigilError(error, 'InboxClosed')) return { done: true, value: undefined };
          throw error;
        }
      },
    };
  }

  #receive<R = never>(options?: JoinOptions<R>): Promise<Message<T> | R> {
    try {
      options?.signal?.throwIfAborted();
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
    if (!this.#hasWaitingSenders()) return message;
    this.#admitSenders();
    // Where all that was queued had expired, the next message is one that has waited for room.
    return message ?? (this.#mailbox.depth > 0 ? this.#take() : undefined);
  }

  #serveReceivers(): void {
    while (this.#receivers !== undefined && this.#receivers.size > 0) {
      const message = this.#mailbox.take();
      if (message === undefined) return;
      this.#receivers.shift()?.resolve(message);
    }
  }

  #hasWaitingSenders(): boolean {
    return this.#senders !== undefined && this.#senders.size > 0;
  }

  /** Called before others send, too: what has expired meanwhile has made room for those who wait. */
  #admitSenders(): void {
    if (!this.#hasWaitingSenders()) return;
    while (this.#hasWaitingSenders() && this.#mailbox.hasRoom()) {
      const sender = this.#senders?.shift();
      if (sender !== undefined) this.#admit(sender);
    }
    this.#watchExpiry();
  }

  #admit(sender: Waiter<SendOutcome, Message<T>>): void {
    try {
      sender.resolve(this.#mailbox.send(sender.item));
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
    const closed = `inbox "${this.name}" is closed`;
    this.#receivers?.rejectAll(() => failFast('InboxClosed', closed));
    this.#senders?.rejectAll(() => this.#mailbox.refusal('InboxClosed', closed));
  }

  #throwDeliveryTimeout(timeoutMs: number | undefined): never {
    throw this.#mailbox.refusal('DeliveryTimeout', `inbox "${this.name}" had no room for ${timeoutMs} ms`);
  }
}
