import type { Cancel, NameDirectory, NameEntry } from '../core/index.js';
import type { LockOptions } from './key-locks.js';
import type { RegistryListener } from './registry-change.js';

/** What code asks of the names of its runtime, wherever it runs. */
export interface NameRegistry<TValue = unknown> extends NameDirectory<TValue> {
  /**
   * Calls `callback` once, with whoever has the name; not at all when nobody has. What it throws is thrown here.
   *
   * @see Elixir `Registry.dispatch/4`
   */
  dispatch(name: string, callback: (entries: NameEntry<TValue>[]) => void): void;
  /**
   * Hears of every registration and its end, in order, each after it has happened. The end of an owner is told for each of its names,
   * when all of them are free; so a listener needs no monitors. What it throws is logged.
   *
   * @see Elixir `Registry`, listeners; those do not hear of the end of an owner.
   */
  listen(listener: RegistryListener<TValue>): Cancel;
  /**
   * Does `work` while no other work with the same key is done, in the order of the calls. Work that wants its own key again waits for
   * ever. Keys are names for this purpose only; nobody need have registered them.
   *
   * The lock is given back when the work has ended, in whatever way, or when `options.owner` has.
   *
   * @throws {VigilError} `InboxClosed` when the owner has ended before its turn; the signal's reason when that comes first.
   * @see Elixir `Registry.lock/3`
   */
  lock<T>(key: string, work: () => T | Promise<T>, options?: LockOptions): Promise<T>;
}
