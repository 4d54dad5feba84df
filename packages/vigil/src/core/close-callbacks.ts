import type { Cancel } from './clock.js';
import type { Logger } from './logger.js';

/** Who wants to hear of an end, in the order of asking. Each is called at most once, and a throw keeps nobody from the news. */
export class CloseCallbacks {
  readonly #waiting = new Set<() => void>();

  add(callback: () => void): Cancel {
    // Of its own, so that one callback can be added twice.
    const entry = () => callback();
    this.#waiting.add(entry);
    return () => this.#waiting.delete(entry);
  }

  /** @param whose - who has ended, for the log entry about a callback that throws. */
  callAll(whose: string, log: Logger): void {
    for (const callback of this.#waiting) {
      this.#waiting.delete(callback);
      try {
        callback();
      } catch (error) {
        log.error(`a callback for the end of ${whose} failed`, error);
      }
    }
  }
}
