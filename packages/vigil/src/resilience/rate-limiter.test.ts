import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isVigilError, type VigilErrorCode } from '../core/index.js';
import { VirtualClock } from '../testing/index.js';
import { KeyedRateLimiter, type KeyedRateLimiterOptions } from './keyed-rate-limiter.js';
import { RateLimiter, type RateLimiterOptions } from './rate-limiter.js';

function limiterOf(rate: number | RateLimiterOptions): { readonly limiter: RateLimiter; readonly clock: VirtualClock } {
  const clock = new VirtualClock();
  return { limiter: new RateLimiter(rate, { clock }), clock };
}

function drain(limiter: RateLimiter): number {
  let taken = 0;
  while (limiter.allow()) taken += 1;
  return taken;
}

describe('RateLimiter', () => {
  it('RL-02: fills all the time, and never beyond the burst', async () => {
    const { limiter, clock } = limiterOf(10);
    assert.equal(drain(limiter), 10);
    await clock.advance(99);
    assert.equal(limiter.available(), 0);
    await clock.advance(1);
    assert.equal(limiter.available(), 1);
    await clock.advance(900);
    assert.equal(limiter.available(), 10);
    await clock.advance(60_000);
    assert.equal(drain(limiter), 10);
  });

  it('RL-02: is exact at any time of the clock, and for rates that are no whole numbers', async () => {
    const { limiter, clock } = limiterOf({ perSecond: 0.3, burst: 2 });
    await clock.advance(1234.5678);
    assert.equal(drain(limiter), 2);
    await clock.advance(3333.3);
    assert.ok(!limiter.allow());
    await clock.advance(0.1);
    assert.ok(limiter.allow());
  });

  it('RL-04: takes several tokens or none', () => {
    const { limiter } = limiterOf({ perSecond: 10, burst: 5 });
    assert.ok(limiter.allow(3));
    assert.ok(!limiter.allow(3));
    assert.equal(limiter.available(), 2);
    assert.ok(limiter.allow(2));
    assert.ok(limiter.allow(0));
    limiter.reset();
    assert.ok(!limiter.allow(6));
    assert.equal(limiter.available(), 5);
  });

  it('RL-05: looks without taking, with what has come until now, and is full after a reset', async () => {
    const { limiter, clock } = limiterOf(10);
    limiter.allow(10);
    await clock.advance(300);
    assert.deepEqual([limiter.available(), limiter.available()], [3, 3]);
    limiter.reset();
    assert.equal(limiter.available(), 10);
  });

  it('RL-06: does not go by the time of day', () => {
    const clock = new VirtualClock();
    let wallTime = 1_000_000;
    const limiter = new RateLimiter(10, { clock: Object.assign(clock, { wallTime: () => wallTime }) });
    drain(limiter);
    wallTime += 3_600_000;
    assert.ok(!limiter.allow());
    wallTime -= 7_200_000;
    assert.equal(limiter.available(), 0);
  });

  it('serves those who wait in the order in which they came, however few a later one wants', async () => {
    const { limiter, clock } = limiterOf(10);
    limiter.allow(10);
    const served: string[] = [];
    const waits = [
      ['many', 5],
      ['one', 1],
    ] as const;
    for (const [name, tokens] of waits) void limiter.wait(tokens).then(() => served.push(name));
    await clock.advance(499);
    assert.deepEqual([served, limiter.waiting], [[], 2]);
    assert.ok(!limiter.allow(), 'it is the turn of those who wait');
    await clock.advance(1);
    assert.deepEqual(served, ['many']);
    await clock.advance(100);
    assert.deepEqual(served, ['many', 'one']);
  });

  it('lets the next one come when the first gives up', async () => {
    const { limiter, clock } = limiterOf(10);
    limiter.allow(10);
    const abort = new AbortController();
    const first = assert.rejects(limiter.wait(10, { signal: abort.signal }), { name: 'AbortError' });
    const second = limiter.wait(1);
    await clock.advance(100);
    abort.abort();
    await first;
    await second;
    assert.equal(limiter.available(), 0);
  });

  it('gives up with RateLimitExceeded at the end of its time, and takes nothing', async () => {
    const { limiter, clock } = limiterOf(10);
    limiter.allow(10);
    const timedOut = assert.rejects(limiter.wait(5, { timeoutMs: 200 }), withCode('RateLimitExceeded'));
    await clock.advance(200);
    await timedOut;
    assert.equal(limiter.available(), 2);
  });

  it('serves at once who waits when it is reset', async () => {
    const { limiter } = limiterOf(10);
    limiter.allow(10);
    const waiting = limiter.wait(10);
    limiter.reset();
    await waiting;
    assert.equal(limiter.available(), 0);
  });

  it('refuses what is no rate, no burst and no number of tokens', async () => {
    for (const rate of [0, -1, Number.NaN, Infinity, {}, { perSecond: '1' }, { perSecond: 1, burst: 0 }, null]) {
      // @ts-expect-error some are none
      assert.throws(() => limiterOf(rate), withCode('InvalidConfiguration'));
    }
    const { limiter } = limiterOf(10);
    for (const tokens of [-1, 0.5, Number.NaN]) {
      assert.throws(() => limiter.allow(tokens), withCode('InvalidConfiguration'));
      await assert.rejects(limiter.wait(tokens), withCode('InvalidConfiguration'));
    }
    await assert.rejects(limiter.wait(11), withCode('InvalidConfiguration'));
    await assert.rejects(limiter.wait(1, { timeoutMs: -1 }), withCode('InvalidConfiguration'));
  });

  it('does what a bucket does that is filled at every instant', async () => {
    const steps = fc.array(fc.oneof(fc.record({ takes: fc.nat(6) }), fc.record({ afterMs: fc.nat(500) })), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 10 }), steps, async (perSecond, burst, history) => {
        const { limiter, clock } = limiterOf({ perSecond, burst });
        // In thousandths, of which a whole number comes in each millisecond.
        let thousandths = burst * 1000;
        for (const step of history) {
          if ('afterMs' in step) {
            await clock.advance(step.afterMs);
            thousandths = Math.min(thousandths + step.afterMs * perSecond, burst * 1000);
          } else {
            const isAllowed = thousandths >= step.takes * 1000;
            assert.equal(limiter.allow(step.takes), isAllowed);
            if (isAllowed) thousandths -= step.takes * 1000;
          }
          assert.equal(limiter.available(), Math.floor(thousandths / 1000));
        }
      }),
    );
  });
});

