import type { ExitReason } from '../core/index.js';

/** One restart: which child asked for it, when, and why. */
export interface RestartEvent {
  /** The child that ended or was asked to restart; its group may have been restarted with it. */
  readonly id: string;
  /** Wall-clock time, in milliseconds since 1970. */
  readonly timestampMs: number;
  /** What it ended with; for a `request` what it was stopped with. */
  readonly reason: ExitReason;
  /** It ended by itself, an attempt to restart it failed, or somebody called `restartChild`. */
  readonly trigger: 'exit' | 'start_failure' | 'request';
}

const CAPACITY = 100;

/** The last hundred restarts of a supervisor, oldest first, and how many there were in all. */
export class RestartHistory {
  #events: RestartEvent[] = [];
  #total = 0;

  get total(): number {
    return this.#total;
  }

  add(event: RestartEvent): void {
    this.#total += 1;
    this.#events.push(event);
    if (this.#events.length > CAPACITY) this.#events.shift();
  }

  list(): RestartEvent[] {
    return [...this.#events];
  }
}
