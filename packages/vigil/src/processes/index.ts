/**
 * What runs. A process is one incarnation of a child; a runner makes processes of one kind; a supervisor is their host.
 *
 *     create ── start() ──▶ starting ── ready ──▶ running ── stop() ──▶ stopping
 *                              │                     │                     │
 *                              └──── the body ends, or kill(reason) ───────┴──▶ ended: processExited(reason), once
 *
 * The process alone knows whether it has ended; the host alone decides what follows. `stop()` is a request that can be
 * lost on code that does not listen, so the host keeps the time and calls `kill()`. When both meet, the first end counts:
 * a later one is swallowed and logged. At the end the order is fixed: the inbox closes and its leftovers become dead
 * letters, names are freed, the stop signals fire, then the host hears of it.
 *
 * A task is killed at once, since its code is merely disowned. Everything else has ended only when nothing of it runs any more:
 * a thread when it has exited, a program when its whole process group is gone.
 *
 *     task/     a body in this event loop
 *     thread/   a module in a worker thread                       ┐ remote/: both sides of the boundary,
 *     fork/     the same module in a Node process of its own      ┘ and what they say to each other
 *     command/  any program
 *     os/       processes of the operating system: starting, signalling, measuring them and their groups
 *
 * Across a boundary the side of the supervisor is authoritative for everything but the code itself: identity, names, links, monitors
 * and the inbox with its books stay there, though the inbox of a thread is in memory that both share. `remote/protocol.ts` has all that is said.
 */
export * from './address.js';
export type { CommandOptions, OutputLevel, OutputLevels, ReadyWhen, StdinMode } from './command/command-options.js';
export { CommandRunner, command } from './command/command-runner.js';
export { LocalProcess } from './local-process.js';
export { GuardProcess } from './os/process-guard.js';
export type * from './process-context.js';
export type { ProcessTimer } from './process-timer.js';
export { fork, type ForkOptions } from './fork/fork-runner.js';
export * from './runner.js';
export { StopRequest } from './stop-request.js';
export { environmentOf, supervisorOf } from './task/task-context.js';
export { TaskRunner } from './task/task-runner.js';
export { thread, type ThreadOptions } from './thread/thread-runner.js';
