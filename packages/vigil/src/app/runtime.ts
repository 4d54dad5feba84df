import {
  type Cancel,
  checkDuration,
  checkFunction,
  checkMethods,
  checkName,
  checkObject,
  checkOr,
  checkPositiveCount,
  type Clock,
  CloseCallbacks,
  type CrashReportOptions,
  CrashReports,
  DeadLetterQueue,
  type Environment,
  failFast,
  type FanOutResult,
  guardedLogger,
  type Inbox,
  type Logger,
  type Message,
  type Outpost,
  type Random,
  ReplyExchange,
  Roots,
  type Sender,
  type SendOptions,
  silentLogger,
  SystemClock,
  systemRandom,
  type TaskWrapper,
  type TelemetrySink,
  type Tracer,
  Tracing,
} from '../core/index.js';
import {
  type ArgsOfStart,
  checkTarget,
  makeHandle,
  type NameRegistry,
  PubSubBroker,
  receiverOf,
  Registry,
  reply,
  request,
  type RequestOptions,
  type ServedBy,
  type ServerHandle,
  type ServerStart,
  type StartedServer,
  startServer,
  type StartServerOptions,
  type Target,
  type TopicBroker,
} from '../messaging/index.js';
import { EventTimeline, type EventTimelineOptions, TelemetryEmitter } from '../observability/index.js';
import { Address, GuardProcess } from '../processes/index.js';
import { makePolicy, type Policy, type PolicyPart } from '../resilience/index.js';
import {
  type ChildTemplate,
  DynamicSupervisor,
  type DynamicSupervisorOptions,
  type PartitionOptions,
  PartitionSupervisor,
  type PartitionTemplate,
  TaskSupervisor,
} from '../supervision/index.js';
import { App, type AppOptions } from './app.js';
import { formatSnapshot } from './debug-dump.js';
import { waitUntil } from './drain.js';
import { InboxBuilder } from './inbox-builder.js';
import { type MailboxProfile, type MailboxProfileName, mailboxProfile as profileOptions } from './mailbox-profiles.js';
import { MessageBuilder } from './message-builder.js';
import { type PresetName, presetDefaults } from './presets.js';
import { type MessageTraceOptions, traceMessages, type TracedMessage } from './message-trace.js';
import { QueueAges } from './queue-ages.js';
import { lookAround, plainSnapshot, type RemoteSnapshot } from './remote-snapshot.js';
import { assessHealth, type HealthReport } from './runtime-health.js';
import { RuntimeParts } from './runtime-parts.js';
import { type RuntimeSnapshot, takeSnapshot } from './runtime-snapshot.js';
import { ShutdownManager, type ShutdownOptions, type ShutdownReport } from './shutdown-manager.js';
import { SupervisorBuilder } from './supervisor-builder.js';

const checkCallback = checkFunction<() => void>();

export interface RuntimeOptions {
  /** Default: the machine's clock. */
  readonly clock?: Clock | undefined;
  /** Default: the machine's chance. */
  readonly random?: Random | undefined;
  /** Default: nothing is written. An app brings `console` of its own accord. */
  readonly log?: Logger | undefined;
  /** Messages of ended processes that are kept; default 1,000. */
  readonly deadLetterCapacity?: number | undefined;
  /** Keeps the latest events in `runtime.timeline`; default: none are kept, and nobody listens. */
  readonly timeline?: EventTimelineOptions | undefined;
  /** What `inbox()` and `inboxBuilder()` begin with; default `'balanced'`. */
  readonly mailboxProfile?: MailboxProfileName | undefined;
  /** Follows its work from process to process; default: nobody does. */
  readonly tracer?: Tracer | undefined;
  /** How ends that are abnormal are reported. */
  readonly crashReports?: CrashReportOptions | undefined;
}

/** What a runtime has of the one for which it stands. */
export interface RuntimeHost {
  readonly registry: NameRegistry;
  readonly pubsub: TopicBroker;
  readonly replies: ReplyExchange;
  readonly thread: Environment['thread'];
  readonly telemetry: TelemetrySink;
  readonly tracing: Environment['tracing'];
  readonly lookout: Environment['lookout'];
  readonly nextMessageId: Environment['nextMessageId'];
}

/**
 * Owns what the parts of an application share: time, chance, names, telemetry, dead letters and shutdown hooks. What is made
 * through a runtime uses these and nothing else, so that two runtimes in one program do not see each other.
 */
