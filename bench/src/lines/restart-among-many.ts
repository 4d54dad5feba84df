import { dynamicSupervisor, type ProcessContext } from 'vigiljs';
import { type Line, type Measurement, timed } from '../line.js';

/** Children crash and are restarted among more and more that do not: what one costs must not grow with their number. */
export const restartAmongMany: Line = {
  name: 'restart among many children',
  item: 'restart',
  unit: 'ns',
  count: 10_000,
  contestants: [
    { name: 'among 1,000', measure: (count) => restartsAmong(1_000, count) },
    { name: 'among 10,000', measure: (count) => restartsAmong(10_000, count) },
    { name: 'among 100,000', measure: (count) => restartsAmong(100_000, count) },
  ],
};

/** Children that crash together, each of them another one. */
const CRASHES_PER_WAVE = 100;

async function restartsAmong(children: number, count: number): Promise<Measurement> {
  const crashes: ((error: Error) => void)[] = [];
  let entered = 0;
  let isBack: (() => void) | undefined;
  const startFn = ({ args: number, stopped }: ProcessContext<never, number>) =>
    new Promise<void>((resolve, reject) => {
      crashes[number] = reject;
      void stopped.then(resolve);
      entered += 1;
      if (entered % CRASHES_PER_WAVE === 0) isBack?.();
    });
  await using many = dynamicSupervisor({ startFn }, { maxRestarts: count, maxSeconds: 3600 });
  await many.start();
  for (let number = 0; number < children; number += 1) await many.startChild(number);

  return await timed(async () => {
    for (let crash = 0; crash < count; ) {
      const wave = new Promise<void>((resolve) => {
        isBack = resolve;
      });
      // A stride that meets every child once before it meets one twice.
      for (const end = crash + CRASHES_PER_WAVE; crash < end; crash += 1) crashes[(crash * 7_919) % children]?.(new Error('crash'));
      await wave;
    }
    return entered - children;
  });
}
