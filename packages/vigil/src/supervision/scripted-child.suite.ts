import assert from 'node:assert/strict';
import {
  type Cancel,
  type Clock,
  crashed,
  CrashReports,
  DeadLetterQueue,
  type Environment,
  type ExitReason,
  isVigilError,
  ProcessExit,
  ReplyExchange,
  Roots,
  type TelemetryEventType,
  type TelemetryEvents,
  type VigilError,
  type VigilErrorCode,
} from '../core/index.js';
import { PubSubBroker, Registry } from '../messaging/index.js';
import {
  type Process,
  type ProcessContext,
  type ProcessHost,
  type ProcessRef,
  type ProcessSettings,
  type Runner,
  TaskRunner,
} from '../processes/index.js';
import { VirtualClock } from '../testing/index.js';
import { type ChildOptions, type ChildSpec, DEFAULTS } from './child-spec.js';
import { type ChildTemplate, DynamicSupervisor, type DynamicSupervisorOptions } from './dynamic-supervisor.js';
import { Supervisor } from './supervisor.js';
import type { SupervisorOptions } from './supervisor-options.js';
import { SupervisorRunner } from './supervisor-process.js';

/** A virtual clock that also knows how many parts of the program keep Node alive. */
class CountingClock extends VirtualClock {
  holds = 0;

  override keepAlive(): Cancel {
    this.holds += 1;
    let isHeld = true;
    return () => {
      if (!isHeld) return false;
      isHeld = false;
      this.holds -= 1;
      return true;
    };
  }
}

export interface LogLine {
  readonly text: string;
  readonly details: unknown;
}

export interface RecordedEvent {
  readonly eventType: TelemetryEventType;
  readonly metadata: TelemetryEvents[TelemetryEventType];
}

/** Everything that a supervisor under test lives in, and what was seen of it. */
export class World {
  readonly clock: CountingClock = new CountingClock();
  readonly names: Registry = new Registry();
  /** `+id` when a body is entered, `?id` when it learns that it is asked to stop, `-id(reason)` when its supervisor hears of its end. */
  readonly notes: string[] = [];
  readonly errors: LogLine[] = [];
  readonly warnings: LogLine[] = [];
  readonly events: RecordedEvent[] = [];
  /** Called while an event is being reported. */
  onEvent: ((eventType: TelemetryEventType) => void) | undefined;
  readonly environment: Environment;

  constructor(clock?: Clock) {
    const telemetry: Environment['telemetry'] = {
      wants: () => true,
      report: (eventType, metadata) => {
        this.events.push({ eventType, metadata });
        this.onEvent?.(eventType);
      },
    };
    let lastMessageId = 0;
    const forMailboxes = {
      clock: clock ?? this.clock,
      telemetry,
      log: {
        debug() {},
        info() {},
        warn: (text: string, details?: unknown) => this.warnings.push({ text, details }),
        error: (text: string, details?: unknown) => this.errors.push({ text, details }),
      },
      nextMessageId: () => {
        lastMessageId += 1;
        return lastMessageId;
      },
    };
    this.environment = {
      ...forMailboxes,
      random: { next: () => 0.5 },
      names: this.names,
      deadLetters: new DeadLetterQueue(100, this.clock, telemetry),
      guard: { watch: () => () => false },
      roots: new Roots(),
      crashes: new CrashReports({}, this.clock, forMailboxes.log),
      replies: new ReplyExchange(this.clock),
      topics: new PubSubBroker(forMailboxes),
    };
  }

  /** Starts and ends of processes, oldest first. */
  get trace(): string[] {
    return this.notes.filter((note) => !note.startsWith('?'));
  }

  /** The trace since it was last asked for. */
  takeTrace(): string[] {
    const { trace } = this;
    this.notes.length = 0;
    return trace;
  }

  /** The same, with the requests to stop in it. */
  takeNotes(): string[] {
    return this.notes.splice(0);
  }

  /** Lets everything happen that waits for no time. */
  rest(): Promise<void> {
    return this.clock.advance(0);
  }

  child(id: string, options: ChildOptions & Script = {}): ScriptedChild {
    return new ScriptedChild(id, this, options);
  }

  /** Children with these ids that all do the same. */
  children<const Ids extends readonly string[]>(ids: Ids, options?: ChildOptions & Script): { readonly [I in keyof Ids]: ScriptedChild };
  children(ids: readonly string[], options: ChildOptions & Script = {}): ScriptedChild[] {
    return ids.map((id) => this.child(id, options));
  }

  supervisor(options: ScriptedOptions = {}): Supervisor {
    return new Supervisor({ ...options, children: specsOf(options.children) }, this.environment);
  }

