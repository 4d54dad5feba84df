import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isVigilError, silentLogger, type TelemetryEventType, type TelemetrySink, type VigilError } from '../core/index.js';
import { VirtualClock } from '../testing/index.js';
import { CircuitBreaker } from './circuit-breaker.js';
import type { CircuitBreakerOptions } from './circuit-options.js';
import type { Attempt } from './run.js';
import { deferred } from './deferred.suite.js';

const BOOM = new Error('boom');
const NOT_FOUND = new Error('not found');

describe('CircuitBreaker', () => {
  it('CB-01: opens at the threshold of failures in a row; a success begins anew', async () => {
    const { breaker } = makeBreaker({ failureThreshold: 3 });
    await fail(breaker, 2);
    await succeed(breaker);
    assert.equal(breaker.getFailureCount(), 0);
    await fail(breaker, 2);
    assert.deepEqual([breaker.getState(), breaker.getFailureCount()], ['closed', 2]);
    await fail(breaker);
    assert.deepEqual([breaker.getState(), breaker.getFailureCount()], ['open', 3]);
  });

  it('refuses calls while it is open, without doing them, and tells when it is worth while to come again', async () => {
    const { breaker, clock } = makeBreaker({ failureThreshold: 1, resetTimeoutMs: 100 });
    await fail(breaker);
    await clock.advance(40);
    await assert.rejects(breaker.call(never), (error) => {
      assert.ok(isVigilError(error, 'CircuitOpen'));
      assert.equal(error.message, 'circuit "api" is open');
      assert.deepEqual(error.details, { circuit: 'api', state: 'open', retryInMs: 60 });
      return true;
    });
    assert.throws(() => breaker.callSync(never), isCircuitOpen);
    assert.equal(breaker.refused, 2);
  });

  it('CB-03: is made half open by the first call after the time-out, and by nothing else', async () => {
    const { breaker, clock } = makeBreaker({ failureThreshold: 1, resetTimeoutMs: 100 });
    await fail(breaker);
    await clock.advance(99);
    await assert.rejects(breaker.call(never), isCircuitOpen);
    await clock.advance(1);
    assert.equal(clock.pendingTimers, 0);
    assert.equal(breaker.getState(), 'open');
    await clock.advance(1000);
    assert.equal(breaker.getState(), 'open');
    const probe = deferred<string>();
    const call = breaker.call(() => probe.promise);
    assert.equal(breaker.getState(), 'half_open');
    probe.resolve('well');
    assert.equal(await call, 'well');
  });

  it('CB-04: tries no more than halfOpenRequests calls at the same time', async () => {
    const { breaker } = await halfOpen({ halfOpenRequests: 3, halfOpenSuccessThreshold: 3 });
    const probes = [1, 2, 3].map(() => deferred<number>());
    const calls = probes.map(({ promise }) => breaker.call(() => promise));
    await assert.rejects(breaker.call(never), (error) => {
      assert.ok(isVigilError(error, 'CircuitOpen'));
      assert.equal(error.message, 'circuit "api" is half open and tries 3 calls already');
      assert.deepEqual(error.details, { circuit: 'api', state: 'half_open', retryInMs: 100 });
      return true;
    });
    assert.throws(() => breaker.callSync(never), isCircuitOpen);
    probes[0]!.resolve(1);
    await calls[0];
    assert.equal(await breaker.call(() => 4), 4);
    assert.equal(breaker.getState(), 'half_open');
  });

  it('CB-05: closes at the threshold of successes, with its counters at 0', async () => {
    const { breaker } = await halfOpen({ halfOpenSuccessThreshold: 2 });
    await succeed(breaker);
    assert.equal(breaker.getState(), 'half_open');
    await succeed(breaker);
    assert.deepEqual([breaker.getState(), breaker.getFailureCount()], ['closed', 0]);
  });

  it('opens again when a call fails that is tried, for the whole time-out', async () => {
    const { breaker, clock } = await halfOpen({ resetTimeoutMs: 100 });
    await succeed(breaker);
    await fail(breaker);
    assert.deepEqual([breaker.getState(), breaker.getFailureCount()], ['open', 2]);
    await clock.advance(99);
    await assert.rejects(breaker.call(never), isCircuitOpen);
    await clock.advance(1);
    await succeed(breaker);
    assert.equal(breaker.getState(), 'half_open');
  });

  it('CB-07: gives the place of a call that does not end to another one, and tells the lost one', async () => {
    const { breaker, clock } = await halfOpen({ halfOpenRequests: 3, resetTimeoutMs: 100 });
    const signals: AbortSignal[] = [];
    const lost = [1, 2, 3].map(() => breaker.call((attempt) => neverEnding(attempt, signals)));
    const rejections = Promise.all(lost.map((call) => assert.rejects(call, isOverdue)));
    await clock.advance(99);
    await assert.rejects(breaker.call(never), isCircuitOpen);
    await clock.advance(1);
    await succeed(breaker);
    assert.deepEqual(
      signals.map(({ reason }) => isOverdue(reason)),
      [true, true, true],
    );
    await rejections;
    await succeed(breaker);
    assert.equal(breaker.getState(), 'closed');
  });

  it('CB-07: has a time-out of its own for calls that are tried', async () => {
    const { breaker, clock } = await halfOpen({ halfOpenRequests: 1, resetTimeoutMs: 100, probeTimeoutMs: 10 });
    const lost = assert.rejects(
      breaker.call((attempt) => neverEnding(attempt)),
      isOverdue,
    );
    await clock.advance(9);
    await assert.rejects(breaker.call(never), isCircuitOpen);
    await clock.advance(1);
    await succeed(breaker);
    await lost;
    assert.equal(breaker.getState(), 'closed');
  });

  it('CB-07: counts no result of a call that has lost its place', async () => {
    const { breaker, clock } = await halfOpen({ halfOpenRequests: 1, resetTimeoutMs: 100, failureThreshold: 1 });
    const late = deferred<string>();
    const lost = assert.rejects(
      breaker.call(() => late.promise),
      isOverdue,
    );
    await clock.advance(100);
    const current = deferred<string>();
    const call = breaker.call(() => current.promise);
    late.reject(BOOM);
    await lost;
    await clock.advance(0);
    assert.equal(breaker.getState(), 'half_open');
    await assert.rejects(breaker.call(never), isCircuitOpen);
    current.resolve('well');
    await call;
    assert.equal(breaker.getState(), 'closed');
  });

  for (const [what, settle] of [
    ['success', (late) => late.resolve('late')],
    ['failure', (late) => late.reject(BOOM)],
  ] satisfies [string, (late: ReturnType<typeof deferred<string>>) => void][]) {
    it(`CB-08: ignores the late ${what} of a call that was let through while closed`, async () => {
      const { breaker, clock } = makeBreaker({ failureThreshold: 1, resetTimeoutMs: 100, halfOpenSuccessThreshold: 1 });
      const late = deferred<string>();
      const early = breaker.call(() => late.promise).catch(() => 'failed');
      await fail(breaker);
      await clock.advance(100);
      const probe = deferred<string>();
      const call = breaker.call(() => probe.promise);
      settle(late);
      await early;
      assert.equal(breaker.getState(), 'half_open');
      probe.resolve('well');
      await call;
      assert.equal(breaker.getState(), 'closed');
    });

    it(`CB-08: ignores the late ${what} of a call that was tried in an earlier half-open phase`, async () => {
      const { breaker, clock } = await halfOpen({ resetTimeoutMs: 100, halfOpenSuccessThreshold: 1 });
      const late = deferred<string>();
      const early = breaker.call(() => late.promise).catch(() => 'failed');
      await fail(breaker);
      await clock.advance(100);
      const probe = deferred<string>();
      const call = breaker.call(() => probe.promise);
      settle(late);
      await early;
      assert.equal(breaker.getState(), 'half_open');
      probe.resolve('well');
      await call;
      assert.equal(breaker.getState(), 'closed');
    });
  }

  it('CB-08: ignores the failures of calls from before it was forced to close', async () => {
    const { breaker } = makeBreaker({ failureThreshold: 1 });
    const late = deferred<string>();
    const early = breaker.call(() => late.promise).catch(() => 'failed');
    breaker.forceClose();
    late.reject(BOOM);
    await early;
    assert.deepEqual([breaker.getState(), breaker.getFailureCount()], ['closed', 0]);
  });

  it('CB-09: counts a throw, a rejection and the end of a synchronous call alike, and passes the error on unchanged', async () => {
    const { breaker } = makeBreaker({ failureThreshold: 4 });
    const isBoom = (error: unknown) => error === BOOM;
    await assert.rejects(breaker.call(boom), isBoom);
    await assert.rejects(
      breaker.call(() => Promise.reject(BOOM)),
      isBoom,
    );
    assert.throws(() => breaker.callSync(boom), isBoom);
    assert.deepEqual([breaker.getState(), breaker.getFailureCount()], ['closed', 3]);
    assert.throws(() => breaker.callSync(boom), isBoom);
    assert.equal(breaker.getState(), 'open');
  });

  it('CB-09: passes on what a function gives, be it a value, a promise or something like a promise', async () => {
    const { breaker } = makeBreaker({});
    assert.equal(await breaker.call(() => 1), 1);
    assert.equal(await breaker.call(async () => 2), 2);
    const settled = Promise.resolve(3);
    // oxlint-disable-next-line unicorn/no-thenable -- a promise of another library
    assert.equal(await breaker.call<number>(() => ({ then: settled.then.bind(settled) })), 3);
    assert.equal(
      breaker.callSync(() => 4),
      4,
    );
  });

  it('CB-09: tries synchronous calls, too', async () => {
    const { breaker, clock } = await halfOpen({ resetTimeoutMs: 100 });
    breaker.callSync(() => 1);
    assert.equal(breaker.getState(), 'half_open');
    breaker.callSync(() => 2);
    assert.equal(breaker.getState(), 'closed');
    breaker.forceOpen();
    await clock.advance(100);
    assert.throws(() => breaker.callSync(boom));
    assert.equal(breaker.getState(), 'open');
  });

  it('CB-09: counts only the errors that isFailure is true of', async () => {
    const { breaker, clock } = makeBreaker({ failureThreshold: 2, resetTimeoutMs: 100, isFailure: (error) => error !== NOT_FOUND });
    const miss = () => assert.rejects(breaker.call(() => Promise.reject(NOT_FOUND)));
    await fail(breaker);
    await miss();
    await miss();
    assert.deepEqual([breaker.getState(), breaker.getFailureCount()], ['closed', 1]);
    await fail(breaker);
    assert.equal(breaker.getState(), 'open');
    await clock.advance(100);
    for (let i = 0; i < 5; i += 1) await miss();
    assert.equal(breaker.getState(), 'half_open');
  });

  it('CB-08: ignores a failure when isFailure has moved the circuit on', async () => {
    const { breaker } = makeBreaker({
      failureThreshold: 1,
      isFailure: () => {
        breaker.forceClose();
        return true;
      },
    });
    await fail(breaker);
    assert.deepEqual([breaker.getState(), breaker.getFailureCount()], ['closed', 0]);
  });

  it('counts an error when isFailure itself fails, says so in the log, and passes the original on', async () => {
    const logged: unknown[] = [];
    const log = { ...silentLogger, error: (...what: unknown[]) => logged.push(...what) };
    const isFailure = () => {
      throw new TypeError('broken');
    };
    const breaker = new CircuitBreaker('api', { failureThreshold: 1, isFailure }, { ...environment(), log });
    await fail(breaker);
    assert.equal(breaker.getState(), 'open');
    assert.deepEqual(logged.map(String), ['isFailure of circuit "api" failed', 'TypeError: broken']);
  });

  it('CB-10: forceOpen is immediate and starts the time-out, again if it was open', async () => {
    const { breaker, clock } = makeBreaker({ resetTimeoutMs: 100 });
    breaker.forceOpen();
    assert.equal(breaker.getState(), 'open');
    await clock.advance(60);
    breaker.forceOpen();
    await clock.advance(99);
    await assert.rejects(breaker.call(never), isCircuitOpen);
    await clock.advance(1);
    await succeed(breaker);
    assert.equal(breaker.getState(), 'half_open');
  });

  it('CB-10: forceClose is immediate and zeroes the counters', async () => {
    const { breaker } = makeBreaker({ failureThreshold: 2 });
    await fail(breaker);
    breaker.forceClose();
    assert.equal(breaker.getFailureCount(), 0);
    await fail(breaker);
    assert.equal(breaker.getState(), 'closed');
    breaker.forceOpen();
    breaker.forceClose();
    assert.deepEqual([breaker.getState(), breaker.getFailureCount()], ['closed', 0]);
    await succeed(breaker);
  });

  it('CB-10: tells of every change of its state and of nothing else', async () => {
    const { breaker, clock, events } = makeBreaker({ failureThreshold: 1, resetTimeoutMs: 100, halfOpenSuccessThreshold: 1 });
    breaker.forceClose();
    await fail(breaker);
    breaker.forceOpen();
    await clock.advance(100);
    await fail(breaker);
    await clock.advance(100);
    await succeed(breaker);
    breaker.forceOpen();
    breaker.forceClose();
    assert.deepEqual(events, [
      'circuit_opened api failures 1',
      'circuit_half_open api',
      'circuit_opened api probe_failed 2',
      'circuit_half_open api',
      'circuit_closed api',
      'circuit_opened api forced 0',
      'circuit_closed api',
    ]);
  });

  it('has changed when it tells so', async () => {
    const states: string[] = [];
    const clock = new VirtualClock();
    const telemetry: TelemetrySink = { wants: () => true, report: (eventType) => states.push(`${eventType}: ${breaker.getState()}`) };
    const breaker = new CircuitBreaker('api', { failureThreshold: 1, resetTimeoutMs: 1 }, { ...environment(clock), telemetry });
    await fail(breaker);
    await clock.advance(1);
    await succeed(breaker, 2);
    assert.deepEqual(states, ['circuit_opened: open', 'circuit_half_open: half_open', 'circuit_closed: closed']);
  });

  for (const [what, options, message] of [
    ['a threshold of 0', { failureThreshold: 0 }, 'failureThreshold must be an integer >= 1, got 0'],
    ['no calls to try', { halfOpenRequests: 0 }, 'halfOpenRequests must be an integer >= 1, got 0'],
    ['no successes', { halfOpenSuccessThreshold: 0 }, 'halfOpenSuccessThreshold must be an integer >= 1, got 0'],
    [
      'more successes than calls to try',
      { halfOpenRequests: 2, halfOpenSuccessThreshold: 3 },
      'halfOpenSuccessThreshold must be an integer from 1 to halfOpenRequests, which is 2, got 3',
    ],
  ] satisfies [string, CircuitBreakerOptions, string][]) {
    it(`CB-11: refuses ${what}`, () => {
      assert.throws(
        () => makeBreaker(options),
        (error) => isVigilError(error, 'InvalidConfiguration') && error.message === message,
      );
    });
  }

  it('CB-11: asks for one success when one call may be tried', async () => {
    const { breaker } = await halfOpen({ halfOpenRequests: 1 });
    await succeed(breaker);
    assert.equal(breaker.getState(), 'closed');
  });
});

