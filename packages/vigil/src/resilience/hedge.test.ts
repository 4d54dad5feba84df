import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hedge } from './hedge.js';
import { BOOM, endless, PolicyWorld } from './policy-world.suite.js';
import type { Attempt } from './run.js';

describe('hedge', () => {
  it('begins nothing beside what ends before the delay, be it well or not', async () => {
    const world = new PolicyWorld();
    const policy = world.policy(hedge({ delayMs: 10 }));
    const well = policy.report(({ signal }) => world.slow(9, 'well', signal));
    const failed = policy.report(() => Promise.reject(BOOM));
    await world.clock.advance(100);
    assert.deepEqual([(await well).outcome, (await well).attempts], ['success', 1]);
    assert.deepEqual([(await failed).outcome, (await failed).attempts], ['permanent_failure', 1]);
    assert.equal(world.clock.pendingTimers, 0);
  });

  it('begins a second attempt after the delay, takes the first answer, and gives up the other', async () => {
    const world = new PolicyWorld();
    const { work, attempts } = recording(world, [100, 5]);
    const call = world.policy(hedge({ delayMs: 10 })).report(work);
    await world.clock.advance(15);
    assert.deepEqual(await call, { outcome: 'success', value: 'attempt 2', attempts: 2, retries: 0, hedges: 1, sleptMs: 0 });
    assert.deepEqual(
      attempts.map(({ begunMs }) => begunMs),
      [0, 10],
    );
    const { aborted, reason } = attempts[0]!.signal;
    assert.deepEqual([aborted, String(reason)], [true, 'AbortError: another attempt was faster']);
    assert.equal(attempts[1]!.signal.aborted, false);
    assert.equal(world.clock.pendingTimers, 0);
  });

  it('takes the answer of the first attempt if that comes first', async () => {
    const world = new PolicyWorld();
    const { work, attempts } = recording(world, [12, 100]);
    const call = world.policy(hedge({ delayMs: 10 }))(work);
    await world.clock.advance(12);
    assert.equal(await call, 'attempt 1');
    assert.deepEqual(
      attempts.map(({ signal }) => signal.aborted),
      [false, true],
    );
  });

  it('begins as many as maxHedges says, one after each delay', async () => {
    const world = new PolicyWorld();
    const { work, attempts } = recording(world, [1000, 1000, 1000, 1000]);
    void world.policy(hedge({ delayMs: 10, maxHedges: 2 }))(work);
    await world.clock.advance(100);
    assert.deepEqual(
      attempts.map(({ begunMs }) => begunMs),
      [0, 10, 20],
    );
  });

  it('waits over a failure while another attempt is on its way', async () => {
    const world = new PolicyWorld();
    let attempts = 0;
    const call = world.policy(hedge({ delayMs: 10 }))(async ({ signal }) => {
      attempts += 1;
      if (attempts === 1) return await world.slow(20, 'well', signal);
      throw BOOM;
    });
    await world.clock.advance(20);
    assert.equal(await call, 'well');
  });

  it('fails when all attempts have failed, with the last error', async () => {
    const world = new PolicyWorld();
    let attempts = 0;
    const call = world.policy(hedge({ delayMs: 10 })).report(async ({ signal }) => {
      attempts += 1;
      const error = new Error(`attempt ${attempts}`);
      await world.slow(attempts === 1 ? 20 : 15, undefined, signal);
      throw error;
    });
    await world.clock.advance(100);
    const report = await call;
    assert.ok(report.outcome === 'permanent_failure');
    assert.deepEqual([String(report.error), report.attempts], ['Error: attempt 2', 2]);
  });

  it('begins nothing more once the call is given up, and gives up every attempt', async () => {
    const world = new PolicyWorld();
    const attempts: Attempt[] = [];
    const deaf = (attempt: Attempt) => {
      attempts.push(attempt);
      return endless();
    };
    const aborter = new AbortController();
    const call = world.policy(hedge({ delayMs: 10, maxHedges: 2 })).report(deaf, { signal: aborter.signal });
    await world.clock.advance(15);
    aborter.abort('gone');
    assert.equal((await call).outcome, 'aborted');
    await world.clock.advance(100);
    assert.deepEqual(
      attempts.map(({ signal }) => signal.reason),
      ['gone', 'gone'],
    );
    assert.equal(world.clock.pendingTimers, 0);
  });

  it('does not count what it gives up as a failure of a circuit inside of it', async () => {
    const world = new PolicyWorld();
    const breaker = world.breaker({ failureThreshold: 1 });
    const { work } = recording(world, [100, 5]);
    const call = world.policy(hedge({ delayMs: 10 }), breaker)(work);
    await world.clock.advance(100);
    assert.deepEqual([await call, breaker.getState()], ['attempt 2', 'closed']);
  });

  it('is bounded by its budget', async () => {
    const world = new PolicyWorld();
    const budget = world.budget({ ratio: 0, minPerSecond: 0.1 });
    const policy = world.policy(hedge({ delayMs: 10, budget }));
    const reports = [policy.report(endless), policy.report(endless)];
    await world.clock.advance(100);
    assert.deepEqual([budget.available, budget.refused], [0, 1]);
    void reports;
  });
});

interface Recorded {
  readonly begunMs: number;
  readonly signal: AbortSignal;
}

/** Work whose attempts take so many milliseconds each. */
function recording(world: PolicyWorld, durationsMs: readonly number[]) {
  const attempts: Recorded[] = [];
  const work = ({ signal }: Attempt): Promise<string> => {
    attempts.push({ begunMs: world.clock.now(), signal });
    return world.slow(durationsMs[attempts.length - 1] ?? 0, `attempt ${attempts.length}`, signal);
  };
  return { work, attempts };
}
