import { checkDuration, checkFunction, checkObject, type ExitReason, type Logger, optional } from '../core/index.js';
import type { ShutdownManager } from './shutdown-manager.js';

/** What is run: something that starts and tells when it has ended. */
export interface Program {
  readonly exited: Promise<ExitReason>;
  start(): Promise<void>;
}

/** What ended the program. */
interface End {
  readonly exitCode: number;
  readonly startError?: unknown;
}

export interface RunOptions {
  /** Milliseconds that the shutdown may take; default 30,000. */
  readonly graceMs?: number | undefined;
  /** Called once the tree stands. */
  readonly onStarted?: (() => void) | undefined;
}

const checkOnStarted = optional(checkFunction<() => void>());

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const SIGNAL_NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const;

/**
 * Runs a program as this Node process: the one place of the library that handles signals and ends Node.
 *
 *     start ──▶ wait for a signal, the program's end, or an uncaught exception ──▶ shutdown hooks ──▶ exit
 *        └──── failed ──────────────────────────────────────────────────────────────▲
 *
 * Whatever comes first decides the exit code. A second signal does not wait for anything.
 */
export async function runProgram(program: Program, shutdownManager: ShutdownManager, log: Logger, options: RunOptions): Promise<void> {
  checkObject('run options', options);
  const graceMs = optional(checkDuration)('graceMs', options.graceMs);
  const onStarted = checkOnStarted('onStarted', options.onStarted);
  const interruption = awaitInterruption(log);
  const { exitCode, startError } = await Promise.race([interruption, endOf(program, onStarted)]);
  // Logged only here: a start that a signal has cut short did not fail.
  if (startError !== undefined) log.error('the program did not start', startError);
  const report = await shutdownManager.shutdown({ timeoutMs: graceMs });
  const isComplete = report.unfinished === 0 && report.failures.length === 0;
  if (!isComplete) log.error('the shutdown was not complete', report);
  process.exit(isComplete ? exitCode : 1);
}

/** Resolves when somebody or something outside the program ends it. */
function awaitInterruption(log: Logger): Promise<End> {
  return new Promise((resolve) => {
    let isInterrupted = false;
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        if (isInterrupted) process.exit(128 + SIGNAL_NUMBERS[signal]);
        isInterrupted = true;
        resolve({ exitCode: 0 });
      });
    }
    process.on('uncaughtException', (error) => {
      log.error('an exception came from no process of the tree: shutting down', error);
      resolve({ exitCode: 1 });
    });
  });
}

/** Resolves when the program ends by itself, or does not start. */
async function endOf(program: Program, onStarted: (() => void) | undefined): Promise<End> {
  try {
    await program.start();
    onStarted?.();
  } catch (startError) {
    return { exitCode: 1, startError };
  }
  const reason = await program.exited;
  return { exitCode: reason.kind === 'shutdown' && reason.info === undefined ? 0 : 1 };
}
