import type { GrowingDelay } from '../core/index.js';

/**
 * How long a supervisor waits before it restarts a child: `initialMs` before the first restart, `multiplier` times as long before
 * each further one, never longer than `maxMs`. A child that ran for `maxMs` or longer begins anew.
 */
export type RestartDelay = GrowingDelay;
