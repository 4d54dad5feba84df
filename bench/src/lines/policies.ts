import Bottleneck from 'bottleneck';
import * as cockatiel from 'cockatiel';
import Opossum from 'opossum';
import pRetry from 'p-retry';
import { Bulkhead, CircuitBreaker, hedge, policy, RateLimiter, retry, timeout } from 'vigiljs';
import { type Line, type Measurement, timed } from '../line.js';

const TIMEOUT_MS = 60_000;
const PLACES = 10;
/** Calls that are made at once. */
const BURST = 100;
/** More than anybody takes. */
const PER_SECOND = 1e9;

/** Retry, circuit breaker, bulkhead and time-out around work that goes well: what they cost when nothing is wrong. */
export const policyComposed: Line = {
  name: 'retry, breaker, bulkhead and time-out, success',
  item: 'call',
  unit: 'ns',
  count: 200_000,
  contestants: [
    { name: 'Vigil: policy(timeout, retry, breaker, bulkhead)', measure: (count) => succeeded(count, vigilComposed()) },
    { name: 'cockatiel: wrap(timeout, retry, breaker, bulkhead)', measure: (count) => succeeded(count, cockatielComposed()) },
    { name: 'opossum with timeout and capacity, in p-retry', measure: opossumComposed },
  ],
};

/** One pattern at a time. */
export const policyTimeout: Line = {
  name: 'time-out that does not happen',
  item: 'call',
  unit: 'ns',
  count: 200_000,
  contestants: [
    { name: 'Vigil: policy(timeout)', measure: (count) => succeeded(count, vigilTimeout()) },
    { name: 'cockatiel: timeout', measure: (count) => succeeded(count, cockatielTimeout()) },
    { name: 'opossum with timeout', measure: opossumTimeout },
  ],
};

export const policyRetry: Line = {
  name: 'retry that is not needed',
  item: 'call',
  unit: 'ns',
  count: 300_000,
  contestants: [
    { name: 'Vigil: policy(retry)', measure: (count) => succeeded(count, vigilRetry()) },
    { name: 'cockatiel: retry', measure: (count) => succeeded(count, cockatielRetry()) },
    { name: 'p-retry', measure: (count) => succeeded(count, () => pRetry(work, { retries: 2 })) },
  ],
};

export const policyBulkhead: Line = {
  name: 'bulkhead with room',
  item: 'call',
  unit: 'ns',
  count: 300_000,
  contestants: [
    { name: 'Vigil: bulkhead.call', measure: (count) => succeeded(count, vigilBulkhead()) },
    { name: 'cockatiel: bulkhead', measure: (count) => succeeded(count, cockatielBulkhead()) },
  ],
};

/** Bounded in how many at a time and in how many a second, neither of which is reached. In bursts: bottleneck gives each call a timer of its own. */
export const policyLimited: Line = {
  name: 'bulkhead with room, under a rate limit',
  item: 'call',
  unit: 'ns',
  count: 1_000,
  contestants: [
    { name: 'Vigil: policy(limiter, bulkhead)', measure: (count) => succeededInBursts(count, vigilLimited()) },
    { name: 'bottleneck: schedule', measure: (count) => succeededInBursts(count, bottleneckLimited()) },
  ],
};

/** No peer has hedges. */
export const policyHedge: Line = {
  name: 'hedge that is not needed',
  item: 'call',
  unit: 'ns',
  count: 200_000,
  contestants: [{ name: 'Vigil: policy(hedge)', measure: (count) => succeeded(count, vigilHedge()) }],
};

type Call = () => Promise<number>;

async function work(): Promise<number> {
  return 1;
}

function vigilComposed(): Call {
  const breaker = new CircuitBreaker('bench');
  const bulkhead = new Bulkhead('bench', { maxConcurrent: PLACES });
  const guarded = policy(timeout(TIMEOUT_MS), retry({ maxAttempts: 3 }), breaker, bulkhead);
  return () => guarded(work);
}

function cockatielComposed(): Call {
  const guarded = cockatiel.wrap(
    cockatiel.timeout(TIMEOUT_MS, cockatiel.TimeoutStrategy.Aggressive),
    cockatiel.retry(cockatiel.handleAll, { maxAttempts: 2 }),
    cockatiel.circuitBreaker(cockatiel.handleAll, { halfOpenAfter: 30_000, breaker: new cockatiel.ConsecutiveBreaker(5) }),
    cockatiel.bulkhead(PLACES),
  );
  return () => guarded.execute(work);
}

async function opossumComposed(count: number): Promise<Measurement> {
  const breaker = new Opossum(work, { timeout: TIMEOUT_MS, capacity: PLACES });
  const measurement = await succeeded(count, () => pRetry(() => breaker.fire(), { retries: 2 }));
  breaker.shutdown();
  return measurement;
}

function vigilTimeout(): Call {
  const guarded = policy(timeout(TIMEOUT_MS));
  return () => guarded(work);
}

function cockatielTimeout(): Call {
  const guarded = cockatiel.timeout(TIMEOUT_MS, cockatiel.TimeoutStrategy.Aggressive);
  return () => guarded.execute(work);
}

async function opossumTimeout(count: number): Promise<Measurement> {
  const breaker = new Opossum(work, { timeout: TIMEOUT_MS });
  const measurement = await succeeded(count, () => breaker.fire());
  breaker.shutdown();
  return measurement;
}

function vigilRetry(): Call {
  const guarded = policy(retry({ maxAttempts: 3 }));
  return () => guarded(work);
}

function cockatielRetry(): Call {
  const guarded = cockatiel.retry(cockatiel.handleAll, { maxAttempts: 2 });
  return () => guarded.execute(work);
}

function vigilBulkhead(): Call {
  const bulkhead = new Bulkhead('bench', { maxConcurrent: PLACES });
  return () => bulkhead.call(work);
}

function cockatielBulkhead(): Call {
  const bulkhead = cockatiel.bulkhead(PLACES);
  return () => bulkhead.execute(work);
}

function vigilLimited(): Call {
  const guarded = policy(new RateLimiter(PER_SECOND), new Bulkhead('bench', { maxConcurrent: BURST }));
  return () => guarded(work);
}

function bottleneckLimited(): Call {
  const limiter = new Bottleneck({ maxConcurrent: BURST, reservoir: PER_SECOND });
  return () => limiter.schedule(work);
}

function vigilHedge(): Call {
  const guarded = policy(hedge({ delayMs: TIMEOUT_MS }));
  return () => guarded(work);
}

async function succeededInBursts(count: number, call: Call): Promise<Measurement> {
  return timed(async () => {
    let handled = 0;
    while (handled < count) handled += (await Promise.all(Array.from({ length: BURST }, call))).length;
    return handled;
  });
}

async function succeeded(count: number, call: Call): Promise<Measurement> {
  return timed(async () => {
    let handled = 0;
    for (let index = 0; index < count; index += 1) handled += await call();
    return handled;
  });
}
