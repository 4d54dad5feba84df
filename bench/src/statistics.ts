export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Median, least and greatest of at least one value. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((one, other) => one - other);
  return { median: middleOf(sorted), min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN };
}

/**
 * How many times as much a peer took as we did, round by round: above 1 we are better.
 *
 * Only figures of the same round are divided, since the machine is busier in one round than in another.
 */
export function ratiosTo(ours: readonly number[], peers: readonly number[]): number[] {
  return peers.flatMap((theirs, round) => {
    const own = ours[round];
    return own === undefined ? [] : [theirs / own];
  });
}

/** The same list, begun at another place, so that nobody is always first. */
export function rotated<T>(list: readonly T[], by: number): T[] {
  const start = list.length === 0 ? 0 : by % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}

function middleOf(sorted: readonly number[]): number {
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}
