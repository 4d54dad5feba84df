import { checkMethods } from './validation.js';

/**
 * Where a runtime writes what a person should read. `console` and a `pino` logger satisfy it.
 *
 * The first argument is the sentence, the second, when there is one, the error or the facts behind it.
 */
export interface Logger {
  debug(message: string, details?: unknown): void;
  info(message: string, details?: unknown): void;
  warn(message: string, details?: unknown): void;
  error(message: string, details?: unknown): void;
}

/**
 * A user's logger, checked, whose throws are lost: a broken log must not break what it reports on.
 *
 * @throws {VigilError} `InvalidConfiguration` when a method is missing.
 */
export function guardedLogger(log: Logger): Logger {
  checkMethods('log', log, ['debug', 'info', 'warn', 'error']);
  const guarded = (level: keyof Logger) => (message: string, details?: unknown) => {
    try {
      if (details === undefined) log[level](message);
      else log[level](message, details);
    } catch {
      // There is no better place left to report this to.
    }
  };
  return { debug: guarded('debug'), info: guarded('info'), warn: guarded('warn'), error: guarded('error') };
}

/** A logger that writes nothing. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
