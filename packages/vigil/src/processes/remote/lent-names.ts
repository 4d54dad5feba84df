import type { Cancel, MailboxStats, NameDirectory } from '../../core/index.js';
import type { Handles } from './handles.js';
import { type Entry, type Handle, SELF } from './protocol.js';

/** The process whose code asks. */
export interface NamesBorrower {
  register(name: string, value: unknown): void;
  unregister(name: string): boolean;
  /** Makes a value ready to go there. @throws {VigilError} `InvalidMessage` when it cannot. */
  convert(value: unknown): unknown;
  /** Says there that whoever had the name has it no more. */
  tellFreed(name: string): void;
}

/**
 * The names of the runtime, as code elsewhere asks for them.
 *
 * Invariant: of every name that was found there and is held still by whom was found, `#known` has the watch. What is said of its end
 * is said before anything that follows from it, such as the end of a process that is watched there.
 */
export class LentNames {
  readonly #names: NameDirectory;
  readonly #handles: Handles;
  readonly #borrower: NamesBorrower;
  readonly #known = new Map<string, Cancel>();

  constructor(names: NameDirectory, handles: Handles, borrower: NamesBorrower) {
    this.#names = names;
    this.#handles = handles;
    this.#borrower = borrower;
  }

  whereis(name: string): Handle | undefined {
    const handle = this.#handles.handleOf(this.#names.whereis(name));
    if (handle !== undefined && !this.#known.has(name)) {
      const freed = () => {
        this.#known.delete(name);
        this.#borrower.tellFreed(name);
      };
      this.#known.set(name, this.#names.onFree(name, freed));
    }
    return handle;
  }

  lookup(name: string): Entry[] {
    return this.#names.lookup(name).flatMap(({ mailbox, value }) => {
      const converted = this.#borrower.convert(value);
      const holder = this.#handles.handleOf(mailbox);
      return holder === undefined ? [] : [{ holder, value: converted }];
    });
  }

  register(name: string, holder: number, value: unknown): void {
    if (holder === SELF) this.#borrower.register(name, value);
    else this.#names.register(name, this.#handles.get(holder), value);
  }

  update(name: string, holder: number, value: unknown): void {
    this.#names.update(name, this.#handles.get(holder), value);
  }

  release(name: string, holder: number): boolean {
    return holder === SELF ? this.#borrower.unregister(name) : this.#names.release(name, this.#handles.get(holder));
  }

  unregister(name: string): boolean {
    return this.#names.unregister(name);
  }

  namesOf(holder: number): string[] {
    return this.#names.namesOf(this.#handles.get(holder));
  }

  count(): number {
    return this.#names.size;
  }

  snapshot(): Map<string, MailboxStats> {
    return this.#names.snapshot();
  }

  /** Nobody is left to be told. */
  close(): void {
    for (const cancel of this.#known.values()) cancel();
    this.#known.clear();
  }
}
