const SMALLEST_CAPACITY = 16;

/** A first-in, first-out queue in a growing ring: nothing moves when an item is taken. */
export class RingQueue<T> {
  #slots: (T | undefined)[] = new Array(SMALLEST_CAPACITY).fill(undefined);
  #head = 0;
  #size = 0;
  #pushed = 0;

  get size(): number {
    return this.#size;
  }

  /** How many items were ever pushed. */
  get pushed(): number {
    return this.#pushed;
  }

  push(item: T): void {
    this.#pushed += 1;
    if (this.#size === this.#slots.length) this.#grow();
    this.#slots[(this.#head + this.#size) & (this.#slots.length - 1)] = item;
    this.#size += 1;
  }

  peek(): T | undefined {
    return this.#slots[this.#head];
  }

  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#slots.length - 1);
    this.#size -= 1;
    return item;
  }

  /** Keeps the items that `keep` accepts, in their order. */
  retain(keep: (item: T) => boolean): void {
    for (let left = this.#size; left > 0; left -= 1) {
      const item = this.shift();
      if (item === undefined || !keep(item)) continue;
      this.push(item);
      this.#pushed -= 1;
    }
  }

  /** Takes the first item that `isMeant` accepts out of the midst of the others. */
  takeWhere(isMeant: (item: T) => boolean): T | undefined {
    let taken: T | undefined;
    this.retain((item) => {
      if (taken !== undefined || !isMeant(item)) return true;
      taken = item;
      return false;
    });
    return taken;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let i = 0; i < this.#size; i += 1) {
      const item = this.#slots[(this.#head + i) & (this.#slots.length - 1)];
      if (item !== undefined) yield item;
    }
  }

  /** Invariant: the number of slots is a power of two, so that a mask replaces the remainder. */
  #grow(): void {
    const slots = this.#slots;
    this.#slots = new Array(slots.length * 2).fill(undefined);
    for (let i = 0; i < this.#size; i += 1) this.#slots[i] = slots[(this.#head + i) & (slots.length - 1)];
    this.#head = 0;
  }
}
