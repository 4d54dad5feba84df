/** Numbers that one sender may use. */
export const BLOCK = 20_000;

const SENT = 1;
const RECEIVED = 2;
/** Two receipts of one message. */
const DOUBLED = 4;

/** What became of each message: by its number, in memory that all threads write. */
export class Ledger {
  readonly bytes: Uint8Array<SharedArrayBuffer>;

  /** @param memory - of a ledger that exists; or for how many messages. */
  constructor(memory: SharedArrayBuffer | number) {
    this.bytes = new Uint8Array(typeof memory === 'number' ? new SharedArrayBuffer(memory) : memory);
  }

  get memory(): SharedArrayBuffer {
    return this.bytes.buffer;
  }

  /** Its sender knows that it is in. One that is ended before does not come to say so. */
  sent(number: number): void {
    Atomics.add(this.bytes, number, SENT);
  }

  received(number: number): void {
    Atomics.add(this.bytes, number, RECEIVED);
  }

  /** Messages that were received and written down. */
  receipts(): number {
    return this.#numbersWhere((byte) => byte >= RECEIVED).length;
  }

  /** Numbers that were received more than once. */
  doubled(): number[] {
    return this.#numbersWhere((byte) => byte >= DOUBLED);
  }

  /** Numbers that came in and never out. */
  missing(): number[] {
    return this.#numbersWhere((byte) => byte === SENT);
  }

  #numbersWhere(matches: (byte: number) => boolean): number[] {
    const numbers: number[] = [];
    for (const [number, byte] of this.bytes.entries()) if (matches(byte)) numbers.push(number);
    return numbers;
  }
}
