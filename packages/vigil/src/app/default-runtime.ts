import { type FanOutResult, hostEnvironment, type Inbox, type Message, type Sender, type SendOptions } from '../core/index.js';
import {
  type ArgsOfStart,
  HostedBroker,
  HostedRegistry,
  type RequestOptions,
  type ServedBy,
  type ServerHandle,
  type ServerStart,
  type StartedServer,
  type StartServerOptions,
  type Target,
} from '../messaging/index.js';
import type { Policy, PolicyPart } from '../resilience/index.js';
import type {
  ChildTemplate,
  DynamicSupervisor,
  DynamicSupervisorOptions,
  PartitionOptions,
  PartitionSupervisor,
  PartitionTemplate,
  TaskSupervisor,
} from '../supervision/index.js';
import type { App, AppOptions } from './app.js';
import type { InboxBuilder } from './inbox-builder.js';
import type { MessageBuilder } from './message-builder.js';
import type { PresetName } from './presets.js';
import { Runtime, type RuntimeOptions } from './runtime.js';
import type { ShutdownHook, ShutdownOptions, ShutdownReport } from './shutdown-manager.js';
import type { SupervisorBuilder } from './supervisor-builder.js';

let theDefault: Runtime | undefined;

/**
 * The runtime that everything uses that was not made through another one.
 *
 * In a thread or fork that runs a module for an application, it stands for the application's: names, topics, log and clock are the application's.
 * What happens there is told by the application's telemetry, too, with its `origin`. Dead letters, shutdown hooks and supervisors there are of that
 * thread or process alone, and names can be given to `ctx.self` and to what `whereis` has found, not to what lives only there. A runtime that is
 * made there by `vigil.runtime()` has all of it for itself.
 */
export function defaultRuntime(): Runtime {
  theDefault ??= makeDefault();
  return theDefault;
}

function makeDefault(): Runtime {
  const host = hostEnvironment();
  if (host === undefined) return new Runtime();
  const { clock, random, log, names, replies, topics, thread, telemetry, tracing, lookout } = host;
  const [registry, pubsub] = [new HostedRegistry(names), new HostedBroker(topics)];
  return new Runtime(
    { clock, random, log },
    { registry, pubsub, replies, thread, telemetry, tracing, lookout, nextMessageId: () => host.nextMessageId() },
  );
}

/** A runtime of its own. @throws {VigilError} `InvalidConfiguration` that names the option. */
export function runtime(options?: RuntimeOptions): Runtime {
  return new Runtime(options);
}

/** @see Runtime.app */
export function app(options?: AppOptions): App {
  return defaultRuntime().app(options);
}

/** @see Runtime.appWithPreset */
export function appWithPreset(preset: PresetName, options?: AppOptions): App {
  return defaultRuntime().appWithPreset(preset, options);
}

/** @see Runtime.supervisor */
export function supervisor(): SupervisorBuilder {
  return defaultRuntime().supervisor();
}

/** @see Runtime.dynamicSupervisor */
export function dynamicSupervisor<TMessage, TArgs>(
  template: ChildTemplate<TMessage, TArgs>,
  options?: DynamicSupervisorOptions,
): DynamicSupervisor<TMessage, TArgs> {
  return defaultRuntime().dynamicSupervisor(template, options);
}

/** @see Runtime.taskSupervisor */
export function taskSupervisor(options?: DynamicSupervisorOptions): TaskSupervisor {
  return defaultRuntime().taskSupervisor(options);
}

/** @see Runtime.partitionSupervisor */
export function partitionSupervisor<TMessage>(
  template: PartitionTemplate<TMessage>,
  options: PartitionOptions,
): PartitionSupervisor<TMessage> {
  return defaultRuntime().partitionSupervisor(template, options);
}

/** @see Runtime.inbox */
export function inbox<T>(): Inbox<T> {
  return defaultRuntime().inbox<T>();
}

/** @see Runtime.inboxBuilder */
export function inboxBuilder<T>(): InboxBuilder<T> {
  return defaultRuntime().inboxBuilder<T>();
}

/** @see Runtime.msg */
export function msg<T>(payload: T): MessageBuilder<T> {
  return defaultRuntime().msg(payload);
}

/** @see Runtime.via */
export function via<T = unknown>(name: string): Sender<T> {
  return defaultRuntime().via<T>(name);
}

/** @see Runtime.request */
export function request<TReply = unknown>(target: Target, payload: unknown, options?: RequestOptions): Promise<TReply> {
  return defaultRuntime().request<TReply>(target, payload, options);
}

/** @see Runtime.publish */
export function publish(topic: string, payload: unknown, options?: SendOptions): FanOutResult {
  return defaultRuntime().publish(topic, payload, options);
}

/** @see Runtime.reply */
export function reply<T>(asked: Message, payload: T): Message<T> {
  return defaultRuntime().reply(asked, payload);
}

/** @see Runtime.startServer */
export function startServer<T extends ServerStart>(
  server: T,
  options?: StartServerOptions<ArgsOfStart<T>>,
): Promise<StartedServer<ServedBy<T>>> {
  return defaultRuntime().startServer(server, options);
}

/** @see Runtime.serverOf */
export function serverOf<M>(target: Target): ServerHandle<M> {
  return defaultRuntime().serverOf<M>(target);
}

/** @see Runtime.policy */
export function policy<F = never>(...parts: readonly PolicyPart<F>[]): Policy<F> {
  return defaultRuntime().policy(...parts);
}

/** @see Runtime.onShutdown */
export function onShutdown(hook: ShutdownHook): () => boolean {
  return defaultRuntime().onShutdown(hook);
}

/** @see Runtime.shutdownAll */
export function shutdownAll(options?: ShutdownOptions): Promise<ShutdownReport> {
  return defaultRuntime().shutdownAll(options);
}
