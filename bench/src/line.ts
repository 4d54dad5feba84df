/** What a contestant did in one round. */
export interface Measurement {
  /** Items that were handled, counted where they were handled and not where they were handed in. */
  readonly handled: number;
  /** What they took together, in the unit of the line. */
  readonly total: number;
  /** How much the resident memory of the process grew, in bytes. */
  readonly residentBytes?: number;
}

/** Somebody who can do the work of a line: a function here, or one of `erlang/vigil_bench.erl`. */
export type Contestant = ({ readonly measure: (count: number) => Promise<Measurement> } | { readonly erlang: string }) & {
  readonly name: string;
  /** Shown, but not compared: another way to do the work with Vigil, or what remains when nobody does it. */
  readonly isVariant?: boolean;
};

/** `core`: the share of one processor core. */
export type Unit = 'ns' | 'bytes' | 'core';

/** One kind of work and those who do it. Less is better. */
export interface Line {
  readonly name: string;
  /** What is counted, in the singular. */
  readonly item: string;
  readonly unit: Unit;
  /** Items in one round. */
  readonly count: number;
  /** A new process for every round, where a round leaves too much behind for the next one; without warm-up, and at most three rounds. */
  readonly freshProcesses?: boolean;
  /** The first one is Vigil, which the others are compared with. */
  readonly contestants: readonly Contestant[];
}

/** Measures nanoseconds. `work` returns how many items were handled. */
export async function timed(work: () => number | Promise<number>): Promise<Measurement> {
  const start = process.hrtime.bigint();
  const handled = await work();
  return { handled, total: Number(process.hrtime.bigint() - start) };
}

/** Measures the bytes that stay reachable from what `work` returns. */
export async function retained(work: () => Promise<{ readonly size: number }>): Promise<Measurement> {
  const before = memoryInUse();
  const kept = await work();
  const after = memoryInUse();
  return { handled: kept.size, total: after.heapUsed - before.heapUsed, residentBytes: after.rss - before.rss };
}

function memoryInUse(): NodeJS.MemoryUsage {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage();
}
