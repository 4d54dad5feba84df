import type { Cancel, Clock } from 'vigiljs';

/** Milliseconds that a connection has once the server stops. With what the workers need, it fits into the 30,000 of `App.run`. */
export const FAREWELL_MS = 25_000;

/** The last milliseconds of these, in which no request is begun any more: five seconds for an answer, five for the client to take it. */
const LAST_ANSWERS_MS = 10_000;

/** Milliseconds that a client has to take an answer, or to close when it has all. */
const PATIENCE_MS = 10_000;

/** The end of a connection when the server stops. Time runs out only while the client is waited for, never while we work. */
export class Farewell {
  readonly #clock: Clock;
  readonly #leave: () => void;
  #endMs = Number.POSITIVE_INFINITY;
  #isClientsTurn = false;
  #cancel: Cancel | undefined;

  /** @param leave - goes away, whatever the client still has to take. */
  constructor(clock: Clock, leave: () => void) {
    this.#clock = clock;
    this.#leave = leave;
  }

  /** Whether an answer might not reach the client any more. */
  get isTooLateToBegin(): boolean {
    return this.#clock.now() >= this.#endMs - LAST_ANSWERS_MS;
  }

  /** The server stops. */
  begin(): void {
    this.#endMs = this.#clock.now() + FAREWELL_MS;
    this.#watch();
  }

  /** From now on the client is waited for, or is not. */
  waitForClient(isClientsTurn: boolean): void {
    this.#isClientsTurn = isClientsTurn;
    this.#watch();
  }

  #watch(): void {
    this.#cancel?.();
    if (!this.#isClientsTurn || this.#endMs === Number.POSITIVE_INFINITY) return;
    const leftMs = Math.max(0, this.#endMs - this.#clock.now());
    this.#cancel = this.#clock.after(Math.min(PATIENCE_MS, leftMs), this.#leave);
  }
}
