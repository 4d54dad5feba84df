import * as vigil from 'vigiljs';

/** Milliseconds that a command waits for the counters. */
const READ_TIMEOUT_MS = 1_000;

/** How often what has happened since the counters started. */
export interface Counts {
  readonly connections: number;
  readonly requests: number;
  /** Those that the workers have done. */
  readonly jobs: number;
  /** Requests that were answered with an `ERROR` line. */
  readonly errors: number;
  readonly restarts: number;
}

const NONE: Counts = { connections: 0, requests: 0, jobs: 0, errors: 0, restarts: 0 };

const server = vigil.genServer({
  init(_args: unknown, { process: { incarnation, log } }): Counts {
    if (incarnation > 1) log.warn('the counters were restarted and begin again at 0');
    return NONE;
  },
  call: { read: (_: void, counts: Counts) => ({ reply: counts, state: counts }) },
  cast: { add: (what: keyof Counts, counts: Counts) => ({ ...counts, [what]: counts[what] + 1 }) },
});

/** Keeps the counts. They live no longer than the process: when it is restarted, they begin again at 0. */
export const counterServer: vigil.ProcessBody = server;

/** What the rest of the server does with the counters, wherever they are. */
export class Counters {
  readonly #server: vigil.ServerHandle<typeof server>;

  /** @param address - reaches whichever incarnation runs. */
  constructor(address: vigil.Sender, runtime: vigil.Runtime) {
    this.#server = runtime.serverOf(address);
    runtime.telemetry.on('supervisor_restart', () => this.count('restarts'));
  }

  count(what: keyof Counts): void {
    try {
      this.#server.cast.add(what);
    } catch {
      // They are just being restarted, or cannot keep up: no request fails because it was not counted.
    }
  }

  /** @throws {VigilError} `OperationTimeout`; what a call throws whose server has ended. */
  read(): Promise<Counts> {
    return this.#server.call.read(undefined, { timeoutMs: READ_TIMEOUT_MS });
  }
}
