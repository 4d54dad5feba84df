import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { failFast } from '../core/index.js';
import { BOOM, failing, PolicyWorld } from './policy-world.suite.js';
import { retry, type RetryOptions } from './retry.js';
import { timeout } from './timeout.js';

const FIXED: RetryOptions = { backoff: { kind: 'fixed', delayMs: 5 } };

describe('retry', () => {
  it('POL-01: tries again until it succeeds, and tells what that took', async () => {
    const world = new PolicyWorld();
    const work = failing(2, world);
    const report = world.policy(retry({ ...FIXED, maxAttempts: 3 })).report(work);
    await world.clock.advance(10);
    assert.deepEqual(await report, { outcome: 'success', value: 'well', attempts: 3, retries: 2, hedges: 0, sleptMs: 10 });
    assert.deepEqual(work.begunMs, [0, 5, 10]);
  });

  it('gives up after maxAttempts with the last error, unchanged', async () => {
    const world = new PolicyWorld();
    let tries = 0;
    const errors: Error[] = [];
    const work = () => {
      tries += 1;
      const error = new Error(`try ${tries}`);
      errors.push(error);
      throw error;
    };
    const report = world.policy(retry({ ...FIXED, maxAttempts: 3 })).report(work);
    await world.clock.advance(1000);
    assert.deepEqual(await report, { outcome: 'permanent_failure', error: errors[2], attempts: 3, retries: 2, hedges: 0, sleptMs: 10 });
  });

  it('tells the work which try it is', async () => {
    const world = new PolicyWorld();
    const numbers: number[] = [];
    const call = world.policy(retry(FIXED))(({ number }) => {
      numbers.push(number);
      if (number < 3) throw BOOM;
      return 'well';
    });
    await world.clock.advance(10);
    assert.equal(await call, 'well');
    assert.deepEqual(numbers, [1, 2, 3]);
  });

  it('waits as its backoff says, by default as chance wants', async () => {
    const world = new PolicyWorld();
    const work = failing(2, world);
    const call = world.policy(retry())(work);
    await world.clock.advance(1000);
    await call;
    const [first = 0, second = 0, third = 0] = work.begunMs;
    assert.equal(first, 0);
    assert.ok(second >= 100 && second <= 300, String(second));
    assert.ok(third - second >= 100 && third - second <= 900, String(third));
    const growing = failing(3, world);
    const grown = world.policy(retry({ maxAttempts: 4, backoff: { kind: 'exponential', initialMs: 10 } })).report(growing);
    await world.clock.advance(70);
    assert.equal((await grown).sleptMs, 70);
  });

  it('lets the wait before count for the next one', async () => {
    const waits = await Promise.all(Array.from({ length: 30 }, (_, seed) => secondWait(seed)));
    assert.ok(
      waits.some((ms) => ms > 300),
      String(waits),
    );
  });

  it('asks retryIf whether an error is worth it', async () => {
    const world = new PolicyWorld();
    const asked: unknown[] = [];
    const retryIf = (error: unknown) => {
      asked.push(error);
      return asked.length < 2;
    };
    const report = world.policy(retry({ ...FIXED, maxAttempts: 5, retryIf })).report(failing(5, world));
    await world.clock.advance(100);
    assert.deepEqual([(await report).attempts, asked], [2, [BOOM, BOOM]]);
  });

  it('tries no more when retryIf itself fails, says so in the log, and ends with the error of the work', async () => {
    const world = new PolicyWorld();
    const retryIf = () => {
      throw new TypeError('broken');
    };
    await assert.rejects(world.policy(retry({ retryIf }))(failing(1, world)), (error) => error === BOOM);
    assert.deepEqual(world.logged, ['retryIf of a policy failed: TypeError: broken']);
  });

  for (const code of ['CircuitOpen', 'BulkheadFull', 'RateLimitExceeded'] as const) {
    it(`POL-05: does not try again what was refused with ${code}, whatever retryIf thinks`, async () => {
      const world = new PolicyWorld();
      const refusal = failFast(code, 'no');
      const report = await world.policy(retry({ ...FIXED, retryIf: () => true })).report(failing(9, world, refusal));
      assert.deepEqual([report.attempts, report.sleptMs], [1, 0]);
    });
  }

  it('tries no more once it is given up, neither after a try nor in a wait', async () => {
    const world = new PolicyWorld();
    const aborter = new AbortController();
    const policy = world.policy(retry({ backoff: { kind: 'fixed', delayMs: 100 } }));
    const work = failing(9, world);
    const waiting = policy.report(work, { signal: aborter.signal });
    await world.clock.advance(50);
    aborter.abort('gone');
    assert.deepEqual(await waiting, { outcome: 'aborted', error: 'gone', attempts: 1, retries: 0, hedges: 0, sleptMs: 0 });
    assert.equal(world.clock.pendingTimers, 0);

    const second = new AbortController();
    const asked: unknown[] = [];
    const trying = world.policy(retry({ retryIf: (error) => asked.push(error) > 0 })).report(
      () => {
        second.abort('gone');
        throw BOOM;
      },
      { signal: second.signal },
    );
    assert.equal((await trying).outcome, 'aborted');
    await world.clock.advance(1000);
    assert.deepEqual([asked, work.begunMs], [[], [0]]);
  });

  it('is bounded by a time-out around it, tries and waits together', async () => {
    const world = new PolicyWorld();
    const work = failing(9, world);
    const report = world.policy(timeout(12), retry({ ...FIXED, maxAttempts: 9 })).report(work);
    await world.clock.advance(100);
    assert.deepEqual([(await report).outcome, work.begunMs], ['timeout', [0, 5, 10]]);
    assert.equal(world.clock.pendingTimers, 0);
  });

  it('fails with InvalidConfiguration when a function gives no duration', async () => {
    const world = new PolicyWorld();
    const call = world.policy(retry({ backoff: () => -1 }))(failing(1, world));
    await assert.rejects(call, /the result of backoff must be a finite number of milliseconds >= 0, got -1/);
  });
});

/** With a first wait of 100 to 300 ms, of 100 to 900. */
async function secondWait(seed: number): Promise<number> {
  const world = new PolicyWorld(seed);
  const work = failing(2, world);
  void world.policy(retry())(work);
  await world.clock.advance(2000);
  return (work.begunMs[2] ?? 0) - (work.begunMs[1] ?? 0);
}
