import { type Cancel, checkFunction, type Logger, type OwnedSender } from '../core/index.js';

/**
 * What happened to one registration: it was made, taken back, or over because its owner had ended. A value that was updated is no
 * change of the registration.
 */
export interface RegistryChange<TValue = unknown> {
  readonly kind: 'registered' | 'unregistered' | 'ended';
  /** The name of the registry. */
  readonly registry: string;
  readonly name: string;
  readonly mailbox: OwnedSender;
  /** Its value at that moment. */
  readonly value: TValue | undefined;
}

export type RegistryListener<TValue = unknown> = (change: RegistryChange<TValue>) => void;

/** Tells of changes in the order in which they happened, also of those that a listener makes while it hears of another. */
export class Announcements<TValue> {
  readonly #log: Logger;
  readonly #listeners = new Set<RegistryListener<TValue>>();
  readonly #untold: RegistryChange<TValue>[] = [];
  #isTelling = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** So that nobody makes news that nobody hears. */
  get isHeard(): boolean {
    return this.#listeners.size > 0;
  }

  listen(listener: RegistryListener<TValue>): Cancel {
    const checked = checkFunction<RegistryListener<TValue>>()('listener', listener);
    // Of its own, so that one function can listen twice.
    const entry: RegistryListener<TValue> = (change) => checked(change);
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  tell(change: RegistryChange<TValue>): void {
    this.#untold.push(change);
    if (this.#isTelling) return;
    this.#isTelling = true;
    for (let next = this.#untold.shift(); next !== undefined; next = this.#untold.shift()) this.#tellAll(next);
    this.#isTelling = false;
  }

  #tellAll(change: RegistryChange<TValue>): void {
    // Who comes to listen meanwhile hears of the next change; who goes hears nothing more.
    const present = [...this.#listeners];
    for (const listener of present) {
      if (!this.#listeners.has(listener)) continue;
      try {
        listener(change);
      } catch (error) {
        this.#log.error(`a listener to ${change.registry} failed`, error);
      }
    }
  }
}
