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
 */
export * from './address.js';
export { LocalProcess } from './local-process.js';
export type * from './process-context.js';
export * from './runner.js';
export { StopRequest } from './stop-request.js';
export { TaskRunner } from './task/task-runner.js';