describe('the failure rate of a CircuitBreaker', () => {
  const rate: CircuitBreakerOptions = { failureThreshold: 100, failureRate: { threshold: 0.5, windowMs: 1000, minCalls: 4 } };

  it('opens it when too large a part of the calls in the window fails', async () => {
    const { breaker, events } = makeBreaker(rate);
    await succeed(breaker, 3);
    await fail(breaker, 2);
    assert.equal(breaker.getState(), 'closed');
    await fail(breaker);
    assert.deepEqual(events, ['circuit_opened api failure_rate 3']);
  });

  it('does not open it before there are minCalls in the window', async () => {
    const { breaker } = makeBreaker(rate);
    await fail(breaker, 3);
    assert.equal(breaker.getState(), 'closed');
    await fail(breaker);
    assert.equal(breaker.getState(), 'open');
  });

  it('forgets what is out of the window', async () => {
    const { breaker, clock } = makeBreaker(rate);
    await fail(breaker, 3);
    await clock.advance(1000);
    await fail(breaker, 3);
    assert.equal(breaker.getState(), 'closed');
    await fail(breaker);
    assert.equal(breaker.getState(), 'open');
  });

  it('counts beside the failures in a row', async () => {
    const { breaker, events } = makeBreaker({ ...rate, failureThreshold: 2 });
    await succeed(breaker, 100);
    await fail(breaker, 2);
    assert.deepEqual(events, ['circuit_opened api failures 2']);
  });

  it('begins anew when the circuit has closed', async () => {
    const { breaker } = makeBreaker(rate);
    await fail(breaker, 3);
    breaker.forceClose();
    await fail(breaker, 3);
    assert.equal(breaker.getState(), 'closed');
  });
});

