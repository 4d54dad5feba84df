import type { ChildProcess } from 'node:child_process';
import type { Measurement } from '../line.js';
import { Laps } from './laps.js';
import { killFromOutside } from './vigil-restarts.js';

/** What somebody would write by hand: when a process has exited, it is started again. */
export async function bareRestarts(count: number, start: (onRunning: () => void) => ChildProcess): Promise<Measurement> {
  const laps = new Laps();
  let child: ChildProcess | undefined;
  let isOver = false;
  const restart = () => {
    if (isOver) return;
    child = start(() => laps.arrive());
    child.on('exit', restart);
  };
  await laps.skip(restart);
  for (let crash = 0; crash < count; crash += 1) await laps.run(() => killFromOutside(child?.pid));
  isOver = true;
  killFromOutside(child?.pid);
  return laps.measurement;
}
