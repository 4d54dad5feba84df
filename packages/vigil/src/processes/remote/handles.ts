import type { OwnedSender, Sender } from '../../core/index.js';
import { LocalRef } from '../local-ref.js';
import { type Handle, SELF } from './protocol.js';

interface Entry {
  readonly sender: OwnedSender;
  /** How often its number was said. */
  given: number;
}

/**
 * The senders that code elsewhere has come to know, by number, until it knows them no more.
 *
 * It says so with the number of times that it has heard of one; when one was on its way again meanwhile, that is not all of them, and
 * the number stays.
 */
export class Handles {
  readonly #entries = new Map<number, Entry>();
  readonly #numbers = new Map<OwnedSender, number>();
  #lastNumber = SELF;

  constructor(self: OwnedSender) {
    // Never forgotten.
    this.#add(SELF, self, Number.POSITIVE_INFINITY);
  }

  /** `undefined` for what is no mailbox with a life of its own. */
  handleOf(sender: Sender | undefined): Handle | undefined {
    if (sender === undefined || !isOwned(sender)) return undefined;
    const number = this.#numbers.get(sender) ?? this.#nextNumber(sender);
    const entry = this.#entries.get(number);
    if (entry !== undefined) entry.given += 1;
    const process = sender instanceof LocalRef ? { id: sender.id, incarnation: sender.incarnation, kind: sender.kind } : undefined;
    return { number, process };
  }

  /** Only numbers that were said are asked for. */
  get(number: number): OwnedSender {
    const entry = this.#entries.get(number);
    if (entry === undefined) throw new Error(`nobody has the number ${number}`);
    return entry.sender;
  }

  forget(number: number, heard: number): void {
    const entry = this.#entries.get(number);
    if (entry?.given !== heard) return;
    this.#entries.delete(number);
    this.#numbers.delete(entry.sender);
  }

  #nextNumber(sender: OwnedSender): number {
    this.#lastNumber += 1;
    this.#add(this.#lastNumber, sender, 0);
    return this.#lastNumber;
  }

  #add(number: number, sender: OwnedSender, given: number): void {
    this.#entries.set(number, { sender, given });
    this.#numbers.set(sender, number);
  }
}

/** What a mailbox or process is called in reports. */
export function nameOf(sender: OwnedSender): string {
  if (sender instanceof LocalRef) return sender.id;
  return 'name' in sender ? String(sender.name) : 'a mailbox';
}

function isOwned(sender: Sender): sender is OwnedSender {
  return 'onClose' in sender && 'isClosed' in sender;
}
