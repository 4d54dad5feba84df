import { type Cancel, type Clock, VigilError } from '../core/index.js';
import type { HealthCheck } from './child-spec.js';

/**
 * Runs a health check again and again, the next one `intervalMs` after the last answer, so that two never overlap.
 *
 * @param fail - called once, with the cause, when the check answers `false`, throws, or has not answered after `intervalMs`.
 */
export function watchHealth(check: HealthCheck, intervalMs: number, clock: Clock, fail: (error: VigilError) => void): Cancel {
  let cancelTimer: Cancel;
  let isWatching = true;

  const end = (): boolean => {
    const wasWatching = isWatching;
    isWatching = false;
    cancelTimer();
    return wasWatching;
  };
  const failWith = (text: string, cause?: unknown): void => {
    if (end()) fail(new VigilError('HealthCheckFailed', text, { cause }));
  };
  const wait = (): void => {
    cancelTimer = clock.after(intervalMs, () => void runOnce());
  };
  const runOnce = async (): Promise<void> => {
    cancelTimer = clock.after(intervalMs, () => failWith(`the health check did not answer within ${intervalMs} ms`));
    try {
      const isHealthy = await check();
      if (!isHealthy) return failWith('the health check answered false');
    } catch (error) {
      return failWith('the health check failed', error);
    }
    cancelTimer();
    if (isWatching) wait();
  };

  wait();
  return end;
}
