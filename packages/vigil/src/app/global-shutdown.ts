import { defaultRuntime } from './default-runtime.js';
import type { ShutdownManager } from './shutdown-manager.js';

export { ShutdownManager, type ShutdownHook, type ShutdownOptions, type ShutdownOrder, type ShutdownReport } from './shutdown-manager.js';

/** Makes sure that the default runtime exists and gives its manager. Calling it is never needed: kept for the reference. */
export function initGlobal(): ShutdownManager {
  return defaultRuntime().shutdownManager;
}
