import type { OwnedSender, Sender, SharedInboxData } from '../../core/index.js';
import { type LentInbox, LocalRef } from '../local-ref.js';
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
  readonly #sharesMemory: boolean;
  readonly #lent = new Set<LentInbox>();
  #lastNumber = SELF;

  /** @param sharesMemory - whether the code can put its messages into inboxes in shared memory by itself. */
  constructor(self: OwnedSender, sharesMemory: boolean) {
    this.#sharesMemory = sharesMemory;
    // Never forgotten.
    this.#add(SELF, self, Number.POSITIVE_INFINITY);
  }

  /** `undefined` for what is no mailbox with a life of its own. */
  handleOf(sender: Sender | undefined): Handle | undefined {
    if (sender === undefined || !isOwned(sender)) return undefined;
    const number = this.#numbers.get(sender) ?? this.#nextNumber(sender);
    const entry = this.#entries.get(number);
    if (entry !== undefined) entry.given += 1;
    if (!(sender instanceof LocalRef)) return { number, process: undefined };
    return { number, process: { id: sender.id, incarnation: sender.incarnation, kind: sender.kind }, inbox: this.#lend(sender.lentInbox) };
  }

  /** The inboxes that were lent with handles, but some that have closed. */
  get lentInboxes(): readonly LentInbox[] {
    return [...this.#lent];
  }

  /** What was sent as a parcel to whoever has a number was taken out of its inbox. */
  parcelTaken(number: number, parcel: number): void {
    const sender = this.get(number);
    if (sender instanceof LocalRef) sender.lentInbox?.parcelTaken(parcel);
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

  #lend(inbox: LentInbox | undefined): SharedInboxData | undefined {
    const data = this.#sharesMemory ? inbox?.data : undefined;
    if (inbox !== undefined && data !== undefined && !this.#lent.has(inbox)) {
      for (const lent of this.#lent) if (lent.isClosed) this.#lent.delete(lent);
      this.#lent.add(inbox);
    }
    return data;
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
