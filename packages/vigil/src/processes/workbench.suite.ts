import {
  type Cancel,
  CrashReports,
  DeadLetterQueue,
  type Environment,
  type ExitReason,
  isVigilError,
  LocalInbox,
  type Logger,
  MailboxSettings,
  noTelemetry,
  ReplyExchange,
  Roots,
  type Sender,
  type Signal,
  SystemClock,
  systemRandom,
} from '../core/index.js';
import { PubSubBroker, Registry } from '../messaging/index.js';
import type { Process, ProcessHost, ProcessSettings, Readiness, Runner } from './runner.js';
import type { Script } from './scripts.suite.js';

/** What a kind of process brings to be tested. */
export interface RunnerHarness {
  /** Runs what the script says. */
  runner(script: Script): Runner;
  /** Lets the code of `ignores_stop` go on, where it still runs after a kill. */
  letGo(): void;
  /** Resolves when nothing more can come of processes that have ended: no call to the host, no log entry. */
  quiet(): Promise<void>;
}

/** What the host of one process heard of it. */
type News = 'ready' | 'ignored' | ExitReason;

export interface SubjectOptions {
  readonly id?: string;
  readonly incarnation?: number;
  readonly args?: unknown;
  readonly readiness?: Readiness;
  readonly capacity?: number;
  readonly settings?: Partial<ProcessSettings>;
}

/** Where processes are tested: their environment, an observer, and all that was made. */
export class Workbench {
  readonly environment: Environment;
  readonly logged: { readonly level: keyof Logger; readonly message: string; readonly details: unknown }[] = [];
  /** What a host must never see. */
  readonly violations: string[] = [];
  readonly #harness: RunnerHarness;
  readonly #subjects: Subject[] = [];
  readonly #observer: LocalInbox<string>;
  #lastMessageId = 0;
  /** As a supervisor that runs: what it supervises does not keep Node alive by itself. */
  #releaseNode: Cancel | undefined;

