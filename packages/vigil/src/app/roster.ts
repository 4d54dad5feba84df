/** The parts of one kind that a runtime has made, for whoever looks at all of them. It keeps none of them alive. */
export class Roster<T extends object> {
  readonly #parts = new Set<WeakRef<T>>();
  readonly #finalization = new FinalizationRegistry<WeakRef<T>>((part) => this.#parts.delete(part));

  /** @returns the part. */
  add<P extends T>(part: P): P {
    const ref = new WeakRef<T>(part);
    this.#parts.add(ref);
    this.#finalization.register(part, ref);
    return part;
  }

  /** In the order in which they were made. */
  *[Symbol.iterator](): Generator<T> {
    for (const ref of this.#parts) {
      const part = ref.deref();
      if (part !== undefined) yield part;
    }
  }
}
