import { subscribe } from 'node:diagnostics_channel';
import { readdirSync, readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

/** Threads of this process that have not exited. */
const workers = new Set<Worker>();

subscribe('worker_threads', (message) => {
  const worker = workerIn(message);
  if (worker === undefined) return;
  workers.add(worker);
  worker.once('exit', () => workers.delete(worker));
});

function workerIn(message: unknown): Worker | undefined {
  if (typeof message !== 'object' || message === null || !('worker' in message)) return undefined;
  return message.worker instanceof Worker ? message.worker : undefined;
}

/** How many worker threads run. */
export function countWorkers(): number {
  return workers.size;
}

/** Resolves when no worker thread runs any more. */
export async function noWorkers(): Promise<void> {
  await Promise.all(Array.from(workers, (worker) => new Promise<void>((resolve) => worker.once('exit', () => resolve()))));
}

/** How many threads the operating system counts in this process, those of Node itself included. */
export function countThreads(): number {
  return readdirSync('/proc/self/task').length;
}

/** A process of the machine. */
export interface Leftover {
  readonly pid: number;
  readonly parentPid: number;
  readonly group: number;
}

/** Processes that run and were started by this one, or belong to one of `groups`; a zombie does not run. Read from `/proc`. */
export function runningProcesses(groups: ReadonlySet<number>): Leftover[] {
  return readdirSync('/proc')
    .map((name) => (/^\d+$/.test(name) ? readProcess(Number(name)) : undefined))
    .filter((found) => found !== undefined)
    .filter(({ parentPid, group }) => parentPid === process.pid || groups.has(group));
}

/** The command line of a process; empty when it has ended. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

function readProcess(pid: number): Leftover | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, parentPid, group] = line.slice(line.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' || state === 'X' ? undefined : { pid, parentPid: Number(parentPid), group: Number(group) };
  } catch {
    // It has ended meanwhile.
    return undefined;
  }
}
