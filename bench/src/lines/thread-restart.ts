import { Worker } from 'node:worker_threads';
import { type Runner, thread } from 'vigiljs';
import type { Line, Measurement } from '../line.js';
import { Laps } from './laps.js';
import { type RestartOptions, SPARE_MS, vigilRestarts } from './vigil-restarts.js';

const BODY = new URL('../modules/crashing.js', import.meta.url);
const BARE = new URL('../modules/crashing-worker.js', import.meta.url);

const withSpare = thread(BODY, { spares: 1 });

/** What a spare saves. The end of the old thread, which both wait for, is in the third figure only. */
export const threadRestartWithSpare: Line = {
  name: 'thread restart, warm spare',
  item: 'restart',
  unit: 'ns',
  count: 10,
  contestants: [
    {
      name: 'Vigil: thread(…, { spares: 1 }), from the exit of the old one',
      measure: (count) => vigil(count, withSpare, { pauseMs: SPARE_MS, isFromEnd: true }),
    },
    { name: 'bare new Worker, from the exit of the old one', measure: (count) => bareWorker(count, true) },
    { name: 'Vigil: from before the throw', isVariant: true, measure: (count) => vigil(count, withSpare, { pauseMs: SPARE_MS }) },
  ],
};

/** From before the throw, with the end of the old thread. */
export const threadRestart: Line = {
  name: 'thread crash to restart, no spare',
  item: 'restart',
  unit: 'ns',
  count: 10,
  contestants: [
    { name: 'Vigil: thread(…)', measure: (count) => vigil(count, thread(BODY)) },
    { name: 'bare new Worker, when the old one has exited', measure: (count) => bareWorker(count, false) },
  ],
};

function vigil(count: number, runner: Runner, options?: RestartOptions): Promise<Measurement> {
  return vigilRestarts(count, runner, ({ send }) => send('crash'), options);
}

/** Somebody's own loop: when a worker has exited, the next one is made. */
async function bareWorker(count: number, isFromExit: boolean): Promise<Measurement> {
  const laps = new Laps();
  let worker: Worker | undefined;
  const boot = () => {
    if (isFromExit) laps.startNow();
    worker = new Worker(BARE);
    worker.on('message', () => laps.arrive());
    worker.on('error', () => {});
    worker.on('exit', boot);
  };
  await laps.skip(boot);
  for (let restart = 0; restart < count; restart += 1) await laps.run(() => worker?.postMessage('crash'));
  worker?.off('exit', boot);
  await worker?.terminate();
  return laps.measurement;
}