  constructor(harness: RunnerHarness) {
    const log = (level: keyof Logger) => (message: string, details?: unknown) => this.logged.push({ level, message, details });
    const clock = new SystemClock();
    const names = new Registry();
    const forMailboxes = {
      clock,
      telemetry: noTelemetry,
      log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
      nextMessageId: () => {
        this.#lastMessageId += 1;
        return this.#lastMessageId;
      },
    };
    this.#harness = harness;
    this.environment = {
      ...forMailboxes,
      random: systemRandom,
      names,
      deadLetters: new DeadLetterQueue(100, clock, noTelemetry),
      guard: { watch: () => () => false },
      roots: new Roots(),
      crashes: new CrashReports({}, clock, forMailboxes.log),
      replies: new ReplyExchange(clock),
      topics: new PubSubBroker(forMailboxes),
    };
    this.#observer = new LocalInbox<string>('observer', new MailboxSettings(), this.environment);
    names.register('observer', this.#observer);
  }

  create(script: Script, options: SubjectOptions = {}): Subject {
    const { id = 'scripted process', incarnation = 1, args, readiness = 'immediate', capacity, settings: more } = options;
    const settings = processSettings({ id, args, readiness, inbox: new MailboxSettings({ capacity }), ...more });
    const runner = this.#harness.runner(script);
    if (runner.kind !== 'task') this.#releaseNode ??= this.environment.clock.keepAlive();
    const subject = new Subject(runner, settings, incarnation, this.environment, this.violations);
    this.#subjects.push(subject);
    return subject;
  }

  start(script: Script, options?: SubjectOptions): Subject {
    const subject = this.create(script, options);
    subject.start();
    return subject;
  }

  /** What a process says next; with `expected`, when it says this. */
  async heard(expected?: string): Promise<string> {
    for (;;) {
      const { payload } = await this.#observer.recv();
      if (expected === undefined || payload === expected) return payload;
    }
  }

  /** What processes have said that nobody has heard yet. */
  heardSoFar(): string[] {
    return this.#observer.stats().depth === 0 ? [] : this.#observer.recvBatch(1000).map((message) => message.payload);
  }

  deadLetters(): unknown[] {
    return this.environment.deadLetters.list().map((letter) => letter.message.payload);
  }

  /** Ends what a test has left running. */
  async clear(): Promise<void> {
    this.#harness.letGo();
    for (const subject of this.#subjects) subject.process.kill();
    await Promise.all(this.#subjects.map((subject) => subject.exited));
    await this.#harness.quiet();
    this.#releaseNode?.();
  }
}

/** Settings that ask for nothing, but for what is said. */
export function processSettings(settings: Partial<ProcessSettings>): ProcessSettings {
  return {
    id: 'scripted process',
    args: undefined,
    readiness: 'immediate',
    inbox: new MailboxSettings(),
    healthCheckIntervalMs: 5000,
    maxMemoryBytes: undefined,
    maxBlockedMs: undefined,
    priority: 'normal',
    ...settings,
  };
}

/** One process and its host. */
export class Subject implements ProcessHost {
  readonly path = 'suite';
  readonly environment: Environment;
  readonly process: Process;
  readonly news: News[] = [];
  readonly signals: Signal[] = [];
  readonly ready: Promise<void>;
  readonly exited: Promise<ExitReason>;
  /** Who had the name `scripted` when the host heard of the end. */
  nameAtExit: Sender | undefined;
  readonly #violations: string[];
  #running: 'start' | 'stop' | undefined;
  #announceReady: () => void = () => {};
  #announceExit: (reason: ExitReason) => void = () => {};

  constructor(runner: Runner, settings: ProcessSettings, incarnation: number, environment: Environment, violations: string[]) {
    this.environment = environment;
    this.#violations = violations;
    this.ready = new Promise((resolve) => {
      this.#announceReady = resolve;
    });
    this.exited = new Promise((resolve) => {
      this.#announceExit = resolve;
    });
    this.process = runner.create(settings, incarnation, this);
  }

  start(): void {
    this.#running = 'start';
    this.process.start();
    this.#running = undefined;
  }

  stop(): void {
    this.#running = 'stop';
    this.process.stop();
    this.#running = undefined;
  }

  processReady(process: Process): void {
    this.#require(process === this.process, 'the host hears of a process that it did not make');
    this.#require(this.news.length === 0, `ready comes after ${JSON.stringify(this.news)}`);
    this.news.push('ready');
    this.#announceReady();
  }

  processIgnored(process: Process): void {
    this.#require(process === this.process, 'the host hears of a process that it did not make');
    this.#require(this.news.length === 0, `ignored comes after ${JSON.stringify(this.news)}`);
    this.news.push('ignored');
  }

  processExited(process: Process, reason: ExitReason): void {
    const { ref } = this.process;
    this.#require(process === this.process, 'the host hears of a process that it did not make');
    this.#require(!this.news.some((item) => typeof item === 'object'), 'the end comes a second time');
    this.#require(this.#running === undefined || this.news.at(-1) === 'ignored', `the end comes during ${this.#running}()`);
    this.#require(!ref.isAlive() && ref.isClosed(), 'the process is alive when its host hears of its end');
    this.#require(
      refuses(() => ref.send('too late')),
      'the ref takes messages when the host hears of the end',
    );
    this.#require(ref.stats().depth === 0, 'the inbox is not empty when the host hears of the end');
    this.nameAtExit = this.environment.names.whereis('scripted');
    this.news.push(reason);
    this.#announceExit(reason);
  }

  processNotified(process: Process, signal: Signal): void {
    this.#require(process === this.process, 'the host hears of a process that it did not make');
    this.signals.push(signal);
  }

  #require(isKept: boolean, violation: string): void {
    if (!isKept) this.#violations.push(violation);
  }
}

function refuses(send: () => unknown): boolean {
  try {
    send();
    return false;
  } catch (error) {
    return isVigilError(error, 'ProcessNotFound');
  }
}
