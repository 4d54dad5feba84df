import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isVigilError, type VigilError } from '../core/index.js';
import { deferred } from './deferred.suite.js';
import { BOOM, endless, failing, PolicyWorld } from './policy-world.suite.js';
import { retry } from './retry.js';
import { timeout } from './timeout.js';

describe('timeout', () => {
  it('POL-03: ends the call when the time is over, and aborts the signal of what runs with the same error', async () => {
    const world = new PolicyWorld();
    let signal: AbortSignal | undefined;
    const call = world.policy(timeout(100))((attempt) => {
      signal = attempt.signal;
      return endless();
    });
    const refused = assert.rejects(call, (error) => {
      assert.ok(isTimeout(error));
      assert.equal(error.message, 'no result within 100 ms');
      assert.deepEqual(error.details, { timeoutMs: 100 });
      assert.equal(signal?.reason, error);
      return true;
    });
    await world.clock.advance(99);
    assert.equal(signal?.aborted, false);
    await world.clock.advance(1);
    await refused;
  });

  it('POL-03: tells so in its report', async () => {
    const world = new PolicyWorld();
    const report = world.policy(timeout(100)).report(endless);
    await world.clock.advance(100);
    const { outcome, attempts } = await report;
    assert.deepEqual([outcome, attempts], ['timeout', 1]);
  });

  it('passes on what ends in time, and leaves no timer', async () => {
    const world = new PolicyWorld();
    const policy = world.policy(timeout(100));
    assert.equal(await policy(() => 'well'), 'well');
    await assert.rejects(policy(failing(1, world)), (error) => error === BOOM);
    const call = policy(({ signal }) => world.slow(100 - 1, 'well', signal));
    await world.clock.advance(99);
    assert.equal(await call, 'well');
    assert.equal(world.clock.pendingTimers, 0);
  });

  it('POL-03: takes no success and no failure that comes after the deadline, even when its timer could not fire', async () => {
    const world = new PolicyWorld();
    const policy = world.policy(timeout(100));
    const computing = (ms: number, end: () => string) => () => {
      world.clock.stall(ms);
      return end();
    };
    assert.equal(await policy(computing(100, () => 'well')), 'well');
    await assert.rejects(policy(computing(101, () => 'well')), (error) => isTimeout(error) && error.cause === undefined);
    await assert.rejects(policy(computing(101, boom)), (error) => isTimeout(error) && error.cause === BOOM);
    assert.equal(world.clock.pendingTimers, 0);
  });

  it('is its own error, and not the cause of another one, when its timer fires late', async () => {
    const world = new PolicyWorld();
    const call = world.policy(timeout(100))(endless);
    const refused = assert.rejects(call, (error) => isTimeout(error) && error.cause === undefined);
    world.clock.stall(500);
    await world.clock.advance(100);
    await refused;
  });

  it('POL-03: begins no timer anew for each try when it stands around a retry, and does when inside', async () => {
    const world = new PolicyWorld();
    const again = retry({ maxAttempts: 3, backoff: { kind: 'fixed', delayMs: 10 } });
    const around = world.timed(world.policy(timeout(100), again)(endless));
    const inside = world.policy(again, timeout(100)).report(endless);
    await world.clock.advance(1000);
    assert.deepEqual(await around, { atMs: 100, result: 'VigilError: no result within 100 ms' });
    const { outcome, attempts, sleptMs } = await inside;
    assert.deepEqual([outcome, attempts, sleptMs], ['timeout', 3, 20]);
  });

  it('ends with the reason of an outer one that is earlier, which aborts the inner signal', async () => {
    const world = new PolicyWorld();
    let signal: AbortSignal | undefined;
    const work = deferred<string>();
    const call = world.policy(
      timeout(50),
      timeout(100),
    )((attempt) => {
      signal = attempt.signal;
      return work.promise;
    });
    const refused = assert.rejects(call, /no result within 50 ms/);
    await world.clock.advance(50);
    await refused;
    assert.match(String(signal?.reason), /no result within 50 ms/);
    assert.equal(world.clock.pendingTimers, 0);
  });
});

function boom(): never {
  throw BOOM;
}

function isTimeout(error: unknown): error is VigilError {
  return isVigilError(error, 'OperationTimeout');
}
