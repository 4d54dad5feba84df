import {
  checkBoolean,
  checkObject,
  checkOr,
  type CloseOptions,
  type DeadLetter,
  type DeadLetterQueue,
  type InboxStats,
  MailboxSettings,
  type Message,
  SharedInbox,
} from '../../core/index.js';
import type { Home } from './home.js';
import { givenUpAtHome, HostedDeadLetters } from './hosted-dead-letters.js';
import { dehydrateMessage } from './message-data.js';
import type { SharedMailData } from './protocol.js';

/**
 * The inbox of a thread as its code has it: in memory that it shares with everybody who sends to it. What is given up there is kept on the
 * side of the supervisor, which also holds, closes and ends it.
 */
export class HostedSharedInbox extends SharedInbox {
  readonly #home: Home;
  #deadLetters: HostedDeadLetters | undefined;

  constructor(mail: SharedMailData, home: Home) {
    const { inbox } = mail;
    super(inbox.name, new MailboxSettings(inbox.settings), home.environment, {}, inbox, home.ownSide(mail));
    this.#home = home;
  }

  override get deadLetters(): DeadLetterQueue {
    this.#deadLetters ??= new HostedDeadLetters(this.#home);
    return this.#deadLetters;
  }

  override deadLetter(message: Message): DeadLetter {
    return givenUpAtHome(message, this.name, this.#home);
  }

  override stats(): InboxStats {
    return { ...super.stats(), deadLetters: this.#home.call('inboxStats').deadLetters };
  }

  override close(options: CloseOptions = {}): void {
    checkObject('close options', options);
    if (checkOr(checkBoolean, 'discard', options.discard, false)) this.#home.call('discardQueued');
    super.close();
  }

  protected override keepLate(message: Message): void {
    this.#home.call('keepLate', dehydrateMessage(message, this.#home.clock));
  }

  override seal(): void {}
  override end(): void {}
  override hold(): void {}
  override release(): void {}
}
