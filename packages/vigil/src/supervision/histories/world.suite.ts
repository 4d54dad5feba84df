import { runtime } from '../../app/index.js';
import {
  type Environment,
  type ExitReason,
  isVigilError,
  KILLED,
  NORMAL,
  SeededRandom,
  silentLogger,
  type TelemetryEvents,
  type TelemetryEventType,
} from '../../core/index.js';
import { LocalProcess, type Process, type ProcessHost, type ProcessRef, type ProcessSettings, type Runner } from '../../processes/index.js';
import { SimulatedClock } from '../../testing/simulation/index.js';
import type { ChildSpec, RunnerSource } from '../child-spec.js';
import { DynamicSupervisor } from '../dynamic-supervisor.js';
import type { SupervisorInfo } from '../supervision-tree.js';
import { Supervisor } from '../supervisor.js';
import { SupervisorRunner } from '../supervisor-process.js';
import { errorText, makeCall } from './calls.suite.js';
import { Invariants } from './invariants.suite.js';
import type { Observation, SeenEvent } from './observation.suite.js';
import { type Call, END_REASONS, type Health, reasonText, type Stimulus } from './stimulus.suite.js';
import type { SupervisorSpec, WorkerSpec } from './tree.suite.js';

/** A worker that does nothing by itself: it starts, and from then on the history says what it does. */
export class ScriptedProcess extends LocalProcess {
  readonly kind = 'task';
  readonly path: string;
  /** Whether it has said that it is ready, or need not. */
  isReady = false;
  isAsked = false;
  readonly #world: World;

  constructor(world: World, settings: ProcessSettings, incarnation: number, host: ProcessHost) {
    super(settings, incarnation, host);
    this.#world = world;
    this.path = `${host.path}/${settings.id}`;
    world.created(this);
  }

  get name(): string {
    return `${this.settings.id}#${this.incarnation}`;
  }

  start(): void {
    this.#world.begin(this);
    this.register(this.path);
    if (this.settings.readiness === 'immediate') this.ready();
  }

  ready(): void {
    this.isReady = true;
    this.host.processReady(this);
  }

  decline(): void {
    this.host.processIgnored(this);
    this.finish(NORMAL);
  }

  stop(): void {
    this.isAsked = true;
    this.#world.asked(this);
  }

  suspend(): void {
    this.holdMessages();
  }

  resume(): void {
    this.releaseMessages();
  }

  kill(reason: ExitReason = KILLED): void {
    if (!this.isAlive) return;
    this.#world.see(this.host.path, `!${this.name}`);
    this.finish(reason);
  }

  finish(reason: ExitReason): void {
    this.#world.ended(this, reason);
    this.end(reason);
  }
}

type AnySupervisor = Supervisor | DynamicSupervisor;

