import {
  type DeadLetter,
  DeadLetterQueue,
  mailboxAccess,
  Message,
  noTelemetry,
  type ReplayOutcome,
  type Sender,
  VigilError,
} from '../../core/index.js';
import type { Home } from './home.js';
import { dehydrateMessage, reviveLetter } from './message-data.js';
import { RemoteSender } from './remote-ref.js';

/** The dead letters of an inbox on the other side of the boundary. */
export class HostedDeadLetters extends DeadLetterQueue {
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

/** Gives up a message that was received here, on the other side. */
export function givenUpAtHome(message: Message, inbox: string, home: Home): DeadLetter {
  if (!(message instanceof Message)) throw new VigilError('InvalidMessage', `inbox "${inbox}" can only give up a message`);
  if (!mailboxAccess.giveUp(message))
    throw new VigilError('InvalidState', `message ${message.id} was not received, or was given up already`);
  const letter = home.call('deadLetter', dehydrateMessage(message, home.clock));
  return { ...letter, message };
}
