import {
  type Cancel,
  checkMethods,
  checkName,
  type MailboxStats,
  type NameDirectory,
  type OwnedSender,
  type Sender,
  VigilError,
} from '../core/index.js';

interface Registration {
  readonly mailbox: OwnedSender;
  readonly forget: Cancel;
}

/**
 * Unique names for processes and inboxes.
 *
 * A name belongs to its mailbox and lives no longer: when a process ends, in whatever way, or an inbox closes, its names
 * are free before anybody hears of it.
 *
 * @see Elixir `Registry` with unique keys, Erlang `register/2`.
 */
export class Registry implements NameDirectory {
  readonly #registrations = new Map<string, Registration>();

  get size(): number {
    return this.#registrations.size;
  }

  /**
   * Names a mailbox: a process (by its ref) or an inbox. One mailbox can have many names.
   *
   * @throws {VigilError} `AlreadyRegistered` when the name is taken, with its holder in `details.holder`; `InboxClosed` when
   *   the mailbox has ended; `InvalidConfiguration` when the name is not a non-empty string.
   */
  register(name: string, mailbox: OwnedSender): void {
    checkName('name', name);
    checkMethods('mailbox', mailbox, ['send', 'isClosed', 'onClose', 'stats']);
    const holder = this.whereis(name);
    if (holder !== undefined) throw new VigilError('AlreadyRegistered', `the name "${name}" is taken`, { details: { name, holder } });
    if (mailbox.isClosed()) throw new VigilError('InboxClosed', `"${name}" cannot name a mailbox that is closed`);
    const forget = mailbox.onClose(() => this.#registrations.delete(name));
    this.#registrations.set(name, { mailbox, forget });
  }

  /** Who has the name now. */
  whereis(name: string): Sender | undefined {
    return this.#registrations.get(name)?.mailbox;
  }

  /** Takes a name away from whoever has it: an administrator's call. A process frees its own with `ctx.unregister`. */
  unregister(name: string): boolean {
    const registration = this.#registrations.get(name);
    if (registration === undefined) return false;
    this.#registrations.delete(name);
    registration.forget();
    return true;
  }

  release(name: string, mailbox: OwnedSender): boolean {
    return this.#registrations.get(name)?.mailbox === mailbox && this.unregister(name);
  }

  /** A copy of what each name's mailbox holds now. */
  snapshot(): Map<string, MailboxStats> {
    return new Map(Array.from(this.#registrations, ([name, { mailbox }]) => [name, mailbox.stats()]));
  }
}
