import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import * as vigil from 'vigiljs';
import type { Figures } from './measured-server.js';
import { type ServerOptions, vigilantServer } from './server.js';

export interface TestServer extends AsyncDisposable {
  readonly port: number;
  readonly app: vigil.App;
  /** What it has told the log so far, except of crashes. */
  readonly messages: readonly string[];
}

const ignore = () => {};

export interface TestServerOptions {
  readonly chaos?: boolean;
  readonly pool?: ServerOptions['pool'];
  readonly rate?: number;
  readonly clientRate?: number;
  readonly clock?: vigil.Clock;
}

/** The server in this process, on a free port. */
export async function startServer({ clock, ...options }: TestServerOptions = {}): Promise<TestServer> {
  const messages: string[] = [];
  const keep = (message: string) => messages.push(message);
  const log = { debug: ignore, warn: keep, error: ignore, info: keep };
  const defaults = { host: '127.0.0.1', port: 0, rate: 50_000, clientRate: 1_000, chaos: false, pool: 'thread', trace: false } as const;
  const app = vigilantServer(vigil.runtime({ log, clock }), { ...defaults, ...options });
  // A clock of the test does not keep Node alive for what happens in other threads and processes.
  const letNodeEnd = vigil.runtime().clock.keepAlive();
  try {
    await app.start();
  } catch (error) {
    letNodeEnd();
    throw error;
  }
  return {
    app,
    port: portIn(messages.join('\n')),
    messages,
    async [Symbol.asyncDispose]() {
      await app.shutdown();
      letNodeEnd();
    },
  };
}

export interface TestProgram extends AsyncDisposable {
  readonly port: number;
  /** What it has written so far. */
  readonly output: () => string;
  readonly signal: (signal: NodeJS.Signals) => void;
  /** Its exit code, once it has ended. */
  readonly exitCode: Promise<number | null>;
}

/** The server as people start it. Resolves when it stands, or has failed to. */
export async function startProgram(...args: readonly string[]): Promise<TestProgram> {
  const child = spawn(process.execPath, [pathOf('./main.js'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const exitCode = exitCodeOf(child);
  await new Promise<void>((resolve) => {
    const listen = (chunk: Buffer) => {
      output += chunk.toString();
      // The last line of the tree that it prints.
      if (output.includes('└─ listener: running')) resolve();
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.once('close', () => resolve());
  });
  return {
    port: output.includes('listening') ? portIn(output) : 0,
    output: () => output,
    signal: (signal) => child.kill(signal),
    exitCode,
    [Symbol.asyncDispose]: () => endOf(child, exitCode),
  };
}

export interface MeasuredServer extends AsyncDisposable {
  readonly port: number;
  readonly signal: (signal: NodeJS.Signals) => void;
  readonly exitCode: Promise<number | null>;
  /** What it holds now, garbage collected. */
  measure(): Promise<Figures>;
}

/** The server with chaos in a process of its own that can be measured. */
export async function startMeasuredServer(pool: ServerOptions['pool'] = 'thread'): Promise<MeasuredServer> {
  const child = fork(pathOf('./measured-server.js'), [pool], { execArgv: ['--expose-gc'] });
  const exitCode = exitCodeOf(child);
  const [message] = await once(child, 'message');
  return {
    port: portIn(String(message)),
    signal: (signal) => child.kill(signal),
    exitCode,
    async measure() {
      child.send('measure');
      const [figures] = await once(child, 'message');
      return figures;
    },
    [Symbol.asyncDispose]: () => endOf(child, exitCode),
  };
}

async function exitCodeOf(child: ChildProcess): Promise<number | null> {
  const [code] = await once(child, 'exit');
  return code;
}

async function endOf(child: ChildProcess, exitCode: Promise<number | null>): Promise<void> {
  child.kill('SIGKILL');
  await exitCode;
}

function portIn(output: string): number {
  return Number(/listening on .*:(\d+)/.exec(output)?.[1]);
}

function pathOf(module: string): string {
  return fileURLToPath(new URL(module, import.meta.url));
}
