import {
  type Check,
  checkArray,
  checkBoolean,
  checkCount,
  checkDuration,
  checkFunction,
  checkGrowingDelay,
  checkName,
  checkObject,
  checkOneOf,
  checkOr,
  checkPositiveCount,
  checkPositiveNumber,
  type CompleteGrowingDelay,
  describeValue,
  invalidOption,
  type MailboxOptions,
  MailboxSettings,
  optional,
  VigilError,
} from '../core/index.js';
import {
  PROCESS_PRIORITIES,
  type ProcessBody,
  type ProcessLimit,
  type ProcessPriority,
  type ProcessSettings,
  READINESS,
  type Readiness,
  type Runner,
  TaskRunner,
} from '../processes/index.js';
import type { RestartDelay } from './restart-delay.js';
import { RESTART_TYPES, type RestartType } from './restart-plan.js';

export const CHILD_TYPES = ['worker', 'supervisor'] as const;
export type ChildType = (typeof CHILD_TYPES)[number];

/** How long a stopped child may take: milliseconds, `infinity`, or `brutal_kill`, which does not ask at all. */
export type ShutdownTimeout = number | 'infinity' | 'brutal_kill';

/** Answers whether a child is well; `false`, a throw or no answer in time counts as a crash. */
export type HealthCheck = () => boolean | Promise<boolean>;

/** Something that can be started as a child, but only knows how once it knows the defaults of its parent: a supervisor. */
export interface RunnerSource {
  asRunner(defaults: SupervisionDefaults): Runner;
}

/** What a child can be: a body, a process of another kind, a supervisor or its builder. */
export type Startable<TMessage = unknown, TArgs = unknown> = ProcessBody<TMessage, TArgs> | Runner<TArgs> | RunnerSource;

export interface ChildOptions<TArgs = unknown> {
  /** What the body finds in `ctx.args`, the same at every restart. */
  readonly args?: TArgs | undefined;
  /** Default `'permanent'`. */
  readonly restartType?: RestartType | undefined;
  /** Default 5,000; for a supervisor `'infinity'`. */
  readonly shutdownTimeoutMs?: ShutdownTimeout | undefined;
  /** Whether it counts as a worker or as a supervisor; default: what it is. */
  readonly type?: ChildType | undefined;
  /** Whether its end can end its supervisor, see `autoShutdown`; default false, never for a permanent child. */
  readonly significant?: boolean | undefined;
  /** Default `'immediate'`. */
  readonly readiness?: Readiness | undefined;
  /**
   * Milliseconds until a start that has to be waited for must be complete, or `'infinity'`; default 30,000. That is every start with explicit
   * readiness, and the loading of the module of a thread or fork.
   */
  readonly startTimeoutMs?: number | 'infinity' | undefined;
  /** Run on an interval while the child runs. */
  readonly healthCheckFn?: HealthCheck | undefined;
  /** Milliseconds between health checks, and how long one may take; default 5,000. */
  readonly healthCheckIntervalMs?: number | undefined;
  /** A restart budget of its own beside that of the supervisor, which gives up when either is used up; default none. */
  readonly maxRestarts?: number | undefined;
  /** The window of its own budget in seconds, > 0; default 5, or that of the preset. */
  readonly maxSeconds?: number | undefined;
  /**
   * Bytes of memory after which it is ended with an `OutOfMemory` crash, > 0; default unlimited. A thread is bounded in its heap by V8
   * and in its buffers at each measurement, a process in its resident size. For threads, forks and commands.
   */
  readonly maxMemoryBytes?: number | undefined;
  /**
   * Milliseconds for which its event loop may stand still before it is ended with a `HealthCheckFailed` crash, > 0; default unlimited,
   * since to be busy is what threads are for. For threads and forks.
   */
  readonly maxBlockedMs?: number | undefined;
  /** How the operating system prefers it to others; default `'normal'`: as this process itself. For forks and commands; every other kind takes only the default. */
  readonly priority?: ProcessPriority | undefined;
  /** How long to wait before it is restarted; default that of the supervisor. */
  readonly restartDelay?: RestartDelay | undefined;
  /** How the child's own inbox is made. */
  readonly inbox?: MailboxOptions | undefined;
}

