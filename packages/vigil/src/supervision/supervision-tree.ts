import { describeExit, type ExitReason } from '../core/index.js';
import type { ProcessKind, ProcessRef } from '../processes/index.js';
import type { AutoShutdown } from './supervisor-options.js';
import type { ChildType } from './child-spec.js';
import type { RestartStrategy, RestartType } from './restart-plan.js';

/** OTP's view of a child: what `whichChildren` answers. */
export interface ChildRow {
  readonly id: string;
  readonly state: 'running' | 'restarting' | 'stopped';
  readonly type: ChildType;
  /** The running incarnation. */
  readonly ref: ProcessRef | undefined;
}

/** How many children there are; a child counts in `specs` and by its type whether it is up or not. */
export interface ChildCounts {
  readonly specs: number;
  readonly active: number;
  readonly supervisors: number;
  readonly workers: number;
}

export type ChildState = 'starting' | 'running' | 'suspended' | 'stopping' | 'restarting' | 'stopped';

/** What a supervisor knows of a child at this moment. */
export interface ChildInfo {
  readonly id: string;
  readonly kind: ProcessKind;
  readonly type: ChildType;
  readonly state: ChildState;
  readonly restartType: RestartType;
  /** How often it was started. */
  readonly incarnation: number;
  /** How often it was restarted, with a group or alone, by its supervisor or by request. */
  readonly restartCount: number;
  /** Milliseconds since it was ready; `undefined` while it does not run. */
  readonly uptimeMs: number | undefined;
  readonly lastExit: LastExit | undefined;
  /** The running incarnation. */
  readonly ref: ProcessRef | undefined;
  /** The tree below, when the child is a supervisor that runs. */
  readonly supervisor: SupervisorInfo | undefined;
}

export interface LastExit {
  readonly reason: ExitReason;
  /** Wall-clock time, in milliseconds since 1970. */
  readonly timestampMs: number;
}

export type SupervisorState = 'idle' | 'starting' | 'running' | 'stopping' | 'stopped';

/** A supervisor and the tree below it at this moment; a copy. */
export interface SupervisorInfo {
  readonly name: string;
  readonly state: SupervisorState;
  readonly strategy: RestartStrategy;
  readonly autoShutdown: AutoShutdown;
  readonly maxRestarts: number;
  readonly maxSeconds: number;
  /** Restarts that the window still allows now. */
  readonly restartsLeft: number;
  /** Restart events since its start; a group that restarts together is one. */
  readonly totalRestarts: number;
  readonly childCount: number;
  readonly activeChildren: number;
  /** In start order. */
  readonly children: readonly ChildInfo[];
}

/**
 * Draws a tree for people, one line a process:
 *
 *     app (one_for_one, 0 restarts, 3 of 3 left)
 *     ├─ service: running for 12 s
 *     └─ pool (one_for_all, 1 restart, 2 of 3 left)
 *        └─ pool_0: running for 2 s, 1 restart, last end crashed: Error: boom
 */
export function formatTree(info: SupervisorInfo): string {
  return [describeSupervisor(info.name, info), ...childLines(info)].join('\n');
}

function childLines(info: SupervisorInfo): string[] {
  return info.children.flatMap((child, index) => {
    const isLast = index === info.children.length - 1;
    const [first = '', ...below] = linesOf(child);
    return [`${isLast ? '└─ ' : '├─ '}${first}`, ...below.map((line) => `${isLast ? '   ' : '│  '}${line}`)];
  });
}

function linesOf(child: ChildInfo): string[] {
  if (child.supervisor === undefined) return [describeChild(child)];
  return [describeSupervisor(child.id, child.supervisor), ...childLines(child.supervisor)];
}

function describeSupervisor(name: string, info: SupervisorInfo): string {
  const state = info.state === 'running' ? '' : `${info.state}, `;
  return `${name} (${state}${info.strategy}, ${restarts(info.totalRestarts)}, ${info.restartsLeft} of ${info.maxRestarts} left)`;
}

function describeChild(child: ChildInfo): string {
  const uptime = child.uptimeMs === undefined ? '' : ` for ${Math.floor(child.uptimeMs / 1000)} s`;
  const restarted = child.restartCount === 0 ? '' : `, ${restarts(child.restartCount)}`;
  const lastExit = child.lastExit === undefined ? '' : `, last end ${describeExit(child.lastExit.reason)}`;
  return `${child.id}: ${child.state}${uptime}${restarted}${lastExit}`;
}

function restarts(count: number): string {
  return count === 1 ? '1 restart' : `${count} restarts`;
}
