import { type Runtime, runtime, Timer } from '../app/index.js';
import { type Logger, type Random, SeededRandom, type Sender } from '../core/index.js';
import { type Fault, FaultySender } from './faulty-sender.js';
import { MockInbox } from './mock-inbox.js';
import { MockSupervisor, type MockSupervisorOptions } from './mock-supervisor.js';
import { VirtualClock } from './virtual-clock.js';

export interface TestContextOptions {
  /** Of its chance; default 1. */
  readonly seed?: number | undefined;
}

export interface LoggedLine {
  readonly level: keyof Logger;
  readonly message: string;
  readonly details: unknown;
}

/**
 * What a test of a program on Vigil runs in: a runtime of its own, whose time passes when the test says so and whose chance replays.
 *
 * @example
 * await using context = new TestContext();
 * const inbox = context.mockInbox();
 * context.timer.sendAfter(1000, inbox, 'wake up');
 * await context.advanceTime(1000);
 * expectMessage(inbox, { payload: 'wake up' });
 */
export class TestContext implements AsyncDisposable {
  readonly clock: VirtualClock = new VirtualClock();
  readonly random: Random;
  readonly runtime: Runtime;
  /** Time-outs, intervals and delayed sends on the clock of the test. */
  readonly timer: Timer;
  /** What the parts of the runtime have logged. */
  readonly logged: LoggedLine[] = [];
  readonly #supervisors: MockSupervisor[] = [];
  #inboxes = 0;

  /** @throws {VigilError} `InvalidConfiguration` for a seed that is none. */
  constructor({ seed = 1 }: TestContextOptions = {}) {
    this.random = new SeededRandom(seed);
    this.runtime = runtime({ clock: this.clock, random: new SeededRandom(seed), log: this.#log() });
    this.timer = new Timer(this.runtime);
  }

  /** Milliseconds since the test began, by its clock. */
  now(): number {
    return this.clock.now();
  }

  /** Lets time pass, from timer to timer, with everything that follows from each. @see VirtualClock.advance */
  advanceTime(ms: number): Promise<void> {
    return this.clock.advance(ms);
  }

  /** @param name - default `mock_1` and so on. */
  mockInbox<T = unknown>(name?: string): MockInbox<T> {
    this.#inboxes += 1;
    return new MockInbox<T>(name ?? `mock_${this.#inboxes}`, this.runtime.environment);
  }

  /** A supervisor whose children end when the test says so. */
  mockSupervisor(options: MockSupervisorOptions = {}): MockSupervisor {
    const supervisor = new MockSupervisor(options, this.runtime, this.clock);
    this.#supervisors.push(supervisor);
    return supervisor;
  }

  /** A way to an inbox, process or address that is not to be trusted. @param plan - what becomes of the first, the second … message. */
  faultySender<T>(target: Sender<T>, plan: (number: number) => Fault): FaultySender<T> {
    return new FaultySender(target, plan, this.clock);
  }

  /** Cancels its timers, stops its mock supervisors and the apps of its runtime, and lets the time pass that they are given for that. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.timer.cancel();
    const stopped = Promise.all([
      ...this.#supervisors.map((supervisor) => supervisor.stop()),
      this.runtime.shutdownAll({ timeoutMs: STOP_MS }),
    ]);
    await this.clock.advance(STOP_MS);
    await stopped;
  }

  #log(): Logger {
    const keep = (level: keyof Logger) => (message: string, details?: unknown) => void this.logged.push({ level, message, details });
    return { debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') };
  }
}

/** Milliseconds for everything to end. */
const STOP_MS = 60_000;