describe('the signal of a call through a CircuitBreaker', () => {
  it('is passed on as it is', async () => {
    const { breaker } = makeBreaker({});
    const { signal } = new AbortController();
    assert.equal(await breaker.call((attempt) => attempt.signal === signal, { signal }), true);
  });

  it('is there when the caller gave none, and is the same whenever it is asked for', async () => {
    const { breaker } = makeBreaker({});
    const [one, other] = await breaker.call((attempt) => [attempt.signal, attempt.signal]);
    assert.ok(one instanceof AbortSignal);
    assert.equal(one, other);
    assert.equal(
      breaker.callSync(({ signal }) => signal.aborted),
      false,
    );
  });

  it('ends the call at once, which counts neither as failure nor as success', async () => {
    const { breaker } = makeBreaker({ failureThreshold: 2 });
    await fail(breaker);
    const aborter = new AbortController();
    const work = deferred<string>();
    const call = breaker.call(() => work.promise, { signal: aborter.signal });
    aborter.abort('gone');
    await assert.rejects(call, (error) => error === 'gone');
    work.reject(BOOM);
    await Promise.allSettled([work.promise]);
    assert.deepEqual([breaker.getState(), breaker.getFailureCount()], ['closed', 1]);
    await assert.rejects(breaker.call(never, { signal: aborter.signal }), (error) => error === 'gone');
  });

  it('makes the call a failure when it aborts because the time is over', async () => {
    const { breaker } = makeBreaker({ failureThreshold: 1 });
    const aborter = new AbortController();
    const call = breaker.call((attempt) => neverEnding(attempt), { signal: aborter.signal });
    aborter.abort(new DOMException('too slow', 'TimeoutError'));
    await assert.rejects(call, /too slow/);
    assert.equal(breaker.getState(), 'open');
  });

  it('gives back the place of a call that is tried', async () => {
    const { breaker } = await halfOpen({ halfOpenRequests: 1 });
    const aborter = new AbortController();
    const call = breaker.call((attempt) => neverEnding(attempt), { signal: aborter.signal });
    aborter.abort('gone');
    await assert.rejects(call, (error) => error === 'gone');
    assert.equal(breaker.getState(), 'half_open');
    await succeed(breaker);
    assert.equal(breaker.getState(), 'closed');
  });

  it('leaves nothing at a signal that lives on', async () => {
    const { breaker } = makeBreaker({});
    const { signal } = new AbortController();
    let listeners = 0;
    signal.addEventListener = () => (listeners += 1);
    signal.removeEventListener = () => (listeners -= 1);
    await breaker.call(() => 1, { signal });
    await assert.rejects(breaker.call(boom, { signal }));
    assert.equal(listeners, 0);
  });
});

