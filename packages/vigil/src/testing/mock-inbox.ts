import {
  type Cancel,
  checkCount,
  checkPositiveCount,
  type Environment,
  failFast,
  LocalInbox,
  type MailboxStats,
  MailboxSettings,
  type Message,
  type OwnedSender,
  type SendOptions,
  type SendOutcome,
  type SendWaitOptions,
  type VigilErrorCode,
} from '../core/index.js';

/** More than a test sends. */
const CAPACITY = 1_000_000;

/**
 * Takes the place of an inbox, a process or an address in a test, and keeps what it is sent, in the order of sending whatever the priority, for
 * the test to look at. It checks what it is sent as every inbox does.
 */
export class MockInbox<T = unknown> implements OwnedSender<T> {
  readonly #inbox: LocalInbox<T>;
  #refusals: { readonly code: VigilErrorCode; left: number } | undefined;

  /** @internal `TestContext.mockInbox` makes them. */
  constructor(name: string, environment: Environment) {
    this.#inbox = new LocalInbox<T>(name, new MailboxSettings({ capacity: CAPACITY, priorityQueues: false }), environment);
  }

  get name(): string {
    return this.#inbox.name;
  }

  send(payload: T, options?: SendOptions): SendOutcome {
    this.#refuse();
    return this.#inbox.send(payload, options);
  }

  sendMessage(message: Message<T>): SendOutcome {
    this.#refuse();
    return this.#inbox.sendMessage(message);
  }

  async sendWait(payload: T, options?: SendWaitOptions): Promise<SendOutcome> {
    this.#refuse();
    return this.#inbox.sendWait(payload, options);
  }

  /** Refuses the next sends with an error of this code. */
  refuseNext(code: VigilErrorCode, times = 1): void {
    this.#refusals = { code, left: checkPositiveCount('times', times) };
  }

  /** Takes the oldest message; `undefined` when there is none. It never waits. */
  recv(): Message<T> | undefined {
    return this.count() === 0 ? undefined : this.#inbox.tryRecv();
  }

  /** Messages that are there. */
  count(): number {
    return this.#inbox.stats().depth;
  }

  /** A copy of the message at an index, 0 for the oldest, which stays; `undefined` when there are not so many. */
  peek(index: number): Message<T> | undefined {
    return this.#inbox.peek(checkCount('index', index) + 1)[index];
  }

  /** Takes all messages. */
  clear(): void {
    this.#inbox.recvBatch(CAPACITY);
  }

  isClosed(): boolean {
    return this.#inbox.isClosed();
  }

  stats(): MailboxStats {
    return this.#inbox.stats();
  }

  onClose(callback: () => void): Cancel {
    return this.#inbox.onClose(callback);
  }

  /** From now on sends are refused with `InboxClosed`. */
  close(): void {
    this.#inbox.close();
  }

  #refuse(): void {
    const refusals = this.#refusals;
    if (refusals === undefined || refusals.left === 0) return;
    refusals.left -= 1;
    throw failFast(refusals.code, `mock inbox "${this.name}" was told to refuse this message`);
  }
}
