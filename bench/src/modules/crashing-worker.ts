/** For a bare worker: what `crashing.ts` does, without Vigil. */
import { parentPort } from 'node:worker_threads';

parentPort?.once('message', () => {
  throw new Error('crash');
});
parentPort?.postMessage('running');