export class Runtime {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly telemetry: TelemetryEmitter;
  readonly registry: NameRegistry;
  /** Topics: who publishes on them, and who wants to be sent what is published. */
  readonly pubsub: TopicBroker;
  readonly shutdownManager: ShutdownManager;
  /** What ended processes had not received: to look at, replay to somebody else, and discard. */
  readonly deadLetters: DeadLetterQueue;
  /** Where the replies to requests arrive, and how many came too late. */
  readonly replies: ReplyExchange;
  /** What the runtime lends to parts that are made with `new`. */
  readonly environment: Environment;
  /** One report for each process that ended abnormally. */
  readonly crashes: CrashReports;
  /** The latest events, when the runtime was asked to keep them. */
  readonly timeline: EventTimeline | undefined;
  /** @internal What was made for it and is still used. */
  readonly parts: RuntimeParts = new RuntimeParts();
  /** @internal By `clock`. */
  readonly startedAtMs: number;
  /** @internal Whether it stands for another one. */
  readonly isHosted: boolean;
  readonly #roots = new Roots();
  readonly #ages = new QueueAges();
  readonly #tracing: Tracing;
  readonly #outposts = new Set<Outpost>();
  readonly #mailboxProfile: MailboxProfile;
  readonly #drainCallbacks = new CloseCallbacks();
  #drained: Promise<boolean> | undefined;
  #lastMessageId = 0;

