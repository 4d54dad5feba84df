import type { Clock } from '../core/index.js';

/** Between two looks, in milliseconds: queues in other threads empty without a word. */
const LOOK_EVERY_MS = 5;

/** Waits until a question is answered with yes. @returns false when the time was over first. */
export function waitUntil(isDone: () => boolean, timeoutMs: number, clock: Clock): Promise<boolean> {
  const deadlineMs = clock.now() + timeoutMs;
  return new Promise((resolve) => {
    const look = (): void => {
      if (isDone()) return resolve(true);
      const leftMs = deadlineMs - clock.now();
      if (leftMs <= 0) return resolve(false);
      clock.after(Math.min(LOOK_EVERY_MS, leftMs), look, { keepAlive: true });
    };
    look();
  });
}
