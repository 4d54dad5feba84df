/**
 * Supervision: who is started when, what an end leads to, and when to give up.
 *
 *     idle ── start() ──▶ starting ──▶ running ── stop(), too many restarts ──▶ stopping ──▶ stopped ── start() ──▶ starting
 *                            └──────── stop(), a child did not start ─────────────▲
 *
 *     child:  stopped ─▶ starting ─▶ running ─▶ ended ─▶ restarting ─▶ starting …      by itself
 *                                    running ─▶ stopping ─▶ stopped                    on request, or with its group
 *
 * The decisions are values: `restart-plan.ts` says who stops and who starts, `restart-intensity.ts` whether that is too often.
 * `Child` carries out one start or stop; `Supervisor` alone decides which, one thing at a time through its `SerialQueue`.
 *
 * An end that comes while the child is being stopped is the answer to that stop. An end that was queued, while something
 * else stopped or restarted the child, is recognised by its phase being another one and changes nothing. A start that is
 * overtaken by `stop()` is cancelled and counts for nothing. Nothing is ever started by a supervisor that is stopping.
 */
export {
  type ChildOptions,
  type ChildSpec,
  type ChildType,
  checkChildSpecs,
  type CompleteChildSpec,
  duplicateChild,
  type HealthCheck,
  type RunnerSource,
  type ShutdownTimeout,
  type Startable,
  type SupervisionDefaults,
} from './child-spec.js';
export { type ChildTemplate, DynamicSupervisor, type DynamicSupervisorOptions } from './dynamic-supervisor.js';
export { type PartitionKey, type PartitionOptions, PartitionSupervisor, type PartitionTemplate } from './partition-supervisor.js';
export type { RestartDelay } from './restart-delay.js';
export type { RestartEvent } from './restart-history.js';
export type { RestartStrategy, RestartType } from './restart-plan.js';
export * from './supervision-tree.js';
export { Supervisor } from './supervisor.js';
export { type RestartForecast, runningRoots } from './supervisor-core.js';
export { type RunTaskOptions, type TaskFunction, TaskSupervisor } from './task-supervisor.js';
export type { AutoShutdown, CrashHandler, SupervisorOptions } from './supervisor-options.js';
export { SupervisorRunner } from './supervisor-process.js';
