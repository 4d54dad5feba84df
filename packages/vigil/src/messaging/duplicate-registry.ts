import { type Cancel, checkFunction, checkName, type NameEntry, type OwnedSender, VigilError } from '../core/index.js';
import { checkMailbox } from './check-mailbox.js';
import { KeyLocks, type LockOptions } from './key-locks.js';
import { type Belonging, Owners } from './owners.js';
import { Announcements, type RegistryChange, type RegistryListener } from './registry-change.js';
import { checkRegistryOptions, type RegistryOptions } from './registry-options.js';

/**
 * Names that many mailboxes can have at once, and one mailbox several times, each time with a value of its own.
 *
 * It has no `whereis`, and no update of a value: a name leads to nobody in particular. The end of an owner takes it out of the registry,
 * as in a {@link Registry}.
 *
 * @see Elixir `Registry` with duplicate keys.
 */
export class DuplicateRegistry<TValue = unknown> {
  readonly #name: string;
  readonly #entries = new Map<string, Set<NameEntry<TValue>>>();
  readonly #owners = new Owners<NameEntry<TValue>>((owner) => this.#free(this.#owners.takeAll(owner), 'ended'));
  readonly #announcements: Announcements<TValue>;
  readonly #locks = new KeyLocks();
  #size = 0;

  /** @throws {VigilError} `InvalidConfiguration` that names the option. */
  constructor(options: RegistryOptions = {}) {
    const { name, log } = checkRegistryOptions(options);
    this.#name = name;
    this.#announcements = new Announcements(log);
  }

  /** How many registrations there are. */
  get size(): number {
    return this.#size;
  }

  /**
   * Adds a registration, also when the mailbox has the name already.
   *
   * @throws {VigilError} `InboxClosed` when the mailbox has ended; `InvalidConfiguration` when the name is not a non-empty string.
   */
  register(name: string, mailbox: OwnedSender, value?: TValue): void {
    checkName('name', name);
    checkMailbox(mailbox);
    if (mailbox.isClosed()) throw new VigilError('InboxClosed', `"${name}" cannot name a mailbox that is closed`);
    const entry = { mailbox, value };
    const entries = this.#entries.get(name);
    if (entries === undefined) this.#entries.set(name, new Set([entry]));
    else entries.add(entry);
    this.#size += 1;
    this.#owners.give(mailbox, name, entry);
    this.#announce('registered', { name, item: entry });
  }

  /** All that have the name, in the order in which they got it. */
  lookup(name: string): NameEntry<TValue>[] {
    return Array.from(this.#entries.get(name) ?? []).filter(({ mailbox }) => this.#owners.isThere(mailbox));
  }

  /** The names of a mailbox, each as often as it has it. */
  namesOf(mailbox: OwnedSender): string[] {
    return this.#owners.isThere(mailbox) ? this.#owners.namesOf(mailbox) : [];
  }

  /** Takes back all registrations of a mailbox under a name; false when there are none. */
  unregister(name: string, mailbox: OwnedSender): boolean {
    const taken = this.#owners.take(mailbox, name);
    this.#free(taken, 'unregistered');
    return taken.length > 0;
  }

  /** @see NameRegistry.dispatch */
  dispatch(name: string, callback: (entries: NameEntry<TValue>[]) => void): void {
    const checked = checkFunction<typeof callback>()('callback', callback);
    const entries = this.lookup(name);
    if (entries.length > 0) checked(entries);
  }

  /** @see NameRegistry.listen */
  listen(listener: RegistryListener<TValue>): Cancel {
    return this.#announcements.listen(listener);
  }

  /** @see NameRegistry.lock */
  lock<T>(key: string, work: () => T | Promise<T>, options?: LockOptions): Promise<T> {
    return this.#locks.lock(key, work, options);
  }

  #free(belongings: readonly Belonging<NameEntry<TValue>>[], kind: RegistryChange['kind']): void {
    for (const { name, item } of belongings) this.#remove(name, item);
    for (const belonging of belongings) this.#announce(kind, belonging);
  }

  #remove(name: string, entry: NameEntry<TValue>): void {
    const entries = this.#entries.get(name);
    entries?.delete(entry);
    if (entries?.size === 0) this.#entries.delete(name);
    this.#size -= 1;
  }

  #announce(kind: RegistryChange['kind'], { name, item: { mailbox, value } }: Belonging<NameEntry<TValue>>): void {
    if (this.#announcements.isHeard) this.#announcements.tell({ kind, registry: this.#name, name, mailbox, value });
  }
}
