import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Bulkhead } from './bulkhead.js';
import type { CircuitBreaker } from './circuit-breaker.js';
import { fallback } from './fallback.js';
import { hedge } from './hedge.js';
import { BOOM, PolicyWorld } from './policy-world.suite.js';
import { retry } from './retry.js';
import type { Attempt, PolicyPart } from './run.js';
import { timeout } from './timeout.js';

/*
 * Policies of any parts in any order, with calls that overlap, whose attempts take any time, fail, or take no notice of their signal, and whose
 * callers may go: whatever happens, every call ends, with what it may end with, and nothing of it is left.
 */

const PARTS = ['retry', 'timeout', 'fallback', 'hedge', 'breaker', 'bulkhead', 'limiter'] as const;
type Part = (typeof PARTS)[number];

interface Attempted {
  readonly ms: number;
  readonly end: 'succeeds' | 'fails';
  readonly minds: boolean;
}

interface Called {
  readonly afterMs: number;
  readonly attempts: readonly Attempted[];
  readonly goesAfterMs: number | undefined;
}

const attempts: fc.Arbitrary<Attempted> = fc.record({
  ms: fc.nat(40),
  end: fc.constantFrom('succeeds', 'fails'),
  minds: fc.boolean(),
});

const calls: fc.Arbitrary<Called> = fc.record({
  afterMs: fc.nat(30),
  attempts: fc.array(attempts, { minLength: 1, maxLength: 6 }),
  goesAfterMs: fc.option(fc.nat(60), { nil: undefined, freq: 3 }),
});

describe('policies of any parts', () => {
  it('end every call, with what it may end with, and leave nothing behind', async () => {
    const outcomes = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...PARTS), { maxLength: 7 }),
        fc.array(calls, { minLength: 1, maxLength: 8 }),
        fc.nat(),
        async (chosen, called, seed) => {
          const world = new PolicyWorld(seed);
          const shared: (CircuitBreaker | Bulkhead)[] = [];
          const policy = world.policy(...chosen.map((part) => make(part, world, shared)));
          const reports = await Promise.all(
            called.map(async (call) => {
              await world.clock.advance(call.afterMs);
              return { call, ended: watch(policy.report(work(call, world), { signal: leaving(call, world) })) };
            }),
          );
          await world.clock.advance(100_000);
          for (const { call, ended } of reports) {
            assert.ok(ended.report !== undefined, 'a call has not ended');
            const { outcome, attempts: tries, retries, hedges, ...rest } = ended.report;
            outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
            assert.ok(tries <= mostAttempts(chosen) && retries + hedges <= tries, `${tries} attempts`);
            switch (outcome) {
              case 'success':
                assert.ok('value' in rest && rest.value === 'well');
                break;
              case 'fallback':
                assert.ok(chosen.includes('fallback') && 'value' in rest && rest.value === 'instead');
                break;
              case 'timeout':
                assert.ok(chosen.includes('timeout') || chosen.includes('breaker'));
                break;
              case 'circuit_open':
                assert.ok(chosen.includes('breaker'));
                break;
              case 'bulkhead_full':
                assert.ok(chosen.includes('bulkhead'));
                break;
              case 'rate_limited':
                assert.ok(chosen.includes('limiter'));
                break;
              case 'permanent_failure':
                assert.ok('error' in rest && rest.error === BOOM);
                break;
              case 'aborted':
                assert.ok('error' in rest && rest.error === 'gone' && call.goesAfterMs !== undefined);
                break;
            }
          }
          assert.equal(world.clock.pendingTimers, 0);
          for (const part of shared) {
            if ('inFlight' in part) assert.deepEqual([part.inFlight, part.queued], [0, 0]);
            else assert.equal(await part.call(() => 'well'), 'well');
          }
        },
      ),
      { numRuns: 1000 },
    );
    assert.equal(outcomes.size, 8, `only ${[...outcomes.keys()].join(', ')} happened`);
  });
});

function make(part: Part, world: PolicyWorld, shared: (CircuitBreaker | Bulkhead)[]): PolicyPart<string> {
  switch (part) {
    case 'retry':
      return retry({ maxAttempts: 2, backoff: { kind: 'decorrelated', initialMs: 5 } });
    case 'timeout':
      return timeout(25);
    case 'fallback':
      return fallback(() => 'instead');
    case 'hedge':
      return hedge({ delayMs: 10 });
    case 'breaker': {
      const breaker = world.breaker({ failureThreshold: 3, resetTimeoutMs: 20 });
      shared.push(breaker);
      return breaker;
    }
    case 'bulkhead': {
      const bulkhead = world.bulkhead({ maxConcurrent: 2, maxQueued: 1 });
      shared.push(bulkhead);
      return bulkhead;
    }
    case 'limiter':
      return world.limiter({ perSecond: 100, burst: 3 });
  }
}

function mostAttempts(parts: readonly Part[]): number {
  return 2 ** parts.filter((part) => part === 'retry' || part === 'hedge').length;
}

function work({ attempts: planned }: Called, world: PolicyWorld): (attempt: Attempt) => Promise<string> {
  let begun = 0;
  return async ({ signal }) => {
    const { ms, end, minds } = planned[begun % planned.length]!;
    begun += 1;
    await world.slow(ms, undefined, minds ? signal : new AbortController().signal);
    if (end === 'fails') throw BOOM;
    return 'well';
  };
}

/** The signal of a caller, who may go. */
function leaving({ goesAfterMs }: Called, { clock }: PolicyWorld): AbortSignal {
  const aborter = new AbortController();
  if (goesAfterMs !== undefined) clock.after(goesAfterMs, () => aborter.abort('gone'));
  return aborter.signal;
}

function watch<T>(promise: Promise<T>): { report: T | undefined } {
  const ended: { report: T | undefined } = { report: undefined };
  void promise.then((report) => (ended.report = report));
  return ended;
}
