import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isVigilError } from '../core/index.js';
import { fallback } from './fallback.js';
import { BOOM, endless, failing, PolicyWorld } from './policy-world.suite.js';
import { retry } from './retry.js';
import { timeout } from './timeout.js';

const FIGURES = { attempts: 1, retries: 0, hedges: 0, sleptMs: 0 };

describe('fallback', () => {
  it('POL-04: answers a time-out, and the report says from which failure', async () => {
    const world = new PolicyWorld();
    const report = world.policy(fallback(answer), timeout(100)).report(endless);
    await world.clock.advance(100);
    const { outcome, ...rest } = await report;
    assert.equal(outcome, 'fallback');
    assert.ok('from' in rest && isVigilError(rest.error, 'OperationTimeout'));
    assert.deepEqual([rest.from, rest.value], ['timeout', 'instead of timeout']);
  });

  it('POL-04: answers an open circuit', async () => {
    const world = new PolicyWorld();
    const breaker = world.breaker({});
    breaker.forceOpen();
    const report = await world.policy(fallback(answer), breaker).report(() => 'well');
    assert.ok(report.outcome === 'fallback' && isVigilError(report.error, 'CircuitOpen'));
    assert.deepEqual([report.from, report.value, report.attempts], ['circuit_open', 'instead of circuit_open', 0]);
  });

  it('POL-04: answers a full bulkhead', async () => {
    const world = new PolicyWorld();
    const bulkhead = world.bulkhead({ maxConcurrent: 1 });
    await bulkhead.acquire();
    assert.equal(await world.policy(fallback(answer), bulkhead)(() => 'well'), 'instead of bulkhead_full');
  });

  it('POL-04: answers work that fails for good, and is told its error', async () => {
    const world = new PolicyWorld();
    const asked: unknown[] = [];
    const policy = world.policy(
      fallback((error, from) => {
        asked.push(error);
        return answer(error, from);
      }),
      retry({ maxAttempts: 2, backoff: { kind: 'fixed', delayMs: 5 } }),
    );
    const report = policy.report(failing(2, world));
    await world.clock.advance(5);
    assert.deepEqual(await report, {
      outcome: 'fallback',
      from: 'permanent_failure',
      value: 'instead of permanent_failure',
      error: BOOM,
      attempts: 2,
      retries: 1,
      hedges: 0,
      sleptMs: 5,
    });
    assert.deepEqual(asked, [BOOM]);
  });

  it('POL-04: makes the call a permanent failure when it fails itself, whatever it replaces and throws', async () => {
    const world = new PolicyWorld();
    const open = world.breaker({});
    open.forceOpen();
    const refusal = await open.call(endless).catch((error: unknown) => error);
    for (const error of [new Error('nothing here, either'), refusal]) {
      const report = await world
        .policy(
          fallback(() => Promise.reject(error)),
          open,
        )
        .report(endless);
      assert.deepEqual(report, { outcome: 'permanent_failure', error, ...FIGURES, attempts: 0 });
    }
  });

  it('is not asked when nothing failed, nor when the call was given up', async () => {
    const world = new PolicyWorld();
    let isAsked = false;
    const policy = world.policy(fallback(() => (isAsked = true)));
    assert.deepEqual(await policy.report(() => 'well'), { outcome: 'success', value: 'well', ...FIGURES });
    const aborter = new AbortController();
    const call = policy.report(({ signal }) => world.slow(100, 'well', signal), { signal: aborter.signal });
    aborter.abort('gone');
    assert.deepEqual(await call, { outcome: 'aborted', error: 'gone', ...FIGURES });
    await world.clock.advance(0);
    assert.equal(isAsked, false);
  });

  it('can answer with a promise, and with another type than the work', async () => {
    const world = new PolicyWorld();
    const policy = world.policy(
      fallback(async () => undefined),
      timeout(100),
    );
    const value: string | undefined = await policy(failing(1, world));
    assert.equal(value, undefined);
  });

  it('leaves what is not its answer a success', async () => {
    const world = new PolicyWorld();
    const again = retry({ maxAttempts: 2, backoff: { kind: 'fixed', delayMs: 0 } });
    const report = world
      .policy(
        again,
        fallback(() => Promise.reject(BOOM)),
      )
      .report(failing(1, world));
    await world.clock.advance(0);
    assert.deepEqual(await report, { outcome: 'success', value: 'well', ...FIGURES, attempts: 2, retries: 1 });
  });
});

function answer(_error: unknown, from: string): string {
  return `instead of ${from}`;
}