describe('what a CircuitBreaker saves', () => {
  it('is restored, through JSON, in every state', async () => {
    const options: CircuitBreakerOptions = { failureThreshold: 3, resetTimeoutMs: 100 };
    const saver = makeBreaker(options);
    await fail(saver.breaker, 2);
    const closed = restored(saver.breaker, options);
    assert.deepEqual([closed.breaker.getState(), closed.breaker.getFailureCount()], ['closed', 2]);
    await fail(closed.breaker);
    assert.equal(closed.breaker.getState(), 'open');

    await fail(saver.breaker);
    await saver.clock.advance(30);
    const open = restored(saver.breaker, options);
    assert.deepEqual([open.breaker.getState(), open.breaker.getFailureCount()], ['open', 3]);
    await open.clock.advance(69);
    await assert.rejects(open.breaker.call(never), isCircuitOpen);
    await open.clock.advance(1);
    await succeed(open.breaker, 2);
    assert.equal(open.breaker.getState(), 'closed');

    await saver.clock.advance(70);
    await succeed(saver.breaker);
    const half = restored(saver.breaker, options);
    assert.deepEqual([half.breaker.getState(), half.breaker.getFailureCount()], ['half_open', 3]);
    await succeed(half.breaker);
    assert.equal(half.breaker.getState(), 'closed');
  });

  it('has the window of the failure rate in it', async () => {
    const options: CircuitBreakerOptions = { failureThreshold: 100, failureRate: { threshold: 0.5, windowMs: 1000, minCalls: 4 } };
    const saver = makeBreaker(options);
    await fail(saver.breaker, 2);
    await saver.clock.advance(500);
    await fail(saver.breaker);
    const { breaker } = restored(saver.breaker, options);
    await fail(breaker);
    assert.equal(breaker.getState(), 'open');

    const later = restored(saver.breaker, options);
    await later.clock.advance(500);
    await fail(later.breaker, 2);
    assert.equal(later.breaker.getState(), 'closed');
    await fail(later.breaker);
    assert.equal(later.breaker.getState(), 'open');
  });

  it('leaves the circuit open no longer than its own time-out', async () => {
    const { breaker, clock, events } = makeBreaker({ resetTimeoutMs: 10 });
    breaker.restore({ state: 'open', failures: 1, retryInMs: 1_000_000 });
    assert.deepEqual(events, ['circuit_opened api restored 1']);
    await clock.advance(10);
    await succeed(breaker);
  });

  it('makes results of calls from before the restoring count no more', async () => {
    const { breaker } = makeBreaker({ failureThreshold: 2 });
    const late = deferred<string>();
    const call = breaker.call(() => late.promise).catch(() => 'failed');
    breaker.restore({ state: 'closed', failures: 1 });
    late.reject(BOOM);
    await call;
    assert.deepEqual([breaker.getState(), breaker.getFailureCount()], ['closed', 1]);
  });

  it('leaves the circuit as it is when it is nothing that was saved', () => {
    const { breaker } = makeBreaker({});
    breaker.forceOpen();
    const broken: readonly [unknown, string][] = [
      [null, 'snapshot must be an object, got null'],
      [{ state: 'ajar', failures: 0 }, "snapshot.state must be one of 'closed', 'open', 'half_open', got \"ajar\""],
      [{ state: 'closed', failures: -1 }, 'snapshot.failures must be an integer >= 0, got -1'],
      [{ state: 'open', failures: 0 }, 'snapshot.retryInMs must be a finite number of milliseconds >= 0, got undefined'],
      [{ state: 'half_open', failures: 0, successes: 0.5 }, 'snapshot.successes must be an integer >= 0, got 0.5'],
      [{ state: 'closed', failures: 0, recent: 1 }, 'snapshot.recent must be an array, got 1'],
      [{ state: 'closed', failures: 0, recent: [1] }, 'a slice of snapshot.recent must be an object, got 1'],
    ];
    for (const [snapshot, message] of broken) {
      assert.throws(
        () => breaker.restore(JSON.parse(JSON.stringify(snapshot))),
        (error) => isVigilError(error, 'InvalidConfiguration') && error.message === message,
      );
      assert.equal(breaker.getState(), 'open');
    }
  });
});

