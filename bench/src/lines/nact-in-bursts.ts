import { dispatch, spawn, start, stop } from 'nact';
import { type Measurement, timed } from '../line.js';

/** What our inbox holds by default, and so what every contestant queues before anything is received. */
export const BATCH = 1000;

/** An actor that counts what it handles; the next burst comes when it has handled the last. */
export async function nactInBursts(count: number): Promise<Measurement> {
  const system = start();
  let handled = 0;
  let burstDone: (() => void) | undefined;
  const actor = spawn(system, (_state: undefined, order: number) => {
    if (order === handled) handled += 1;
    if (handled % BATCH === 0) burstDone?.();
    return undefined;
  });
  const measurement = await timed(async () => {
    for (let sent = 0; sent < count; sent += BATCH) {
      const burst = new Promise<void>((resolve) => {
        burstDone = resolve;
      });
      for (let index = 0; index < BATCH; index += 1) dispatch(actor, sent + index);
      await burst;
    }
    return handled;
  });
  stop(system);
  return measurement;
}
