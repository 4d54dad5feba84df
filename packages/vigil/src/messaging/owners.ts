import type { Cancel, OwnedSender } from '../core/index.js';
import { isClosedElsewhere } from './closed-elsewhere.js';

interface Owner<TItem> {
  /** In the order in which it got the names. */
  readonly names: Map<string, TItem[]>;
  readonly forget: Cancel;
}

/** One thing that an owner has under a name. */
export interface Belonging<TItem> {
  readonly name: string;
  readonly item: TItem;
}

/** What belongs to whom, and who has ended. Of an owner without belongings nothing is kept. */
export class Owners<TItem> {
  readonly #owners = new Map<OwnedSender, Owner<TItem>>();
  readonly #ended: (owner: OwnedSender) => void;

  /** @param ended - called at the end of an owner that has something still. */
  constructor(ended: (owner: OwnedSender) => void) {
    this.#ended = ended;
  }

  /** Whether an owner has not ended. One of whose end nobody was told yet has ended by now. */
  isThere(owner: OwnedSender): boolean {
    if (!isClosedElsewhere(owner)) return true;
    if (this.#owners.has(owner)) this.#ended(owner);
    return false;
  }

  give(owner: OwnedSender, name: string, item: TItem): void {
    let known = this.#owners.get(owner);
    if (known === undefined) {
      known = { names: new Map(), forget: owner.onClose(() => this.#ended(owner)) };
      this.#owners.set(owner, known);
    }
    const items = known.names.get(name);
    if (items === undefined) known.names.set(name, [item]);
    else items.push(item);
  }

  /** The names of an owner, as often as it has them. */
  namesOf(owner: OwnedSender): string[] {
    return this.#belongingsOf(owner).map(({ name }) => name);
  }

  /** Takes from an owner what it got last under a name; `undefined` when it has nothing there. */
  takeLast(owner: OwnedSender, name: string): TItem | undefined {
    const items = this.#owners.get(owner)?.names.get(name);
    const item = items?.pop();
    if (items?.length === 0) this.take(owner, name);
    return item;
  }

  /** Takes from an owner what it has under a name. */
  take(owner: OwnedSender, name: string): Belonging<TItem>[] {
    const known = this.#owners.get(owner);
    const items = known?.names.get(name) ?? [];
    known?.names.delete(name);
    if (known?.names.size === 0) this.#forget(owner, known);
    return items.map((item) => ({ name, item }));
  }

  /** Takes from an owner all that it has. */
  takeAll(owner: OwnedSender): Belonging<TItem>[] {
    const belongings = this.#belongingsOf(owner);
    const known = this.#owners.get(owner);
    if (known !== undefined) this.#forget(owner, known);
    return belongings;
  }

  #belongingsOf(owner: OwnedSender): Belonging<TItem>[] {
    const names = this.#owners.get(owner)?.names ?? [];
    return Array.from(names).flatMap(([name, items]) => items.map((item) => ({ name, item })));
  }

  #forget(owner: OwnedSender, { forget }: Owner<TItem>): void {
    this.#owners.delete(owner);
    forget();
  }
}
