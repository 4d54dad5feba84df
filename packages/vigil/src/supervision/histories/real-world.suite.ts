import { runtime } from '../../app/index.js';
import {
  type Environment,
  type ExitReason,
  isVigilError,
  nextTurn,
  settledWithin,
  silentLogger,
  SystemClock,
  type TelemetryEvents,
  type TelemetryEventType,
} from '../../core/index.js';
import type { ProcessHost, ProcessRef } from '../../processes/index.js';
import type { ChildSpec, RunnerSource } from '../child-spec.js';
import { DynamicSupervisor } from '../dynamic-supervisor.js';
import { Supervisor } from '../supervisor.js';
import { SupervisorRunner } from '../supervisor-process.js';
import { errorText, makeCall } from './calls.suite.js';
import type { SeenEvent } from './observation.suite.js';
import { RealInvariants } from './real-invariants.suite.js';
import { commandOf, countWorkers, noWorkers, runningProcesses } from './real-leftovers.suite.js';
import { type ChildFacts, type Given, isAtRest, type RealObservation, takeShot } from './real-observation.suite.js';
import { type ProcessWatcher, type WatchedProcess, WatchedRunner } from './real-process.suite.js';
import type { RealCall, RealStimulus, RealTurn } from './real-stimulus.suite.js';
import { type Deed, DEED_TEXTS, DEEDS, type RealSupervisorSpec, type RealWorkerSpec } from './real-tree.suite.js';
import type { WorkerArgs } from './real-worker.suite.js';
import { reasonText } from './stimulus.suite.js';

type AnySupervisor = Supervisor | DynamicSupervisor;

/** How long nothing at all may happen to a tree that is not at rest: the deadline of a wait for an event. */
const WATCHDOG_MS = 20_000;

/** One for all histories, as in a program: names, dead letters and the guard process outlive each tree. */
const machine = runtime({ clock: new SystemClock() });

/** The library under test: a tree of supervisors over real tasks, threads and processes in real time, and everything that can be seen of it. */
export class RealWorld implements ProcessWatcher, ChildFacts {
  readonly invariants: RealInvariants;
  readonly #tree: RealSupervisorSpec;
  readonly #environment: Environment;
  readonly #root: Supervisor;
  /** The latest supervisor at each path. */
  readonly #supervisors = new Map<string, AnySupervisor>();
  readonly #isDynamic = new Map<string, boolean>();
  /** What the children of the dynamic supervisor at a path are told. */
  readonly #templateArgs = new Map<string, WorkerArgs>();
  readonly #specs = new Map<string, RealWorkerSpec>();
  readonly #lastReady = new Map<string, number>();
  readonly #ownRestarts = new Map<string, number>();
  readonly #started = new Map<string, number>();
  /** Every incarnation there ever was, by path and number. */
  readonly #refs = new Map<string, ProcessRef>();
  readonly #groups = new Set<number>();
  readonly #hears: { readonly [K in TelemetryEventType]?: (metadata: TelemetryEvents[K]) => void } = {
    process_started: () => this.#changed(),
    process_suspended: () => this.#changed(),
    process_resumed: () => this.#changed(),
    supervisor_started: ({ supervisor }) => {
      for (const path of this.#ownRestarts.keys()) if (path.startsWith(`${supervisor}/`)) this.#ownRestarts.delete(path);
      this.#see(supervisor, 'starts');
    },
    supervisor_stopped: ({ supervisor, reason }) => this.#see(supervisor, `stopped(${reasonText(reason)})`),
    supervisor_restart: ({ supervisor, id, restartsLeft }) => {
      const path = `${supervisor}/${id}`;
      this.#ownRestarts.set(path, this.ownRestartsOf(path) + 1);
      this.#see(supervisor, `restarts ${id}, ${restartsLeft} left`);
    },
    supervisor_child_added: ({ supervisor, id }) => this.#see(supervisor, `added ${id}`),
    supervisor_child_removed: ({ supervisor, id }) => {
      this.#ownRestarts.delete(`${supervisor}/${id}`);
      this.#see(supervisor, `removed ${id}`);
    },
    process_stopped: (end) => this.invariants.reported(end, end.reason),
    process_crashed: (end) => this.invariants.reported(end, end.reason),
  };
  #calls = 0;
  #pendingCalls = 0;
  #events: SeenEvent[] = [];
  #answers: string[] = [];
  #wake: () => void = () => {};
  #hasChanged = false;

