import { fork as bareFork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { fork, type Runner } from 'vigiljs';
import type { Line, Measurement } from '../line.js';
import { bareRestarts } from './bare-restarts.js';
import { killFromOutside, type RestartOptions, SPARE_MS, vigilRestarts } from './vigil-restarts.js';

const BODY = new URL('../modules/idle.js', import.meta.url);
const BARE = fileURLToPath(new URL('../modules/idle-fork.js', import.meta.url));

const cold = { name: 'bare child_process.fork, when the old one has exited', measure: bare };

export const forkRestartWithSpare: Line = {
  name: 'fork crash to restart, warm spare',
  item: 'restart',
  unit: 'ns',
  count: 10,
  contestants: [
    { name: 'Vigil: fork(…, { spares: 1 })', measure: (count) => vigil(count, fork(BODY, { spares: 1 }), { pauseMs: SPARE_MS }) },
    cold,
  ],
};

/** From SIGKILL to the successor's first word, beside what the operating system and Node take for it. */
export const forkRestart: Line = {
  name: 'fork crash to restart, no spare',
  item: 'restart',
  unit: 'ns',
  count: 10,
  contestants: [{ name: 'Vigil: fork(…)', measure: (count) => vigil(count, fork(BODY)) }, cold],
};

function vigil(count: number, runner: Runner, options?: RestartOptions): Promise<Measurement> {
  return vigilRestarts(count, runner, ({ pid }) => killFromOutside(pid), options);
}

function bare(count: number): Promise<Measurement> {
  return bareRestarts(count, (onRunning) => bareFork(BARE).on('message', onRunning));
}
