import { type ChildProcess, spawn } from 'node:child_process';
import { command } from 'vigiljs';
import type { Contestant, Line } from '../line.js';
import { bareRestarts } from './bare-restarts.js';
import { killFromOutside, vigilRestarts } from './vigil-restarts.js';

/** A program that says that it runs, and then does nothing. It ends by itself, should the benchmark be killed. */
type Program = readonly [file: string, args: readonly string[]];

/** The smallest there is: two milliseconds. */
const SHELL: Program = ['sh', ['-c', 'echo running; exec sleep 600']];

/** One of a size that people write. */
const NODE: Program = [process.execPath, ['--eval', "console.log('running'); setTimeout(() => {}, 600_000)"]];

/** From SIGKILL to the successor's first line, beside what the operating system and Node take for it. */
export const commandRestarts: readonly Line[] = [
  { name: 'command crash to restart, a shell', item: 'restart', unit: 'ns', count: 100, contestants: contestantsOf(SHELL) },
  { name: 'command crash to restart, a Node program', item: 'restart', unit: 'ns', count: 10, contestants: contestantsOf(NODE) },
];

function contestantsOf(program: Program): readonly Contestant[] {
  const runner = command(...program, { readyWhen: 'running' });
  return [
    {
      name: 'Vigil: command(…, { readyWhen })',
      measure: (count) => vigilRestarts(count, runner, ({ pid }) => killFromOutside(pid)),
    },
    {
      name: 'bare spawn, when the old one has exited',
      measure: (count) => bareRestarts(count, (onRunning) => spawned(program, onRunning)),
    },
  ];
}

function spawned([file, args]: Program, onRunning: () => void): ChildProcess {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.on('data', onRunning);
  return child;
}
