import type { Clock } from './clock.js';
import type { DeadLetter, DeadLetterReason } from './dead-letter.js';
import { isVigilError, VigilError } from './errors.js';
import { mailboxAccess, type Message } from './message.js';
import type { Sender } from './sender.js';
import type { MessageFacts, TelemetrySink } from './telemetry-event.js';
import { checkMethods } from './validation.js';

/** `retained`: it is still a dead letter, since its target took it not. */
export type ReplayOutcome = 'replayed' | 'retained' | 'poison' | 'not_found';

/** The mailbox that a dead letter was meant for. */
export interface DeadLetterHome<T> {
  /** Queues the message again; false when it cannot. */
  takeBack(message: Message<T>): boolean;
  /** A payload to be shown; left out where payloads go by reference. */
  copy?(payload: T): T;
}

/**
 * A bounded store of dead letters. When it is full, the oldest one makes room and is counted in `evicted`.
 *
 * Invariant: each message that came in is held here, or was replayed, discarded or evicted: exactly one of the four.
 */
export class DeadLetterQueue<T = unknown> {
  readonly capacity: number;
  readonly #clock: Clock;
  readonly #telemetry: TelemetrySink;
  readonly #home: DeadLetterHome<T> | undefined;
  /** In the order of their ids, oldest first. */
  readonly #letters = new Map<number, DeadLetter<T>>();
  #lastId = 0;
  #evicted = 0;

  /** @param home - where a replayed message returns to. Without one, `replay` must be told where to send it. */
  constructor(capacity: number, clock: Clock, telemetry: TelemetrySink, home?: DeadLetterHome<T>) {
    this.capacity = capacity;
    this.#clock = clock;
    this.#telemetry = telemetry;
    this.#home = home;
  }

  get size(): number {
    return this.#letters.size;
  }

  get isFull(): boolean {
    return this.#letters.size >= this.capacity;
  }

  /** How many dead letters had to make room for newer ones. */
  get evicted(): number {
    return this.#evicted;
  }

  /** Copies of what is held, oldest first. */
  list(): DeadLetter<T>[] {
    const show = (message: Message<T>) => mailboxAccess.copy(message, undefined, undefined, this.#home?.copy?.(message.payload));
    return Array.from(this.#letters.values(), (letter) => ({ ...letter, message: show(letter.message) }));
  }

  /** @internal Called by the mailbox that gives the message up. */
  add(message: Message<T>, reason: DeadLetterReason, mailbox: string, poisoned = false): DeadLetter<T> {
    if (this.isFull) this.#evictOldest();
    this.#lastId += 1;
    const letter: DeadLetter<T> = { id: this.#lastId, message, reason, mailbox, timestampMs: this.#clock.wallTime(), poisoned };
    this.#letters.set(letter.id, letter);
    if (this.#telemetry.wants('message_dead_lettered')) {
      this.#telemetry.report('message_dead_lettered', { ...factsOf(letter), reason });
    }
    if (poisoned && this.#telemetry.wants('poison_message_detected')) {
      this.#telemetry.report('poison_message_detected', { ...factsOf(letter), attempts: message.attemptCount });
    }
    return letter;
  }

  /**
   * Sends a dead letter again: to the tail of its priority, its ttl counted anew, its attempts kept.
   *
   * @param to - where to; default: the mailbox it was meant for.
   * @throws {VigilError} `InvalidState` when there is no default, as in a runtime's store of ended processes; `InvalidConfiguration`
   *   when `to` is no sender.
   */
  replay(id: number, to?: Sender<T>): ReplayOutcome {
    const letter = this.#letters.get(id);
    if (letter === undefined) return 'not_found';
    if (letter.poisoned) return 'poison';
    if (to !== undefined) checkMethods('to', to, ['sendMessage']);
    const target = to === undefined ? this.#home : { takeBack: (message: Message<T>) => wasTaken(message, to) };
    if (target === undefined) {
      throw new VigilError('InvalidState', `dead letter ${id} of "${letter.mailbox}" has no mailbox to return to: say where to send it`);
    }
    // Out first: the delivery may run a receiver that looks here again.
    this.#letters.delete(id);
    mailboxAccess.renew(letter.message);
    let isTaken = false;
    try {
      isTaken = target.takeBack(letter.message);
    } finally {
      if (!isTaken) this.#putBack(letter);
    }
    if (!isTaken) return 'retained';
    if (this.#telemetry.wants('message_replayed')) this.#telemetry.report('message_replayed', factsOf(letter));
    return 'replayed';
  }

  /** Forgets a dead letter; false when there is none with this id. */
  discard(id: number): boolean {
    const letter = this.#letters.get(id);
    if (letter === undefined) return false;
    this.#letters.delete(id);
    this.#reportDiscarded(letter.mailbox, 1);
    return true;
  }

  /** Forgets all dead letters and tells how many there were. */
  discardAll(): number {
    const [oldest] = this.#letters.values();
    if (oldest === undefined) return 0;
    const count = this.#letters.size;
    this.#letters.clear();
    this.#reportDiscarded(oldest.mailbox, count);
    return count;
  }

  #evictOldest(): void {
    for (const [id, letter] of this.#letters) {
      this.#letters.delete(id);
      this.#evicted += 1;
      if (this.#telemetry.wants('message_dropped')) this.#telemetry.report('message_dropped', factsOf(letter));
      return;
    }
  }

  /** Back to its place by age, which is the order of ids. */
  #putBack(letter: DeadLetter<T>): void {
    const younger = [...this.#letters.values()].filter((other) => other.id > letter.id);
    for (const other of younger) this.#letters.delete(other.id);
    for (const other of [letter, ...younger]) this.#letters.set(other.id, other);
    if (this.#letters.size > this.capacity) this.#evictOldest();
  }

  #reportDiscarded(mailbox: string, count: number): void {
    if (this.#telemetry.wants('message_discarded')) this.#telemetry.report('message_discarded', { mailbox, count });
  }
}

function factsOf(letter: DeadLetter): MessageFacts & { deadLetterId: number } {
  return { mailbox: letter.mailbox, messageId: letter.message.id, priority: letter.message.priority, deadLetterId: letter.id };
}

function wasTaken<T>(message: Message<T>, to: Sender<T>): boolean {
  try {
    to.sendMessage(message);
    return true;
  } catch (error) {
    if (isVigilError(error)) return false;
    throw error;
  }
}
