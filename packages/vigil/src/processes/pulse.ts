import { type Cancel, type Clock, type Signal, VigilError } from '../core/index.js';
import type { ProcessSettings, Vitals } from './runner.js';

/** What can be read of a process from outside. */
export type Measured = Omit<Vitals, 'eventLoopDelayMs'>;

export interface Patient {
  /** Asks its event loop for an answer; left out where there is none. */
  ping?(number: number): void;
  /** Whether it stands still because it waits for something. */
  isAsleep?(): boolean;
  measure(): Measured;
  /** It has to be ended. Called once. */
  fail(error: VigilError): void;
  /** One of Vigil's own signals is due. */
  warn(signal: Signal): void;
}

/** Intervals add up to their limit, but for this. */
const ROUNDING_MS = 0.001;

/** Of `maxMemoryBytes`: from here on it is warned. */
const MEMORY_WARNING_SHARE = 0.8;

/** From here on it counts as busy all the time. */
const CPU_WARNING_SHARE = 0.95;

const STEPS_PER_INTERVAL = 10;

interface Ping {
  readonly number: number;
  sentMs: number;
}

/**
 * Feels the pulse of a process outside this event loop, again and again: asks its own event loop for an answer, if it has one, reads its
 * figures from outside, warns it, and has it ended where a limit says so.
 *
 * That its loop stands still is judged by the answer that does not come, and only by an observer who was on time himself and has looked at
 * what came in: an event loop that was late has not been able to hear answers. A block is noticed between one and one and a half
 * `maxBlockedMs` after it began.
 */
export class Pulse {
  readonly #settings: ProcessSettings;
  readonly #clock: Clock;
  readonly #patient: Patient;
  readonly #intervalMs: number;
  #cancel: Cancel | undefined;
  #ping: Ping | undefined;
  #lastPing = 0;
  #delayMs: number | undefined;
  /** As the code's side has said with its last answer: what cannot be read from outside. */
  #saidMemoryBytes: number | undefined;
  #measured: Measured | undefined;
  #warned: ReadonlySet<Signal> = new Set();

  constructor(settings: ProcessSettings, clock: Clock, patient: Patient) {
    const { healthCheckIntervalMs, maxBlockedMs } = settings;
    this.#settings = settings;
    this.#clock = clock;
    this.#patient = patient;
    this.#intervalMs = maxBlockedMs === undefined ? healthCheckIntervalMs : maxBlockedMs / looksPer(maxBlockedMs, healthCheckIntervalMs);
  }

  start(): void {
    if (this.#cancel !== undefined) return;
    this.#ping = undefined;
    this.#patient.measure();
    this.#wait();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  answered(number: number, memoryBytes: number): void {
    this.#saidMemoryBytes = memoryBytes;
    if (this.#ping?.number !== number) return;
    this.#delayMs = this.#clock.now() - this.#ping.sentMs;
    this.#ping = undefined;
    this.#checkMemory();
  }

  vitals(): Vitals {
    // How busy it is can be said only of a time that has passed.
    const measured = this.#measured ?? { ...this.#patient.measure(), utilization: undefined };
    return { ...measured, memoryBytes: measured.memoryBytes ?? this.#saidMemoryBytes, eventLoopDelayMs: this.#delayMs };
  }

  get #memoryBytes(): number | undefined {
    return this.#measured?.memoryBytes ?? this.#saidMemoryBytes;
  }

  get #isAsleep(): boolean {
    return this.#patient.isAsleep?.() ?? false;
  }

  #wait(): void {
    const nowMs = this.#clock.now();
    const delayMs = this.#delayFrom(nowMs);
    const dueMs = nowMs + delayMs;
    this.#cancel = this.#clock.after(delayMs, () => {
      const isLate = this.#clock.now() - dueMs > this.#intervalMs / 2;
      // First what has come in meanwhile.
      this.#clock.soon(() => {
        if (this.#cancel !== undefined) this.#look(isLate);
      });
    });
  }

  /** On a step, up to one before the interval is over, so that many come together: to wake up for one takes longer than to measure it. */
  #delayFrom(nowMs: number): number {
    if (this.#settings.maxBlockedMs !== undefined) return this.#intervalMs;
    const stepMs = this.#intervalMs / STEPS_PER_INTERVAL;
    return Math.max(Math.floor((nowMs + this.#intervalMs) / stepMs) * stepMs - nowMs, 0);
  }

  #look(isLate: boolean): void {
    this.#measured = this.#patient.measure();
    this.#warn('cpuWarning', (this.#measured.utilization ?? 0) >= CPU_WARNING_SHARE && !this.#isAsleep);
    this.#checkMemory();
    this.#checkLoop(isLate);
    // A listener of a warning, or a limit, may have ended it.
    if (this.#cancel !== undefined) this.#wait();
  }

  #checkLoop(isLate: boolean): void {
    const nowMs = this.#clock.now();
    const { maxBlockedMs } = this.#settings;
    if (this.#patient.ping === undefined) return;
    if (this.#ping === undefined) {
      this.#lastPing += 1;
      this.#ping = { number: this.#lastPing, sentMs: nowMs };
      this.#patient.ping(this.#lastPing);
      return;
    }
    if (isLate || this.#isAsleep) this.#ping.sentMs = nowMs;
    const silentMs = nowMs - this.#ping.sentMs;
    this.#delayMs = silentMs;
    if (maxBlockedMs === undefined || silentMs < maxBlockedMs - ROUNDING_MS) return;
    this.#warn('deadlockDetected', true);
    const text = `its event loop has not turned for ${Math.round(silentMs)} ms, and maxBlockedMs is ${maxBlockedMs}`;
    this.#fail(new VigilError('HealthCheckFailed', text, { details: { blockedMs: silentMs, maxBlockedMs, ...this.#measured } }));
  }

  #checkMemory(): void {
    const { maxMemoryBytes } = this.#settings;
    const memoryBytes = this.#memoryBytes;
    if (maxMemoryBytes === undefined || memoryBytes === undefined) return;
    this.#warn('memoryWarning', memoryBytes >= maxMemoryBytes * MEMORY_WARNING_SHARE);
    if (memoryBytes <= maxMemoryBytes) return;
    const text = `it takes ${memoryBytes} bytes of memory, and maxMemoryBytes is ${maxMemoryBytes}`;
    this.#fail(new VigilError('OutOfMemory', text, { details: { memoryBytes, maxMemoryBytes } }));
  }

  /** Once for each time that it comes to be so. */
  #warn(signal: Signal, isDue: boolean): void {
    const wasDue = this.#warned.has(signal);
    if (isDue === wasDue) return;
    this.#warned = new Set(isDue ? [...this.#warned, signal] : [...this.#warned].filter((other) => other !== signal));
    if (isDue) this.#patient.warn(signal);
  }

  #fail(error: VigilError): void {
    if (this.#cancel === undefined) return;
    this.stop();
    this.#patient.fail(error);
  }
}

/** A whole number, at least two: with a remainder, the look that finds the limit exceeded would come too late. */
function looksPer(limitMs: number, intervalMs: number): number {
  return Math.max(2, Math.ceil(limitMs / intervalMs));
}
