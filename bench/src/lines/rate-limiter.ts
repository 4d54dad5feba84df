import { RateLimiter as TokenBucket } from 'limiter';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { KeyedRateLimiter, RateLimiter } from 'vigiljs';
import { type Line, timed } from '../line.js';

/** More than anybody takes. */
const PER_SECOND = 1e9;

/** What it costs to be allowed. */
export const rateLimiter: Line = {
  name: 'rate limiter, allow',
  item: 'question',
  unit: 'ns',
  count: 500_000,
  contestants: [
    { name: 'Vigil: limiter.allow', measure: vigil },
    { name: 'Vigil: KeyedRateLimiter, allow(key)', isVariant: true, measure: keyed },
    { name: 'limiter: tryRemoveTokens', measure: limiter },
    { name: 'rate-limiter-flexible: await consume', measure: flexible },
  ],
};

async function vigil(count: number) {
  const limit = new RateLimiter(PER_SECOND);
  return timed(() => allowed(count, () => limit.allow()));
}

async function keyed(count: number) {
  const limit = new KeyedRateLimiter({ perSecond: PER_SECOND });
  return timed(() => allowed(count, () => limit.allow('key')));
}

async function limiter(count: number) {
  const limit = new TokenBucket({ tokensPerInterval: PER_SECOND, interval: 'second' });
  return timed(() => allowed(count, () => limit.tryRemoveTokens(1)));
}

async function flexible(count: number) {
  const limit = new RateLimiterMemory({ points: PER_SECOND, duration: 1 });
  return timed(async () => {
    let handled = 0;
    for (let asked = 0; asked < count; asked += 1) if ((await limit.consume('key')).remainingPoints > 0) handled += 1;
    return handled;
  });
}

function allowed(count: number, ask: () => boolean): number {
  let handled = 0;
  for (let asked = 0; asked < count; asked += 1) if (ask()) handled += 1;
  return handled;
}
