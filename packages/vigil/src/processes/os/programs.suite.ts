import { readdirSync, readFileSync } from 'node:fs';
import { SystemClock } from '../../core/index.js';
import { isRunning, type ProcessFigures, readProcessFigures } from './process-figures.js';

/** The processes that run below `ancestor`, by default this one, however deep: what a test must not leave behind. Read from `/proc`. */
export function descendants(ancestor: number = process.pid): number[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcessFigures(Number(name)))
    .filter((figures): figures is ProcessFigures => figures !== undefined && isRunning(figures));
  const below = (pid: number): number[] =>
    all.filter(({ parentPid }) => parentPid === pid).flatMap((child) => [child.pid, ...below(child.pid)]);
  return below(ancestor);
}

/** The same without guards, which live as long as the process that they belong to. */
export function leftovers(): number[] {
  return descendants().filter((pid) => !commandLineOf(pid).includes('guard.js'));
}

function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** Whether a process of the machine runs; a zombie does not. */
export function runs(pid: number): boolean {
  const figures = readProcessFigures(pid);
  return figures !== undefined && isRunning(figures);
}

/** Waits for what tells nobody when it happens, such as the end of somebody else's process. The time-out of the test ends it. */
export async function eventually(condition: () => boolean): Promise<void> {
  const clock = new SystemClock();
  while (!condition()) await new Promise<void>((resolve) => clock.after(2, resolve, { keepAlive: true }));
}
