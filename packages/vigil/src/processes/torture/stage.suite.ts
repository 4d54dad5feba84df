import type { HostThread, Logger, SharedInboxData } from '../../core/index.js';

/** The words of a stage: first whether all pause, then how often an order was not kept, then the state of each place. */
export const OUT_OF_ORDER = 1;
export const FIRST_PLACE = 2;

export const STARTING = 0;
export const RUNNING = 1;
export const PAUSED = 2;

/** Messages that a thread takes at once, at the most. */
export const MOST_AT_ONCE = 64;

/** What a thread on the stage is told. */
export interface Assignment {
  readonly inboxes: readonly SharedInboxData[];
  readonly ledger: SharedArrayBuffer;
  readonly stage: Int32Array<SharedArrayBuffer>;
  readonly place: number;
  readonly firstNumber: number;
}

export const silentLog: Logger = { debug() {}, info() {}, warn() {}, error() {} };

export function threadOf(id: number): HostThread {
  return { id, startedBy: 0, sleep: (words, word, value, timeoutMs) => void Atomics.wait(words, word, value, timeoutMs) };
}
