/** A thread of the soak: sends as fast as it can to the shared inbox of all, and to the own inbox of a relay, wherever that is just now. */
import type { ProcessContext } from '../process-context.js';
import type { SoakArgs } from './soak.suite.js';

export default async function producer(ctx: ProcessContext<unknown, SoakArgs>): Promise<void> {
  const { orders, relay } = ctx.args;
  for (let number = 0; ; number += 1) {
    try {
      if (number % 2 === 0) await orders.sendWait(number, { ttlMs: number % 10 === 0 ? 1 : undefined });
      else ctx.whereis(relay)?.send({ number });
    } catch {
      // The inbox of the relay is full, or the relay has just been killed.
    }
    if (number % 200 === 0) await new Promise<void>((resolve) => ctx.clock.after(1, resolve, { keepAlive: true }));
  }
}
