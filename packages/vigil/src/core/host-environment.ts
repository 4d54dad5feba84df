import type { Environment } from './environment.js';

let left: Environment | undefined;

/**
 * Leaves the environment of the application in the thread or Node process that runs a module for it, before the module is imported, so
 * that the default runtime there is made of it. Only the entries of threads and forks do so, once.
 */
export function leaveHostEnvironment(environment: Environment): void {
  left = environment;
}

/** What was left here; `undefined` where the application itself runs. */
export function hostEnvironment(): Environment | undefined {
  return left;
}