  /**
   * @param host - of a runtime that stands for another one; default: it stands for itself.
   * @param tasks - decides when its tasks go on.
   * @throws {VigilError} `InvalidConfiguration` that names the option.
   */
  constructor(options: RuntimeOptions = {}, host?: RuntimeHost, tasks?: TaskWrapper) {
    checkObject('runtime options', options);
    const {
      clock = new SystemClock(),
      random = systemRandom,
      log = silentLogger,
      deadLetterCapacity = 1000,
      crashReports = {},
      timeline,
      mailboxProfile = 'balanced',
      tracer,
    } = options;
    this.clock = checkMethods('clock', clock, ['now', 'wallTime', 'after', 'soon', 'keepAlive']);
    this.startedAtMs = this.clock.now();
    this.isHosted = host !== undefined;
    this.#mailboxProfile = profileOptions(mailboxProfile);
    this.random = checkMethods('random', random, ['next']);
    this.log = log === silentLogger ? log : guardedLogger(log);
    this.registry = host?.registry ?? new Registry({ log: this.log });
    this.telemetry = new TelemetryEmitter(this.clock, this.log, host?.telemetry);
    if (timeline !== undefined) this.timeline = new EventTimeline(this.telemetry, timeline);
    this.shutdownManager = new ShutdownManager(this.clock, this.log);
    const capacity = checkPositiveCount('deadLetterCapacity', deadLetterCapacity);
    this.deadLetters = new DeadLetterQueue(capacity, this.clock, this.telemetry);
    this.crashes = new CrashReports(crashReports, this.clock, this.log);
    const tracing = host?.tracing ?? new Tracing();
    if (tracer !== undefined) tracing.tracer = tracer;
    this.#tracing = tracing;
    this.replies = host?.replies ?? new ReplyExchange(this.clock);
    const nextMessageId = host?.nextMessageId ?? (() => this.#nextMessageId());
    const { telemetry } = this;
    this.pubsub = host?.pubsub ?? new PubSubBroker({ clock: this.clock, log: this.log, telemetry, tracing, nextMessageId });
    this.environment = {
      clock: this.clock,
      random: this.random,
      log: this.log,
      telemetry: this.telemetry,
      names: this.registry,
      deadLetters: this.deadLetters,
      guard: new GuardProcess(this.clock, this.log),
      replies: this.replies,
      topics: this.pubsub,
      roots: this.#roots,
      tracing,
      outposts: this.#outposts,
      crashes: this.crashes,
      ...(tasks !== undefined && { tasks }),
      ...(host?.thread !== undefined && { thread: host.thread }),
      nextMessageId,
    };
    if (host?.lookout !== undefined) host.lookout.look = () => plainSnapshot(this.snapshot());
  }

  /** An application with the production preset. */
  app(options: AppOptions = {}): App {
    return this.appWithPreset('production', options);
  }

  /** An application whose tree uses the figures of a preset wherever it was told nothing. */
  appWithPreset(preset: PresetName, options: AppOptions = {}): App {
    return new App(options, presetDefaults(preset), this.environment, this.shutdownManager);
  }

  supervisor(): SupervisorBuilder {
    return new SupervisorBuilder(this.environment);
  }

  /**
   * A supervisor whose children are all of one kind and start when they are asked for.
   *
   * @throws {VigilError} `InvalidConfiguration` that names the option.
   */
  dynamicSupervisor<TMessage, TArgs>(
    template: ChildTemplate<TMessage, TArgs>,
    options: DynamicSupervisorOptions = {},
  ): DynamicSupervisor<TMessage, TArgs> {
    return new DynamicSupervisor(template, options, this.environment);
  }

  /** A supervisor for one-off work with a result. Throws as `dynamicSupervisor`. */
  taskSupervisor(options: DynamicSupervisorOptions = {}): TaskSupervisor {
    return new TaskSupervisor(options, this.environment);
  }

  /** A supervisor of equal children, each of which serves its share of keys. Throws as `dynamicSupervisor`. */
  partitionSupervisor<TMessage>(template: PartitionTemplate<TMessage>, options: PartitionOptions): PartitionSupervisor<TMessage> {
    return new PartitionSupervisor(template, options, this.environment);
  }

  /** An inbox with the default options. */
  inbox<T>(): Inbox<T> {
    return this.inboxBuilder<T>().build();
  }

  inboxBuilder<T>(): InboxBuilder<T> {
    return new InboxBuilder<T>(this.environment, this.#mailboxProfile, (inbox) => this.parts.inboxes.add(inbox));
  }

  msg<T>(payload: T): MessageBuilder<T> {
    return new MessageBuilder(payload, this.environment);
  }

  /**
   * A sender that reaches whoever has `name` when something is sent. Its sends throw `NotRegistered` while nobody has.
   *
   * @throws {VigilError} `InvalidConfiguration` when the name is not a non-empty string.
   */
  via<T = unknown>(name: string): Sender<T> {
    checkName('name', name);
    return new Address<T>(() => {
      const sender = this.registry.whereis(name);
      if (sender === undefined) throw failFast('NotRegistered', `nobody has the name "${name}"`);
      return sender;
    });
  }

  /** @see request in messaging/request.ts */
  request<TReply = unknown>(target: Target, payload: unknown, options?: RequestOptions): Promise<TReply> {
    return request<TReply>(this.environment, target, payload, options);
  }

  /** @see TopicBroker.publish */
  publish(topic: string, payload: unknown, options?: SendOptions): FanOutResult {
    return this.pubsub.publish(topic, payload, options);
  }

  /** @see reply in messaging/request.ts */
  reply<T>(asked: Message, payload: T): Message<T> {
    return reply(this.environment, asked, payload);
  }

  /** @see startServer in messaging/start-server.ts */
  startServer<T extends ServerStart>(server: T, options?: StartServerOptions<ArgsOfStart<T>>): Promise<StartedServer<ServedBy<T>>> {
    return startServer<ServedBy<T>>(this.environment, server, options);
  }

  /**
   * The handle of a server that was started elsewhere: by its name, its ref, or an address such as `supervisor.address(id)`, which reaches
   * the successor of one that was restarted.
   *
   * @example const counter = vigil.serverOf<typeof counterServer>('counter');
   */
  serverOf<M>(target: Target): ServerHandle<M> {
    checkTarget(target);
    return makeHandle<M>(this.environment, () => receiverOf(this.environment, target));
  }

  /**
   * Puts patterns around each other: the first is the outermost, and does what it does to all that follow.
   *
   * @param parts - circuit breakers, bulkheads, and what `vigil.retry`, `timeout`, `fallback` and `hedge` make.
   * @throws {VigilError} `InvalidConfiguration` for a part that is none.
   * @example
   * const guarded = vigil.policy(vigil.timeout(2000), vigil.retry({ maxAttempts: 3 }), breaker);
   * const user = await guarded(({ signal }) => fetchUser(id, signal));
   */
  policy<F = never>(...parts: readonly PolicyPart<F>[]): Policy<F> {
    return makePolicy(this.environment, parts);
  }

  /** Who follows its work from process to process. @throws {VigilError} `InvalidConfiguration` for what is no tracer. */
  get tracer(): Tracer | undefined {
    return this.#tracing.tracer;
  }

  set tracer(tracer: Tracer | undefined) {
    this.#tracing.tracer = tracer;
  }

  /** Whether it has begun to drain. */
  get isDraining(): boolean {
    return this.#roots.isDraining;
  }

  /** Everything that a person could want to know, at this moment. It costs nothing until it is asked for. */
  snapshot(): RuntimeSnapshot {
    return takeSnapshot(this, this.#ages);
  }

  /**
   * The same of the default runtimes in the threads and forks that run now, where their modules use one.
   *
   * @param timeoutMs - milliseconds to wait for their answers; default 1,000.
   * @throws {VigilError} `InvalidConfiguration`.
   */
  remoteSnapshots(timeoutMs?: number): Promise<RemoteSnapshot[]> {
    return lookAround(this.#outposts, checkOr(checkDuration, 'timeoutMs', timeoutMs, 1000), this.clock);
  }

  /** Whether all is well, and if not, what is wrong; whether work should be given to this program. @see assessHealth in runtime-health.ts */
  health(): HealthReport {
    return assessHealth(this.snapshot());
  }

  /** A snapshot as text for people. */
  debugDump(): string {
    const snapshot = this.snapshot();
    return formatSnapshot(snapshot, assessHealth(snapshot));
  }

  /**
   * Tells of the messages of one process, of all below a supervisor, or of a built inbox, as they come and go; those of threads and forks, too.
   *
   * @param path - such as `app/pool/worker_1`, `app/pool`, or the name of the inbox.
   * @param handler - what it throws is logged.
   * @param options - `maxPerSecond` bounds how many are told of; the next one says how many were not.
   * @returns what ends it.
   * @throws {VigilError} `InvalidConfiguration`.
   */
  traceMessages(path: string, handler: (message: TracedMessage) => void, options?: MessageTraceOptions): Cancel {
    return traceMessages(this.telemetry, this.clock, path, handler, options);
  }

  /** Calls back once when the runtime begins to drain: the moment to stop taking work from outside. The returned function takes it back. */
  onDrain(callback: () => void): Cancel {
    checkCallback('callback', callback);
    return this.isDraining ? () => false : this.#drainCallbacks.add(callback);
  }

  /**
   * Lets the work end that was begun, and then the program: it is not ready any more, every inbox that was built is closed, so that sends to it
   * throw `InboxClosed` and what waits is still received, and the timers of `Timer` are cancelled. The inboxes of processes stay open to what
   * follows from that work; a child that returns is not started again. When all inboxes are empty, or the time is over, the shutdown hooks run.
   *
   * @param timeoutMs - milliseconds to wait for the inboxes.
   * @param options - of the shutdown behind it.
   * @returns whether they were empty in time. A later call gets the answer to the first.
   * @throws {VigilError} `InvalidConfiguration`.
   */
  drain(timeoutMs: number, options?: ShutdownOptions): Promise<boolean> {
    checkDuration('timeoutMs', timeoutMs);
    this.#drained ??= this.#drain(timeoutMs, options);
    return this.#drained;
  }

  /** Registers a clean-up hook; the returned function takes it back. @throws {VigilError} `InvalidState` once the shutdown has begun. */
  onShutdown(hook: () => void | Promise<void>): () => boolean {
    return this.shutdownManager.onShutdown(hook);
  }

  /** Runs the shutdown hooks, once: those of apps that were started, and those registered with `onShutdown`. */
  shutdownAll(options?: ShutdownOptions): Promise<ShutdownReport> {
    return this.shutdownManager.shutdown(options);
  }

  async #drain(timeoutMs: number, options?: ShutdownOptions): Promise<boolean> {
    this.#roots.isDraining = true;
    this.#drainCallbacks.callAll(undefined, 'the drain of the runtime', this.log);
    for (const inbox of this.parts.inboxes) inbox.close();
    for (const timer of this.parts.timers) timer.cancel();
    const isEmpty = () => this.snapshot().mailboxes.every(({ stats }) => stats.depth === 0);
    const inTime = await waitUntil(isEmpty, timeoutMs, this.clock);
    await this.shutdownAll(options);
    return inTime;
  }

  #nextMessageId(): number {
    this.#lastMessageId += 1;
    return this.#lastMessageId;
  }
}