  async started(options: ScriptedOptions = {}): Promise<Supervisor> {
    const supervisor = this.supervisor(options);
    await supervisor.start();
    this.notes.length = 0;
    return supervisor;
  }

  /** A dynamic supervisor whose children do what the scripted child says that each is started with. */
  dynamicSupervisor(template: PoolTemplate = {}, options: DynamicSupervisorOptions = {}): Pool {
    const startFn: Runner<ScriptedChild> = {
      kind: 'task',
      create: (settings, incarnation, host) => settings.args.runner.create(settings, incarnation, host),
    };
    return new DynamicSupervisor({ ...template, startFn }, options, this.environment);
  }

  async startedPool(template?: PoolTemplate, options?: DynamicSupervisorOptions): Promise<Pool> {
    const pool = this.dynamicSupervisor(template, options);
    await pool.start();
    return pool;
  }

  /** A supervisor that its parent makes anew at each start. */
  subtree(id: string, options: ScriptedOptions, childOptions: ChildOptions = {}): Subtree {
    return new Subtree(id, options, childOptions);
  }
}

export type Pool = DynamicSupervisor<unknown, ScriptedChild>;
export type PoolTemplate = Omit<ChildTemplate, 'startFn'>;

export interface ScriptedOptions extends Omit<SupervisorOptions, 'children'> {
  readonly children?: readonly (ScriptedChild | Subtree | ChildSpec)[];
}

function specsOf(children: ScriptedOptions['children'] = []): ChildSpec[] {
  return children.map((child) => ('spec' in child ? child.spec : child));
}

/** A nested supervisor; `current` is the one of the last start. */
export class Subtree {
  readonly spec: ChildSpec;
  readonly made: Supervisor[] = [];

  constructor(id: string, options: ScriptedOptions, childOptions: ChildOptions) {
    const startFn = new SupervisorRunner((host, name) => {
      const complete: SupervisorOptions = { name, keepAlive: false, ...options, children: specsOf(options.children) };
      const supervisor = new Supervisor(complete, host.environment, DEFAULTS, host.path);
      this.made.push(supervisor);
      return supervisor;
    });
    this.spec = { ...childOptions, id, startFn };
  }

  get current(): Supervisor {
    return last(this.made, 'the subtree was never started');
  }
}

type StartScript = 'succeeds' | 'fails' | 'declines' | 'waits';

/** How a scripted child behaves. It can be changed at any time and holds from the next start or stop on. */
export interface Script {
  /** Whether its start succeeds, fails, is declined, or waits for `becomeReady()`. Only with `readiness: 'explicit'`. Default `'succeeds'`. */
  start?: StartScript;
  /** Virtual milliseconds until then; default 0. */
  startsAfterMs?: number;
  /** Virtual milliseconds that its clean-up takes, or `'never'` when it does not listen; default 0. */
  stopsAfterMs?: number | 'never';
  /** What its clean-up throws. */
  stopsWith?: Error | undefined;
}

export const START_ERROR: Error = new Error('no such host');
export const CRASH: Error = new Error('boom');

/** A task that starts, ends and stops as the test says. */
export class ScriptedChild implements Script {
  readonly id: string;
  readonly runner: Runner;
  readonly spec: ChildSpec;
  start: StartScript;
  startsAfterMs: number;
  stopsAfterMs: number | 'never';
  stopsWith: Error | undefined;
  /** One for each incarnation, oldest first. */
  readonly contexts: ProcessContext[] = [];
  readonly processes: Process[] = [];
  /** Whoever its processes report to. */
  host: ProcessHost | undefined;
  readonly #world: World;
  #end: Deferred | undefined;

  constructor(id: string, world: World, options: ChildOptions & Script) {
    const { start = 'succeeds', startsAfterMs = 0, stopsAfterMs = 0, stopsWith, ...spec } = options;
    this.id = id;
    this.#world = world;
    this.start = start;
    this.startsAfterMs = startsAfterMs;
    this.stopsAfterMs = stopsAfterMs;
    this.stopsWith = stopsWith;
    this.runner = this.#runner();
    this.spec = { ...spec, id, startFn: this.runner };
  }

  /** How often its body was entered. */
  get starts(): number {
    return this.contexts.length;
  }

  /** How many of its incarnations are alive. */
  get alive(): number {
    return this.processes.filter(({ ref }) => ref.isAlive()).length;
  }

  /** The newest incarnation. */
  get ref(): ProcessRef {
    return last(this.processes, `${this.id} was never started`).ref;
  }

