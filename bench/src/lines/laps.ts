import type { Measurement } from '../line.js';

/** Adds up the times between beginnings and what they lead to. */
export class Laps {
  #handled = 0;
  #totalNs = 0n;
  #startNs = 0n;
  #arrive: (() => void) | undefined;

  get measurement(): Measurement {
    return { handled: this.#handled, total: Number(this.#totalNs) };
  }

  /** Calls `begin` and waits for what it leads to. */
  async run(begin: () => void): Promise<void> {
    this.startNow();
    await this.skip(begin);
    this.#totalNs += process.hrtime.bigint() - this.#startNs;
    this.#handled += 1;
  }

  /** What came before does not count. */
  startNow(): void {
    this.#startNs = process.hrtime.bigint();
  }

  /** The same as `run` without counting it. */
  async skip(begin: () => void): Promise<void> {
    const arrival = new Promise<void>((resolve) => {
      this.#arrive = resolve;
    });
    begin();
    await arrival;
  }

  /** What was waited for is there; without effect when nobody waits. */
  arrive(): void {
    this.#arrive?.();
    this.#arrive = undefined;
  }
}
