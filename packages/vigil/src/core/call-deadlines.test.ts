import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { VirtualClock } from '../testing/index.js';
import { type Deadline, DeadlineLine } from './call-deadlines.js';

const TIMEOUT_MS = 10;

/** A deadline that notes when it was told that its time is over. */
class Noted implements Deadline {
  dueMs = 0;
  line: DeadlineLine | undefined;
  earlier: Deadline | undefined;
  later: Deadline | undefined;
  readonly #note: () => void;

  constructor(note: () => void) {
    this.#note = note;
  }

  expired(): void {
    this.#note();
  }
}

describe('DeadlineLine', () => {
  it('tells exactly those who have not left, each at its time and in order, with one timer', async () => {
    const act = fc.oneof(
      fc.constant('join' as const),
      fc.nat(9).map((leave) => ({ leave })),
      fc.nat(7).map((advance) => ({ advance })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 40 }), async (acts) => {
        const clock = new VirtualClock();
        const told: string[] = [];
        let idles = 0;
        const line = new DeadlineLine(TIMEOUT_MS, clock, () => (idles += 1));
        const joined: { readonly deadline: Noted; readonly atMs: number; leftAtMs: number | undefined }[] = [];
        for (const one of acts) {
          if (one === 'join') {
            const name = joined.length;
            const deadline = new Noted(() => told.push(`${name} at ${clock.now()}`));
            joined.push({ deadline, atMs: clock.now(), leftAtMs: undefined });
            line.join(deadline);
          } else if ('leave' in one) {
            const leaver = joined.at(-1 - one.leave);
            if (leaver === undefined) continue;
            leaver.leftAtMs ??= clock.now();
            line.leave(leaver.deadline);
          } else await clock.advance(one.advance);
          assert.ok(clock.pendingTimers <= 1);
        }
        await clock.advance(2 * TIMEOUT_MS);
        const expected = joined.flatMap(({ atMs, leftAtMs }, name) =>
          leftAtMs === undefined || leftAtMs >= atMs + TIMEOUT_MS ? [`${name} at ${atMs + TIMEOUT_MS}`] : [],
        );
        assert.deepEqual(told, expected);
        assert.equal(clock.pendingTimers, 0);
        assert.ok(joined.length === 0 || idles > 0);
      }),
    );
  });
});