  get context(): ProcessContext {
    return last(this.contexts, `${this.id} was never started`);
  }

  becomeReady(): void {
    this.context.ready();
  }

  /** Lets the body throw; nothing has followed from it yet when this returns. */
  crash(error: unknown = CRASH): void {
    this.#running.reject(error);
  }

  /** Lets the body return. */
  finish(): void {
    this.#running.resolve();
  }

  /** Ends it with any reason; `killed` as if somebody had killed it from outside. */
  end(reason: ExitReason): void {
    switch (reason.kind) {
      case 'normal':
        this.finish();
        break;
      case 'shutdown':
        this.crash(new ProcessExit('shutdown', reason.info));
        break;
      case 'killed':
        last(this.processes, this.id).kill();
        break;
      case 'crashed':
        this.crash(reason.error);
        break;
    }
  }

  get #running(): Deferred {
    if (this.#end === undefined) throw new Error(`${this.id} was never started`);
    return this.#end;
  }

  #runner(): Runner {
    const tasks = new TaskRunner((context) => this.#run(context));
    return {
      kind: tasks.kind,
      create: (settings, incarnation, host) => this.#create(tasks, settings, incarnation, host),
    };
  }

  #create(tasks: Runner, settings: ProcessSettings, incarnation: number, host: ProcessHost): Process {
    const process = tasks.create(settings, incarnation, {
      environment: host.environment,
      path: host.path,
      processReady: (ready) => host.processReady(ready),
      processIgnored: (ignored) => host.processIgnored(ignored),
      processExited: (ended, reason) => {
        this.#world.notes.push(`-${this.id}(${wordFor(reason)})`);
        host.processExited(ended, reason);
      },
      processNotified: (notified, signal) => host.processNotified(notified, signal),
    });
    this.processes.push(process);
    this.host = host;
    return process;
  }

  async #run(context: ProcessContext): Promise<void> {
    this.contexts.push(context);
    const end = new Deferred();
    this.#end = end;
    this.#world.notes.push(`+${this.id}`);
    if (this.startsAfterMs > 0) await Promise.race([this.#pause(this.startsAfterMs), context.stopped]);
    if (this.start === 'fails' && !context.signal.aborted) throw START_ERROR;
    if (this.start === 'declines') return context.ignore();
    if (this.start === 'succeeds') context.ready();
    await Promise.race([end.promise, context.stopped]);
    if (!context.signal.aborted) return;
    this.#world.notes.push(`?${this.id}`);
    const { stopsAfterMs } = this;
    if (stopsAfterMs === 'never') await end.promise;
    else if (stopsAfterMs > 0) await Promise.race([end.promise, this.#pause(stopsAfterMs)]);
    if (this.stopsWith !== undefined) throw this.stopsWith;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#world.clock.after(ms, resolve);
    });
  }
}

class Deferred {
  resolve!: () => void;
  reject!: (error: unknown) => void;
  readonly promise: Promise<void>;

  constructor() {
    this.promise = new Promise<void>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Who ends a child that listens no more has not made a mistake.
    this.promise.catch(() => {});
  }
}

function last<T>(list: readonly T[], otherwise: string): T {
  const item = list.at(-1);
  if (item === undefined) throw new Error(otherwise);
  return item;
}

/** A reason as the traces of the specification write it. */
export function wordFor(reason: ExitReason): string {
  if (reason.kind === 'crashed') return 'error';
  return reason.kind === 'shutdown' && reason.info !== undefined ? 'shutdown(info)' : reason.kind;
}

export const BOOM: ExitReason = crashed(CRASH);

/** A check for `assert.throws` and `assert.rejects`: this code, and each of these details. */
export function failsWith(code: VigilErrorCode, details: Readonly<Record<string, unknown>> = {}): (error: unknown) => boolean {
  return (error) => {
    if (!isVigilError(error)) throw error;
    const found = Object.fromEntries(Object.keys(details).map((key) => [key, error.details[key]]));
    assert.deepEqual({ code: error.code, ...found }, { code, ...details }, error.message);
    return true;
  };
}

/** The error of a promise that must be rejected with a `VigilError`. */
export async function errorFrom(promise: Promise<unknown>): Promise<VigilError> {
  const error: unknown = await promise.then(
    () => new Error('it did not fail'),
    (cause: unknown) => cause,
  );
  if (!isVigilError(error)) throw error;
  return error;
}

/** Whether a promise has settled by now. */
export function watch(promise: Promise<unknown>): { settled: boolean } {
  const watched = { settled: false };
  const settle = () => {
    watched.settled = true;
  };
  promise.then(settle, settle);
  return watched;
}