/** The library under test: a tree of supervisors and scripted workers on a simulated clock, and everything that can be seen of it. */
export class World {
  readonly clock: SimulatedClock = new SimulatedClock();
  readonly invariants: Invariants;
  readonly #environment: Environment;
  readonly #root: Supervisor;
  /** The latest supervisor at each path. */
  readonly #supervisors = new Map<string, AnySupervisor>();
  readonly #alive = new Map<string, ScriptedProcess>();
  /** Every incarnation there ever was, by path and number. */
  readonly #refs = new Map<string, ProcessRef>();
  readonly #sabotage = new Map<string, number>();
  readonly #health = new Map<string, Health>();
  readonly #hears: { readonly [K in TelemetryEventType]?: (metadata: TelemetryEvents[K]) => void } = {
    supervisor_started: ({ supervisor }) => {
      this.see(supervisor, 'starts');
      this.invariants.supervisorStarts(supervisor);
    },
    supervisor_stopped: ({ supervisor, reason }) => this.see(supervisor, `stopped(${reasonText(reason)})`),
    supervisor_restart: ({ supervisor, id, restartsLeft }) => {
      this.see(supervisor, `restarts ${id}, ${restartsLeft} left`);
      this.invariants.restarts(supervisor, id);
    },
    supervisor_child_added: ({ supervisor, id }) => this.see(supervisor, `added ${id}`),
    supervisor_child_removed: ({ supervisor, id }) => this.see(supervisor, `removed ${id}`),
    process_stopped: (end) => this.invariants.reported(end, end.reason),
    process_crashed: (end) => this.invariants.reported(end, end.reason),
  };
  #calls = 0;
  #pendingCalls = 0;
  #events: SeenEvent[] = [];
  #answers: string[] = [];

  constructor(tree: SupervisorSpec) {
    const shared = runtime({ clock: this.clock, random: new SeededRandom(0) }).environment;
    this.invariants = new Invariants(this.clock, (path) => this.#supervisors.get(path));
    this.#environment = {
      ...shared,
      log: { ...silentLogger, error: (message, error) => this.#logged(message, error) },
      telemetry: { wants: () => true, report: (eventType, metadata) => this.#hears[eventType]?.(metadata) },
    };
    const children = tree.children.map((child) => this.#childSpec(child, 'root'));
    const { strategy, maxRestarts, periodMs, autoShutdown } = tree;
    this.#root = new Supervisor(
      { name: 'root', strategy, maxRestarts, maxSeconds: periodMs / 1000, autoShutdown, children },
      this.#environment,
    );
    this.#supervisors.set('root', this.#root);
    this.invariants.isDynamic.set('root', false);
  }

  get workers(): ScriptedProcess[] {
    return [...this.#alive.values()];
  }

  /** Supervisors that there are or were, by path. */
  get supervisors(): ReadonlyMap<string, AnySupervisor> {
    return this.#supervisors;
  }

  get isDown(): boolean {
    return this.#root.state === 'stopped';
  }

  get isAtRest(): boolean {
    return this.isDown && this.#alive.size === 0 && this.#pendingCalls === 0;
  }

  /** Lets something happen; false when it cannot happen now. */
  apply(stimulus: Stimulus): boolean {
    switch (stimulus.do) {
      case 'ready':
      case 'decline': {
        const process = this.#alive.get(stimulus.path);
        if (process === undefined || process.isReady || process.isAsked) return false;
        process[stimulus.do]();
        return true;
      }
      case 'end': {
        const process = this.#alive.get(stimulus.path);
        process?.finish(END_REASONS[stimulus.as]);
        return process !== undefined;
      }
      case 'call':
        return this.#call(stimulus.path, stimulus.call);
      case 'sabotage':
        this.#sabotage.set(stimulus.path, stimulus.starts);
        return true;
      case 'health':
        this.#health.set(stimulus.path, stimulus.is);
        return true;
      case 'timer':
        return this.clock.fireNext();
      case 'pass':
        this.clock.pass(stimulus.ms);
        return true;
    }
  }

  /** What was seen since the last time, and how things stand. */
  observe(): Observation {
    const observation = {
      events: this.#events,
      answers: this.#answers,
      tree: treeText(this.#root.inspect()),
      deadlines: this.clock.deadlines,
    };
    this.#events = [];
    this.#answers = [];
    return observation;
  }

  /** What is left behind once everything has stopped. */
  checkRest(): void {
    this.invariants.checkRest({
      alive: this.workers,
      pendingCalls: this.#pendingCalls,
      namesOf: (path) => this.#environment.names.whereis(path),
    });
  }

  created(process: ScriptedProcess): void {
    this.#refs.set(`${process.path}#${process.incarnation}`, process.ref);
  }

  begin(process: ScriptedProcess): void {
    const failures = this.#sabotage.get(process.path) ?? 0;
    if (failures > 0) {
      this.#sabotage.set(process.path, failures - 1);
      throw new Error('sabotage');
    }
    this.see(process.host.path, `+${process.name}`);
    this.invariants.starts(process, this.workers);
    this.#alive.set(process.path, process);
  }

  asked(process: ScriptedProcess): void {
    this.see(process.host.path, `?${process.name}`);
    this.invariants.isAsked(process, this.workers);
  }

  ended(process: ScriptedProcess, reason: ExitReason): void {
    this.see(process.host.path, `-${process.name}(${reasonText(reason)})`);
    this.invariants.ended(process, reason);
    this.#alive.delete(process.path);
  }

  see(supervisor: string, text: string): void {
    this.#events.push({ supervisor, text });
  }

  /** Giving up is told to the log alone, in the words of its error. */
  #logged(message: string, error: unknown): void {
    if (!isVigilError(error, 'TooManyRestarts') || error.message !== message) return;
    const [, path = ''] = /^supervisor "([^"]*)" gives up/.exec(message) ?? [];
    this.see(path, 'gives up');
    this.invariants.givesUp(path, error);
  }

  #call(path: string, call: Call): boolean {
    const supervisor = this.#supervisors.get(path);
    if (supervisor === undefined) return false;
    const answer = makeCall<WorkerSpec>(
      {
        supervisor,
        isRoot: path === 'root',
        childSpec: (spec) => this.#childSpec(spec, path),
        templateArgs: undefined,
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
    };
    void answer.then(
      (text) => settle(text ?? 'ok'),
      (error: unknown) => settle(errorText(error)),
    );
    return true;
  }

  #childSpec(spec: WorkerSpec | SupervisorSpec, parentPath: string): ChildSpec {
    const { id, restartType, significant, shutdownTimeoutMs, budget, delay } = spec;
    return {
      id,
      restartType,
      significant,
      shutdownTimeoutMs,
      restartDelay: delay,
      maxRestarts: budget?.maxRestarts,
      maxSeconds: budget && budget.periodMs / 1000,
      ...(spec.kind === 'worker'
        ? this.#workerParts(spec, `${parentPath}/${id}`)
        : { startFn: this.#supervisorSource(spec, `${parentPath}/${id}`) }),
    };
  }

  #workerParts(spec: WorkerSpec, path: string): Omit<ChildSpec, 'id'> {
    const runner: Runner = {
      kind: 'task',
      create: (settings, incarnation, host): Process => new ScriptedProcess(this, settings, incarnation, host),
    };
    return {
      startFn: runner,
      readiness: spec.isExplicit ? 'explicit' : 'immediate',
      startTimeoutMs: spec.startTimeoutMs,
      healthCheckIntervalMs: spec.healthIntervalMs,
      healthCheckFn: spec.healthIntervalMs === undefined ? undefined : () => this.#checkHealth(path),
    };
  }

  #checkHealth(path: string): boolean | Promise<boolean> {
    switch (this.#health.get(path) ?? 'well') {
      case 'well':
        return true;
      case 'sick':
        return false;
      case 'mute':
        return new Promise(() => {});
    }
  }

  #supervisorSource(spec: SupervisorSpec, path: string): RunnerSource {
    const { id, strategy, maxRestarts, periodMs, autoShutdown, template, maxChildren } = spec;
    const options = { name: id, maxRestarts, maxSeconds: periodMs / 1000, autoShutdown, keepAlive: false };
    this.invariants.isDynamic.set(path, template !== undefined);
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
          return supervisor;
        }),
    };
  }
}

function treeText(info: SupervisorInfo, indent = ''): string {
  const head = `${indent}${info.name}: ${info.state}, ${info.totalRestarts} restarts, ${info.restartsLeft} left`;
  const children = info.children.map((child) => {
    const last = child.lastExit === undefined ? '' : `, last ${reasonText(child.lastExit.reason)}`;
    const line = `${indent}  ${child.id}#${child.incarnation} ${child.state}, restarted ${child.restartCount}${last}`;
    return child.supervisor === undefined ? line : `${line}\n${treeText(child.supervisor, `${indent}    `)}`;
  });
  return [head, ...children].join('\n');
}
