/**
 * A program of its own for tests of what happens when Vigil's own process dies, ends or is in trouble: `node host.suite.js KIND DEED`. It
 * supervises one child and tells its parent, over the channel of `fork`, what that says. Told `stop`, it stops its supervisor and says `stopped`; told
 * `suspend`, it suspends the child; told anything else, it says that back.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, fork as forkProgram, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { runtime } from '../../app/index.js';
import { fork } from '../fork/fork-runner.js';
import { descendants, eventually, runs } from '../os/programs.suite.js';
import type { Runner } from '../runner.js';
import { thread } from '../thread/thread-runner.js';
import { type Deed, deedModule, isDeed } from './deeds.suite.js';

const PROGRAM = fileURLToPath(import.meta.url);

export interface HostOptions {
  /** Default: it is read by nobody and goes nowhere. */
  readonly stdout?: 'pipe' | 'ignore';
  readonly keepAlive?: boolean;
}

/** Such a program, as its parent sees it. */
export class Host {
  readonly program: ChildProcess;
  readonly #heard: unknown[] = [];
  #tell: (() => void) | undefined;

  constructor(kind: 'thread' | 'fork', deed: Deed, { stdout = 'ignore', keepAlive = true }: HostOptions = {}) {
    const stdio: StdioOptions = ['ignore', stdout, 'inherit', 'ipc'];
    this.program = forkProgram(PROGRAM, [kind, deed, String(keepAlive)], { stdio, execArgv: [] });
    this.program.on('message', (message) => {
      this.#heard.push(message);
      this.#tell?.();
    });
  }

  /** What its child says next. */
  async heard(): Promise<unknown> {
    while (this.#heard.length === 0) await new Promise<void>((resolve) => (this.#tell = resolve));
    return this.#heard.shift();
  }

  async heardThat(expected: unknown): Promise<void> {
    while ((await this.heard()) !== expected);
  }

  /** What runs below it when its supervisor has started. */
  async descendantsAtStart(): Promise<number[]> {
    await this.heardThat('started');
    return descendants(this.program.pid);
  }

  say(what: string): void {
    this.program.send(what);
  }

  /** The exit code, or the signal that ended it. */
  async ended(): Promise<unknown> {
    if (this.program.exitCode === null && this.program.signalCode === null) await once(this.program, 'exit');
    return this.program.exitCode ?? this.program.signalCode;
  }
}

/** A child that writes more than anybody reads harms nobody and can be stopped; what it wrote is written before Node ends. */
export async function assertSurvivesFlood(host: Host): Promise<void> {
  const { stdout } = host.program;
  await host.heardThat('entered');
  if (stdout === null) await host.heardThat('flooded');
  else await once(stdout, 'readable');
  host.say('still there?');
  await host.heardThat('still there?');
  host.say('stop');
  await host.heardThat('stopped');
  stdout?.resume();
  assert.equal(await host.ended(), 0);
}

/** When its supervisor has stopped nothing is left, and Node ends by itself. */
export async function assertLetsGo(host: Host): Promise<void> {
  await host.heardThat('entered');
  const all = descendants(host.program.pid);
  host.say('stop');
  await host.heardThat('stopped');
  assert.equal(await host.ended(), 0);
  await eventually(() => !all.some(runs));
}

if (process.argv[1] === PROGRAM) void main(process.argv[2], process.argv[3], process.argv[4]);

async function main(kind: string | undefined, deed: string | undefined, keepAlive: string | undefined): Promise<void> {
  const here = runtime();
  const observer = here.inbox();
  here.registry.register('observer', observer);
  const supervisor = here
    .supervisor()
    .keepAlive(keepAlive === 'true')
    .child('victim', runnerOf(kind, isDeed(deed) ? deed : 'obeys'), { shutdownTimeoutMs: 50, startTimeoutMs: 5000 })
    .build();
  process.on('message', (order) => {
    if (order === 'stop') void supervisor.stop().then(() => process.send?.('stopped', () => observer.close()));
    else if (order === 'suspend') void supervisor.suspendChild('victim').then(() => process.send?.('suspended'));
    else process.send?.(order);
  });
  // Its parent is not what keeps it alive.
  process.channel?.unref();
  await supervisor.start();
  process.send?.('started');
  for await (const { payload } of observer) process.send?.(payload);
}

function runnerOf(kind: string | undefined, deed: Deed): Runner {
  return kind === 'fork' ? fork(deedModule(deed)) : thread(deedModule(deed));
}
