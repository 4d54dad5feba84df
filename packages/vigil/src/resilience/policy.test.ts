import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isVigilError } from '../core/index.js';
import { AbortScope } from './abort-scope.js';
import { deferred } from './deferred.suite.js';
import { fallback } from './fallback.js';
import { hedge } from './hedge.js';
import { BOOM, endless, failing, PolicyWorld } from './policy-world.suite.js';
import { retry } from './retry.js';
import { doWork, type PolicyPart, Run, type Work } from './run.js';
import { timeout } from './timeout.js';

const AGAIN = retry({ maxAttempts: 5, backoff: { kind: 'fixed', delayMs: 5 } });

describe('a policy', () => {
  it('without parts does the work', async () => {
    const policy = new PolicyWorld().policy();
    assert.equal(await policy(() => 1), 1);
    assert.equal(await policy(async () => 2), 2);
    await assert.rejects(
      policy(() => {
        throw BOOM;
      }),
      (error) => error === BOOM,
    );
  });

  it('puts its first part around all others', async () => {
    const world = new PolicyWorld();
    const breaker = () => world.breaker({ failureThreshold: 2 });
    const [inside, around] = [breaker(), breaker()];
    const eachTry = world.policy(AGAIN, inside).report(failing(9, world));
    const wholeCall = world.policy(around, AGAIN).report(failing(9, world));
    await world.clock.advance(100);
    assert.deepEqual([(await eachTry).outcome, inside.getState()], ['circuit_open', 'open']);
    assert.deepEqual([(await wholeCall).outcome, around.getFailureCount()], ['permanent_failure', 1]);
  });

  it('POL-05: has each attempt recorded by its circuit, and ends when that opens, with the attempts so far', async () => {
    const world = new PolicyWorld();
    const breaker = world.breaker({ failureThreshold: 3 });
    const work = failing(9, world);
    const report = world.policy(AGAIN, breaker).report(work);
    await world.clock.advance(100);
    const { outcome, attempts, retries, sleptMs } = await report;
    assert.deepEqual([outcome, attempts, retries, sleptMs], ['circuit_open', 3, 2, 15]);
    assert.deepEqual([breaker.getState(), breaker.refused, work.begunMs], ['open', 1, [0, 5, 10]]);
  });

  it('counts no retry and no hedge that was refused before it began', async () => {
    const world = new PolicyWorld();
    const bulkhead = world.bulkhead({ maxConcurrent: 1 });
    const report = world.policy(hedge({ delayMs: 10 }), bulkhead).report(({ signal }) => world.slow(20, 'well', signal));
    await world.clock.advance(20);
    const { outcome, attempts, hedges } = await report;
    assert.deepEqual([outcome, attempts, hedges, bulkhead.refused], ['success', 1, 0, 1]);
  });

  it('POL-06: refuses at once what finds its bulkhead full, and tells so', async () => {
    const world = new PolicyWorld();
    const bulkhead = world.bulkhead({ maxConcurrent: 1 });
    const policy = world.policy(AGAIN, bulkhead);
    const work = deferred<string>();
    const first = policy(() => work.promise);
    const { outcome, attempts, sleptMs } = await policy.report(() => 'second');
    assert.deepEqual([outcome, attempts, sleptMs], ['bulkhead_full', 0, 0]);
    work.resolve('first');
    assert.equal(await first, 'first');
    assert.equal(await policy(() => 'third'), 'third');
  });

  it('refuses at once what is above the rate, each try for itself, and tells so', async () => {
    const world = new PolicyWorld();
    const limiter = world.limiter({ perSecond: 10, burst: 2 });
    const policy = world.policy(retry({ backoff: { kind: 'fixed', delayMs: 40 } }), limiter);
    const report = policy.report(failing(2, world));
    await world.clock.advance(80);
    const { outcome, attempts, ...rest } = await report;
    assert.deepEqual([outcome, attempts], ['rate_limited', 2]);
    assert.ok('error' in rest && isVigilError(rest.error, 'RateLimitExceeded'));
    assert.deepEqual(rest.error.details, { retryInMs: 20 });
    await world.clock.advance(20);
    assert.equal(await policy(() => 'well'), 'well');
  });

  it('counts what is given up by a time-out around it as a failure of the circuit, at once and only once', async () => {
    const world = new PolicyWorld();
    const breaker = world.breaker({ failureThreshold: 2 });
    const call = world.timed(world.policy(timeout(10), breaker)(({ signal }) => world.slow(100, 'well', signal)));
    await world.clock.advance(10);
    await call;
    assert.deepEqual([breaker.getState(), breaker.getFailureCount()], ['closed', 1]);
  });

  it('counts a try that has ended no more when the time is over later', async () => {
    const world = new PolicyWorld();
    const breaker = world.breaker({ failureThreshold: 2 });
    const call = world.timed(world.policy(timeout(10), retry({ backoff: { kind: 'fixed', delayMs: 100 } }), breaker)(failing(9, world)));
    await world.clock.advance(100);
    assert.deepEqual([(await call).atMs, breaker.getFailureCount()], [10, 1]);
  });

  it('gives the place of a try back to a half open circuit when the time is over, as a failure', async () => {
    const world = new PolicyWorld();
    const breaker = world.breaker({ resetTimeoutMs: 50 });
    breaker.forceOpen();
    await world.clock.advance(50);
    const call = world.timed(world.policy(timeout(10), breaker)(endless));
    await world.clock.advance(10);
    await call;
    assert.equal(breaker.getState(), 'open');
  });

  it('gives a place in a bulkhead back at a time-out inside of it, and at the end of the work for one around it', async () => {
    const world = new PolicyWorld();
    const bulkhead = world.bulkhead({ maxConcurrent: 1 });
    const inside = world.timed(world.policy(bulkhead, timeout(10))(endless));
    await world.clock.advance(10);
    await inside;
    assert.equal(bulkhead.inFlight, 0);
    const work = deferred<string>();
    const around = world.timed(world.policy(timeout(10), bulkhead)(() => work.promise));
    await world.clock.advance(10);
    await around;
    assert.equal(bulkhead.inFlight, 1);
    work.resolve('late');
    await world.clock.advance(0);
    assert.equal(bulkhead.inFlight, 0);
  });

  it('lets a call leave the line of a bulkhead when its time is over', async () => {
    const world = new PolicyWorld();
    const bulkhead = world.bulkhead({ maxConcurrent: 1, maxQueued: 1 });
    await bulkhead.acquire();
    const call = world.timed(world.policy(timeout(10), bulkhead)(() => assert.fail('it began')));
    await world.clock.advance(10);
    assert.deepEqual([(await call).result, bulkhead.queued], ['VigilError: no result within 10 ms', 0]);
  });

  it('shows the work one signal that aborts for whatever reason the attempt is given up', async () => {
    const world = new PolicyWorld();
    const parts = [timeout(1000), AGAIN, world.breaker({}), world.bulkhead({ maxConcurrent: 1 }), hedge({ delayMs: 500 }), timeout(100)];
    const reasons: string[] = [];
    const aborter = new AbortController();
    const call = world.policy(...parts)(
      ({ signal, number }) => {
        signal.addEventListener('abort', () => reasons.push(`try ${number}: ${String(signal.reason)}`));
        return endless();
      },
      { signal: aborter.signal },
    );
    const refused = assert.rejects(call, (error) => error === 'gone');
    await world.clock.advance(150);
    aborter.abort('gone');
    await refused;
    assert.deepEqual(reasons, ['try 1: VigilError: no result within 100 ms', 'try 2: gone']);
    assert.equal(world.clock.pendingTimers, 0);
  });

  it('replays from its seed', async () => {
    const begun = async (seed: number) => {
      const world = new PolicyWorld(seed);
      const work = failing(4, world);
      void world.policy(retry({ maxAttempts: 5 }))(work);
      await world.clock.advance(100_000);
      return work.begunMs;
    };
    assert.deepEqual(await begun(7), await begun(7));
    assert.notDeepEqual(await begun(7), await begun(8));
  });

  it('has the types of the work and of its fallback', async () => {
    const world = new PolicyWorld();
    const plain = world.policy(timeout(10), AGAIN, world.breaker({}));
    const n: number = await plain(() => 1);
    const withDefault = world.policy(
      fallback(() => 'none' as const),
      timeout(10),
      world.bulkhead({ maxConcurrent: 1 }),
    );
    const either: number | 'none' = await withDefault(async () => 2);
    const report = await withDefault.report(async () => 3);
    const values: (number | 'none')[] = [n, either];
    if ('value' in report) values.push(report.value);
    assert.deepEqual(values, [1, 2, 3]);
  });

  it('rejects work that is no function and options that are none, and never throws', async () => {
    const policy = new PolicyWorld().policy(AGAIN);
    for (const bad of [undefined, 5, {}]) {
      const work: () => void = JSON.parse('[null]')[0] ?? bad;
      await assert.rejects(policy(work), isInvalid);
      await assert.rejects(policy.report(work), isInvalid);
    }
    const options: object = { signal: 'abort' };
    await assert.rejects(
      policy(() => 1, options),
      isInvalid,
    );
    await assert.rejects(
      policy.report(() => 1, options),
      isInvalid,
    );
  });

  it('does not begin what was given up before', async () => {
    const policy = new PolicyWorld().policy(AGAIN);
    const report = await policy.report(() => assert.fail('it began'), { signal: AbortSignal.abort('gone') });
    assert.deepEqual([report.outcome, report.attempts], ['aborted', 0]);
  });

  it('says that it was aborted only when that is what ended it', async () => {
    const outcomes = new Set<string>();
    for (let steps = 0; steps < 12; steps += 1) {
      const aborter = new AbortController();
      const work = deferred<string>();
      const report = new PolicyWorld().policy(AGAIN, retry({ maxAttempts: 1 })).report(() => work.promise, { signal: aborter.signal });
      work.resolve('well');
      const failed = new PolicyWorld().policy().report(() => Promise.reject(BOOM), { signal: aborter.signal });
      for (let step = 0; step < steps; step += 1) await Promise.resolve();
      aborter.abort('gone');
      for (const { outcome, ...rest } of [await report, await failed]) {
        outcomes.add(outcome);
        if ('error' in rest) assert.equal(rest.error, outcome === 'aborted' ? 'gone' : BOOM);
      }
    }
    assert.deepEqual([...outcomes].toSorted(), ['aborted', 'permanent_failure', 'success']);
  });

  for (const [what, part] of [
    ['a time-out', () => timeout(100)],
    ['a retry', () => retry({ maxAttempts: 2, backoff: { kind: 'fixed', delayMs: 0 } })],
    ['a hedge', () => hedge({ delayMs: 1 })],
    ['a fallback', () => fallback(boom)],
    ['a bulkhead', (world) => world.bulkhead({ maxConcurrent: 1 })],
    ['a closed circuit', (world) => world.breaker({})],
    ['a half open circuit', halfOpen],
  ] satisfies [string, (world: PolicyWorld) => PolicyPart][]) {
    for (const [end, work] of [
      ['succeeded', () => 'well'],
      ['failed', () => Promise.reject(BOOM)],
    ] satisfies [string, Work<string>][]) {
      it(`leaves nothing of ${what} to be told when a call that goes on is given up, once its part has ${end}`, async () => {
        const world = new PolicyWorld();
        const parent = new AbortScope();
        let listeners = 0;
        const onAbort = parent.onAbort.bind(parent);
        parent.onAbort = (listener) => {
          listeners += 1;
          const forget = onAbort(listener);
          return () => {
            if (forget()) listeners -= 1;
            return true;
          };
        };
        const isOwnSignal = /time-out|hedge|half open/.test(what);
        const layer = part(world).around(
          (run) => {
            if (isOwnSignal) assert.equal(run.signal.aborted, false);
            return doWork(run);
          },
          { clock: world.clock, random: { next: () => 0 }, log: world.log },
        );
        const ended = Promise.allSettled([layer(new Run(work, parent, undefined))]);
        await world.clock.advance(0);
        await ended;
        assert.deepEqual([listeners, world.clock.pendingTimers], [0, 0]);
      });
    }
  }

  it('refuses a part that is none, and says which', () => {
    const world = new PolicyWorld();
    const bad: ReturnType<typeof retry> = JSON.parse('{ "kind": "retry" }');
    assert.throws(
      () => world.policy(AGAIN, bad),
      (error) =>
        isInvalid(error) &&
        /^VigilError: part 2 of the policy must be a CircuitBreaker, a Bulkhead, a RateLimiter, or made by vigil.retry, timeout, fallback or hedge, got an object$/.test(
          String(error),
        ),
    );
  });
});

/** One that lets calls through to try at once. */
function halfOpen(world: PolicyWorld): PolicyPart {
  const breaker = world.breaker({});
  breaker.restore({ state: 'half_open', failures: 1, successes: 0 });
  return breaker;
}

function boom(): never {
  throw BOOM;
}

function isInvalid(error: unknown): boolean {
  return isVigilError(error, 'InvalidConfiguration');
}
