import {
  type Cancel,
  checkFunction,
  checkName,
  CloseCallbacks,
  type Logger,
  type MailboxStats,
  type NameEntry,
  type OwnedSender,
  type Sender,
  VigilError,
} from '../core/index.js';
import { checkMailbox } from './check-mailbox.js';
import { KeyLocks, type LockOptions } from './key-locks.js';
import type { NameRegistry } from './name-registry.js';
import { type Belonging, Owners } from './owners.js';
import { Announcements, type RegistryChange, type RegistryListener } from './registry-change.js';
import { checkRegistryOptions, type RegistryOptions } from './registry-options.js';

interface Registration<TValue> {
  readonly mailbox: OwnedSender;
  value: TValue | undefined;
  /** Who wants to know when the name is free. */
  watchers: CloseCallbacks | undefined;
}

/**
 * Unique names for processes and inboxes.
 *
 * A name belongs to its mailbox and lives no longer: when a process ends, in whatever way, or an inbox closes, its names
 * are free before anybody hears of it. Names are compared exactly. All of it is in one event loop, so there are no partitions.
 *
 * @see Elixir `Registry` with unique keys, Erlang `register/2`.
 */
export class Registry<TValue = unknown> implements NameRegistry<TValue> {
  readonly #name: string;
  readonly #log: Logger;
  readonly #registrations = new Map<string, Registration<TValue>>();
  readonly #owners = new Owners<Registration<TValue>>((owner) => this.#end(owner));
  readonly #announcements: Announcements<TValue>;
  readonly #locks = new KeyLocks();

  /** @throws {VigilError} `InvalidConfiguration` that names the option. */
  constructor(options: RegistryOptions = {}) {
    const { name, log } = checkRegistryOptions(options);
    this.#name = name;
    this.#log = log;
    this.#announcements = new Announcements(log);
  }

  get size(): number {
    return this.#registrations.size;
  }

  register(name: string, mailbox: OwnedSender, value?: TValue): void {
    checkName('name', name);
    checkMailbox(mailbox);
    const holder = this.whereis(name);
    if (holder !== undefined) throw new VigilError('AlreadyRegistered', `the name "${name}" is taken`, { details: { name, holder } });
    if (mailbox.isClosed()) throw new VigilError('InboxClosed', `"${name}" cannot name a mailbox that is closed`);
    const registration = { mailbox, value, watchers: undefined };
    this.#registrations.set(name, registration);
    this.#owners.give(mailbox, name, registration);
    this.#announce('registered', { name, item: registration });
  }

  whereis(name: string): Sender | undefined {
    return this.#find(name)?.mailbox;
  }

  lookup(name: string): NameEntry<TValue>[] {
    const registration = this.#find(name);
    return registration === undefined ? [] : [{ mailbox: registration.mailbox, value: registration.value }];
  }

  namesOf(mailbox: OwnedSender): string[] {
    return this.#owners.isThere(mailbox) ? this.#owners.namesOf(mailbox) : [];
  }

  update(name: string, mailbox: OwnedSender, value: TValue): void {
    const registration = this.#find(name);
    if (registration?.mailbox !== mailbox) throw new VigilError('NotRegistered', `the mailbox does not have the name "${name}"`);
    registration.value = value;
  }

  unregister(name: string): boolean {
    const registration = this.#registrations.get(name);
    if (registration === undefined) return false;
    const { mailbox } = registration;
    // Nobody should find one name of an owner that has ended when another is free.
    if (mailbox.isClosed()) this.#end(mailbox);
    else this.#free(this.#owners.take(mailbox, name), 'unregistered');
    return true;
  }

  release(name: string, mailbox: OwnedSender): boolean {
    return this.#registrations.get(name)?.mailbox === mailbox && this.unregister(name);
  }

  onFree(name: string, callback: () => void): Cancel {
    const registration = this.#find(name);
    if (registration === undefined) return () => false;
    registration.watchers ??= new CloseCallbacks();
    return registration.watchers.add(callback);
  }

  dispatch(name: string, callback: (entries: NameEntry<TValue>[]) => void): void {
    const checked = checkFunction<typeof callback>()('callback', callback);
    const entries = this.lookup(name);
    if (entries.length > 0) checked(entries);
  }

  listen(listener: RegistryListener<TValue>): Cancel {
    return this.#announcements.listen(listener);
  }

  lock<T>(key: string, work: () => T | Promise<T>, options?: LockOptions): Promise<T> {
    return this.#locks.lock(key, work, options);
  }

  snapshot(): Map<string, MailboxStats> {
    const present = Array.from(this.#registrations).filter(([, { mailbox }]) => this.#owners.isThere(mailbox));
    return new Map(present.map(([name, { mailbox }]) => [name, mailbox.stats()]));
  }

  #find(name: string): Registration<TValue> | undefined {
    const registration = this.#registrations.get(name);
    if (registration === undefined || this.#owners.isThere(registration.mailbox)) return registration;
    // Who was told of it may have taken the name.
    return this.#find(name);
  }

  #end(owner: OwnedSender): void {
    this.#free(this.#owners.takeAll(owner), 'ended');
  }

  #free(belongings: readonly Belonging<Registration<TValue>>[], kind: RegistryChange['kind']): void {
    for (const { name } of belongings) this.#registrations.delete(name);
    for (const { name, item } of belongings) item.watchers?.callAll(undefined, `the name "${name}"`, this.#log);
    for (const belonging of belongings) this.#announce(kind, belonging);
  }

  #announce(kind: RegistryChange['kind'], { name, item: { mailbox, value } }: Belonging<Registration<TValue>>): void {
    if (this.#announcements.isHeard) this.#announcements.tell({ kind, registry: this.#name, name, mailbox, value });
  }
}
