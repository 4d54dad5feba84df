import type { Cancel } from './clock.js';
import type { Logger } from './logger.js';
import { checkFunction } from './validation.js';

const checkCallback = checkFunction<() => void>();

/** Who wants to hear of an end, in the order of asking. Each is called at most once, and a throw keeps nobody from the news. */
export class CloseCallbacks<News = void> {
  readonly #waiting = new Set<(news: News) => void>();

  add(callback: (news: News) => void): Cancel {
    checkCallback('callback', callback);
    // Of its own, so that one callback can be added twice.
    const entry = (news: News) => callback(news);
    this.#waiting.add(entry);
    return () => this.#waiting.delete(entry);
  }

  /** @param whose - who has ended, for the log entry about a callback that throws. */
  callAll(news: News, whose: string, log: Logger): void {
    for (const callback of this.#waiting) {
      this.#waiting.delete(callback);
      try {
        callback(news);
      } catch (error) {
        log.error(`a callback for the end of ${whose} failed`, error);
      }
    }
  }
}