  constructor(tree: RealSupervisorSpec) {
    this.#tree = tree;
    this.invariants = new RealInvariants(
      (path) => this.#supervisors.get(path),
      (path) => this.#isDynamic.get(path) === true,
    );
    this.#environment = {
      ...machine.environment,
      log: { ...silentLogger, error: (message, error) => this.#logged(message, error) },
      telemetry: { wants: () => true, report: (eventType, metadata) => this.#hears[eventType]?.(metadata) },
    };
    const { strategy, maxRestarts, periodMs, autoShutdown } = tree;
    const children = tree.children.map((child) => this.#childSpec(child, 'root'));
    this.#root = new Supervisor(
      { name: 'root', strategy, maxRestarts, maxSeconds: periodMs / 1000, autoShutdown, children },
      this.#environment,
    );
    this.#supervisors.set('root', this.#root);
  }

  get isDown(): boolean {
    return this.#root.state === 'stopped' || this.#root.state === 'idle';
  }

  /** Processes that there were so far. */
  get births(): number {
    return this.#refs.size;
  }

  get supervisors(): ReadonlyMap<string, AnySupervisor> {
    return this.#supervisors;
  }

  isDynamic(path: string): boolean {
    return this.#isDynamic.get(path) === true;
  }

  /** Whether a worker handles no messages now. */
  isSuspended({ path, spec }: WatchedProcess): boolean {
    return this.#supervisors.get(path)?.getChildInfo(spec.id)?.state === 'suspended';
  }

  /** How things stand before anything has happened. */
  observe(): RealObservation {
    const tree = takeShot(this.#tree, this.#root.inspect(), 'root', this);
    return { given: [], events: this.#events, answers: this.#answers, tree };
  }

  /** Does what is wanted, as far as it is possible, and waits until the tree is at rest again. */
  async take(turn: RealTurn): Promise<RealObservation> {
    this.#calls = 0;
    this.#events = [];
    this.#answers = [];
    const waiting = turn.toSorted((a, b) => a.after - b.after);
    const given: Given[] = [];
    let instant = 0;
    while (this.invariants.violations.length === 0) {
      // Everything that follows from the last event by itself has happened then.
      this.#hasChanged = false;
      await nextTurn();
      instant += 1;
      for (let next = waiting[0]; next !== undefined && (next.after <= this.#events.length || this.#isAtRest()); next = waiting[0]) {
        waiting.shift();
        const at = this.#events.length;
        if (this.#apply(next.stimulus)) given.push({ at, instant, stimulus: next.stimulus });
      }
      if (waiting.length === 0 && !this.#hasChanged && this.#isAtRest()) break;
      await this.#change();
    }
    this.#checkRest();
    return { ...this.observe(), given };
  }

  /** Ends everything after something went wrong, so that nothing is left for the histories that come after. */
  async abandon(): Promise<void> {
    this.#root.kill();
    await settledWithin(this.#root.exited, WATCHDOG_MS, machine.clock);
  }

  /** What is left behind once the root has stopped. */
  async checkEnd(): Promise<void> {
    // Spares are given up, and nobody waits for their end.
    if ((await settledWithin(noWorkers(), WATCHDOG_MS, machine.clock)) === undefined)
      this.invariants.violated(`${countWorkers()} threads run after the end`);
    for (const path of this.#specs.keys()) {
      if (this.#environment.names.whereis(path) !== undefined) this.invariants.violated(`the name ${path} is still taken`);
    }
  }

  specOf(path: string): RealWorkerSpec | undefined {
    return this.#specs.get(path);
  }

  lastReadyOf(path: string): number {
    return this.#lastReady.get(path) ?? 0;
  }

  ownRestartsOf(path: string): number {
    return this.#ownRestarts.get(path) ?? 0;
  }

  startedBy(path: string): number {
    return this.#started.get(path) ?? 0;
  }

  starts(worker: WatchedProcess): void {
    const { ownPath, path, spec } = worker;
    this.#specs.set(ownPath, spec);
    if (this.isDynamic(path)) this.#started.set(path, Math.max(this.startedBy(path), Number(spec.id.slice('child_'.length))));
    this.#refs.set(`${ownPath}#${worker.incarnation}`, worker.ref);
    if (worker.incarnation === 1) this.#lastReady.delete(ownPath);
    this.#see(path, `+${worker.name}`);
    this.invariants.starts(worker);
  }

  becomesReady(worker: WatchedProcess): void {
    this.#lastReady.set(worker.ownPath, worker.incarnation);
    const pid = worker.vitals()?.pid;
    if (pid !== undefined) this.#groups.add(pid);
    this.#see(worker.path, `=${worker.name}`);
  }

  isAsked(worker: WatchedProcess): void {
    this.#see(worker.path, `?${worker.name}`);
    this.invariants.isAsked(worker);
  }

  isKilled(worker: WatchedProcess): void {
    this.#see(worker.path, `!${worker.name}`);
  }

  ended(worker: WatchedProcess, reason: ExitReason): void {
    this.#see(worker.path, `-${worker.name}(${reasonText(reason)})`);
    this.invariants.ended(worker, reason);
  }

  #see(supervisor: string, text: string): void {
    this.#events.push({ supervisor, text });
    this.#changed();
  }

  #changed(): void {
    this.#hasChanged = true;
    this.#wake();
  }

  /** Waits for the next event, unless there has been one. */
  async #change(): Promise<void> {
    if (this.#hasChanged) return;
    const change = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    const inTime = await settledWithin(change, WATCHDOG_MS, machine.clock);
    if (inTime === undefined) this.invariants.violated(`nothing happens for ${WATCHDOG_MS} ms:\n${this.#describeUnrest()}`);
  }

  #describeUnrest(): string {
    const alive = [...this.invariants.alive].map(({ ownPath, incarnation, doom }) => `${ownPath}#${incarnation} ${doom.join()}`);
    const events = this.#events.map(({ supervisor, text }) => `${supervisor}: ${text}`);
    const states = Array.from(this.#supervisors, ([path, { state }]) => `${path} is ${state}`);
    return [`${this.#pendingCalls} calls wait`, ...states, 'alive:', ...alive, 'events:', ...events].join('\n  ');
  }

  #isAtRest(): boolean {
    if (this.#pendingCalls > 0 || !isAtRest(this.#root.inspect())) return false;
    return [...this.invariants.alive].every((worker) => !this.#isDoomed(worker));
  }

  /** Whether a worker will end without being asked. */
  #isDoomed({ doom, incarnation, spec: { manners } }: WatchedProcess): boolean {
    return doom.length > 0 || manners.failsAt.includes(incarnation);
  }

  #checkRest(): void {
    if (this.invariants.violations.length > 0) return;
    this.invariants.checkRest();
    const programs = [...this.invariants.alive].filter(({ spec }) => spec.runsAs === 'fork' || spec.runsAs === 'command');
    const running = runningProcesses(this.#groups).filter(({ pid }) => !commandOf(pid).includes('guard.js'));
    const groups = new Set(running.map(({ group }) => group));
    if (groups.size === programs.length) return;
    const found = running.map(({ pid }) => `${pid} ${commandOf(pid).split('\n')[0]}`).join('\n  ');
    this.invariants.violated(`${programs.length} programs are alive and ${groups.size} groups of processes run:\n  ${found}`);
  }

  /** Giving up is told to the log alone, in the words of its error. */
  #logged(message: string, error: unknown): void {
    if (message.endsWith('failed itself')) this.invariants.violated(`${message}: ${String(error)}`);
    if (!isVigilError(error, 'TooManyRestarts') || error.message !== message) return;
    const [, path = ''] = /^supervisor "([^"]*)" gives up/.exec(message) ?? [];
    this.#see(path, 'gives up');
  }

  #apply(stimulus: RealStimulus): boolean {
    switch (stimulus.do) {
      case 'call':
        return this.#call(stimulus.path, stimulus.call);
      case 'deed': {
        const worker = [...this.invariants.alive].find(({ ownPath }) => ownPath === stimulus.path);
        return worker !== undefined && this.#make(worker, stimulus.deed);
      }
    }
  }

  /** Makes a worker do something; false when it cannot be reached any more, or is no such worker. */
  #make(worker: WatchedProcess, deed: Deed): boolean {
    if (!DEEDS[worker.spec.runsAs].includes(deed)) return false;
    try {
      if (deed === 'SIGKILL') {
        const pid = worker.vitals()?.pid;
        if (pid === undefined) return false;
        process.kill(pid, 'SIGKILL');
      } else {
        if (this.isSuspended(worker)) return false;
        worker.ref.send(deed);
      }
    } catch {
      // It is on its way out, or gone.
      return false;
    }
    worker.doom.push(DEED_TEXTS[deed]);
    return true;
  }

  #call(path: string, call: RealCall): boolean {
    const supervisor = this.#supervisors.get(path);
    if (supervisor === undefined) return false;
    const answer = makeCall<RealWorkerSpec>(
      {
        supervisor,
        isRoot: path === 'root',
        childSpec: (spec) => this.#childSpec(spec, path),
        templateArgs: this.#templateArgs.get(path),
        refOf: (id, incarnation) => this.#refs.get(`${path}/${id}#${incarnation}`),
      },
      call,
    );
    if (answer === undefined) return false;
    const number = this.#calls;
    this.#calls += 1;
    this.#pendingCalls += 1;
    const settle = (text: string) => {
      this.#pendingCalls -= 1;
      this.#answers.push(`${number}: ${text}`);
      this.#changed();
    };
    void answer.then(
      (text) => settle(text ?? 'ok'),
      (error: unknown) => settle(errorText(error)),
    );
    return true;
  }

