import { checkName, checkObject, checkOr, guardedLogger, type Logger, silentLogger } from '../core/index.js';

export interface RegistryOptions {
  /** What its changes call it; default `'registry'`. */
  readonly name?: string | undefined;
  /** Hears of callbacks that throw; default: nobody does. */
  readonly log?: Logger | undefined;
}

export function checkRegistryOptions(options: RegistryOptions): { readonly name: string; readonly log: Logger } {
  checkObject('registry options', options);
  const { name, log = silentLogger } = options;
  return { name: checkOr(checkName, 'name', name, 'registry'), log: log === silentLogger ? log : guardedLogger(log) };
}
