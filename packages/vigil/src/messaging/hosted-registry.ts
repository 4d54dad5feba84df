import {
  type Cancel,
  checkFunction,
  type MailboxStats,
  type NameDirectory,
  type NameEntry,
  type OwnedSender,
  type Sender,
  VigilError,
} from '../core/index.js';
import type { NameRegistry } from './name-registry.js';

/**
 * The names of the application, in a thread or fork that runs a part of it: the registry is on the other side.
 *
 * `whereis` asks for a name once, and again when it has become free; everything else is asked each time. What can be named is what is on the
 * other side, too: `ctx.self`, and what `whereis` has found. `listen` and `lock` throw `InvalidState`: they are for the side of the registry.
 */
export class HostedRegistry implements NameRegistry {
  readonly #names: NameDirectory;

  constructor(names: NameDirectory) {
    this.#names = names;
  }

  get size(): number {
    return this.#names.size;
  }

  register(name: string, mailbox: OwnedSender, value?: unknown): void {
    this.#names.register(name, mailbox, value);
  }

  whereis(name: string): Sender | undefined {
    return this.#names.whereis(name);
  }

  lookup(name: string): NameEntry[] {
    return this.#names.lookup(name);
  }

  namesOf(mailbox: OwnedSender): string[] {
    return this.#names.namesOf(mailbox);
  }

  update(name: string, mailbox: OwnedSender, value: unknown): void {
    this.#names.update(name, mailbox, value);
  }

  unregister(name: string): boolean {
    return this.#names.unregister(name);
  }

  release(name: string, mailbox: OwnedSender): boolean {
    return this.#names.release(name, mailbox);
  }

  onFree(name: string, callback: () => void): Cancel {
    return this.#names.onFree(name, callback);
  }

  dispatch(name: string, callback: (entries: NameEntry[]) => void): void {
    const checked = checkFunction<typeof callback>()('callback', callback);
    const entries = this.lookup(name);
    if (entries.length > 0) checked(entries);
  }

  listen(): Cancel {
    throw notHere('listen');
  }

  lock<T>(): Promise<T> {
    return Promise.reject(notHere('lock'));
  }

  snapshot(): Map<string, MailboxStats> {
    return this.#names.snapshot();
  }
}

function notHere(method: string): VigilError {
  return new VigilError('InvalidState', `registry.${method} can be called where the registry is, not in a thread or fork`);
}
