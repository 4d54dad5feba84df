/** How processes find each other. */
export { DuplicateRegistry } from './duplicate-registry.js';
export { HostedRegistry } from './hosted-registry.js';
export type { LockOptions } from './key-locks.js';
export type { NameRegistry } from './name-registry.js';
export { Registry } from './registry.js';
export type { RegistryChange, RegistryListener } from './registry-change.js';
export type { RegistryOptions } from './registry-options.js';
