import { setTimeout as sleep } from 'node:timers/promises';
import { type Runner, runtime } from 'vigiljs';
import type { Measurement } from '../line.js';
import { Laps } from './laps.js';

/** One child, as it is made to crash. */
export interface Victim {
  readonly pid: number | undefined;
  readonly send: (message: string) => void;
}

/** How long a spare has to boot before the next crash: what is measured is not how fast spares are booted. */
export const SPARE_MS = 500;

export interface RestartOptions {
  /** Before each crash; default 0. */
  readonly pauseMs?: number;
  /** Counts from the moment in which the supervisor hears of the crash: without what the end of the old one takes. Default false. */
  readonly isFromEnd?: boolean;
}

/** From the moment in which a child is made to crash to the moment in which its supervisor hears that the successor runs. */
export async function vigilRestarts(
  count: number,
  runner: Runner,
  crash: (victim: Victim) => void,
  { pauseMs = 0, isFromEnd = false }: RestartOptions = {},
): Promise<Measurement> {
  const laps = new Laps();
  const own = runtime();
  own.telemetry.on('process_started', () => laps.arrive());
  if (isFromEnd) own.telemetry.on('process_crashed', () => laps.startNow());
  await using root = own.supervisor().child('child', runner).maxRestarts(count).build();
  await root.start();
  const address = root.address('child');
  for (let restart = 0; restart < count; restart += 1) {
    await sleep(pauseMs);
    const pid = root.inspect().children[0]?.vitals?.pid;
    await laps.run(() => crash({ pid, send: (message) => address.send(message) }));
  }
  return laps.measurement;
}

/** From outside, as the operating system does when memory runs out. */
export function killFromOutside(pid: number | undefined): void {
  if (pid === undefined) throw new Error('a process without a pid cannot be killed from outside');
  process.kill(pid, 'SIGKILL');
}