/** How to start, restart and stop a child. Only `id` and `startFn` are needed. @see OTP `supervisor:child_spec()` */
export interface ChildSpec<TMessage = unknown, TArgs = unknown> extends ChildOptions<TArgs> {
  /** Unique among the children of one supervisor. */
  readonly id: string;
  readonly startFn: Startable<TMessage, TArgs>;
}

/** A checked child spec in which nothing is left open. */
export interface CompleteChildSpec extends ProcessSettings {
  readonly runner: Runner;
  readonly type: ChildType;
  readonly restartType: RestartType;
  readonly shutdownTimeoutMs: ShutdownTimeout;
  readonly significant: boolean;
  readonly startTimeoutMs: number | 'infinity';
  readonly healthCheckFn: HealthCheck | undefined;
  readonly maxRestarts: number | undefined;
  readonly periodMs: number;
  readonly restartDelay: CompleteGrowingDelay | undefined;
}

/** What a supervisor and its children use where they were told nothing. A supervisor hands its own down to the tree below. */
export interface SupervisionDefaults {
  readonly maxRestarts: number;
  readonly maxSeconds: number;
  readonly shutdownTimeoutMs: number;
  readonly healthCheckIntervalMs: number;
  readonly inbox: MailboxSettings;
  readonly restartDelay?: CompleteGrowingDelay | undefined;
}

export const DEFAULTS: SupervisionDefaults = {
  maxRestarts: 3,
  maxSeconds: 5,
  shutdownTimeoutMs: 5000,
  healthCheckIntervalMs: 5000,
  inbox: new MailboxSettings(),
};

const DEFAULT_START_TIMEOUT_MS = 30_000;

const PROCESS_LIMITS = ['maxMemoryBytes', 'maxBlockedMs', 'priority'] as const;

/** What every process obeys. */
const NO_LIMITS = { maxMemoryBytes: undefined, maxBlockedMs: undefined, priority: 'normal' } as const;

const checkMaxMemory = optional(checkPositiveCount);
const checkMaxBlocked = optional(checkPositiveNumber);
const checkPriority = checkOneOf(PROCESS_PRIORITIES);
const checkRestartType = checkOneOf(RESTART_TYPES);
const checkType = checkOneOf(CHILD_TYPES);
const checkReadiness = checkOneOf(READINESS);
const checkMaxRestarts = optional(checkCount);
const checkDelay = optional(checkGrowingDelay);
const checkHealthCheck = optional(checkFunction<HealthCheck>());

const checkStartTimeout: Check<number | 'infinity'> = (name, value) => (value === 'infinity' ? value : checkPositiveNumber(name, value));

const checkShutdownTimeout: Check<ShutdownTimeout> = (name, value) => {
  if (value === 'infinity' || value === 'brutal_kill') return value;
  if (typeof value === 'number') return checkDuration(name, value);
  throw invalidOption(name, "a number of milliseconds >= 0, 'infinity' or 'brutal_kill'", value);
};

/**
 * Checks a child spec and fills in the defaults.
 *
 * @throws {VigilError} `InvalidConfiguration` that names the field and the value; `details.reason` is `missing_id`,
 *   `missing_start` or `invalid_spec` where the spec as a whole is wrong. Keys that no spec has are ignored.
 */
