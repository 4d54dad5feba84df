import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import * as vigil from 'vigiljs';
import { SeededRandom, VirtualClock } from 'vigiljs/testing';

/*
 * Everything that a user can hand in, as one table. A value that an option does not take is refused with a `VigilError` that
 * names the option, when it is given or at the latest when it is used, and leaves behind what was there before.
 */

/** Which values an option takes. */
interface Domain {
  readonly takes: (value: unknown) => boolean;
  /** Some of them, which have to be taken. */
  readonly examples: readonly unknown[];
  /** What else has to be refused, beside what fools every check. */
  readonly traps?: readonly unknown[];
  /** Whether `undefined` is not one of them; otherwise it is the default. */
  readonly isRequired?: boolean;
  /** How refusals call the option, when that is not its name. */
  readonly option?: string;
}

/** Something that a value can be handed to. */
interface Taker {
  /** Throws or rejects when it does not take the value. */
  readonly give: (value: never) => unknown;
  /** Checks that a refused value has changed nothing. */
  readonly isUnharmed?: () => unknown;
}

interface Row {
  /** The class and its method, or the function: what the table has to be complete in. */
  readonly of: string;
  /** How the refusal calls it. */
  readonly option: string;
  readonly domain: Domain;
  readonly begin: () => Taker | Promise<Taker>;
  readonly code: vigil.VigilErrorCode;
}

type DomainsOf<Options> = Readonly<Record<keyof Options, Domain>>;

const isFinite = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);
const isFunction = (value: unknown) => typeof value === 'function';
const hasMethods = (value: unknown, methods: readonly string[]) =>
  isObject(value) && methods.every((method) => isFunction(Reflect.get(value, method)));

const count: Domain = { takes: (value) => Number.isSafeInteger(value) && Number(value) >= 0, examples: [0, 1, 4] };
const positiveCount: Domain = { takes: (value) => Number.isSafeInteger(value) && Number(value) >= 1, examples: [1, 7, 2 ** 40] };
const duration: Domain = { takes: (value) => isFinite(value) && value >= 0, examples: [0, 0.5, 2 ** 40] };
const positiveDuration: Domain = { takes: (value) => isFinite(value) && value > 0, examples: [0.5, 1, 2 ** 40] };
const boolean: Domain = { takes: (value) => typeof value === 'boolean', examples: [true, false] };
const text: Domain = { takes: (value) => typeof value === 'string' && value !== '', examples: ['x', 'a name', '__proto__', '😀'] };
const callback: Domain = { takes: isFunction, examples: [() => {}, async () => {}] };
const object: Domain = { takes: isObject, examples: [{}, { unknownKey: 1 }] };
const array: Domain = { takes: Array.isArray, examples: [[]] };
const signal: Domain = { takes: (value) => value instanceof AbortSignal, examples: [new AbortController().signal] };
const message: Domain = { takes: (value) => value instanceof vigil.Message, examples: [], isRequired: true };