describe('KeyedRateLimiter', () => {
  function keyedOf(options: KeyedRateLimiterOptions): { readonly limiter: KeyedRateLimiter; readonly clock: VirtualClock } {
    const clock = new VirtualClock();
    return { limiter: new KeyedRateLimiter(options, { clock }), clock };
  }

  it('has a bucket for each key', async () => {
    const { limiter, clock } = keyedOf({ perSecond: 2 });
    assert.deepEqual([limiter.allow('a'), limiter.allow('a'), limiter.allow('a'), limiter.allow('b')], [true, true, false, true]);
    assert.deepEqual([limiter.available('a'), limiter.available('b'), limiter.available('c')], [0, 1, 2]);
    await clock.advance(500);
    assert.equal(limiter.available('a'), 1);
    limiter.reset('a');
    assert.equal(limiter.available('a'), 2);
    limiter.reset();
    assert.deepEqual([limiter.available('b'), limiter.size], [2, 0]);
  });

  it('forgets keys whose bucket is full again', async () => {
    const { limiter, clock } = keyedOf({ perSecond: 10 });
    for (let key = 0; key < 100; key += 1) limiter.allow(`key ${key}`);
    assert.equal(limiter.size, 100);
    await clock.advance(100);
    limiter.allow('another');
    assert.equal(limiter.size, 1);
  });

  it('remembers no more keys than it may, those that were used last', () => {
    const { limiter } = keyedOf({ perSecond: 1, maxKeys: 3 });
    for (const key of ['a', 'b', 'c']) limiter.allow(key);
    limiter.allow('a');
    limiter.allow('d');
    assert.equal(limiter.size, 3);
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map((key) => limiter.available(key)),
      [0, 1, 0, 0],
    );
  });

  it('refuses what is no key and no options', () => {
    const { limiter } = keyedOf({ perSecond: 1 });
    assert.throws(() => limiter.allow(''), withCode('InvalidConfiguration'));
    assert.throws(() => limiter.allow('a', 0.5), withCode('InvalidConfiguration'));
    assert.throws(() => keyedOf({ perSecond: 1, maxKeys: 0 }), withCode('InvalidConfiguration'));
  });
});

function withCode(code: VigilErrorCode): (error: unknown) => boolean {
  return (error) => isVigilError(error, code);
}
