import type { Clock } from './clock.js';
import type { ExitReason } from './exit-reason.js';
import type { Logger } from './logger.js';
import { RingQueue } from './ring-queue.js';
import type { ProcessFacts } from './telemetry-event.js';
import { checkFunction, checkObject, checkOr, checkPositiveCount, optional } from './validation.js';

/** What a supervisor does about the end of a child. */
export type CrashDecision =
  /** It is started again, with those that its strategy takes along: ids, in the order of stopping and starting. */
  | { readonly do: 'restart'; readonly stop: readonly string[]; readonly start: readonly string[] }
  /** A budget is used up: the supervisor ends. */
  | { readonly do: 'give_up' }
  /** By its restart type it stays down. */
  | { readonly do: 'leave' }
  /** It did not start, and whoever asked for the start is told so. */
  | { readonly do: 'fail_start' }
  /** The supervisor is being stopped anyway. */
  | { readonly do: 'stop' };

/** What is known of a process that ended abnormally. */
export interface CrashedProcess {
  readonly process: ProcessFacts & { readonly kind: string };
  /** Of a crash, the error with its stack and its chain of causes. */
  readonly reason: ExitReason;
  /** Milliseconds that it was up; `undefined` when it ended before it was ready. */
  readonly uptimeMs: number | undefined;
  readonly args: unknown;
  /** The payload that it had received last; `undefined` when there was none, or a thread was ended before it could tell. */
  readonly lastMessage: unknown;
  /** Messages that waited for it; `undefined` when it never had an inbox. */
  readonly inboxDepth: number | undefined;
  readonly decision: CrashDecision;
  /** Restarts that the supervisor's budget, or the child's own if that is smaller, allows from now on. */
  readonly restartsLeft: number;
}

/** {@link CrashedProcess} with `args` and `lastMessage` as `redact` has left them. */
export interface CrashReport extends CrashedProcess {
  /** 1 for the first report of a runtime, one more for each that followed. */
  readonly sequence: number;
  /** Wall-clock time, in milliseconds since 1970. */
  readonly timestampMs: number;
}

export interface CrashReportOptions {
  /** Reports that are kept, the latest; default 100. */
  readonly capacity?: number | undefined;
  /**
   * What a report shows of a value that may hold secrets. Default: its shape, such as `object with user, password` or `string of 12 characters`.
   */
  readonly redact?: ((value: unknown, what: 'args' | 'message') => unknown) | undefined;
  /** Called with each report. */
  readonly onReport?: ((report: CrashReport) => void) | undefined;
}

const MAX_KEYS = 10;

/** The reports of what ended abnormally in a runtime. */
export class CrashReports {
  readonly #clock: Pick<Clock, 'wallTime'>;
  readonly #log: Logger;
  readonly #capacity: number;
  readonly #redact: NonNullable<CrashReportOptions['redact']>;
  readonly #onReport: CrashReportOptions['onReport'];
  readonly #reports = new RingQueue<CrashReport>();
  #total = 0;

  /** @throws {VigilError} `InvalidConfiguration` that names the option. */
  constructor(options: CrashReportOptions, clock: Pick<Clock, 'wallTime'>, log: Logger) {
    checkObject('crashReports', options);
    this.#capacity = checkOr(checkPositiveCount, 'crashReports.capacity', options.capacity, 100);
    this.#redact =
      optional(checkFunction<NonNullable<CrashReportOptions['redact']>>())('crashReports.redact', options.redact) ?? describeShape;
    this.#onReport = optional(checkFunction<NonNullable<CrashReportOptions['onReport']>>())('crashReports.onReport', options.onReport);
    this.#clock = clock;
    this.#log = log;
  }

  /** How many there were since the runtime was made. */
  get total(): number {
    return this.#total;
  }

  /** Those that are kept, the oldest first. */
  list(): CrashReport[] {
    return [...this.#reports];
  }

  add(facts: CrashedProcess): void {
    this.#total += 1;
    const report: CrashReport = {
      ...facts,
      args: this.#shown(facts.args, 'args'),
      lastMessage: this.#shown(facts.lastMessage, 'message'),
      sequence: this.#total,
      timestampMs: this.#clock.wallTime(),
    };
    if (this.#reports.size === this.#capacity) this.#reports.shift();
    this.#reports.push(report);
    try {
      this.#onReport?.(report);
    } catch (error) {
      this.#log.error('onReport of the crash reports failed', error);
    }
  }

  /** Nothing is better than too much, where the hook itself fails. */
  #shown(value: unknown, what: 'args' | 'message'): unknown {
    if (value === undefined) return undefined;
    try {
      return this.#redact(value, what);
    } catch (error) {
      this.#log.error(`redact of the crash reports failed on ${what}`, error);
      return describeShape(value);
    }
  }
}

/** What a value is, and nothing of what is in it. */
function describeShape(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return `string of ${value.length} characters`;
  if (typeof value !== 'object') return typeof value;
  if (Array.isArray(value)) return `array of ${value.length}`;
  if (ArrayBuffer.isView(value)) return `${nameOf(value)} of ${value.byteLength} bytes`;
  const keys = Object.keys(value);
  const shown = keys.slice(0, MAX_KEYS).join(', ');
  const more = keys.length > MAX_KEYS ? ` and ${keys.length - MAX_KEYS} more` : '';
  return keys.length === 0 ? `${nameOf(value)}, empty` : `${nameOf(value)} with ${shown}${more}`;
}

function nameOf(value: object): string {
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
  return typeof name === 'string' && name !== 'Object' ? name : 'object';
}
