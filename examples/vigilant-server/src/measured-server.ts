import { setImmediate } from 'node:timers/promises';
import * as vigil from 'vigiljs';
import { findChild } from './find-child.js';
import { POOLS, vigilantServer } from './server.js';

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
const tellPort = (message: string) => void (message.startsWith('listening') && tellParent(message));
const runtime = vigil.runtime({ log: { debug: ignore, warn: ignore, error: ignore, info: tellPort } });
const pool = POOLS.find((kind) => kind === process.argv[2]) ?? 'thread';
const app = vigilantServer(runtime, { host: '127.0.0.1', port: 0, rate: 1_000_000, clientRate: 1_000, chaos: true, trace: false, pool });
process.on('message', () => void measure().then(tellParent));
await app.run();

async function measure(): Promise<Figures> {
  // What a collection lets go of natively is released in the next turn and gone with the next collection.
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc?.();
    await setImmediate();
  }
  const { heapUsed, external } = process.memoryUsage();
  const tree = app.inspect();
  const hashers = findChild(tree, 'hashers')?.supervisor;
  return {
    memoryBytes: heapUsed + external,
    sockets: process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap').length,
    connections: findChild(tree, 'connections')?.supervisor?.childCount ?? Number.NaN,
    workers: hashers?.activeChildren ?? Number.NaN,
    restarts: hashers?.totalRestarts ?? Number.NaN,
  };
}
