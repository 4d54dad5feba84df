import type { Environment, ExitReason, Signal } from '../../core/index.js';
import {
  command,
  fork,
  type Process,
  type ProcessHost,
  type ProcessKind,
  type ProcessLimit,
  type ProcessRef,
  type ProcessSettings,
  type Runner,
  TaskRunner,
  thread,
  type InboxFigures,
  type Remains,
  type Vitals,
} from '../../processes/index.js';
import type { RealWorkerSpec } from './real-tree.suite.js';
import obey, { WORKER_SCRIPT } from './real-worker.suite.js';

const MODULE = new URL('./real-worker.suite.js', import.meta.url);

/** Who wants to know what supervisors do with their processes, and what becomes of these. */
export interface ProcessWatcher {
  starts(process: WatchedProcess): void;
  becomesReady(process: WatchedProcess): void;
  isAsked(process: WatchedProcess): void;
  isKilled(process: WatchedProcess): void;
  ended(process: WatchedProcess, reason: ExitReason): void;
}

/** How a worker really runs. */
function realRunner({ runsAs, manners, spares }: RealWorkerSpec): Runner {
  switch (runsAs) {
    case 'task':
      return new TaskRunner(obey);
    case 'thread':
      return thread(MODULE, { spares });
    case 'fork':
      return fork(MODULE);
    case 'command':
      return command('/bin/sh', ['-c', WORKER_SCRIPT], {
        stdin: 'lines',
        env: { FAILS_AT: manners.failsAt.join(' '), ON_STOP: manners.onStop },
        readyWhen: manners.isExplicit ? 'ready' : undefined,
        logOutput: { stdout: 'none', stderr: 'none' },
      });
  }
}

/** A runner that has its processes watched. */
export class WatchedRunner implements Runner {
  readonly #runner: Runner;
  readonly #spec: RealWorkerSpec;
  readonly #watcher: ProcessWatcher;

  constructor(spec: RealWorkerSpec, watcher: ProcessWatcher) {
    this.#runner = realRunner(spec);
    this.#spec = spec;
    this.#watcher = watcher;
  }

  get kind(): ProcessKind {
    return this.#runner.kind;
  }

  get obeys(): readonly ProcessLimit[] {
    return this.#runner.obeys ?? [];
  }

  hold(): () => Promise<void> {
    return this.#runner.hold?.() ?? (() => Promise.resolve());
  }

  create(settings: ProcessSettings, incarnation: number, host: ProcessHost): Process {
    // The workers of a pool share the spec of the first.
    const spec = { ...this.#spec, id: settings.id };
    return new WatchedProcess(this.#runner, { spec, settings, incarnation, host, watcher: this.#watcher });
  }
}

interface Birth {
  readonly spec: RealWorkerSpec;
  readonly settings: ProcessSettings;
  readonly incarnation: number;
  readonly host: ProcessHost;
  readonly watcher: ProcessWatcher;
}

/** A process between its supervisor and what really runs: everything goes through unchanged, and is told. */
export class WatchedProcess implements Process, ProcessHost {
  readonly spec: RealWorkerSpec;
  readonly incarnation: number;
  /** Of its supervisor. */
  readonly path: string;
  /** Whether it got ready before it was asked to stop. */
  isReady = false;
  isAsked = false;
  isKilled = false;
  /** What it was made to end with; it may be asked to stop first. */
  readonly doom: string[] = [];
  readonly #process: Process;
  readonly #host: ProcessHost;
  readonly #watcher: ProcessWatcher;

  constructor(runner: Runner, { spec, settings, incarnation, host, watcher }: Birth) {
    this.spec = spec;
    this.incarnation = incarnation;
    this.path = host.path;
    this.#host = host;
    this.#watcher = watcher;
    this.#process = runner.create(settings, incarnation, this);
  }

  get name(): string {
    return `${this.spec.id}#${this.incarnation}`;
  }

  get ownPath(): string {
    return `${this.path}/${this.spec.id}`;
  }

  get ref(): ProcessRef {
    return this.#process.ref;
  }

  get environment(): Environment {
    return this.#host.environment;
  }

  start(): void {
    this.#watcher.starts(this);
    this.#process.start();
  }

  stop(): void {
    // A supervisor that was killed goes through its children once more, until the last of them is gone.
    if (!this.isKilled) {
      this.isAsked = true;
      this.#watcher.isAsked(this);
    }
    this.#process.stop();
  }

  kill(reason?: ExitReason): void {
    if (!this.isKilled && this.ref.isAlive()) {
      this.isKilled = true;
      this.#watcher.isKilled(this);
    }
    this.#process.kill(reason);
  }

  suspend(): void {
    this.#process.suspend();
  }

  resume(): void {
    this.#process.resume();
  }

  notify(signal: Signal): void {
    this.#process.notify(signal);
  }

  vitals(): Vitals | undefined {
    return this.#process.vitals();
  }

  inboxFigures(): InboxFigures | undefined {
    return this.#process.inboxFigures();
  }

  get remains(): Remains | undefined {
    return this.#process.remains;
  }

  processReady(): void {
    if (!this.isAsked) this.isReady = true;
    this.#watcher.becomesReady(this);
    this.#host.processReady(this);
  }

  processIgnored(): void {
    this.#host.processIgnored(this);
  }

  processExited(_process: Process, reason: ExitReason): void {
    this.#watcher.ended(this, reason);
    this.#host.processExited(this, reason);
  }

  processNotified(_process: Process, signal: Signal): void {
    this.#host.processNotified(this, signal);
  }
}
