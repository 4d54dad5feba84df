import type { Runtime } from 'vigiljs';

/** What the server has done since it started. */
export class Counters {
  activeConnections = 0;
  totalConnections = 0;
  requests = 0;
  restarts = 0;
  readonly #clock: Runtime['clock'];
  readonly #startedAtMs: number;

  constructor({ clock, telemetry }: Runtime) {
    this.#clock = clock;
    this.#startedAtMs = clock.now();
    telemetry.on('supervisor_restart', () => {
      this.restarts += 1;
    });
  }

  get uptimeSeconds(): number {
    return Math.floor((this.#clock.now() - this.#startedAtMs) / 1000);
  }
}
