import { fork as bareFork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { command, dynamicSupervisor, fork, type Runner } from 'vigiljs';
import type { Line, Measurement } from '../line.js';

const BODY = new URL('../modules/idle.js', import.meta.url);
const BARE = fileURLToPath(new URL('../modules/idle-fork.js', import.meta.url));

const CHILDREN = 100;

/** What starting them has left to do, such as collecting garbage, is done by then. */
const SETTLING_MS = 5_000;

/** Four health checks of every child at the default interval. */
const WATCHED_MS = 20_000;

/** The share of a core that this process takes while it supervises a hundred that do nothing, health checks at their default interval. */
export const idleSupervision: Line = {
  name: `supervising ${CHILDREN} idle processes`,
  item: 'supervisor',
  unit: 'core',
  count: 1,
  freshProcesses: true,
  contestants: [
    { name: `Vigil: ${CHILDREN} forks`, measure: () => vigil(fork(BODY)) },
    { name: `Vigil: ${CHILDREN} commands`, isVariant: true, measure: () => vigil(command('sleep', ['600'])) },
    { name: `child_process.fork: ${CHILDREN}, nobody looks at them`, isVariant: true, measure: bare },
  ],
};

async function vigil(startFn: Runner): Promise<Measurement> {
  await using root = dynamicSupervisor({ startFn, shutdownTimeoutMs: 'brutal_kill' });
  await root.start();
  for (let number = 0; number < CHILDREN; number += 1) await root.startChild(undefined);
  return await idleShare(() => root.inspect().activeChildren === CHILDREN);
}

async function bare(): Promise<Measurement> {
  const children = Array.from({ length: CHILDREN }, () => bareFork(BARE));
  await Promise.all(children.map((child) => once(child, 'message')));
  const measurement = await idleShare(() => children.every((child) => child.connected));
  for (const child of children) child.kill('SIGKILL');
  return measurement;
}

async function idleShare(areAllUp: () => boolean): Promise<Measurement> {
  await sleep(SETTLING_MS);
  const before = process.cpuUsage();
  await sleep(WATCHED_MS);
  const { user, system } = process.cpuUsage(before);
  return { handled: areAllUp() ? 1 : 0, total: (user + system) / 1000 / WATCHED_MS };
}
