import {
  checkBoolean,
  checkObject,
  checkOr,
  type CloseOptions,
  type DeadLetter,
  type DeadLetterQueue,
  type InboxStats,
  LocalInbox,
  MailboxSettings,
  MESSAGE_PRIORITIES,
  noTelemetry,
  type Message,
  type Sender,
  type SendOptions,
  type SendOutcome,
  type SendWaitOptions,
} from '../../core/index.js';
import type { Home } from './home.js';
import { givenUpAtHome, HostedDeadLetters } from './hosted-dead-letters.js';
import { reviveMessage } from './message-data.js';
import { LOAN_WINDOW, type MessageData } from './protocol.js';

/**
 * The inbox of a process as its code sees it where it runs: a buffer of messages that are out on loan. Receiving happens here; everything
 * else is asked of the inbox itself, on the other side of the boundary.
 */
export class HostedInbox extends LocalInbox {
  readonly #home: Home;
  readonly #self: Sender;
  readonly #loans = new WeakMap<Message, number>();
  #deadLetters: HostedDeadLetters | undefined;
  #isClosing = false;

  constructor(name: string, priorityQueues: boolean, self: Sender, home: Home) {
    super(name, new MailboxSettings({ capacity: LOAN_WINDOW * MESSAGE_PRIORITIES.length, priorityQueues }), {
      ...home.environment,
      // What happens to its messages is told by the other side, which has the books.
      telemetry: noTelemetry,
    });
    this.#home = home;
    this.#self = self;
  }

  override get deadLetters(): DeadLetterQueue {
    this.#deadLetters ??= new HostedDeadLetters(this.#home);
    return this.#deadLetters;
  }

  /** It stays open after a stop request, since there may be more to come. */
  override seal(): void {}

  /** Nothing more will be delivered. */
  drained(): void {
    super.seal();
  }

  /** A message has come over. */
  deliver(loan: number, data: MessageData): void {
    // It was on its way when the code discarded what there was; the other side has its loan ended.
    if (super.isClosed()) return;
    const message = reviveMessage(data, this.#home.clock, this.#home.environment.replies);
    this.#loans.set(message, loan);
    this.adopt(message);
  }

  left(message: Message, outcome: 'received' | 'expired'): void {
    const loan = this.#loans.get(message);
    if (loan !== undefined) this.#home.post({ is: 'settled', loan, outcome });
  }

  override send(payload: unknown, options?: SendOptions): SendOutcome {
    return this.#self.send(payload, options);
  }

  override sendMessage(message: Message): SendOutcome {
    return this.#self.sendMessage(message);
  }

  override sendWait(payload: unknown, options?: SendWaitOptions): Promise<SendOutcome> {
    return this.#self.sendWait(payload, options);
  }

  override peek(limit?: number): Message[] {
    return this.#home.call('peek', limit).map((data) => reviveMessage(data, this.#home.clock));
  }

  override stats(): InboxStats {
    return { ...this.#home.call('inboxStats'), waitingReceivers: super.stats().waitingReceivers };
  }

  override close(options: CloseOptions = {}): void {
    checkObject('close options', options);
    const discard = checkOr(checkBoolean, 'discard', options.discard, false);
    this.#isClosing = true;
    this.#home.post({ is: 'close', discard });
    // Otherwise the buffer closes when nothing more is on its way: what has come in is still given out.
    if (discard) super.close(options);
  }

  override isClosed(): boolean {
    return this.#isClosing || super.isClosed();
  }

  override deadLetter(message: Message): DeadLetter {
    return givenUpAtHome(message, this.name, this.#home);
  }
}
