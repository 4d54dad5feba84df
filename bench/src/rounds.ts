import { ContestantProcess } from './contestant-process.js';
import type { Contestant, Line, Measurement } from './line.js';
import { rotated } from './statistics.js';

export interface RunOptions {
  readonly rounds: number;
  /** A tenth of the items, after a warm-up with all of them. */
  readonly quick: boolean;
  /** Where the compiled Erlang contestants are; without it they are left out. */
  readonly erlangFolder: string | undefined;
}

/** What one contestant measured, one entry a round. */
export interface Score {
  readonly contestant: Contestant;
  readonly rounds: readonly Measurement[];
}

export interface LineResult {
  readonly line: Line;
  /** Items in one round. */
  readonly count: number;
  readonly scores: readonly Score[];
}

const WARM_UP_ROUNDS = 3;
const MAX_FRESH_ROUNDS = 3;

/** Runs a line: every contestant once a round, each round begun by another one. */
export async function runLine(line: Line, options: RunOptions): Promise<LineResult> {
  const count = options.quick ? Math.ceil(line.count / 10) : line.count;
  const contestants = line.contestants.filter((contestant) => 'measure' in contestant || options.erlangFolder !== undefined);
  const entrants = contestants.map((contestant) => ({
    contestant,
    rounds: [] as Measurement[],
    venue: venueOf(line, contestant, options),
  }));
  const warmUpRounds = line.freshProcesses ? 0 : WARM_UP_ROUNDS;
  const rounds = line.freshProcesses ? Math.min(options.rounds, MAX_FRESH_ROUNDS) : options.rounds;
  try {
    for (let round = -warmUpRounds; round < rounds; round += 1) {
      for (const entrant of rotated(entrants, round + warmUpRounds)) {
        if (round < 0) await entrant.venue.measure(line.count);
        else entrant.rounds.push(await entrant.venue.measure(count));
      }
    }
  } finally {
    for (const { venue } of entrants) await venue.close();
  }
  return { line, count, scores: entrants.map(({ contestant, rounds: measured }) => ({ contestant, rounds: measured })) };
}

/** Where a contestant runs: one process for all its rounds, or one for each. */
function venueOf(line: Line, contestant: Contestant, { erlangFolder }: RunOptions): Pick<ContestantProcess, 'measure' | 'close'> {
  const open = () => new ContestantProcess(line, contestant, erlangFolder);
  if (line.freshProcesses !== true) return open();
  return {
    async measure(count) {
      const process = open();
      try {
        return await process.measure(count);
      } finally {
        await process.close();
      }
    },
    async close() {},
  };
}
