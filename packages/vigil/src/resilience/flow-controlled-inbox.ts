import {
  type BackpressureOptions,
  type Cancel,
  checkBackpressure,
  checkRateLimit,
  type CloseOptions,
  type DeadLetter,
  type DeadLetterQueue,
  type Inbox,
  type InboxStats,
  invalidOption,
  LocalInbox,
  type Message,
  type RateLimitOptions,
  type SendOptions,
  type SendOutcome,
  type SendWaitOptions,
  SharedInbox,
  VigilError,
  type WaitOptions,
} from '../core/index.js';

/**
 * Holds back those who send to an inbox that exists already. What is sent to the inbox itself is held back in the same way: there is one queue.
 *
 * An inbox that is built for it has it from the start: `vigil.inboxBuilder().withRateLimit(…).withBackpressure(…)`. One in shared memory has to be,
 * since all its threads have to know.
 */
export class FlowControlledInbox<T = unknown> implements Inbox<T> {
  readonly #inbox: Inbox<T>;

  /**
   * @param rateLimit - how many messages may come in in a second; `undefined` for any number.
   * @param backpressure - what is done when it fills up; `undefined` for nothing.
   * @throws {VigilError} `InvalidConfiguration` that names the option; `InvalidState` for an inbox in shared memory, and for one that has
   *   flow control already.
   */
  constructor(inbox: Inbox<T>, rateLimit: RateLimitOptions | undefined, backpressure?: BackpressureOptions) {
    if (inbox instanceof SharedInbox)
      throw new VigilError(
        'InvalidState',
        `inbox "${inbox.name}" is in shared memory: build it with vigil.inboxBuilder().shared().withBackpressure(…) or withRateLimit(…)`,
      );
    if (!(inbox instanceof LocalInbox)) throw invalidOption('inbox', 'made by vigil.inbox() or vigil.inboxBuilder()', inbox);
    if (rateLimit === undefined && backpressure === undefined)
      throw invalidOption('rateLimit', 'given where there is no backpressure', rateLimit);
    inbox.control({
      rateLimit: rateLimit === undefined ? undefined : checkRateLimit(rateLimit),
      backpressure: backpressure === undefined ? undefined : checkBackpressure(backpressure, inbox.stats().capacity),
    });
    this.#inbox = inbox;
  }

  get name(): string {
    return this.#inbox.name;
  }

  get deadLetters(): DeadLetterQueue<T> {
    return this.#inbox.deadLetters;
  }

  send(payload: T, options?: SendOptions): SendOutcome {
    return this.#inbox.send(payload, options);
  }

  sendMessage(message: Message<T>): SendOutcome {
    return this.#inbox.sendMessage(message);
  }

  sendBatch(payloads: readonly T[], options?: SendOptions): number {
    return this.#inbox.sendBatch(payloads, options);
  }

  sendWait(payload: T, options?: SendWaitOptions): Promise<SendOutcome> {
    return this.#inbox.sendWait(payload, options);
  }

  recv(options?: WaitOptions): Promise<Message<T>> {
    return this.#inbox.recv(options);
  }

  recvTimeout(timeoutMs: number, options?: WaitOptions): Promise<Message<T> | undefined> {
    return this.#inbox.recvTimeout(timeoutMs, options);
  }

  tryRecv(): Message<T> | undefined {
    return this.#inbox.tryRecv();
  }

  recvBatch(limit: number): Message<T>[] {
    return this.#inbox.recvBatch(limit);
  }

  peek(limit?: number): Message<T>[] {
    return this.#inbox.peek(limit);
  }

  deadLetter(message: Message<T>): DeadLetter<T> {
    return this.#inbox.deadLetter(message);
  }

  stats(): InboxStats {
    return this.#inbox.stats();
  }

  isClosed(): boolean {
    return this.#inbox.isClosed();
  }

  onClose(callback: () => void): Cancel {
    return this.#inbox.onClose(callback);
  }

  close(options?: CloseOptions): void {
    this.#inbox.close(options);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<Message<T>> {
    return this.#inbox[Symbol.asyncIterator]();
  }
}