export function completeChildSpec(spec: ChildSpec, defaults: SupervisionDefaults): CompleteChildSpec {
  if (typeof spec !== 'object' || spec === null)
    throw badSpec('invalid_spec', `a child spec must be an object, got ${describeValue(spec)}`);
  if (spec.id === undefined) throw badSpec('missing_id', 'a child spec needs an id');
  const id = checkName('id', spec.id);
  if (spec.startFn === undefined) throw badSpec('missing_start', `child "${id}" needs a startFn`);
  const runner = runnerOf(spec.startFn, defaults);
  const type = checkOr(checkType, 'type', spec.type, runner.kind === 'supervisor' ? 'supervisor' : 'worker');
  const complete: CompleteChildSpec = {
    id,
    runner,
    type,
    args: spec.args === undefined ? runner.args : spec.args,
    restartType: checkOr(checkRestartType, 'restartType', spec.restartType, 'permanent'),
    shutdownTimeoutMs: checkOr(
      checkShutdownTimeout,
      'shutdownTimeoutMs',
      spec.shutdownTimeoutMs,
      type === 'supervisor' ? 'infinity' : defaults.shutdownTimeoutMs,
    ),
    significant: checkOr(checkBoolean, 'significant', spec.significant, false),
    readiness: readinessOf(id, spec.readiness, runner),
    startTimeoutMs: checkOr(checkStartTimeout, 'startTimeoutMs', spec.startTimeoutMs, DEFAULT_START_TIMEOUT_MS),
    healthCheckFn: checkHealthCheck('healthCheckFn', spec.healthCheckFn),
    ...limitsOf(id, spec, runner),
    healthCheckIntervalMs: checkOr(
      checkPositiveNumber,
      'healthCheckIntervalMs',
      spec.healthCheckIntervalMs,
      defaults.healthCheckIntervalMs,
    ),
    maxRestarts: checkMaxRestarts('maxRestarts', spec.maxRestarts),
    periodMs: checkOr(checkPositiveNumber, 'maxSeconds', spec.maxSeconds, defaults.maxSeconds) * 1000,
    restartDelay: checkOr(checkDelay, 'restartDelay', spec.restartDelay, defaults.restartDelay),
    inbox: inboxOf(spec.inbox, defaults),
  };
  if (complete.significant && complete.restartType === 'permanent') {
    throw badSpec('invalid_spec', `child "${id}" cannot be significant and permanent: a permanent child never ends for good`);
  }
  return complete;
}

/**
 * Checks child specs as a supervisor would, without starting anything.
 *
 * @throws {VigilError} as `addChild`: `InvalidConfiguration`, or `AlreadyMonitoring` when two specs have one id.
 * @see OTP `supervisor:check_childspecs/1`
 */
export function checkChildSpecs(specs: readonly ChildSpec[]): void {
  const ids = new Set<string>();
  for (const spec of checkArray('specs', specs)) {
    const { id } = completeChildSpec(spec, DEFAULTS);
    if (ids.has(id)) throw duplicateChild(id, 'present');
    ids.add(id);
  }
}

/** The refusal of a second child with one id. */
export function duplicateChild(id: string, state: 'present' | 'running', details?: Readonly<Record<string, unknown>>): VigilError {
  return new VigilError('AlreadyMonitoring', `there is a child "${id}" already, and it is ${state}`, {
    details: { id, state, ...details },
  });
}

function badSpec(reason: 'missing_id' | 'missing_start' | 'invalid_spec', text: string): VigilError {
  return new VigilError('InvalidConfiguration', text, { details: { reason } });
}

function runnerOf(start: Startable, defaults: SupervisionDefaults): Runner {
  if (typeof start === 'function') return new TaskRunner(start);
  checkObject('startFn', start);
  if ('asRunner' in start && typeof start.asRunner === 'function') return start.asRunner(defaults);
  if ('create' in start && typeof start.create === 'function') return start;
  throw invalidOption('startFn', 'a function, a runner, a supervisor or a supervisor builder', start);
}

function readinessOf(id: string, asked: Readiness | undefined, runner: Runner): Readiness {
  const readiness = checkOr(checkReadiness, 'readiness', asked, runner.readiness ?? 'immediate');
  if (runner.readiness === undefined || readiness === runner.readiness) return readiness;
  throw badSpec('invalid_spec', `child "${id}" is a ${runner.kind} whose readiness can only be '${runner.readiness}'`);
}

function limitsOf(id: string, spec: ChildOptions, { kind, obeys = [] }: Runner): Pick<CompleteChildSpec, ProcessLimit> {
  const limits = {
    maxMemoryBytes: checkMaxMemory('maxMemoryBytes', spec.maxMemoryBytes),
    maxBlockedMs: checkMaxBlocked('maxBlockedMs', spec.maxBlockedMs),
    priority: checkOr(checkPriority, 'priority', spec.priority, NO_LIMITS.priority),
  };
  for (const limit of PROCESS_LIMITS) {
    if (limits[limit] !== NO_LIMITS[limit] && !obeys.includes(limit)) {
      throw badSpec('invalid_spec', `child "${id}" is a ${kind}, which cannot obey ${limit}`);
    }
  }
  return limits;
}

function inboxOf(options: MailboxOptions | undefined, defaults: SupervisionDefaults): MailboxSettings {
  return options === undefined ? defaults.inbox : new MailboxSettings(options, defaults.inbox);
}
