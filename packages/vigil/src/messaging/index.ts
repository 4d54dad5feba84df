/** How processes find each other, and how a message finds many of them. */
export { DuplicateRegistry } from './duplicate-registry.js';
export type { FanOutResult } from './fan-out.js';
export { type GroupEvent, GroupMonitor } from './group-monitor.js';
export { HostedRegistry } from './hosted-registry.js';
export type { LockOptions } from './key-locks.js';
export type { NameRegistry } from './name-registry.js';
export { type GroupMember, type GroupStats, type MemberOptions, ProcessGroup } from './process-group.js';
export { Registry } from './registry.js';
export type { RegistryChange, RegistryListener } from './registry-change.js';
export type { RegistryOptions } from './registry-options.js';
