import {
  type Cancel,
  CloseCallbacks,
  invalidOption,
  type Logger,
  type MailboxStats,
  type NameDirectory,
  type NameEntry,
  type OwnedSender,
  type Sender,
} from '../../core/index.js';
import { cloneForProcess, copied } from './data.js';
import { withHolder } from './holder.js';
import type { Calls, Handle } from './protocol.js';
import { RemoteSender } from './remote-ref.js';

/** What names need of the way home. */
export interface NamesHome {
  readonly log: Logger;
  call<K extends keyof Calls>(call: K, ...args: Parameters<Calls[K]>): ReturnType<Calls[K]>;
  senderOf(handle: Handle): OwnedSender;
}

interface KnownName {
  readonly holder: OwnedSender;
  watchers: CloseCallbacks | undefined;
}

/**
 * The names of the runtime, where the code is. A name that was found once is known from then on, without a question, until it is said
 * that it is free. What is not found is asked for each time.
 */
export class BorrowedNames implements NameDirectory {
  readonly #home: NamesHome;
  readonly #known = new Map<string, KnownName>();

  constructor(home: NamesHome) {
    this.#home = home;
  }

  get size(): number {
    return this.#home.call('nameCount');
  }

  register(name: string, mailbox: OwnedSender, value?: unknown): void {
    const holder = handleOf(mailbox);
    if (holder === undefined) throw invalidOption('mailbox', 'ctx.self or what whereis has found, since here is no registry', mailbox);
    // If somebody was known to have it, that may have changed.
    this.freed(name);
    try {
      this.#home.call('register', name, holder, sendable(name, value));
    } catch (error) {
      throw withHolder(error, this);
    }
  }

  whereis(name: string): Sender | undefined {
    return (this.#known.get(name) ?? this.#ask(name))?.holder;
  }

  lookup(name: string): NameEntry[] {
    return this.#home.call('lookup', name).map(({ holder, value }) => ({ mailbox: this.#home.senderOf(holder), value }));
  }

  namesOf(mailbox: OwnedSender): string[] {
    const holder = handleOf(mailbox);
    return holder === undefined ? [] : this.#home.call('namesOf', holder);
  }

  update(name: string, mailbox: OwnedSender, value: unknown): void {
    const holder = handleOf(mailbox);
    if (holder === undefined) throw invalidOption('mailbox', 'ctx.self or what whereis has found, since here is no registry', mailbox);
    this.#home.call('update', name, holder, sendable(name, value));
  }

  unregister(name: string): boolean {
    this.freed(name);
    return this.#home.call('unregister', name);
  }

  release(name: string, mailbox: OwnedSender): boolean {
    const holder = handleOf(mailbox);
    if (holder === undefined) return false;
    this.freed(name);
    return this.#home.call('release', name, holder);
  }

  onFree(name: string, callback: () => void): Cancel {
    const known = this.#known.get(name) ?? this.#ask(name);
    if (known === undefined) return () => false;
    known.watchers ??= new CloseCallbacks();
    return known.watchers.add(callback);
  }

  snapshot(): Map<string, MailboxStats> {
    return this.#home.call('snapshot');
  }

  /** Whoever was known to have the name has it no more, or may not have it. */
  freed(name: string): void {
    const known = this.#known.get(name);
    this.#known.delete(name);
    known?.watchers?.callAll(undefined, `the name "${name}"`, this.#home.log);
  }

  /** A mailbox has ended, which was noticed before it was said that its names are free. */
  ended(handle: number): void {
    for (const [name, { holder }] of this.#known) {
      if (handleOf(holder) === handle) this.freed(name);
    }
  }

  #ask(name: string): KnownName | undefined {
    const handle = this.#home.call('whereis', name);
    if (handle === undefined) return undefined;
    const known = { holder: this.#home.senderOf(handle), watchers: undefined };
    this.#known.set(name, known);
    return known;
  }
}

function sendable(name: string, value: unknown): unknown {
  return copied(value, `the name "${name}" cannot have this value`, 'InvalidMessage', cloneForProcess);
}

function handleOf(mailbox: OwnedSender): number | undefined {
  return mailbox instanceof RemoteSender ? mailbox.handle : undefined;
}