function makeBreaker(options: CircuitBreakerOptions) {
  const clock = new VirtualClock();
  const events: string[] = [];
  const telemetry: TelemetrySink = {
    wants: () => true,
    report: (eventType: TelemetryEventType, metadata: object) => events.push(describeEvent(eventType, metadata)),
  };
  const breaker = new CircuitBreaker('api', options, { ...environment(clock), telemetry });
  return { breaker, clock, events };
}

function describeEvent(eventType: TelemetryEventType, facts: object): string {
  const { circuit, failures, because }: { circuit?: string; failures?: number; because?: string } = facts;
  return [eventType, circuit, because, failures].filter((part) => part !== undefined).join(' ');
}

function environment(clock = new VirtualClock()) {
  return { clock, log: silentLogger, telemetry: { wants: () => false, report() {} } };
}

/** A circuit that was opened by one failure and lets calls through to try. */
async function halfOpen(options: CircuitBreakerOptions) {
  const made = makeBreaker({ resetTimeoutMs: 100, ...options, failureThreshold: 1 });
  await fail(made.breaker);
  await made.clock.advance(options.resetTimeoutMs ?? 100);
  return made;
}

function restored(from: CircuitBreaker, options: CircuitBreakerOptions) {
  const made = makeBreaker(options);
  made.breaker.restore(JSON.parse(JSON.stringify(from.save())));
  return made;
}

async function fail(breaker: CircuitBreaker, times = 1): Promise<void> {
  for (let i = 0; i < times; i += 1) await assert.rejects(breaker.call(boom), (error) => error === BOOM);
}

async function succeed(breaker: CircuitBreaker, times = 1): Promise<void> {
  for (let i = 0; i < times; i += 1) assert.equal(await breaker.call(() => 'well'), 'well');
}

function boom(): never {
  throw BOOM;
}

function never(): never {
  assert.fail('it was called');
}

/** Ends only when it is given up. */
function neverEnding({ signal }: Attempt, signals: AbortSignal[] = []): Promise<never> {
  signals.push(signal);
  return new Promise(() => {});
}

function isCircuitOpen(error: unknown): boolean {
  return isVigilError(error, 'CircuitOpen');
}

function isOverdue(error: unknown): error is VigilError {
  return isVigilError(error, 'OperationTimeout');
}