const topics: Domain = {
  takes: (value) => typeof value === 'string' && value.split('.').every((level) => level !== '' && !/[*#]/.test(level)),
  examples: ['a', 'events.user.created', '__proto__', '😀.a b'],
  traps: ['', '.', 'a.', '.a', 'a..b', '*', 'a.#', 'a*'],
  isRequired: true,
};

const patterns: Domain = {
  takes: (value) => (Array.isArray(value) ? value : [value]).every(isPattern),
  examples: ['a', '#', '*', 'a.*.#', [], ['__proto__', 'a.#']],
  traps: ['', 'a..b', '#.a', 'a#', 'a.*b', ['a', '#.#'], [1], [undefined], new Array(1)],
  isRequired: true,
};

function isPattern(value: unknown): boolean {
  return typeof value === 'string' && /^(?:[^.*#]+|\*)(?:\.(?:[^.*#]+|\*))*(?:\.#)?$|^#$/.test(value);
}

function oneOf(...words: readonly unknown[]): Domain {
  return { takes: (value) => words.includes(value), examples: words };
}

function either(domain: Domain, ...words: readonly unknown[]): Domain {
  return { takes: (value) => domain.takes(value) || words.includes(value), examples: [...domain.examples, ...words] };
}

function needed(domain: Domain): Domain {
  return { ...domain, isRequired: true };
}

/** A domain of which nothing is tried but what is bad, because the good would end Node. */
function untaken(domain: Domain): Domain {
  return { takes: (value) => value === undefined || domain.takes(value), examples: [], isRequired: true };
}

const logger: Domain = {
  takes: (value) => hasMethods(value, ['debug', 'info', 'warn', 'error']) || value === console,
  examples: [console, { debug() {}, info() {}, warn() {}, error() {} }],
};

const clocks: Domain = {
  takes: (value) => hasMethods(value, ['now', 'wallTime', 'after', 'soon', 'keepAlive']),
  examples: [new VirtualClock()],
};

const startable: Domain = {
  takes: (value) => isFunction(value) || hasMethods(value, ['create']) || hasMethods(value, ['asRunner']),
  examples: [idle, quiet().supervisor(), quiet().supervisor().build()],
  isRequired: true,
};

const eventType = oneOf('process_started', 'message_sent');

const MAILBOX_OPTIONS: DomainsOf<Required<vigil.MailboxOptions>> = {
  capacity: positiveCount,
  priorityQueues: boolean,
  enableDeadletter: boolean,
  deadletterCapacity: positiveCount,
  maxAttempts: positiveCount,
  defaultTtlMs: duration,
  maxMessageSize: positiveCount,
  sizeOf: callback,
  onPoison: callback,
  backpressure: { takes: (value) => isObject(value) && 'strategy' in value, examples: [{ strategy: 'block' }] },
  rateLimit: { takes: (value) => isObject(value) && 'maxPerSecond' in value, examples: [{ maxPerSecond: 5 }] },
};

/** Of an inbox with a capacity of 10. */
const BACKPRESSURE: DomainsOf<Required<vigil.BackpressureOptions>> = {
  strategy: { ...needed(oneOf('drop_oldest', 'drop_newest', 'block', 'return_error', 'adaptive')), examples: ['adaptive'] },
  highWatermark: { takes: (value) => positiveCount.takes(value) && Number(value) <= 10, examples: [5, 10], traps: [11] },
  lowWatermark: { takes: (value) => positiveCount.takes(value) && Number(value) <= 10, examples: [1, 10], traps: [11] },
  maxDelayMs: duration,
};

const RESTART_DELAY: DomainsOf<Required<vigil.RestartDelay>> = {
  initialMs: { ...needed(positiveDuration), option: 'restartDelay.initialMs' },
  maxMs: as('restartDelay.maxMs', positiveDuration),
  multiplier: {
    takes: (value) => typeof value === 'number' && value >= 1 && value <= Number.MAX_VALUE,
    examples: [1, 1.5, Number.MAX_VALUE],
    option: 'restartDelay.multiplier',
  },
  jitter: {
    takes: (value) => typeof value === 'number' && value >= 0 && value <= 1,
    examples: [0, 0.5, 1],
    option: 'restartDelay.jitter',
  },
};

/** A delay with all it needs; its fields have rows of their own. */
const restartDelay: Domain = { takes: (value) => isObject(value) && 'initialMs' in value, examples: [{ initialMs: 1 }] };

const PROCESS_LIMITS: DomainsOf<Required<Pick<vigil.ChildOptions, 'maxMemoryBytes' | 'maxBlockedMs' | 'priority'>>> = {
  maxMemoryBytes: positiveCount,
  maxBlockedMs: positiveDuration,
  priority: oneOf('critical', 'high', 'normal', 'low', 'batch'),
};

/** A kind that cannot obey a limit takes nothing but its default, however good it is. */
const UNOBEYED: typeof PROCESS_LIMITS = {
  maxMemoryBytes: { takes: (value) => value === undefined, examples: [], traps: PROCESS_LIMITS.maxMemoryBytes.examples },
  maxBlockedMs: { takes: (value) => value === undefined, examples: [], traps: PROCESS_LIMITS.maxBlockedMs.examples },
  priority: { ...oneOf('normal'), traps: PROCESS_LIMITS.priority.examples },
};

const CHILD_OPTIONS: DomainsOf<Omit<Required<vigil.ChildOptions>, 'args'>> = {
  restartType: oneOf('permanent', 'transient', 'temporary'),
  shutdownTimeoutMs: either(duration, 'infinity', 'brutal_kill'),
  type: oneOf('worker', 'supervisor'),
  // `true` is taken only together with other options.
  significant: { ...boolean, examples: [false] },
  readiness: { ...oneOf('immediate', 'explicit'), examples: ['immediate'] },
  startTimeoutMs: either(positiveDuration, 'infinity'),
  healthCheckFn: callback,
  healthCheckIntervalMs: positiveDuration,
  maxRestarts: count,
  maxSeconds: positiveDuration,
  restartDelay,
  inbox: object,
  // They are given to tasks; other kinds have rows of their own.
  ...UNOBEYED,
};

/** Any module: none of these rows starts it. */
const MODULE = new URL(import.meta.url);

const module: Domain = {
  takes: (value) => value instanceof URL || (typeof value === 'string' && URL.canParse(value)),
  examples: [MODULE, MODULE.href],
  traps: ['./relative.js', '/absolute.js', { href: MODULE.href }],
  isRequired: true,
};

const isText = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0');

const variables: Domain = {
  takes: (value) => isObject(value) && Object.values(value).every((one) => one === undefined || typeof one === 'string'),
  examples: [{}, { NAME: 'value', GONE: undefined }],
  traps: [{ NAME: 1 }, { NAME: null }],
};

const texts: Domain = {
  takes: (value) => Array.isArray(value) && value.every((one) => typeof one === 'string'),
  examples: [[], ['--enable-source-maps']],
  traps: ['--enable-source-maps', [1], [undefined]],
};

/** Args can be anything. */
const THREAD_OPTIONS: DomainsOf<Required<Omit<vigil.ThreadOptions, 'args'>>> = { spares: count, env: variables, execArgv: texts };

const FORK_OPTIONS: DomainsOf<Required<Omit<vigil.ForkOptions, 'args'>>> = {
  spares: count,
  cwd: text,
  env: variables,
  execArgv: texts,
  execPath: text,
  uid: count,
  gid: count,
};

const programText: Domain = { takes: (value) => isText(value) && value !== '', examples: ['x', 'a name', '😀'], traps: ['a\0b'] };
const systemId: Domain = {
  takes: (value) => count.takes(value) && Number(value) < 2 ** 31,
  examples: [0, 1000, 2 ** 31 - 1],
  traps: [2 ** 31],
};
const outputLevel = oneOf('debug', 'info', 'warn', 'error', 'none');

const COMMAND_OPTIONS: DomainsOf<Required<vigil.CommandOptions>> = {
  cwd: programText,
  env: {
    takes: (value) =>
      isObject(value) &&
      Object.entries(value).every(([key, one]) => isText(key) && key !== '' && !key.includes('=') && (one === undefined || isText(one))),
    examples: variables.examples,
    traps: [{ 'A=B': 'c' }, { '': 'c' }, { 'A\0': 'c' }, { A: '\0' }, { A: 1 }],
  },
  uid: systemId,
  gid: systemId,
  stdin: oneOf('none', 'lines', 'json-lines', 'bytes'),
  stopSignal: { ...oneOf(...Object.keys(constants.signals)), traps: ['TERM', 'SIGNOTHING', 15] },
  normalExitCodes: {
    takes: (value) => Array.isArray(value) && value.every((code) => Number.isInteger(code) && code >= 0 && code <= 255),
    examples: [[], [0, 255]],
    traps: [[256], [-1], [0.5], ['0'], 0],
  },
  readyWhen: {
    takes: (value) => (typeof value === 'string' && value !== '') || value instanceof RegExp,
    examples: ['ready', /ready/g, { port: 80 }, { delayMs: 0 }],
  },
  logOutput: object,
};

/** The fields of options whose values are objects, each with an object that has only this field. */
const COMMAND_FIELDS: Readonly<Record<string, readonly [Domain, (value: unknown) => vigil.CommandOptions]>> = {
  'readyWhen.port': [
    {
      takes: (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65_535,
      examples: [1, 65_535],
      traps: [65_536],
      isRequired: true,
    },
    (port) => ({ readyWhen: { port: only(port) } }),
  ],
  'readyWhen.host': [text, (host) => ({ readyWhen: { port: 80, host: only(host) } })],
  'readyWhen.delayMs': [needed(duration), (delayMs) => ({ readyWhen: { delayMs: only(delayMs) } })],
  'logOutput.stdout': [outputLevel, (stdout) => ({ logOutput: { stdout: only(stdout) } })],
  'logOutput.stderr': [outputLevel, (stderr) => ({ logOutput: { stderr: only(stderr) } })],
};

const SUPERVISOR_OPTIONS: DomainsOf<Required<vigil.SupervisorOptions>> = {
  name: text,
  strategy: oneOf('one_for_one', 'one_for_all', 'rest_for_one'),
  maxRestarts: count,
  maxSeconds: positiveDuration,
  autoShutdown: oneOf('never', 'any_significant', 'all_significant'),
  restartDelay,
  children: array,
  onCrash: callback,
  telemetry: boolean,
  keepAlive: boolean,
};

const { strategy: _strategy, children: _children, ...LIFECYCLE_OPTIONS } = SUPERVISOR_OPTIONS;

const DYNAMIC_OPTIONS: DomainsOf<Required<vigil.DynamicSupervisorOptions>> = { ...LIFECYCLE_OPTIONS, maxChildren: count };

const PARTITION_OPTIONS: DomainsOf<Required<vigil.PartitionOptions>> = {
  ...LIFECYCLE_OPTIONS,
  strategy: SUPERVISOR_OPTIONS.strategy,
  partitions: { ...needed(positiveCount), examples: [1, 3] },
};

const partitionKey: Domain = {
  takes: (value) => ['string', 'number', 'bigint', 'boolean'].includes(typeof value),
  examples: ['', 'a', 5, -5, 0.5, Number.NaN, 5n, -5n, true],
  isRequired: true,
};

const CIRCUIT_BREAKER_OPTIONS: DomainsOf<Required<vigil.CircuitBreakerOptions>> = {
  failureThreshold: positiveCount,
  failureRate: { takes: (value) => isObject(value) && 'threshold' in value, examples: [{ threshold: 0.5 }] },
  resetTimeoutMs: positiveDuration,
  halfOpenRequests: positiveCount,
  halfOpenSuccessThreshold: {
    ...positiveCount,
    takes: (value) => Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= 3,
    examples: [1, 3],
    traps: [4],
  },
  probeTimeoutMs: positiveDuration,
  isFailure: callback,
};

const FAILURE_RATE: DomainsOf<Required<vigil.FailureRate>> = {
  threshold: {
    takes: (value) => typeof value === 'number' && value > 0 && value <= 1,
    examples: [0.01, 1],
    isRequired: true,
    option: 'failureRate.threshold',
  },
  windowMs: as('failureRate.windowMs', positiveDuration),
  minCalls: as('failureRate.minCalls', positiveCount),
};

const snapshots: Domain = {
  takes: (value) => isObject(value) && 'state' in value && 'failures' in value,
  examples: [
    { state: 'closed', failures: 0 },
    { state: 'open', failures: 5, retryInMs: 1 },
    { state: 'half_open', failures: 5, successes: 1 },
    { state: 'closed', failures: 1, recent: [{ ageMs: 1, total: 2, marked: 1 }] },
  ],
  isRequired: true,
};

const budgets: Domain = {
  takes: (value) => value instanceof vigil.RetryBudget,
  examples: [new vigil.RetryBudget({}, quiet())],
};

const RETRY_OPTIONS: DomainsOf<Required<vigil.RetryOptions>> = {
  maxAttempts: positiveCount,
  backoff: {
    takes: (value) => isFunction(value) || (isObject(value) && 'kind' in value),
    examples: [() => 5, { kind: 'fixed', delayMs: 0 }, { kind: 'exponential', initialMs: 1 }, { kind: 'decorrelated', initialMs: 1 }],
  },
  retryIf: callback,
  budget: budgets,
};

/** The fields of each kind of backoff, with what else it needs. */
const BACKOFF_FIELDS: readonly (readonly [string, object, Domain])[] = [
  ['kind', {}, needed(oneOf('fixed', 'exponential', 'decorrelated'))],
  ['delayMs', { kind: 'fixed' }, needed(duration)],
  ['initialMs', { kind: 'exponential' }, needed(positiveDuration)],
  ['maxMs', { kind: 'exponential', initialMs: 1 }, positiveDuration],
  ['multiplier', { kind: 'exponential', initialMs: 1 }, RESTART_DELAY.multiplier],
  ['jitter', { kind: 'exponential', initialMs: 1 }, RESTART_DELAY.jitter],
  ['initialMs', { kind: 'decorrelated' }, needed(positiveDuration)],
  ['maxMs', { kind: 'decorrelated', initialMs: 1 }, positiveDuration],
];

const share: Domain = { takes: (value) => isFinite(value) && value >= 0, examples: [0, 0.1, 2] };

const RETRY_BUDGET_OPTIONS: DomainsOf<Required<vigil.RetryBudgetOptions>> = {
  ratio: share,
  minPerSecond: share,
  windowMs: positiveDuration,
};

const HEDGE_OPTIONS: DomainsOf<Required<vigil.HedgeOptions>> = { delayMs: needed(duration), maxHedges: positiveCount, budget: budgets };

const policyParts: Domain = {
  takes: (value) => isObject(value) && 'around' in value,
  examples: [vigil.timeout(1), vigil.retry(), new vigil.Bulkhead('x', { maxConcurrent: 1 }, quiet()), new vigil.RateLimiter(1, quiet())],
  isRequired: true,
};

const rate: Domain = { takes: (value) => isFinite(value) && value > 0, examples: [0.5, 10] };

const TIMELINE_OPTIONS: DomainsOf<Required<vigil.telemetry.EventTimelineOptions>> = {
  capacity: positiveCount,
  eventTypes: { takes: (value) => Array.isArray(value) && value.every((each) => eventType.takes(each)), examples: [[], ['message_sent']] },
};

const BULKHEAD_OPTIONS: DomainsOf<Required<vigil.BulkheadOptions>> = { maxConcurrent: needed(positiveCount), maxQueued: count };

/** None is tried that is good: a ref is good only for the supervisor whose child it names. */
const ref: Domain = { takes: (value) => hasMethods(value, ['isAlive', 'monitor']), examples: [], isRequired: true };

const RUN_OPTIONS: DomainsOf<Required<vigil.RunOptions>> = { graceMs: untaken(duration), onStarted: untaken(callback) };

const APP_OPTIONS: DomainsOf<Required<vigil.AppOptions>> = {
  name: text,
  strategy: SUPERVISOR_OPTIONS.strategy,
  onCrash: callback,
  log: either(logger, false),
  keepAlive: boolean,
};

const tracer: vigil.Tracer = {
  current: () => undefined,
  beginRequest: () => ({ trace: undefined, end() {} }),
  handle: (_facts, _message, work) => work(),
  beginStart: () => () => {},
  apart: (work) => work(),
  bind: (work) => work,
};

const RUNTIME_OPTIONS: DomainsOf<Required<vigil.RuntimeOptions>> = {
  clock: clocks,
  random: { takes: (value) => hasMethods(value, ['next']), examples: [new SeededRandom(1)] },
  log: logger,
  deadLetterCapacity: positiveCount,
  mailboxProfile: oneOf('safe', 'balanced', 'throughput'),
  timeline: object,
  crashReports: object,
  tracer: { takes: (value) => hasMethods(value, ['current', 'beginRequest', 'handle', 'beginStart', 'apart', 'bind']), examples: [tracer] },
};

const CRASH_REPORT_OPTIONS: DomainsOf<Required<vigil.CrashReportOptions>> = {
  capacity: as('crashReports.capacity', positiveCount),
  redact: as('crashReports.redact', callback),
  onReport: as('crashReports.onReport', callback),
};

const priority = oneOf('critical', 'high', 'normal', 'low', 'batch');
const userSignal = { ...oneOf(...signals()), examples: ['alert', 'custom'] };

const TRACEPARENT = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

const SEND_OPTIONS: DomainsOf<Required<vigil.SendOptions>> = {
  priority,
  ttlMs: { ...duration, examples: [1, 0.5] },
  signal: userSignal,
  // The refusal speaks of the message, which has a sender.
  from: as('sender', text),
  correlationId: text,
  replyTo: text,
  trace: {
    takes: isTrace,
    examples: [{ traceparent: TRACEPARENT }, { traceparent: TRACEPARENT, tracestate: 'vendor=1' }],
    traps: [{ traceparent: 'x' }, { traceparent: TRACEPARENT, tracestate: 'a\nb' }, { traceparent: TRACEPARENT.toUpperCase() }],
  },
};

const WAIT_OPTIONS: DomainsOf<Required<vigil.WaitOptions>> = { signal };
const SEND_WAIT_OPTIONS: DomainsOf<Required<vigil.SendWaitOptions>> = { ...SEND_OPTIONS, ...WAIT_OPTIONS, timeoutMs: duration };

const REGISTRY_OPTIONS: DomainsOf<Required<vigil.RegistryOptions>> = { name: text, log: logger };

const receivers: Domain = {
  takes: (value) => hasMethods(value, ['isClosed', 'onClose', 'sendMessage']),
  examples: [quiet().inbox()],
  isRequired: true,
};

const runtimes: Domain = { takes: (value) => isObject(value) && 'environment' in value, examples: [quiet()] };

const subscribers: Domain = { takes: (value) => value instanceof vigil.Subscriber, examples: [aSubscriber()], isRequired: true };

const mailboxes: Domain = {
  takes: (value) => hasMethods(value, ['isClosed', 'onClose', 'stats', 'send']),
  examples: [quiet().inbox()],
  isRequired: true,
};

const members: Domain = {
  takes: (value) => (Array.isArray(value) ? value : [value]).every((one) => hasMethods(one, ['isClosed', 'onClose', 'send'])),
  examples: [quiet().inbox(), [], [quiet().inbox(), quiet().inbox()]],
  traps: [[1], [undefined], [quiet().inbox(), {}]],
  isRequired: true,
};

const owners: Domain = { takes: (value) => hasMethods(value, ['isClosed', 'onClose']), examples: [quiet().inbox()] };

const LOCK_OPTIONS: DomainsOf<Required<vigil.LockOptions>> = { ...WAIT_OPTIONS, owner: owners };
const MONITOR_OPTIONS: DomainsOf<Required<vigil.GroupMonitorOptions>> = { owner: owners };

const SHUTDOWN_OPTIONS: DomainsOf<Required<vigil.shutdown.ShutdownOptions>> = { timeoutMs: duration, order: oneOf('reverse', 'forward') };

const target: Domain = {
  takes: (value) => text.takes(value) || hasMethods(value, ['send', 'sendMessage']),
  examples: [],
  isRequired: true,
};

const REQUEST_OPTIONS: DomainsOf<Required<vigil.RequestOptions>> = {
  timeoutMs: { takes: (value) => value === 'infinity' || duration.takes(value), examples: [5000, 0.5, 'infinity'] },
  signal,
  priority,
  ttlMs: { ...duration, examples: [1, 0.5] },
  from: as('sender', text),
};

const START_SERVER_OPTIONS: DomainsOf<Omit<Required<vigil.StartServerOptions>, 'args'>> = {
  id: text,
  name: text,
  startTimeoutMs: { takes: (value) => value === 'infinity' || positiveDuration.takes(value), examples: [5000, 'infinity'] },
  inbox: object,
};

const handlers: Domain = {
  takes: (value) => isObject(value) && Object.values(value).every(isFunction),
  examples: [{}, { add: () => 0 }],
  traps: [{ add: 1 }],
};

const SERVER_DEFINITION: DomainsOf<Omit<Required<vigil.ServerDefinition<unknown, unknown, unknown, unknown>>, 'init'>> = {
  call: handlers,
  cast: handlers,
  info: callback,
  continue: callback,
  idle: callback,
  terminate: callback,
  name: { takes: (value) => text.takes(value) || isFunction(value), examples: ['x', () => 'x'] },
  redact: callback,
};

const aServer = vigil.genServer({ init: () => 0 });

/** Values that have fooled checks before: not numbers, nearly numbers, boxes, and objects that pretend. */
const EVIL: readonly unknown[] = [
  undefined,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  -1,
  -0.5,
  0,
  0.5,
  1.5,
  2 ** 53,
  -Number.MAX_VALUE,
  1n,
  '',
  '5',
  'ONE_FOR_ONE',
  'prmanent',
  'constructor',
  '__proto__',
  'x'.repeat(1_000_000),
  true,
  false,
  Symbol('s'),
  Symbol.iterator,
  Object(5),
  Object('one_for_one'),
  Object(true),
  new Date(0),
  /x/,
  new Error('x'),
  Promise.resolve(5),
  [],
  [1],
  ['one_for_one'],
  {},
  { valueOf: () => 5 },
  { toString: fail },
  { id: 5 },
  { asRunner: 5 },
  { create: 5 },
  { sendMessage: 5 },
  Object.create(null),
  () => 5,
  new Map(),
  new WeakMap(),
  new Uint8Array(4),
];

const anyValue = fc
  .oneof(
    fc.constantFrom(...EVIL),
    fc.double(),
    fc.integer(),
    fc.string(),
    fc.anything({ withBigInt: true, withBoxedValues: true, withDate: true, withMap: true, withNullPrototype: true, withTypedArray: true }),
  )
  .map(only);

/** What the handler of `anEmitter` was told. */
const heard: string[] = [];

const DISCARDED = { mailbox: 'box', count: 1 };

const TABLE: readonly Row[] = [
  ...setters('InboxBuilder', () => quiet().inboxBuilder().name('kept').capacity(3), aBuiltInboxWorks, {
    name: text,
    capacity: positiveCount,
    priorityQueues: boolean,
    deadLetter: as('enableDeadletter', boolean),
    deadLetterCapacity: as('deadletterCapacity', positiveCount),
    maxAttempts: positiveCount,
    onPoison: callback,
    defaultTTL: as('defaultTtlMs', duration),
    maxMessageSize: positiveCount,
    sizeOf: callback,
    withBackpressure: { ...MAILBOX_OPTIONS.backpressure, option: 'backpressure' },
    withRateLimit: { ...MAILBOX_OPTIONS.rateLimit, option: 'rateLimit' },
  }),
  ...flowRows('InboxBuilder.withBackpressure', (how) => quiet().inboxBuilder().capacity(10).withBackpressure(how).build()),
  ...rateRows('InboxBuilder.withRateLimit', (how) => quiet().inboxBuilder().withRateLimit(how).build()),
  ...options('InboxBuilder.shared', 'shared options', { bytes: { ...positiveCount, examples: [1, 2 ** 20] } }, () =>
    givenTo(
      quiet().inboxBuilder().name('kept'),
      (builder) => (value) => builder.shared(value).build(),
      (builder) => aBuiltInboxWorks(builder.shared()),
    ),
  ),

  ...setters('SupervisorBuilder', () => quiet().supervisor().child('kept', idle), aBuiltSupervisorWorks, {
    name: text,
    strategy: SUPERVISOR_OPTIONS.strategy,
    maxRestarts: count,
    maxSeconds: positiveDuration,
    autoShutdown: SUPERVISOR_OPTIONS.autoShutdown,
    restartDelay,
    onCrash: callback,
    withTelemetry: as('telemetry', boolean),
    keepAlive: boolean,
  }),
  ...options('SupervisorBuilder.restartDelay', 'restartDelay', RESTART_DELAY, () =>
    givenTo(
      quiet().supervisor().child('kept', idle),
      (builder) => (value: object) => builder.restartDelay({ initialMs: 5, ...value }).build(),
      (builder) => aBuiltSupervisorWorks(builder.restartDelay({ initialMs: 5 })),
    ),
  ).slice(1),

  ...setters('MessageBuilder', () => quiet().msg('kept'), aBuiltMessageIsWhole, {
    from: as('sender', text),
    priority,
    ttl: as('ttlMs', duration),
    signal: userSignal,
    withCorrelation: as('correlationId', text),
    trace: SEND_OPTIONS.trace,
    replyTo: text,
  }).map(inMessage),

  ...options('Runtime.app', 'app options', APP_OPTIONS, () => ({ give: (value) => quiet().app(value) })),
  ...options('Runtime.appWithPreset', 'app options', APP_OPTIONS, () => ({ give: (value) => quiet().appWithPreset('testing', value) })),
  row('Runtime.appWithPreset', 'preset', needed(oneOf('production', 'development', 'high_availability', 'testing')), () => ({
    give: (value) => quiet().appWithPreset(value),
  })),
  ...options('Runtime.dynamicSupervisor', 'supervisor options', DYNAMIC_OPTIONS, () => ({
    give: (value) => quiet().dynamicSupervisor({ startFn: idle }, value),
  })),
  ...templateRows('Runtime.dynamicSupervisor', (template) => quiet().dynamicSupervisor(template)),
  row('Runtime.dynamicSupervisor', 'id', text, () => ({ give: (id) => quiet().dynamicSupervisor({ id, startFn: idle }) })),
  ...options('Runtime.taskSupervisor', 'supervisor options', DYNAMIC_OPTIONS, () => ({
    give: (value) => quiet().taskSupervisor(value),
  })),
  row('Runtime.partitionSupervisor', 'partition options', { takes: isObject, examples: [{ partitions: 1 }], isRequired: true }, () => ({
    give: (value) => quiet().partitionSupervisor({ startFn: idle }, value),
  })),
  ...options('Runtime.partitionSupervisor', 'partition options', PARTITION_OPTIONS, () => ({
    give: (value: object) => quiet().partitionSupervisor({ startFn: idle }, { partitions: 2, ...value }),
  })).slice(1),
  ...templateRows('Runtime.partitionSupervisor', (template) => quiet().partitionSupervisor(template, { partitions: 1 })),
  row('Runtime.via', 'name', needed(text), () => ({ give: (value) => quiet().via(value) })),
  row('Runtime.request', 'target', target, () => ({ give: (value) => quiet().request(value, 'x') })),
  ...options('Runtime.request', 'request options', REQUEST_OPTIONS, () => {
    const runtime = quiet();
    const inbox = runtime.inbox();
    return {
      give: async (value) => {
        const asked = runtime.request(inbox, 'x', value);
        const received = inbox.tryRecv();
        if (received !== undefined) runtime.reply(received, 'answered');
        assert.equal(await asked, 'answered');
      },
    };
  }).map((each) => (each.option === 'priority' || each.option === 'ttlMs' || each.option === 'sender' ? inMessage(each) : each)),
  inMessage(row('Runtime.reply', 'message', message, () => ({ give: (value) => quiet().reply(value, 'x') }))),
  row(
    'Runtime.startServer',
    'server',
    { ...startable, isRequired: true, takes: (value) => isFunction(value) || hasMethods(value, ['create']), examples: [aServer] },
    () => ({
      give: (value) => startAndStop(value),
    }),
  ),
  ...options('Runtime.startServer', 'server options', START_SERVER_OPTIONS, () => ({ give: (value) => startAndStop(aServer, value) })),
  row('Runtime.serverOf', 'target', target, () => ({ give: (value) => quiet().serverOf(value) })),
  row('ReplyMailbox', 'inbox', { takes: () => false, examples: [], isRequired: true }, () => ({
    give: (value) => new vigil.requestReply.ReplyMailbox(value),
  })),
  row('genServer', 'definition', { takes: isObject, examples: [{ init: () => 0 }], isRequired: true }, () => ({
    give: (value) => vigil.genServer(value),
  })),
  ...options('genServer', 'definition', SERVER_DEFINITION, () => ({
    give: (value: object) => vigil.genServer({ init: () => 0, ...value }),
  })).slice(1),

  row('Runtime.publish', 'topic', topics, () => ({ give: (value) => quiet().publish(value, 'x') })),
  row('Runtime.onShutdown', 'hook', needed(callback), () => givenTo(quiet(), (runtime) => (value) => runtime.onShutdown(value), aHookRuns)),
  ...options('Runtime.shutdownAll', 'shutdown options', SHUTDOWN_OPTIONS, () =>
    givenTo(quiet(), (runtime) => (value) => runtime.shutdownAll(value), aHookRuns),
  ),
  ...options('runtime', 'runtime options', RUNTIME_OPTIONS, () => ({ give: (value) => vigil.runtime(value) })),
  ...options('runtime', 'crashReports', CRASH_REPORT_OPTIONS, () => ({ give: (value) => vigil.runtime({ crashReports: value }) })),
  row('Runtime.drain', 'timeoutMs', needed(duration), () => ({ give: (value) => quiet().drain(value) })),
  row('Runtime.remoteSnapshots', 'timeoutMs', duration, () => ({ give: (value) => quiet().remoteSnapshots(value) })),
  row('Runtime.traceMessages', 'path', needed(text), () => ({ give: (value) => quiet().traceMessages(value, () => {}) })),
  row('Runtime.traceMessages', 'handler', needed(callback), () => ({ give: (value) => quiet().traceMessages('x', value) })),
  ...options(
    'Runtime.traceMessages',
    'trace options',
    { maxPerSecond: rate } satisfies DomainsOf<Required<vigil.MessageTraceOptions>>,
    () => ({
      give: (value) => quiet().traceMessages('x', () => {}, value),
    }),
  ),
  row('Runtime.onDrain', 'callback', needed(callback), () => ({ give: (value) => quiet().onDrain(value) })),

  ...childRows('SupervisorBuilder.child', () => {
    const builder = quiet().supervisor().child('kept', idle);
    return { give: (id, body, value) => builder.child(id, body, value).build(), isUnharmed: () => aBuiltSupervisorWorks(builder) };
  }),
  ...childRows('SupervisorBuilder.childWithOptions', () => {
    const builder = quiet().supervisor().child('kept', idle);
    return { give: (id, body, value) => builder.childWithOptions(id, body, value), isUnharmed: () => aBuiltSupervisorWorks(builder) };
  }),
  ...childRows('SupervisorBuilder.childPool', () => {
    const builder = quiet().supervisor().child('kept', idle);
    return { give: (id, body, value) => builder.childPool(id, body, 2, value), isUnharmed: () => aBuiltSupervisorWorks(builder) };
  }),
  row('SupervisorBuilder.childPool', 'count', needed(count), () =>
    givenTo(quiet().supervisor().child('kept', idle), (builder) => (value) => builder.childPool('w', idle, value), aBuiltSupervisorWorks),
  ),
  ...childRows('App.worker', () => {
    const app = quiet().app({ log: false }).worker('kept', idle);
    return { give: (id, body, value) => app.worker(id, body, value), isUnharmed: () => anAppWorks(app) };
  }),
  ...childRows('App.workerPool', () => {
    const app = quiet().app({ log: false }).worker('kept', idle);
    return { give: (id, body, value) => app.workerPool(id, body, 2, value), isUnharmed: () => anAppWorks(app) };
  }),
  row('App.workerPool', 'count', needed(count), () =>
    givenTo(quiet().app({ log: false }).worker('kept', idle), (app) => (value) => app.workerPool('w', idle, value), anAppWorks),
  ),
  row('App.run', 'run options', untaken(object), () => ({ give: (value) => quiet().app({ log: false }).run(value) })),
  ...options('App.run', 'run options', RUN_OPTIONS, () => ({ give: (value) => quiet().app({ log: false }).run(value) })).slice(1),

  ...options('Supervisor', 'supervisor options', SUPERVISOR_OPTIONS, () => ({ give: (value) => new vigil.Supervisor(value, quiet()) })),
  row('Supervisor', 'runtime', { takes: (value) => isObject(value) && 'environment' in value, examples: [quiet()] }, () => ({
    give: (value) => new vigil.Supervisor({}, value),
  })),
  ...specRows('Supervisor', () => ({ give: (spec) => new vigil.Supervisor({ children: [spec] }, quiet()) })),
  ...specRows('Supervisor.addChild', () =>
    givenTo(quiet().supervisor().child('kept', idle).build(), (supervisor) => (spec) => supervisor.addChild(spec), aSupervisorWorks),
  ),
  ...specRows('Supervisor.startChild', async () =>
    givenTo(await running(), (supervisor) => (spec) => supervisor.startChild(spec), aSupervisorWorks),
  ),
  ...specRows('checkChildSpecs', () => ({ give: (spec) => vigil.checkChildSpecs([spec]) })),
  row('checkChildSpecs', 'specs', needed(array), () => ({ give: (value) => vigil.checkChildSpecs(value) })),
  row('Supervisor.shutdown', 'timeoutMs', { ...needed(duration), examples: [1] }, async () =>
    givenTo(await running(), (supervisor) => (value) => supervisor.shutdown(value), aSupervisorWorks),
  ),
  row('Supervisor.restartChild', 'restart options', object, async () =>
    givenTo(await running(), (supervisor) => (value) => supervisor.restartChild('kept', value), aSupervisorWorks),
  ),
  row('Supervisor.restartChild', 'onlyIfStopped', { ...boolean, examples: [false] }, async () =>
    givenTo(await running(), (supervisor) => (value) => supervisor.restartChild('kept', { onlyIfStopped: value }), aSupervisorWorks),
  ),
  ...(['terminateChild', 'restartChild', 'getChildSpec', 'suspendChild', 'resumeChild', 'planFor'] as const)
    .map((method) =>
      row(`Supervisor.${method}`, 'child', needed(oneOf('kept')), async () =>
        givenTo(await running(), (supervisor) => (id) => supervisor[method](id), aSupervisorWorks),
      ),
    )
    .map(unknownChild),
  unknownChild(
    row('Supervisor.deleteChild', 'child', { ...needed(oneOf('kept')), examples: [] }, async () =>
      givenTo(await running(), (supervisor) => (id) => supervisor.deleteChild(id), aSupervisorWorks),
    ),
  ),
  unknownChild(
    row('Supervisor.address', 'child', needed(oneOf('kept')), async () =>
      givenTo(await running(), (supervisor) => (id) => supervisor.address(id).send('x'), aSupervisorWorks),
    ),
  ),

  row('Supervisor.scaleWorkers', 'prefix', { ...needed(text), examples: ['w'] }, async () =>
    givenTo(await aPool(), (supervisor) => (value) => supervisor.scaleWorkers(value, 2), aPoolWorks),
  ),
  row('Supervisor.scaleWorkers', 'count', needed(count), async () =>
    givenTo(await aPool(), (supervisor) => (value) => supervisor.scaleWorkers('w', value), aPoolWorks),
  ),

  ...(['terminateChild', 'suspendChild', 'resumeChild', 'getChildSpec'] as const).map((method) =>
    row(`DynamicSupervisor.${method}`, 'ref', ref, async () =>
      givenTo(await aDynamicSupervisor(), (supervisor) => (value) => supervisor[method](value), aDynamicSupervisorWorks),
    ),
  ),
  row('TaskSupervisor.run', 'work', needed(callback), async () =>
    givenTo(await aTaskSupervisor(), (tasks) => (value) => tasks.run(value), aTaskSupervisorWorks),
  ),
  ...options('TaskSupervisor.run', 'run options', { owner: { ...ref, isRequired: false } }, async () =>
    givenTo(await aTaskSupervisor(), (tasks) => (value) => tasks.run(() => 1, value), aTaskSupervisorWorks),
  ),
  ...(['partitionOf', 'route'] as const).map((method) =>
    row(`PartitionSupervisor.${method}`, 'key', partitionKey, async () =>
      givenTo(await aPartitionSupervisor(), (partitions) => (value) => partitions[method](value), aPartitionSupervisorWorks),
    ),
  ),
  row('PartitionSupervisor.resize', 'partitions', { ...needed(positiveCount), examples: [1, 2, 5] }, async () =>
    givenTo(await aPartitionSupervisor(), (partitions) => (value) => partitions.resize(value), aPartitionSupervisorWorks),
  ),

  row('thread', 'module', module, () => ({ give: (value) => vigil.thread(value) })),
  ...options('thread', 'thread options', THREAD_OPTIONS, () => ({ give: (value) => vigil.thread(MODULE, value) })),
  row('fork', 'module', module, () => ({ give: (value) => vigil.fork(value) })),
  ...options('fork', 'fork options', FORK_OPTIONS, () => ({ give: (value) => vigil.fork(MODULE, value) })),
  row('command', 'program', needed(programText), () => ({ give: (value) => vigil.command(value) })),
  row(
    'command',
    'args',
    {
      takes: (value) => Array.isArray(value) && value.every(isText),
      examples: [[], ['', '-i']],
      traps: ['-i', [1], ['a\0b']],
    },
    () => ({ give: (value) => vigil.command('x', value) }),
  ),
  ...options('command', 'command options', COMMAND_OPTIONS, () => ({ give: (value) => vigil.command('x', [], value) })),
  ...Object.entries(COMMAND_FIELDS).map(([option, [domain, wrap]]) =>
    row('command', option, domain, () => ({ give: (value) => vigil.command('x', [], wrap(value)) })),
  ),
  ...limitRows(vigil.thread(MODULE), ['maxMemoryBytes', 'maxBlockedMs']),
  ...limitRows(vigil.fork(MODULE), ['maxMemoryBytes', 'maxBlockedMs', 'priority']),
  ...limitRows(vigil.command('x'), ['maxMemoryBytes', 'priority']),
  ...limitRows(quiet().supervisor(), []),

  row('ProcessExit', 'kind', needed(oneOf('normal', 'shutdown')), () => ({ give: (value) => new vigil.ProcessExit(value) })),
  row('ProcessContext.register', 'name', needed(text), async () =>
    givenTo(await aContext(), (context) => (value) => context.register(value), aContextWorks),
  ),
  row('ProcessContext.link', 'ref', { ...ref, takes: (value) => hasMethods(value, ['isAlive', 'sendMessage']) }, async () =>
    givenTo(await aContext(), (context) => (value) => context.link(value), aContextWorks),
  ),
  row('ProcessContext.onExit', 'handler', needed(callback), async () =>
    givenTo(await aContext(), (context) => (value) => context.onExit(value), aContextWorks),
  ),
  row('ProcessContext.onSignal', 'signal', needed(userSignal), async () =>
    givenTo(await aContext(), (context) => (value) => context.onSignal(value, () => {}), aContextWorks),
  ),
  row('ProcessContext.onSignal', 'handler', needed(callback), async () =>
    givenTo(await aContext(), (context) => (value) => context.onSignal('healthCheck', value), aContextWorks),
  ),

  ...(['exitAfter', 'killAfter'] as const).map((method) =>
    row(`ProcessTimer.${method}`, 'delayMs', needed(duration), async () =>
      givenTo(await aContext(), (context) => (value) => context.timer[method](value), aContextWorks),
    ),
  ),

  ...options('ProcessMailbox', 'inbox', MAILBOX_OPTIONS, () => ({ give: (value) => new vigil.ProcessMailbox(value, quiet()) })),
  row('ProcessMailbox', 'runtime', runtimes, () => ({
    give: (value) => new vigil.ProcessMailbox({}, value),
  })),

  ...options('Inbox.send', 'send options', SEND_OPTIONS, () =>
    givenTo(anInbox(), (inbox) => (value) => inbox.send('x', value), anInboxWorks),
  ).map(inMessage),
  ...options('Inbox.sendBatch', 'send options', SEND_OPTIONS, () =>
    givenTo(anInbox(), (inbox) => (value) => inbox.sendBatch(['x'], value), anInboxWorks),
  ).map(inMessage),
  row('Inbox.sendBatch', 'payloads', needed(array), () => givenTo(anInbox(), (inbox) => (value) => inbox.sendBatch(value), anInboxWorks)),
  ...options('Inbox.sendWait', 'send options', SEND_WAIT_OPTIONS, () =>
    givenTo(anInbox(), (inbox) => (value) => inbox.sendWait('x', value), anInboxWorks),
  ).map((of) => (of.domain === signal || of.option === 'timeoutMs' ? of : inMessage(of))),
  inMessage(
    row('Inbox.sendMessage', 'message', message, () => givenTo(anInbox(), (inbox) => (value) => inbox.sendMessage(value), anInboxWorks)),
  ),
  inMessage(
    row('Inbox.deadLetter', 'message', message, () => givenTo(anInbox(), (inbox) => (value) => inbox.deadLetter(value), anInboxWorks)),
  ),
  ...options('Inbox.recv', 'wait options', WAIT_OPTIONS, () => givenTo(anInbox(), (inbox) => (value) => inbox.recv(value), anInboxWorks)),
  ...options('Inbox.recvTimeout', 'wait options', WAIT_OPTIONS, () =>
    givenTo(anInbox(), (inbox) => (value) => inbox.recvTimeout(1, value), anInboxWorks),
  ),
  row('Inbox.recvTimeout', 'timeoutMs', needed(duration), () =>
    givenTo(anInbox(), (inbox) => (value) => inbox.recvTimeout(value), anInboxWorks),
  ),
  row('Inbox.recvBatch', 'limit', needed(positiveCount), () =>
    givenTo(anInbox(), (inbox) => (value) => inbox.recvBatch(value), anInboxWorks),
  ),
  row('Inbox.peek', 'limit', positiveCount, () => givenTo(anInbox(), (inbox) => (value) => inbox.peek(value), anInboxWorks)),
  row('Inbox.onClose', 'callback', needed(callback), () => givenTo(anInbox(), (inbox) => (value) => inbox.onClose(value), anInboxWorks)),
  ...options('Inbox.close', 'close options', { discard: boolean }, () =>
    givenTo(anInbox(), (inbox) => (value) => inbox.close(value), anInboxWorks),
  ),

  ...[aMailbox].flatMap((begin) => [
    inMessage(
      row('ProcessMailbox.send', 'message', message, () => givenTo(begin(), (mailbox) => (value) => mailbox.send(value), aMailboxWorks)),
    ),
    ...options('ProcessMailbox.post', 'send options', SEND_OPTIONS, () =>
      givenTo(begin(), (mailbox) => (value) => mailbox.post('x', value), aMailboxWorks),
    ).map(inMessage),
    inMessage(
      row('ProcessMailbox.deadLetter', 'message', message, () =>
        givenTo(begin(), (mailbox) => (value) => mailbox.deadLetter(value), aMailboxWorks),
      ),
    ),
    row('ProcessMailbox.peek', 'limit', positiveCount, () => givenTo(begin(), (mailbox) => (value) => mailbox.peek(value), aMailboxWorks)),
    row('ProcessMailbox.onClose', 'callback', needed(callback), () =>
      givenTo(begin(), (mailbox) => (value) => mailbox.onClose(value), aMailboxWorks),
    ),
    ...options('ProcessMailbox.close', 'close options', { discard: boolean }, () =>
      givenTo(begin(), (mailbox) => (value) => mailbox.close(value), aMailboxWorks),
    ),
  ]),

  row('DeadLetterQueue.replay', 'to', { takes: (value) => hasMethods(value, ['sendMessage']), examples: [quiet().inbox()] }, () =>
    givenTo(anInboxWithDeadLetter(), (inbox) => (value) => inbox.deadLetters.replay(1, value), aDeadLetterIsKept),
  ),

  ...messageRows(),

  row('Registry.register', 'name', needed(text), () =>
    givenTo(quiet(), (runtime) => (value) => runtime.registry.register(value, runtime.inbox()), aRegistryWorks),
  ),
  row('Registry.register', 'mailbox', mailboxes, () =>
    givenTo(
      quiet(),
      ({ registry }) =>
        (value) =>
          registry.register('box', value),
      aRegistryWorks,
    ),
  ),
  ...options('Registry', 'registry options', REGISTRY_OPTIONS, () => ({ give: (value) => new vigil.Registry(value) })),
  row('Registry.onFree', 'callback', needed(callback), () =>
    givenTo(
      aRegistry(),
      ({ registry }) =>
        (value) =>
          registry.onFree('taken', value),
      aNameIsTaken,
    ),
  ),
  row('Registry.dispatch', 'callback', needed(callback), () =>
    givenTo(
      aRegistry(),
      ({ registry }) =>
        (value) =>
          registry.dispatch('taken', value),
      aNameIsTaken,
    ),
  ),
  row('Registry.listen', 'listener', needed(callback), () =>
    givenTo(
      aRegistry(),
      ({ registry }) =>
        (value) =>
          registry.listen(value),
      aNameIsTaken,
    ),
  ),
  row('Registry.lock', 'key', needed(text), () =>
    givenTo(
      aRegistry(),
      ({ registry }) =>
        (value) =>
          registry.lock(value, () => 1),
      aNameIsTaken,
    ),
  ),
  row('Registry.lock', 'work', needed(callback), () =>
    givenTo(
      aRegistry(),
      ({ registry }) =>
        (value) =>
          registry.lock('x', value),
      aNameIsTaken,
    ),
  ),
  ...options('Registry.lock', 'wait options', LOCK_OPTIONS, () =>
    givenTo(
      aRegistry(),
      ({ registry }) =>
        (value) =>
          registry.lock('x', () => 1, value),
      aNameIsTaken,
    ),
  ),

  ...options('DuplicateRegistry', 'registry options', REGISTRY_OPTIONS, () => ({ give: (value) => new vigil.DuplicateRegistry(value) })),
  row('DuplicateRegistry.register', 'name', needed(text), () =>
    givenTo(new vigil.DuplicateRegistry(), (registry) => (value) => registry.register(value, quiet().inbox()), isEmpty),
  ),
  row('DuplicateRegistry.register', 'mailbox', mailboxes, () =>
    givenTo(new vigil.DuplicateRegistry(), (registry) => (value) => registry.register('x', value), isEmpty),
  ),
  row('DuplicateRegistry.dispatch', 'callback', needed(callback), () => ({
    give: (value) => new vigil.DuplicateRegistry().dispatch('x', value),
  })),
  row('DuplicateRegistry.listen', 'listener', needed(callback), () => ({ give: (value) => new vigil.DuplicateRegistry().listen(value) })),
  row('DuplicateRegistry.lock', 'key', needed(text), () => ({ give: (value) => new vigil.DuplicateRegistry().lock(value, () => 1) })),

  row('ProcessGroup', 'name', needed(text), () => ({ give: (value) => new vigil.ProcessGroup(value, quiet()) })),
  row('ProcessGroup', 'runtime', runtimes, () => ({ give: (value) => new vigil.ProcessGroup('x', value) })),
  row('ProcessGroup.add', 'id', needed(text), () =>
    givenTo(aGroup(), (group) => (value) => group.add(value, quiet().inbox()), aGroupHasOne),
  ),
  row('ProcessGroup.add', 'sender', mailboxes, () => givenTo(aGroup(), (group) => (value) => group.add('x', value), aGroupHasOne)),
  ...options('ProcessGroup.add', 'member options', { weight: positiveDuration }, () =>
    givenTo(aGroup(), (group) => (value) => group.add('x', quiet().inbox(), value), aGroupHasOne),
  ),
  row('ProcessGroup.broadcastBatch', 'payloads', needed(array), () =>
    givenTo(aGroup(), (group) => (value) => group.broadcastBatch(value), aGroupHasOne),
  ),
  ...options('ProcessGroup.monitor', 'monitor options', MONITOR_OPTIONS, () =>
    givenTo(aGroup(), (group) => (value) => group.monitor(value), aGroupHasOne),
  ),
  ...options('ProcessGroup.broadcast', 'send options', SEND_OPTIONS, () =>
    givenTo(aGroup(), (group) => (value) => group.broadcast('x', value), aGroupHasOne),
  ).map(inMessage),
  ...options('ProcessGroup.roundRobin', 'send options', SEND_OPTIONS, () =>
    givenTo(aGroup(), (group) => (value) => group.roundRobin('x', value), aGroupHasOne),
  ).map(inMessage),
  row('ProcessGroup.route', 'key', needed(text), () => givenTo(aGroup(), (group) => (value) => group.route('x', value), aGroupHasOne)),
  row('ProcessGroup.memberFor', 'key', needed(text), () => givenTo(aGroup(), (group) => (value) => group.memberFor(value), aGroupHasOne)),

  row('GroupScope.join', 'group', needed(text), () =>
    givenTo(aScope(), (scope) => (value) => scope.join(value, quiet().inbox()), aScopeHasOne),
  ),
  row('GroupScope.join', 'member', members, () => givenTo(aScope(), (scope) => (value) => scope.join('g', value), aScopeHasOne)),
  row('GroupScope.monitor', 'group', needed(text), () => givenTo(aScope(), (scope) => (value) => scope.monitor(value), aScopeHasOne)),
  ...options('GroupScope.monitor', 'monitor options', MONITOR_OPTIONS, () =>
    givenTo(aScope(), (scope) => (value) => scope.monitor('g', value), aScopeHasOne),
  ),
  ...options('GroupScope.monitorScope', 'monitor options', MONITOR_OPTIONS, () =>
    givenTo(aScope(), (scope) => (value) => scope.monitorScope(value), aScopeHasOne),
  ),

  row('Subscriber', 'receiver', receivers, () => ({ give: (value) => new vigil.Subscriber(value, quiet()) })),
  row('Subscriber', 'runtime', runtimes, () => ({ give: (value) => new vigil.Subscriber(quiet().inbox(), value) })),
  row('Subscriber.subscribe', 'pattern', patterns, () =>
    givenTo(aSubscriber(), (subscriber) => (value) => subscriber.subscribe(value), subscribesToOne),
  ),
  row('Subscriber.unsubscribe', 'pattern', { ...patterns, isRequired: false }, () => ({
    give: (value) => aSubscriber().unsubscribe(value),
  })),
  row('Subscriber.matches', 'topic', topics, () => ({ give: (value) => aSubscriber().matches(value) })),

  row('PubSubBroker', 'runtime', runtimes, () => ({ give: (value) => new vigil.pubsub.PubSubBroker(value) })),
  row('PubSubBroker.publish', 'topic', topics, () => ({ give: (value) => aBroker().publish(value, 'x') })),
  ...options('PubSubBroker.publish', 'send options', SEND_OPTIONS, () => ({
    give: (value) => aBroker().publish('a', 'x', value),
  })).map(inMessage),
  row('PubSubBroker.publishBatch', 'topic', topics, () => ({ give: (value) => aBroker().publishBatch(value, ['x']) })),
  row('PubSubBroker.publishBatch', 'payloads', needed(array), () => ({ give: (value) => aBroker().publishBatch('a', value) })),
  ...options('PubSubBroker.publishBatch', 'send options', SEND_OPTIONS, () => ({
    give: (value) => aBroker().publishBatch('a', ['x'], value),
  })).map(inMessage),
  row('PubSubBroker.receiversOf', 'topic', topics, () => ({ give: (value) => aBroker().receiversOf(value) })),
  row('PubSubBroker.subscribe', 'subscriber', subscribers, () => ({ give: (value) => aBroker().subscribe(value) })),
  row('PubSubBroker.unsubscribe', 'subscriber', subscribers, () => ({ give: (value) => aBroker().unsubscribe(value) })),

  row(
    'TelemetryEmitter',
    'clock',
    { takes: (value) => hasMethods(value, ['wallTime']), examples: [new VirtualClock(), { wallTime: () => 1 }] },
    () => ({
      give: (value) => new vigil.telemetry.TelemetryEmitter(value),
    }),
  ),
  row('TelemetryEmitter', 'log', logger, () => ({ give: (value) => new vigil.telemetry.TelemetryEmitter(undefined, value) })),
  row('EventTimeline', 'emitter', { takes: (value) => hasMethods(value, ['on']), examples: [], isRequired: true }, () => ({
    give: (value) => new vigil.telemetry.EventTimeline(value),
  })),
  ...options('EventTimeline', 'timeline options', TIMELINE_OPTIONS, () => ({
    give: (value) => new vigil.telemetry.EventTimeline(anEmitter(), value),
  })),
  row('TelemetryEmitter.on', 'eventType', needed(eventType), () =>
    givenTo(anEmitter(), (emitter) => (value) => emitter.on(value, () => {}), anEmitterWorks),
  ),
  row('TelemetryEmitter.on', 'handler', needed(callback), () =>
    givenTo(anEmitter(), (emitter) => (value) => emitter.on('message_sent', value), anEmitterWorks),
  ),
  row('TelemetryEmitter.removeHandlers', 'eventType', needed(eventType), () =>
    givenTo(anEmitter(), (emitter) => (value) => emitter.removeHandlers(value), anEmitterWorks),
  ),
  row('TelemetryEmitter.setEnabled', 'isEnabled', needed(boolean), () =>
    givenTo(anEmitter(), (emitter) => (value) => emitter.setEnabled(value), anEmitterWorks),
  ),
  row('TelemetryEmitter.emit', 'event', { ...needed(object), examples: [] }, () =>
    givenTo(anEmitter(), (emitter) => (value) => emitter.emit(value), anEmitterWorks),
  ),
  row('TelemetryEmitter.emit', 'eventType', needed(eventType), () =>
    givenTo(
      anEmitter(),
      (emitter) => (value) => emitter.emit(only({ eventType: value, timestampMs: 0, metadata: DISCARDED })),
      anEmitterWorks,
    ),
  ),

  row('ShutdownManager', 'clock', { takes: (value) => hasMethods(value, ['now', 'after']), examples: [new VirtualClock()] }, () => ({
    give: (value) => new vigil.shutdown.ShutdownManager(value),
  })),
  row('ShutdownManager', 'log', logger, () => ({ give: (value) => new vigil.shutdown.ShutdownManager(undefined, value) })),
  row('ShutdownManager.onShutdown', 'hook', needed(callback), () =>
    givenTo(
      quiet(),
      ({ shutdownManager }) =>
        (value) =>
          shutdownManager.onShutdown(value),
      aHookRuns,
    ),
  ),
  ...options('ShutdownManager.shutdown', 'shutdown options', SHUTDOWN_OPTIONS, () =>
    givenTo(
      quiet(),
      ({ shutdownManager }) =>
        (value) =>
          shutdownManager.shutdown(value),
      aHookRuns,
    ),
  ),

  row('CircuitBreaker', 'name', needed(text), () => ({ give: (value) => new vigil.CircuitBreaker(value, {}, quiet()) })),
  ...options('CircuitBreaker', 'circuit breaker options', CIRCUIT_BREAKER_OPTIONS, () => ({
    give: (value) => new vigil.CircuitBreaker('x', value, quiet()),
  })),
  ...options('CircuitBreaker', 'failureRate', FAILURE_RATE, () => ({
    give: (value: object) =>
      new vigil.CircuitBreaker('x', { failureRate: only(isObject(value) ? { threshold: 0.5, ...value } : value) }, quiet()),
  })),
  row('CircuitBreaker', 'runtime', runtimes, () => ({ give: (value) => new vigil.CircuitBreaker('x', {}, value) })),
  row('CircuitBreaker.call', 'work', needed(callback), () => givenTo(aBreaker(), (breaker) => (value) => breaker.call(value), isClosed)),
  ...options('CircuitBreaker.call', 'wait options', WAIT_OPTIONS, () =>
    givenTo(aBreaker(), (breaker) => (value) => breaker.call(() => 1, value), isClosed),
  ),
  row('CircuitBreaker.callSync', 'work', needed(callback), () =>
    givenTo(aBreaker(), (breaker) => (value) => breaker.callSync(value), isClosed),
  ),
  row('CircuitBreaker.restore', 'snapshot', snapshots, () => givenTo(aBreaker(), (breaker) => (value) => breaker.restore(value), isClosed)),

  ...options('retry', 'retry options', RETRY_OPTIONS, () => ({ give: (value) => vigil.retry(value) })),
  ...BACKOFF_FIELDS.map(([field, others, domain]) =>
    row('retry', `backoff.${field}`, domain, () => ({
      give: (value) => vigil.retry({ backoff: only({ delayMs: 1, initialMs: 1, ...others, [field]: value }) }),
    })),
  ),
  row('timeout', 'timeoutMs', needed(positiveDuration), () => ({ give: (value) => vigil.timeout(value) })),
  row('fallback', 'fallback', needed(callback), () => ({ give: (value) => vigil.fallback(value) })),
  ...options('hedge', 'hedge options', HEDGE_OPTIONS, () => ({
    give: (value: object | undefined) =>
      vigil.hedge(isObject(value === undefined ? {} : value) ? only({ delayMs: 1, ...value }) : only(value)),
  })),
  ...options('RetryBudget', 'retry budget options', RETRY_BUDGET_OPTIONS, () => ({
    give: (value) => new vigil.RetryBudget(value, quiet()),
  })),
  row('RetryBudget', 'runtime', runtimes, () => ({ give: (value) => new vigil.RetryBudget({}, value) })),
  row('Runtime.policy', 'part 1 of the policy', policyParts, () => ({ give: (value) => quiet().policy(value) })),
  row('policy', 'work', needed(callback), () => ({ give: (value) => vigil.policy()(value) })),
  ...options('policy', 'wait options', WAIT_OPTIONS, () => ({ give: (value) => vigil.policy()(() => 1, value) })),
  row('policy', 'work', needed(callback), () => ({ give: (value) => vigil.policy().report(value) })),
  ...options('policy', 'wait options', WAIT_OPTIONS, () => ({ give: (value) => vigil.policy().report(() => 1, value) })),

  row('Bulkhead', 'name', needed(text), () => ({ give: (value) => new vigil.Bulkhead(value, { maxConcurrent: 1 }, quiet()) })),
  ...options('Bulkhead', 'bulkhead options', BULKHEAD_OPTIONS, () => ({
    give: (value: object | undefined) =>
      new vigil.Bulkhead('x', isObject(value === undefined ? {} : value) ? { maxConcurrent: 1, ...value } : only(value), quiet()),
  })),
  row('Bulkhead', 'runtime', runtimes, () => ({ give: (value) => new vigil.Bulkhead('x', { maxConcurrent: 1 }, value) })),
  row('Bulkhead.call', 'work', needed(callback), () => givenTo(aBulkhead(), (bulkhead) => (value) => bulkhead.call(value), isUnused)),
  ...options('Bulkhead.call', 'wait options', WAIT_OPTIONS, () =>
    givenTo(aBulkhead(), (bulkhead) => (value) => bulkhead.call(() => 1, value), isUnused),
  ),
  ...options('Bulkhead.acquire', 'wait options', WAIT_OPTIONS, () =>
    givenTo(aBulkhead(), (bulkhead) => (value) => bulkhead.acquire(value), isUnused),
  ),

  row('RateLimiter', 'name', text, () => ({ give: (value) => new vigil.RateLimiter({ perSecond: 1, name: value }, quiet()) })),
  row('RateLimiter', 'perSecond', needed(rate), () => ({ give: (value) => new vigil.RateLimiter({ perSecond: value }, quiet()) })),
  row('RateLimiter', 'burst', positiveCount, () => ({ give: (value) => new vigil.RateLimiter({ perSecond: 1, burst: value }, quiet()) })),
  row('RateLimiter', 'runtime', runtimes, () => ({ give: (value) => new vigil.RateLimiter(1, value) })),
  row('RateLimiter.allow', 'tokens', count, () => ({ give: (value) => new vigil.RateLimiter(10, quiet()).allow(value) })),
  row('RateLimiter.wait', 'tokens', count, () => ({ give: (value) => new vigil.RateLimiter(10, quiet()).wait(value) })),
  ...options('RateLimiter.wait', 'wait options', { ...WAIT_OPTIONS, timeoutMs: duration }, () => ({
    give: (value) => new vigil.RateLimiter(10, quiet()).wait(1, value),
  })),
  ...options(
    'KeyedRateLimiter',
    'rate limiter options',
    { name: text, perSecond: needed(rate), burst: positiveCount, maxKeys: positiveCount },
    () => ({
      give: (value: object | undefined) =>
        new vigil.KeyedRateLimiter(isObject(value === undefined ? {} : value) ? { perSecond: 1, ...value } : only(value), quiet()),
    }),
  ),
  row('FlowControlledInbox', 'inbox', { takes: () => false, examples: [], isRequired: true }, () => ({
    give: (value) => new vigil.FlowControlledInbox(value, { maxPerSecond: 1 }),
  })),
  ...flowRows('FlowControlledInbox', (how) => new vigil.FlowControlledInbox(anInboxOfTen(), undefined, how)),
  ...rateRows('FlowControlledInbox', (how) => new vigil.FlowControlledInbox(anInboxOfTen(), how)),
  row('KeyedRateLimiter', 'runtime', runtimes, () => ({ give: (value) => new vigil.KeyedRateLimiter({ perSecond: 1 }, value) })),
  row('KeyedRateLimiter.allow', 'key', needed(text), () => ({ give: (value) => aKeyedLimiter().allow(value) })),
  row('KeyedRateLimiter.allow', 'tokens', count, () => ({ give: (value) => aKeyedLimiter().allow('x', value) })),
  row('KeyedRateLimiter.available', 'key', needed(text), () => ({ give: (value) => aKeyedLimiter().available(value) })),
  row('KeyedRateLimiter.reset', 'key', text, () => ({ give: (value) => aKeyedLimiter().reset(value) })),

  row('Timer', 'runtime', runtimes, () => ({ give: (value) => new vigil.Timer(value) })),
  row('Timer.setTimeout', 'delayMs', needed(duration), () => ({ give: (value) => aTimer().setTimeout(value, () => {}) })),
  row('Timer.setTimeout', 'callback', needed(callback), () => ({ give: (value) => aTimer().setTimeout(1, value) })),
  ofInterval(row('Timer.setInterval', 'periodMs', needed(rate), () => ({ give: (value) => aTimer().setInterval(value, () => {}) }))),
  row('Timer.setInterval', 'callback', needed(callback), () => ({ give: (value) => aTimer().setInterval(1, value) })),
  row('Timer.sendAfter', 'delayMs', needed(duration), () => ({ give: (value) => aTimer().sendAfter(value, quiet().inbox(), 'x') })),

  row('VirtualClock.advance', 'ms', needed(duration), () => ({ give: (value) => new VirtualClock().advance(value) })),
];

/** What Vigil alone calls. */
const OF_EACH_KIND_OF_SUPERVISOR = ['settle', 'firstChildren', 'planOf', 'stopChildren'];

/** Methods that take nothing, or a key that is only looked up, or that are called by Vigil alone. */
const NOTHING_TO_REFUSE: Readonly<Record<string, readonly string[]>> = {
  InboxBuilder: ['build'],
  SupervisorBuilder: ['build', 'asRunner'],
  MessageBuilder: ['build'],
  App: ['exited', 'root', 'start', 'shutdown', 'inspect'],
  // Each builder has its own rows; a payload can be anything.
  Runtime: ['supervisor', 'inbox', 'inboxBuilder', 'msg', 'isDraining', 'tracer', 'snapshot', 'health', 'debugDump'],
  DynamicSupervisor: ['startChild', 'whichChildren', 'countChildren', ...OF_EACH_KIND_OF_SUPERVISOR, 'keepsEnded'],
  TaskSupervisor: [],
  PartitionSupervisor: ['partitions', 'start'],
  ProcessContext: [
    'environment',
    'supervisor',
    'timer',
    'id',
    'incarnation',
    'args',
    'self',
    'inbox',
    'signal',
    'stopped',
    'log',
    'clock',
    'ready',
    'ignore',
    'resumed',
    // Of what nobody is, it says noproc, or false.
    'monitor',
    'unlink',
    'whereis',
    'unregister',
  ],
  Supervisor: [
    ...OF_EACH_KIND_OF_SUPERVISOR,
    'path',
    'environment',
    'reporter',
    'request',
    'question',
    'checkRunning',
    'admit',
    'restartOnRequest',
    'stopChild',
    'suspend',
    'resume',
    'canRestart',
    'tally',
    'inStopOrder',
    'nextTurn',
    'forget',
    'find',
    'notFound',
    'keepsEnded',
    'refusal',
    'invalidState',
    'name',
    'state',
    'exited',
    'start',
    'stop',
    'kill',
    'whichChildren',
    'countChildren',
    'inspect',
    'getRestartHistory',
    'getChildInfo',
    'asRunner',
    'childEnded',
    'childOverdue',
    'childNotified',
  ],
  // What the inbox in it takes has its rows.
  FlowControlledInbox: [
    'name',
    'deadLetters',
    'send',
    'sendMessage',
    'sendBatch',
    'sendWait',
    'recv',
    'recvTimeout',
    'tryRecv',
    'recvBatch',
    'peek',
    'deadLetter',
    'stats',
    'isClosed',
    'onClose',
    'close',
  ],
  Inbox: [
    'control',
    'lateReplies',
    'recvReply',
    'lastReceived',
    'queues',
    'supervisor',
    'name',
    'deadLetters',
    'tryRecv',
    'stats',
    'isClosed',
    'end',
    'seal',
    'hold',
    'release',
    'arrived',
    'adopt',
    'lend',
    'settle',
    'rankOf',
    'isDrained',
  ],
  ProcessMailbox: [
    'admit',
    'canMakeRoom',
    'canResume',
    'control',
    'lastReceived',
    'queues',
    'flow',
    'giveUpLate',
    'takeWhere',
    'adopt',
    'lend',
    'settle',
    'waiting',
    'rankOf',
    'refusal',
    'reportReceived',
    'take',
    'depth',
    'nextExpiryMs',
    'deadLetters',
    'receive',
    'tryReceive',
    'isClosed',
    'hasRoom',
    'stats',
    'end',
  ],
  DeadLetterQueue: ['size', 'isFull', 'evicted', 'list', 'add', 'discard', 'discardAll'],
  Message: ['id', 'metadata', 'trace', 'attemptCount', 'isExpired', 'sizeBytes'],
  // A name that is only looked up, or a value, which can be anything.
  Registry: ['size', 'whereis', 'lookup', 'namesOf', 'update', 'unregister', 'release', 'snapshot'],
  DuplicateRegistry: ['size', 'lookup', 'namesOf', 'unregister'],
  ProcessGroup: ['remove', 'count', 'memberCount', 'members', 'stats'],
  GroupScope: ['leave', 'getMembers', 'whichGroups'],
  Subscriber: ['patterns', 'join', 'leave'],
  PubSubBroker: ['stats', 'open'],
  TelemetryEmitter: ['wants', 'report', 'wantedEvents', 'onWantedChange'],
  ShutdownManager: ['size'],
  RetryBudget: ['available', 'refused', 'count', 'take'],
  CircuitBreaker: ['refused', 'getState', 'getFailureCount', 'forceOpen', 'forceClose', 'save', 'around'],
  Bulkhead: ['inFlight', 'queued', 'refused', 'around'],
  RateLimiter: ['available', 'waiting', 'reset', 'around'],
  ProcessTimer: [],
  KeyedRateLimiter: ['size'],
  Timer: ['cancel', 'snapshot'],
  VirtualClock: ['pendingTimers', 'now', 'wallTime', 'after', 'soon', 'keepAlive'],
};

/** Public functions and classes that the table has under another name, or that take what cannot be wrong. */
const NO_ROWS_OF_THEIR_OWN: readonly string[] = [
  // The default runtime's methods.
  'app',
  'reply',
  'request',
  'serverOf',
  'startServer',
  'appWithPreset',
  'defaultRuntime',
  'dynamicSupervisor',
  'inbox',
  'inboxBuilder',
  'msg',
  'onShutdown',
  'partitionSupervisor',
  'publish',
  'shutdownAll',
  'supervisor',
  'taskSupervisor',
  'via',
  'App',

  // It takes nothing.
  'GroupScope',

  // What they get is shown or asked about, whatever it is.
  'VigilError',
  'describeExit',
  'formatCrashReport',
  'formatTree',
  'isVigilError',
];

describe('the table of bad input', async () => {
  const prototypes = {
    InboxBuilder: quiet().inboxBuilder(),
    SupervisorBuilder: quiet().supervisor(),
    MessageBuilder: quiet().msg('x'),
    App: quiet().app({ log: false }),
    Runtime: quiet(),
    Supervisor: quiet().supervisor().build(),
    DynamicSupervisor: quiet().dynamicSupervisor({ startFn: idle }),
    TaskSupervisor: quiet().taskSupervisor(),
    PartitionSupervisor: quiet().partitionSupervisor({ startFn: idle }, { partitions: 1 }),
    ProcessContext: await aContext(),
    ProcessTimer: (await aContext()).timer,
    Inbox: quiet().inbox(),
    // Its public class adds only a constructor, as do others.
    ProcessMailbox: vigil.ProcessMailbox.prototype,
    DeadLetterQueue: quiet().deadLetters,
    Message: quiet().msg('x').build(),
    Registry: new vigil.Registry(),
    DuplicateRegistry: new vigil.DuplicateRegistry(),
    ProcessGroup: vigil.ProcessGroup.prototype,
    GroupScope: new vigil.GroupScope(),
    Subscriber: vigil.Subscriber.prototype,
    PubSubBroker: quiet().pubsub,
    TelemetryEmitter: quiet().telemetry,
    ShutdownManager: quiet().shutdownManager,
    RetryBudget: vigil.RetryBudget.prototype,
    CircuitBreaker: vigil.CircuitBreaker.prototype,
    Bulkhead: vigil.Bulkhead.prototype,
    FlowControlledInbox: new vigil.FlowControlledInbox(anInboxOfTen(), { maxPerSecond: 1 }),
    RateLimiter: vigil.RateLimiter.prototype,
    KeyedRateLimiter: vigil.KeyedRateLimiter.prototype,
    Timer: vigil.Timer.prototype,
    VirtualClock: new VirtualClock(),
  };

  for (const [name, instance] of Object.entries(prototypes)) {
    it(`has every method of ${name}`, () => {
      // What all kinds of supervisors have is in the rows of the first one.
      const actual = name === 'Supervisor' ? [...methodsOf(instance), ...methodsOf(Object.getPrototypeOf(instance))] : methodsOf(instance);
      const inTable = new Set(TABLE.filter(({ of }) => of.startsWith(`${name}.`)).map(({ of }) => of.slice(name.length + 1)));
      assert.deepEqual([...new Set(actual)].toSorted(), [...inTable, ...(NOTHING_TO_REFUSE[name] ?? [])].toSorted());
    });
  }

  it('has every public function and class', () => {
    const functions = Object.entries(vigil).flatMap(([name, value]) => (typeof value === 'function' ? [name] : []));
    const inTable = new Set(TABLE.map(({ of }) => of).filter((of) => functions.includes(of)));
    assert.deepEqual(functions.toSorted(), [...inTable, ...NO_ROWS_OF_THEIR_OWN].toSorted());
  });
});

describe('bad input', () => {
  for (const { of, option, domain, begin, code } of TABLE) {
    const bad = [...EVIL, ...(domain.traps ?? [])];
    const isBad = (value: unknown) => value !== null && !domain.takes(value) && (value !== undefined || domain.isRequired === true);

    const refuses = async (value: never) => {
      const { give, isUnharmed } = await begin();
      const refusal = await refusalOf(() => give(value));
      assert.ok(vigil.isVigilError(refusal, code), `${String(refusal)} instead of ${code}`);
      assert.ok(refusal.message.includes(option), refusal.message);
      assert.ok(refusal.message.length < 500, 'the message repeats a large value');
      await isUnharmed?.();
    };

    it(`${of} refuses a bad ${option}`, async () => {
      for (const value of values(bad.filter(isBad))) await refuses(value);
      await fc.assert(fc.asyncProperty(anyValue.filter(isBad), refuses), { numRuns: 10 });
    });

    it(`${of} refuses null as ${option}`, () => refuses(only(null)));

    it(`${of} takes a good ${option}${domain.isRequired === true ? '' : ', and undefined as the default'}`, async () => {
      for (const value of values(domain.isRequired === true ? domain.examples : [...domain.examples, undefined])) {
        const { give } = await begin();
        assert.equal(await refusalOf(() => give(value)), undefined);
      }
    });
  }
});

function row(of: string, option: string, domain: Domain, begin: Row['begin']): Row {
  return { of, option, domain, begin, code: 'InvalidConfiguration' };
}

function inMessage(of: Row): Row {
  return { ...of, code: 'InvalidMessage' };
}

function ofInterval(of: Row): Row {
  return { ...of, code: 'InvalidInterval' };
}

function unknownChild(of: Row): Row {
  return { ...of, code: 'ChildNotFound' };
}

function as(option: string, domain: Domain): Domain {
  return { ...domain, option };
}

/** One row for each method of a builder that takes one value. */
function setters<B extends object & { build(): unknown }>(
  name: string,
  begin: () => B,
  works: (builder: B) => unknown,
  domains: Readonly<Record<string, Domain>>,
): Row[] {
  return Object.entries(domains).map(([method, domain]) =>
    row(`${name}.${method}`, domain.option ?? method, domain, () => {
      const builder = begin();
      const set = (value: unknown) => {
        const setter: unknown = Reflect.get(builder, method);
        assert.ok(typeof setter === 'function');
        setter.call(builder, value);
      };
      return {
        give: (value) => {
          set(value);
          builder.build();
        },
        isUnharmed: () => {
          set(undefined);
          return works(builder);
        },
      };
    }),
  );
}

/** One row for each option of an options object, and one for the object. */
function options(of: string, objectName: string, domains: Readonly<Record<string, Domain>>, begin: Row['begin']): Row[] {
  const ofOptions = Object.entries(domains).map(([option, domain]) =>
    row(
      of,
      domain.option ?? option,
      domain,
      inside(begin, (value) => ({ [option]: value })),
    ),
  );
  return [row(of, objectName, object, begin), ...ofOptions];
}

/** The rows of what takes how an inbox with a capacity of 10 is kept from filling up. */
function flowRows(of: string, give: (how: vigil.BackpressureOptions) => unknown): Row[] {
  return Object.entries(BACKPRESSURE).map(([option, domain]) =>
    row(of, `backpressure.${option}`, domain, () => ({ give: (value) => give({ strategy: 'adaptive', [option]: only(value) }) })),
  );
}

function rateRows(of: string, give: (how: vigil.RateLimitOptions) => unknown): Row[] {
  return [
    row(of, 'rateLimit.maxPerSecond', needed(rate), () => ({ give: (value) => give({ maxPerSecond: value }) })),
    row(of, 'rateLimit.burst', positiveCount, () => ({ give: (value) => give({ maxPerSecond: 1, burst: value }) })),
  ];
}

function isTrace(value: unknown): boolean {
  if (!isObject(value) || !('traceparent' in value) || !/^00-[\da-f]{32}-[\da-f]{16}-01$/.test(String(value.traceparent))) return false;
  return !('tracestate' in value) || (typeof value.tracestate === 'string' && !value.tracestate.includes('\n'));
}

function anInboxOfTen(): vigil.Inbox {
  return quiet().inboxBuilder().capacity(10).build();
}

function inside(begin: Row['begin'], wrap: (value: never) => object): Row['begin'] {
  return async () => {
    const taker = await begin();
    return { ...taker, give: (value) => taker.give(only(wrap(value))) };
  };
}

interface ChildTaker {
  readonly give: (id: string, body: vigil.Startable, options: never) => unknown;
  readonly isUnharmed?: () => unknown;
}

/** The rows of something that takes an id, a body and child options. */
function childRows(of: string, begin: () => ChildTaker): Row[] {
  const isPool = /pool/i.test(of);
  const taking = (give: (taker: ChildTaker, value: never) => unknown) => () => {
    const taker = begin();
    return { ...taker, give: (value: never) => give(taker, value) };
  };
  return [
    row(
      of,
      isPool ? 'prefix' : 'id',
      needed(text),
      taking(({ give }, value) => give(value, idle, only(undefined))),
    ),
    row(
      of,
      'startFn',
      startable,
      taking(({ give }, value) => give('new', value, only(undefined))),
    ),
    ...options(
      of,
      'child options',
      CHILD_OPTIONS,
      taking(({ give }, value) => give('new', idle, value)),
    ),
    ...options(
      of,
      'inbox',
      MAILBOX_OPTIONS,
      inside(
        taking(({ give }, value) => give('new', idle, value)),
        (inbox) => ({ inbox }),
      ),
    ),
  ];
}

/** The rows of something that takes a child spec. */
function specRows(of: string, begin: Row['begin']): Row[] {
  const spec = { id: 'new', startFn: idle };
  return [
    row(of, 'child spec', { takes: isObject, examples: [spec], isRequired: true }, begin),
    row(
      of,
      'id',
      needed(text),
      inside(begin, (id) => ({ ...spec, id })),
    ),
    row(
      of,
      'startFn',
      startable,
      inside(begin, (startFn) => ({ ...spec, startFn })),
    ),
    ...options(
      of,
      'spec',
      CHILD_OPTIONS,
      inside(begin, (child) => ({ ...spec, ...Object(child) })),
    ).slice(1),
    ...options(
      of,
      'inbox',
      MAILBOX_OPTIONS,
      inside(begin, (inbox) => ({ ...spec, inbox })),
    ),
  ];
}

/** The limits of a kind of process that obeys some of them. */
function limitRows(startFn: vigil.Startable, obeys: readonly (keyof typeof PROCESS_LIMITS)[]): Row[] {
  const domains = { ...UNOBEYED, ...Object.fromEntries(obeys.map((limit) => [limit, PROCESS_LIMITS[limit]])) };
  const begin = () => ({ give: (limits: object) => vigil.checkChildSpecs([{ id: 'new', startFn, ...limits }]) });
  return options('checkChildSpecs', 'limits', domains, begin).slice(1);
}

/** The rows of something that takes a child spec without an id. */
function templateRows(of: string, give: (template: never) => unknown): Row[] {
  const begin = () => ({ give });
  const template = { startFn: idle };
  return [
    row(of, 'template', { takes: isObject, examples: [template], isRequired: true }, begin),
    row(
      of,
      'startFn',
      startable,
      inside(begin, (startFn) => ({ startFn })),
    ),
    ...options(
      of,
      'template',
      CHILD_OPTIONS,
      inside(begin, (child) => ({ ...template, ...Object(child) })),
    ).slice(1),
    ...options(
      of,
      'inbox',
      MAILBOX_OPTIONS,
      inside(begin, (inbox) => ({ ...template, inbox })),
    ),
  ];
}

function messageRows(): Row[] {
  const time: Domain = { takes: (value) => hasMethods(value, ['now']), examples: [new VirtualClock()] };
  const ids: Domain = { takes: (value) => text.takes(value) || typeof value === 'number', examples: ['m', 5], isRequired: true };
  return [
    row('Message', 'id', ids, () => ({ give: (value) => new vigil.Message(value, undefined, 'x') })),
    row('Message', 'sender', text, () => ({ give: (value) => new vigil.Message('m', value, 'x') })),
    row('Message', 'signal', userSignal, () => ({ give: (value) => new vigil.Message('m', undefined, 'x', value) })),
    row('Message', 'priority', priority, () => ({ give: (value) => new vigil.Message('m', undefined, 'x', undefined, value) })),
    row('Message', 'ttlMs', duration, () => ({ give: (value) => new vigil.Message('m', undefined, 'x', undefined, undefined, value) })),
    row('Message', 'time', time, () => ({ give: (value) => new vigil.Message('m', undefined, 'x', undefined, undefined, 5, value) })),
    row('Message.setCorrelationId', 'correlationId', needed(text), () =>
      givenTo(quiet().msg('kept').from('me').build(), (whole) => (value) => whole.setCorrelationId(value), aMessageIsWhole),
    ),
    row('Message.setReplyTo', 'replyTo', needed(text), () =>
      givenTo(quiet().msg('kept').from('me').build(), (whole) => (value) => whole.setReplyTo(value), aMessageIsWhole),
    ),
  ].map(inMessage);
}

function givenTo<S>(subject: S, give: (subject: S) => Taker['give'], works: (subject: S) => unknown): Taker {
  return { give: give(subject), isUnharmed: () => works(subject) };
}

async function refusalOf(act: () => unknown): Promise<unknown> {
  try {
    await act();
    return undefined;
  } catch (refusal) {
    return refusal;
  }
}

function quiet(): vigil.Runtime {
  return vigil.runtime({ clock: new VirtualClock() });
}

function idle(ctx: vigil.ProcessContext): Promise<void> {
  return ctx.stopped;
}

function fail(): never {
  throw new Error('ran the code of a value');
}

function signals(): readonly vigil.Signal[] {
  return [
    'restart',
    'shutdown',
    'terminate',
    'exit',
    'suspend',
    'resume',
    'healthCheck',
    'memoryWarning',
    'cpuWarning',
    'deadlockDetected',
    'messageErr',
    'info',
    'warning',
    'debug',
    'log',
    'alert',
    'metric',
    'event',
    'heartbeat',
    'custom',
  ];
}

function methodsOf(instance: object): string[] {
  const prototype: object = Object.getPrototypeOf(instance);
  return Object.getOwnPropertyNames(prototype).filter((key) => key !== 'constructor');
}

async function aPool(): Promise<vigil.Supervisor> {
  const supervisor = quiet().supervisor().childPool('w', idle, 1).build();
  await supervisor.start();
  return supervisor;
}

async function aPoolWorks(supervisor: vigil.Supervisor): Promise<void> {
  assert.deepEqual(
    supervisor.inspect().children.map(({ id, state, incarnation }) => `${id} ${state} ${incarnation}`),
    ['w_0 running 1'],
  );
  await supervisor.scaleWorkers('w', 2);
  await supervisor.stop();
}

async function aDynamicSupervisor(): Promise<vigil.DynamicSupervisor> {
  const supervisor = quiet().dynamicSupervisor({ startFn: idle });
  await supervisor.start();
  await supervisor.startChild(undefined);
  return supervisor;
}

async function aDynamicSupervisorWorks(supervisor: vigil.DynamicSupervisor): Promise<void> {
  assert.deepEqual(
    supervisor.inspect().children.map(({ id, state, incarnation }) => `${id} ${state} ${incarnation}`),
    ['child_1 running 1'],
  );
  const [child] = await supervisor.whichChildren();
  assert.ok(child?.ref);
  await supervisor.terminateChild(child.ref);
  await supervisor.stop();
}

async function aTaskSupervisor(): Promise<vigil.TaskSupervisor> {
  const tasks = quiet().taskSupervisor();
  await tasks.start();
  return tasks;
}

async function aTaskSupervisorWorks(tasks: vigil.TaskSupervisor): Promise<void> {
  assert.equal(tasks.inspect().childCount, 0);
  assert.equal(await tasks.run(() => 42), 42);
  await tasks.stop();
}

async function aPartitionSupervisor(): Promise<vigil.PartitionSupervisor> {
  const partitions = quiet().partitionSupervisor({ startFn: idle }, { partitions: 2 });
  await partitions.start();
  return partitions;
}

async function aPartitionSupervisorWorks(partitions: vigil.PartitionSupervisor): Promise<void> {
  assert.deepEqual([partitions.partitions, partitions.partitionOf(3), partitions.inspect().activeChildren], [2, 1, 2]);
  await partitions.stop();
}

/** That of a process that runs. */
async function aContext(): Promise<vigil.ProcessContext> {
  const contexts: vigil.ProcessContext[] = [];
  const body = (context: vigil.ProcessContext) => {
    contexts.push(context);
    return context.stopped;
  };
  await quiet().supervisor().child('kept', body).build().start();
  const [context] = contexts;
  assert.ok(context);
  return context;
}

function aContextWorks(context: vigil.ProcessContext): void {
  assert.equal(context.self.isAlive(), true);
  context.register('a name');
  assert.equal(context.whereis('a name'), context.self);
}

async function running(): Promise<vigil.Supervisor> {
  const supervisor = quiet().supervisor().child('kept', idle).build();
  await supervisor.start();
  return supervisor;
}

function anInbox(): vigil.Inbox<string> {
  const inbox = quiet().inbox<string>();
  inbox.send('kept');
  return inbox;
}

function anInboxWithDeadLetter(): vigil.Inbox<string> {
  const inbox = anInbox();
  const letter = inbox.tryRecv();
  assert.ok(letter);
  inbox.deadLetter(letter);
  return inbox;
}

function aMailbox(): vigil.ProcessMailbox<string> {
  const runtime = quiet();
  const mailbox = new vigil.ProcessMailbox<string>({}, runtime);
  mailbox.send(runtime.msg('kept').build());
  return mailbox;
}

function anEmitter(): vigil.telemetry.TelemetryEmitter {
  const emitter = new vigil.telemetry.TelemetryEmitter();
  emitter.on('message_discarded', ({ metadata }) => heard.push(metadata.mailbox));
  return emitter;
}

function anEmitterWorks(emitter: vigil.telemetry.TelemetryEmitter): void {
  heard.length = 0;
  emitter.report('message_discarded', { mailbox: 'kept', count: 1 });
  emitter.report('message_sent', { mailbox: 'kept', messageId: 'm', priority: 'low' });
  assert.deepEqual(heard, ['kept']);
}

function aBuiltInboxWorks(builder: vigil.InboxBuilder<unknown>): void {
  const inbox = builder.build();
  assert.ok(inbox.name === 'kept' || inbox.stats().capacity === 3);
  inbox.send('x');
  assert.equal(inbox.tryRecv()?.payload, 'x');
}

async function aBuiltSupervisorWorks(builder: vigil.SupervisorBuilder): Promise<void> {
  await aSupervisorWorks(builder.build());
}

function aBuiltMessageIsWhole(builder: vigil.MessageBuilder<string>): void {
  assert.equal(builder.build().payload, 'kept');
}

async function anAppWorks(app: vigil.App): Promise<void> {
  await app.start();
  assert.deepEqual(
    app.inspect().children.map(({ id, state }) => `${id} ${state}`),
    ['kept running'],
  );
  await app.shutdown();
}

async function aSupervisorWorks(supervisor: vigil.Supervisor): Promise<void> {
  if (supervisor.state === 'idle') await supervisor.start();
  assert.deepEqual(
    supervisor.inspect().children.map(({ id, state, incarnation }) => `${id} ${state} ${incarnation}`),
    ['kept running 1'],
  );
  await supervisor.startChild({ id: 'new', startFn: idle });
  await supervisor.stop();
}

function anInboxWorks(inbox: vigil.Inbox<string>): void {
  const { depth, messagesSent, messagesReceived, waitingReceivers, waitingSenders, deadLetters } = inbox.stats();
  assert.deepEqual(
    { depth, messagesSent, messagesReceived, waitingReceivers, waitingSenders, deadLetters },
    { depth: 1, messagesSent: 1, messagesReceived: 0, waitingReceivers: 0, waitingSenders: 0, deadLetters: 0 },
  );
  inbox.send('new');
  assert.deepEqual(
    inbox.recvBatch(2).map(({ payload }) => payload),
    ['kept', 'new'],
  );
  inbox.close();
}

function aMailboxWorks(mailbox: vigil.ProcessMailbox<string>): void {
  assert.deepEqual([mailbox.isClosed(), mailbox.stats().depth, mailbox.stats().deadLetters], [false, 1, 0]);
  assert.equal(mailbox.receive().payload, 'kept');
  mailbox.close();
}

function aDeadLetterIsKept({ deadLetters }: vigil.Inbox<string>): void {
  assert.equal(deadLetters.size, 1);
  assert.equal(deadLetters.replay(1), 'replayed');
}

function aMessageIsWhole({ payload, sender, metadata }: vigil.Message<string>): void {
  assert.deepEqual([payload, sender, { ...metadata }], ['kept', 'me', { correlationId: undefined, replyTo: undefined }]);
}

function aRegistryWorks(runtime: vigil.Runtime): void {
  const { registry } = runtime;
  assert.equal(registry.size, 0);
  registry.register('box', runtime.inbox());
  assert.equal(registry.size, 1);
}

function aRegistry(): vigil.Runtime {
  const runtime = quiet();
  runtime.registry.register('taken', runtime.inbox());
  return runtime;
}

async function aNameIsTaken({ registry }: vigil.Runtime): Promise<void> {
  assert.equal(registry.lookup('taken').length, 1);
  // Nobody holds a lock who was refused.
  assert.equal(await registry.lock('x', () => 1), 1);
}

function aBroker(): vigil.TopicBroker {
  return quiet().pubsub;
}

function aSubscriber(): vigil.Subscriber {
  const subscriber = new vigil.Subscriber(quiet().inbox(), quiet());
  subscriber.subscribe('first');
  return subscriber;
}

function subscribesToOne(subscriber: vigil.Subscriber): void {
  assert.deepEqual(subscriber.patterns(), ['first']);
}

function aGroup(): vigil.ProcessGroup<string> {
  const group = new vigil.ProcessGroup<string>('workers');
  group.add('first', quiet().inbox());
  return group;
}

function aGroupHasOne(group: vigil.ProcessGroup<string>): void {
  assert.deepEqual(
    group.members().map(({ id }) => id),
    ['first'],
  );
}

function aScope(): vigil.GroupScope<string> {
  const scope = new vigil.GroupScope<string>();
  scope.join('first', quiet().inbox());
  return scope;
}

function aScopeHasOne(scope: vigil.GroupScope<string>): void {
  assert.deepEqual([scope.whichGroups(), scope.getMembers('first').length], [['first'], 1]);
}

function isEmpty(registry: vigil.DuplicateRegistry): void {
  assert.equal(registry.size, 0);
}

function aBreaker(): vigil.CircuitBreaker {
  return new vigil.CircuitBreaker('kept', {}, quiet());
}

function isClosed(breaker: vigil.CircuitBreaker): void {
  assert.deepEqual([breaker.getState(), breaker.getFailureCount()], ['closed', 0]);
}

function aBulkhead(): vigil.Bulkhead {
  return new vigil.Bulkhead('kept', { maxConcurrent: 1 }, quiet());
}

function aTimer(): vigil.Timer {
  return new vigil.Timer(quiet());
}

function aKeyedLimiter(): vigil.KeyedRateLimiter {
  return new vigil.KeyedRateLimiter({ perSecond: 10 }, quiet());
}

function isUnused({ inFlight, queued }: vigil.Bulkhead): void {
  assert.deepEqual({ inFlight, queued }, { inFlight: 0, queued: 0 });
}

async function aHookRuns(runtime: vigil.Runtime): Promise<void> {
  let runs = 0;
  runtime.onShutdown(() => {
    runs += 1;
  });
  await runtime.shutdownAll();
  assert.equal(runs, 1);
}

function only(value: unknown): never {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what fits no type is to be handed in everywhere
  return value as never;
}

function values(all: readonly unknown[]): never[] {
  return all.map(only);
}

async function startAndStop(server: vigil.ServerStart, how?: vigil.StartServerOptions): Promise<void> {
  await using started = await quiet().startServer(server, how);
  assert.ok(started.ref.isAlive());
}
