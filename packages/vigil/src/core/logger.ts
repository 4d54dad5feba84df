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

/** A logger that writes nothing. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
