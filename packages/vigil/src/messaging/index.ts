/** How processes find each other, how a message finds many of them, and how they ask and answer. */
export { DuplicateRegistry } from './duplicate-registry.js';
export type { GroupEvent, GroupMonitor, GroupMonitorOptions } from './group-monitor.js';
export { GroupScope } from './group-scope.js';
export { HostedBroker } from './hosted-broker.js';
export { HostedRegistry } from './hosted-registry.js';
export type { LockOptions } from './key-locks.js';
export type { NameRegistry } from './name-registry.js';
export { type GroupMember, type GroupStats, type MemberOptions, ProcessGroup } from './process-group.js';
export { PubSubBroker } from './pubsub-broker.js';
export { Registry } from './registry.js';
export type { RegistryChange, RegistryListener } from './registry-change.js';
export type { RegistryOptions } from './registry-options.js';
export { type GenServer, genServer } from './gen-server.js';
export { checkTarget, reply, request, type RequestOptions, receiverOf, type Target } from './request.js';
export type { Caller, ServerContext } from './server-context.js';
export { makeHandle, type ServerHandle, type StopServerOptions } from './server-handle.js';
export * as result from './server-result.js';
export {
  type ArgsOfStart,
  type ServedBy,
  type ServerStart,
  type StartedServer,
  startServer,
  type StartServerOptions,
} from './start-server.js';
export type { CrashFacts, ServerDefinition } from './server-definition.js';
export * as requestReply from './request-reply.js';
export { Subscriber } from './subscriber.js';
export type { TopicBroker, TopicStats } from './topic-broker.js';
