import type { FlowBooks } from '../flow-control.js';
import type { FlowEvent } from '../flow-settings.js';
import { BLOCKED, BUCKET, DELAYED, FLOW_DROPPED, type FlowCounter, THROTTLED } from './layout.js';
import type { SharedRing } from './ring.js';

const COUNTERS: Readonly<Record<FlowEvent, FlowCounter>> = {
  throttled: THROTTLED,
  dropped: FLOW_DROPPED,
  blocked: BLOCKED,
  delayed: DELAYED,
};

/**
 * The books of an inbox that all its threads use: one bucket for all of them, changed by compare and exchange, and counters of each thread.
 *
 * The bucket is a float, by the time of the inbox; `Atomics` knows only whole numbers, so its bits are exchanged.
 */
export class SharedFlowBooks implements FlowBooks {
  readonly #ring: SharedRing;
  readonly #bits: BigInt64Array<SharedArrayBuffer>;
  readonly #float = new Float64Array(1);
  readonly #floatBits: BigInt64Array<ArrayBuffer> = new BigInt64Array(this.#float.buffer);

  constructor(ring: SharedRing) {
    this.#ring = ring;
    this.#bits = new BigInt64Array(ring.layout.memory);
  }

  get fullAtMs(): number {
    this.#floatBits[0] = Atomics.load(this.#bits, BUCKET);
    return this.#float[0] ?? 0;
  }

  replaceFullAt(seenMs: number, nextMs: number): boolean {
    const seen = this.#bitsOf(seenMs);
    return Atomics.compareExchange(this.#bits, BUCKET, seen, this.#bitsOf(nextMs)) === seen;
  }

  count(event: FlowEvent): void {
    this.#ring.count(COUNTERS[event]);
  }

  total(event: FlowEvent): number {
    return this.#ring.total(COUNTERS[event]);
  }

  #bitsOf(ms: number): bigint {
    this.#float[0] = ms;
    return this.#floatBits[0] ?? 0n;
  }
}
