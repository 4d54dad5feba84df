import {
  checkBoolean,
  checkObject,
  checkOr,
  type CloseOptions,
  type DeadLetter,
  DeadLetterQueue,
  type InboxStats,
  LocalInbox,
  mailboxAccess,
  MailboxSettings,
  MESSAGE_PRIORITIES,
  Message,
  noTelemetry,
  type ReplayOutcome,
  type Sender,
  type SendOptions,
  type SendOutcome,
  type SendWaitOptions,
  VigilError,
} from '../../core/index.js';
import type { Home } from './home.js';
import { dehydrateMessage, reviveLetter, reviveMessage } from './message-data.js';
import { LOAN_WINDOW, type MessageData } from './protocol.js';
import { RemoteSender } from './remote-ref.js';

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
    super(name, new MailboxSettings({ capacity: LOAN_WINDOW * MESSAGE_PRIORITIES.length, priorityQueues }), home.environment);
    this.#home = home;
    this.#self = self;
  }

  override get deadLetters(): DeadLetterQueue {
    this.#deadLetters ??= new HostedDeadLetters(this.#home);
    return this.#deadLetters;
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
    if (!(message instanceof Message)) throw new VigilError('InvalidMessage', `inbox "${this.name}" can only give up a message`);
    if (!mailboxAccess.giveUp(message))
      throw new VigilError('InvalidState', `message ${message.id} was not received, or was given up already`);
    const letter = this.#home.call('deadLetter', dehydrateMessage(message, this.#home.clock));
    return { ...letter, message };
  }
}

/** The dead letters of an inbox on the other side of the boundary. */
class HostedDeadLetters extends DeadLetterQueue {
  readonly #home: Home;

  constructor(home: Home) {
    super(home.call('deadLetters').capacity, home.clock, noTelemetry);
    this.#home = home;
  }

  override get size(): number {
    return this.#home.call('deadLetters').letters.length;
  }

  override get isFull(): boolean {
    return this.size >= this.capacity;
  }

  override get evicted(): number {
    return this.#home.call('deadLetters').evicted;
  }

  override list(): DeadLetter[] {
    return this.#home.call('deadLetters').letters.map((data) => {
      return reviveLetter(data, this.#home.clock);
    });
  }

  override replay(id: number, to?: Sender): ReplayOutcome {
    if (to !== undefined && !(to instanceof RemoteSender))
      throw new VigilError('InvalidConfiguration', 'a dead letter of this process can be replayed to what whereis has found');
    return this.#home.call('replay', id, to?.handle);
  }

  override discard(id: number): boolean {
    return this.#home.call('discard', id);
  }

  override discardAll(): number {
    return this.#home.call('discardAll');
  }
}
