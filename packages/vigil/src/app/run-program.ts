import { checkDuration, type ExitReason, type Logger } from '../core/index.js';
import type { ShutdownManager } from './shutdown-manager.js';

/** What is run: something that starts and tells when it has ended. */
export interface Program {
  readonly exited: Promise<ExitReason>;
  start(): Promise<void>;
}

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
export async function runProgram(program: Program, shutdownManager: ShutdownManager, log: Logger, graceMs?: number): Promise<void> {
  if (graceMs !== undefined) checkDuration('graceMs', graceMs);
  const interruption = awaitInterruption(log);
  const exitCode = await Promise.race([interruption, endOf(program, log)]);
  const report = await shutdownManager.shutdown({ timeoutMs: graceMs });
  process.exit(report.unfinished > 0 || report.failures.length > 0 ? 1 : exitCode);
}

/** Resolves with the exit code when somebody or something outside the program ends it. */
function awaitInterruption(log: Logger): Promise<number> {
  return new Promise((resolve) => {
    let isInterrupted = false;
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        if (isInterrupted) process.exit(128 + SIGNAL_NUMBERS[signal]);
        isInterrupted = true;
        resolve(0);
      });
    }
    process.on('uncaughtException', (error) => {
      log.error('an exception came from no process of the tree: shutting down', error);
      resolve(1);
    });
  });
}

/** Resolves with the exit code when the program ends by itself, or does not start. */
async function endOf(program: Program, log: Logger): Promise<number> {
  try {
    await program.start();
  } catch (error) {
    log.error('the program did not start', error);
    return 1;
  }
  const reason = await program.exited;
  return reason.kind === 'shutdown' && reason.info === undefined ? 0 : 1;
}
