import {
  type Cancel,
  checkDuration,
  checkFunction,
  checkMethods,
  checkObject,
  checkOneOf,
  type Clock,
  guardedLogger,
  type Logger,
  silentLogger,
  SystemClock,
  settledWithin,
  VigilError,
} from '../core/index.js';

/** Cleans up; may take its time, within the deadline of the shutdown. */
export type ShutdownHook = () => void | Promise<void>;

export const SHUTDOWN_ORDERS = ['reverse', 'forward'] as const;
export type ShutdownOrder = (typeof SHUTDOWN_ORDERS)[number];

export interface ShutdownOptions {
  /** Milliseconds for all hooks together; default 30,000. No hook starts later; 0 runs none. */
  readonly timeoutMs?: number | undefined;
  /** The last registered hook first (default), or the first. */
  readonly order?: ShutdownOrder | undefined;
}

/** What became of the hooks. */
export interface ShutdownReport {
  readonly completed: number;
  /** What hooks threw, in the order in which they ran. */
  readonly failures: readonly unknown[];
  /** Hooks that had not ended at the deadline, or were never started. */
  readonly unfinished: number;
}

const DEFAULT_TIMEOUT_MS = 30_000;

const checkHook = checkFunction<ShutdownHook>();
const checkOrder = checkOneOf(SHUTDOWN_ORDERS);

/**
 * Runs clean-up hooks once, one after the other, within a deadline.
 *
 * A hook that fails is reported and the rest still run; one that hangs is left behind at the deadline.
 */
export class ShutdownManager {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #hooks = new Set<{ run: ShutdownHook }>();
  #report: Promise<ShutdownReport> | undefined;

  /** @param log - hears of hooks that fail or hang; default: nobody does, but the report tells. */
  constructor(clock: Clock = new SystemClock(), log: Logger = silentLogger) {
    this.#clock = checkMethods('clock', clock, ['now', 'after']);
    this.#log = guardedLogger(log);
  }

  /** How many hooks there are. */
  get size(): number {
    return this.#hooks.size;
  }

  /**
   * Registers a hook; the returned function takes it back.
   *
   * @throws {VigilError} `InvalidState` once the shutdown has begun, `InvalidConfiguration` when `hook` is no function.
   */
  onShutdown(hook: ShutdownHook): Cancel {
    checkHook('hook', hook);
    if (this.#report !== undefined) throw new VigilError('InvalidState', 'the shutdown has begun: a hook registered now would never run');
    const entry = { run: hook };
    this.#hooks.add(entry);
    return () => this.#hooks.delete(entry);
  }

  /** Runs the hooks; a later call gets the report of the first one. Never rejects for what a hook does. */
  async shutdown(options: ShutdownOptions = {}): Promise<ShutdownReport> {
    checkObject('shutdown options', options);
    const { timeoutMs = DEFAULT_TIMEOUT_MS, order = 'reverse' } = options;
    checkDuration('timeoutMs', timeoutMs);
    checkOrder('order', order);
    // The first hook runs after this has been kept, or a hook that calls `shutdown` would run them all again.
    const hooks = Array.from(this.#hooks, (entry) => entry.run);
    this.#report ??= Promise.resolve().then(() => this.#run(order === 'reverse' ? hooks.toReversed() : hooks, timeoutMs));
    return this.#report;
  }

  async #run(hooks: readonly ShutdownHook[], timeoutMs: number): Promise<ShutdownReport> {
    const failures: unknown[] = [];
    let ended = 0;
    const deadlineMs = this.#clock.now() + timeoutMs;
    for (const hook of hooks) {
      const leftMs = deadlineMs - this.#clock.now();
      if (leftMs <= 0) break;
      try {
        const inTime = await settledWithin(Promise.resolve(hook()), leftMs, this.#clock);
        if (inTime === undefined) break;
      } catch (error) {
        failures.push(error);
        this.#log.error('a shutdown hook failed', error);
      }
      ended += 1;
    }
    const unfinished = hooks.length - ended;
    if (unfinished > 0) this.#log.error(`${unfinished} of ${hooks.length} shutdown hooks had not ended within ${timeoutMs} ms`);
    return { completed: ended - failures.length, failures, unfinished };
  }
}
