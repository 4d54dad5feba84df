import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { hedge } from './hedge.js';
import { BOOM, endless, PolicyWorld } from './policy-world.suite.js';
import { retry } from './retry.js';

const AT_ONCE = { kind: 'fixed', delayMs: 0 } as const;

describe('RetryBudget', () => {
  it('allows a part of the calls, and some however few there are', async () => {
    const world = new PolicyWorld();
    const budget = world.budget({ ratio: 0.1, minPerSecond: 1, windowMs: 2000 });
    assert.equal(budget.available, 2);
    const policy = world.policy(retry({ budget }));
    for (let i = 0; i < 30; i += 1) await policy(() => 'well');
    assert.deepEqual([budget.available, budget.refused], [5, 0]);
  });

  it('counts the calls of hedges, and loses none to binary fractions', async () => {
    const world = new PolicyWorld();
    const budget = world.budget({ ratio: 0.29, minPerSecond: 0 });
    const policy = world.policy(hedge({ delayMs: 10, budget }));
    for (let i = 0; i < 100; i += 1) await policy(() => 'well');
    assert.equal(budget.available, 29);
  });

  it('ends a call with its own error when no retry is allowed, and counts that', async () => {
    const world = new PolicyWorld();
    const budget = world.budget({ ratio: 0, minPerSecond: 0.1, windowMs: 10_000 });
    const policy = world.policy(retry({ budget, maxAttempts: 9, backoff: AT_ONCE }));
    const report = policy.report(boom);
    await world.clock.advance(0);
    assert.deepEqual(await report, { outcome: 'permanent_failure', error: BOOM, attempts: 2, retries: 1, hedges: 0, sleptMs: 0 });
    assert.deepEqual([budget.available, budget.refused], [0, 1]);
  });

  it('forgets retries that are out of the window', async () => {
    const world = new PolicyWorld();
    const budget = world.budget({ ratio: 0, minPerSecond: 1, windowMs: 1000 });
    const policy = world.policy(retry({ budget, maxAttempts: 2, backoff: AT_ONCE }));
    const call = policy.report(boom);
    await world.clock.advance(999);
    assert.deepEqual([(await call).attempts, budget.available], [2, 0]);
    await world.clock.advance(1);
    assert.equal(budget.available, 1);
  });

  it('is shared by retries and hedges of all policies, and counts a call once', async () => {
    const world = new PolicyWorld();
    const budget = world.budget({ ratio: 0.5, minPerSecond: 0 });
    const policy = world.policy(retry({ budget, maxAttempts: 2, backoff: AT_ONCE }), hedge({ delayMs: 10, budget }));
    const others = world.policy(hedge({ delayMs: 10, budget }));
    for (let i = 0; i < 3; i += 1) await policy(() => 'well');
    assert.equal(budget.available, 1);
    const report = policy.report(({ number }) => (number === 1 ? boom() : endless()));
    const other = others.report(endless);
    await world.clock.advance(100);
    assert.deepEqual([budget.available, budget.refused], [0, 1]);
    void report;
    void other;
  });

  it('keeps retries below its part of the calls, whatever fails when', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 0, max: 2 }),
        fc.array(fc.record({ pauseMs: fc.nat(800), fails: fc.nat(4) }), { maxLength: 60 }),
        async (ratio, minPerSecond, history) => {
          const world = new PolicyWorld();
          const windowMs = 1000;
          const budget = world.budget({ ratio, minPerSecond, windowMs });
          const policy = world.policy(retry({ budget, maxAttempts: 5, backoff: AT_ONCE }));
          const calls: number[] = [];
          const retries: number[] = [];
          const slice = (ms: number) => Math.floor(ms / 100);
          for (const { pauseMs, fails } of history) {
            await world.clock.advance(pauseMs);
            const nowMs = world.clock.now();
            calls.push(nowMs);
            const report = policy.report(({ number }) => (number <= fails ? boom() : 'well'));
            await world.clock.advance(0);
            for (let i = 0; i < (await report).retries; i += 1) retries.push(nowMs);
            const isRecent = (ms: number) => slice(ms) > slice(nowMs) - 10;
            const allowed = ratio * calls.filter(isRecent).length + minPerSecond;
            const used = retries.filter(isRecent).length;
            // Retries stay when the calls that had allowed them have left the window.
            if ((await report).retries > 0) assert.ok(used <= allowed + 1e-6, `${used} of ${allowed}`);
            if ((await report).retries < fails) assert.ok(used + 1 > allowed, `${used} of ${allowed}, but ${fails} fail`);
          }
        },
      ),
    );
  });
});

function boom(): never {
  throw BOOM;
}