  #childSpec(spec: RealWorkerSpec | RealSupervisorSpec, parentPath: string): ChildSpec {
    const { id, restartType, significant, shutdownTimeoutMs, budget, delay } = spec;
    return {
      id,
      restartType,
      significant,
      shutdownTimeoutMs,
      restartDelay: delay,
      maxRestarts: budget?.maxRestarts,
      maxSeconds: budget && budget.periodMs / 1000,
      ...(spec.kind === 'worker' ? this.#workerParts(spec, parentPath) : { startFn: this.#supervisorSource(spec, `${parentPath}/${id}`) }),
    };
  }

  #workerParts(spec: RealWorkerSpec, parentPath: string): Omit<ChildSpec, 'id'> {
    const { manners, startTimeoutMs } = spec;
    const args: WorkerArgs = { manners, parentPath };
    return {
      startFn: new WatchedRunner(spec, this),
      args,
      readiness: manners.isExplicit ? 'explicit' : 'immediate',
      startTimeoutMs,
    };
  }

  #supervisorSource(spec: RealSupervisorSpec, path: string): RunnerSource {
    const { id, strategy, maxRestarts, periodMs, autoShutdown, template, maxChildren } = spec;
    const options = { name: id, maxRestarts, maxSeconds: periodMs / 1000, autoShutdown, keepAlive: false };
    this.#isDynamic.set(path, template !== undefined);
    if (template !== undefined) this.#templateArgs.set(path, { manners: template.manners, parentPath: path });
    const make = (host: ProcessHost, defaults: Parameters<RunnerSource['asRunner']>[0]): AnySupervisor =>
      template === undefined
        ? new Supervisor(
            { ...options, strategy, children: spec.children.map((child) => this.#childSpec(child, path)) },
            host.environment,
            defaults,
            host.path,
          )
        : new DynamicSupervisor(this.#childSpec(template, path), { ...options, maxChildren }, host.environment, defaults, host.path);
    return {
      asRunner: (defaults) =>
        new SupervisorRunner((host) => {
          const supervisor = make(host, defaults);
          this.#supervisors.set(path, supervisor);
          this.#started.delete(path);
          return supervisor;
        }),
    };
  }
}
