import { type Clock, describeExit, type EventOrigin, type Outpost, settledWithin } from '../core/index.js';
import { formatTree } from '../supervision/index.js';
import type { RuntimeSnapshot } from './runtime-snapshot.js';

/** A snapshot as it travels: trees as people see them, reasons in words. */
export interface PlainSnapshot extends Omit<RuntimeSnapshot, 'supervisors' | 'givenUp'> {
  readonly supervisors: readonly string[];
  readonly givenUp: readonly { readonly supervisor: string; readonly reason: string }[];
}

/** How the default runtime in a thread or fork is, at about the same moment. */
export interface RemoteSnapshot {
  readonly origin: EventOrigin;
  /** `undefined` when it did not answer in time: its event loop stands still, or it has just ended. */
  readonly snapshot: PlainSnapshot | undefined;
}

export function plainSnapshot({ supervisors, givenUp, ...rest }: RuntimeSnapshot): PlainSnapshot {
  return {
    ...rest,
    supervisors: supervisors.map(formatTree),
    givenUp: givenUp.map(({ supervisor, reason }) => ({ supervisor, reason: describeExit(reason) })),
  };
}

/** Asks all at once; who uses no runtime of Vigil there is left out. */
export async function lookAround(outposts: Iterable<Outpost>, timeoutMs: number, clock: Clock): Promise<RemoteSnapshot[]> {
  const seen = await Promise.all(
    Array.from(outposts, async (outpost): Promise<RemoteSnapshot | undefined> => {
      const { origin } = outpost;
      const answer = await settledWithin(outpost.look(), timeoutMs, clock);
      if (answer === undefined) return { origin, snapshot: undefined };
      return isPlainSnapshot(answer.value) ? { origin, snapshot: answer.value } : undefined;
    }),
  );
  return seen.filter((each) => each !== undefined);
}

/** Whether it is one, as far as a look tells: what made it is the same library. */
function isPlainSnapshot(value: unknown): value is PlainSnapshot {
  return typeof value === 'object' && value !== null && 'mailboxes' in value && 'supervisors' in value && 'circuits' in value;
}
