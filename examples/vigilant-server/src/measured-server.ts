import { setImmediate } from 'node:timers/promises';
import * as vigil from 'vigiljs';
import { vigilantServer } from './server.js';

/** What the server holds, and how often it was repaired. */
export interface Figures {
  readonly memoryBytes: number;
  readonly sockets: number;
  readonly connections: number;
  readonly workers: number;
  readonly restarts: number;
}

// For the tests: the server in a process that they can measure.
const ignore = () => {};
const tellParent = (message: unknown) => process.send?.(message);
const runtime = vigil.runtime({ log: { debug: ignore, warn: ignore, error: ignore, info: tellParent } });
const app = vigilantServer(runtime, { host: '127.0.0.1', port: 0, chaos: true });
process.on('message', () => void measure().then(tellParent));
await app.run();

async function measure(): Promise<Figures> {
  // What a collection lets go of natively is released in the next turn and gone with the next collection.
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc?.();
    await setImmediate();
  }
  const { heapUsed, external } = process.memoryUsage();
  const [hashers, connections] = app.inspect().children;
  return {
    memoryBytes: heapUsed + external,
    sockets: process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap').length,
    connections: connections?.supervisor?.childCount ?? Number.NaN,
    workers: hashers?.supervisor?.activeChildren ?? Number.NaN,
    restarts: hashers?.supervisor?.totalRestarts ?? Number.NaN,
  };
}
