import type { Cancel } from './clock.js';
import type { MailboxStats } from './mailbox-stats.js';
import type { OwnedSender, Sender } from './sender.js';

/** Who has a name, and what was said with it. */
export interface NameEntry<TValue = unknown> {
  readonly mailbox: OwnedSender;
  readonly value: TValue | undefined;
}

/** The unique names of a runtime, as its parts see them, on whichever side of a boundary they are. */
export interface NameDirectory<TValue = unknown> {
  /** How many names are held. */
  readonly size: number;
  /**
   * Names a mailbox: a process (by its ref) or an inbox. One mailbox can have many names.
   *
   * @param value - what others find with the name.
   * @throws {VigilError} `AlreadyRegistered` when the name is taken, with its holder in `details.holder`; `InboxClosed` when
   *   the mailbox has ended; `InvalidConfiguration` when the name is not a non-empty string.
   */
  register(name: string, mailbox: OwnedSender, value?: TValue): void;
  /** Who has the name now. */
  whereis(name: string): Sender | undefined;
  /** Who has the name now, with the value: one entry or none. */
  lookup(name: string): NameEntry<TValue>[];
  /** The names of a mailbox, in the order in which it got them. */
  namesOf(mailbox: OwnedSender): string[];
  /**
   * Says something else with a name, as its owner only.
   *
   * @throws {VigilError} `NotRegistered` when `mailbox` does not have the name.
   */
  update(name: string, mailbox: OwnedSender, value: TValue): void;
  /** Takes a name away from whoever has it: an administrator's call. A process frees its own with `ctx.unregister`. */
  unregister(name: string): boolean;
  /** Frees the name if `mailbox` has it; false otherwise. */
  release(name: string, mailbox: OwnedSender): boolean;
  /** Calls back once, when whoever has the name now has it no more; not at all when nobody has. */
  onFree(name: string, callback: () => void): Cancel;
  /** A copy of what each name's mailbox holds now. */
  snapshot(): Map<string, MailboxStats>;
}
