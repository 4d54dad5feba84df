import { circuitBreaker, ConsecutiveBreaker, handleAll } from 'cockatiel';
import Opossum from 'opossum';
import { CircuitBreaker } from 'vigiljs';
import { type Line, type Measurement, timed } from '../line.js';

const RESET_MS = 60_000;

/** What a call costs that goes well, beyond the call itself, which the last contestant shows. */
export const breakerSuccess: Line = {
  name: 'circuit breaker, success',
  item: 'call',
  unit: 'ns',
  count: 500_000,
  contestants: [
    { name: 'Vigil: breaker.call', measure: (count) => succeeded(count, vigil({})) },
    {
      name: 'Vigil: with a failure rate',
      isVariant: true,
      measure: (count) => succeeded(count, vigil({ failureRate: { threshold: 0.5 } })),
    },
    { name: 'cockatiel: ConsecutiveBreaker, execute', measure: (count) => succeeded(count, cockatiel()) },
    { name: 'opossum: fire', measure: (count) => succeeded(count, opossum()) },
    { name: 'the bare function', isVariant: true, measure: (count) => succeeded(count, { call: work, end() {} }) },
  ],
};

/** What a refusal costs. */
export const breakerOpen: Line = {
  name: 'circuit breaker, open',
  item: 'refusal',
  unit: 'ns',
  count: 200_000,
  contestants: [
    { name: 'Vigil: breaker.call', measure: (count) => refused(count, vigil({}, true)) },
    { name: 'cockatiel: ConsecutiveBreaker, execute', measure: async (count) => refused(count, await openCockatiel()) },
    { name: 'opossum: fire', measure: (count) => refused(count, opossum(true)) },
  ],
};

interface Protected {
  readonly call: () => Promise<number>;
  /** Gives back what would keep Node alive. */
  readonly end: () => void;
}

async function work(): Promise<number> {
  return 1;
}

function vigil(options: ConstructorParameters<typeof CircuitBreaker>[1], isOpen = false): Protected {
  const breaker = new CircuitBreaker('bench', { resetTimeoutMs: RESET_MS, ...options });
  if (isOpen) breaker.forceOpen();
  return { call: () => breaker.call(work), end() {} };
}

function cockatiel(action = work): Protected {
  const breaker = circuitBreaker(handleAll, { halfOpenAfter: RESET_MS, breaker: new ConsecutiveBreaker(5) });
  return { call: () => breaker.execute(action), end() {} };
}

/** It has no way to be opened by hand that refuses as it does when it opens by itself. */
async function openCockatiel(): Promise<Protected> {
  const breaker = cockatiel(() => Promise.reject(new Error('down')));
  for (let failures = 0; failures < 5; failures += 1) await breaker.call().catch(() => {});
  return breaker;
}

function opossum(isOpen = false): Protected {
  const breaker = new Opossum(work, { timeout: false, resetTimeout: RESET_MS });
  if (isOpen) breaker.open();
  return { call: () => breaker.fire(), end: () => breaker.shutdown() };
}

async function succeeded(count: number, { call, end }: Protected): Promise<Measurement> {
  const measurement = await timed(async () => {
    let handled = 0;
    for (let index = 0; index < count; index += 1) handled += await call();
    return handled;
  });
  end();
  return measurement;
}

async function refused(count: number, { call, end }: Protected): Promise<Measurement> {
  const measurement = await timed(async () => {
    let handled = 0;
    for (let index = 0; index < count; index += 1) {
      try {
        await call();
      } catch {
        handled += 1;
      }
    }
    return handled;
  });
  end();
  return measurement;
}
