import { describeExit, type ExitReason } from '../core/index.js';
import type { InboxFigures, ProcessKind, ProcessRef, Vitals } from '../processes/index.js';
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
  /** What it takes and how it fares, as it was last measured; `undefined` for what runs in this event loop, and while nothing of it runs. */
  readonly vitals: Vitals | undefined;
  /** Of its inbox; `undefined` while nothing of it runs, and when nobody ever asked for the inbox. */
  readonly inbox: InboxFigures | undefined;
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

/** Whoever is less busy is idle. */
const BUSY_PERCENT = 5;

/** Below that, an event loop is only busy. */
const LATE_MS = 1000;

const MAX_CAUSE_LENGTH = 200;

const SECOND = ['s', 1] as const;
const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
] as const;

/**
 * Draws a tree for people, one line a process: what it runs in, where to find it in the tools of the operating system, for how long it has
 * done what it does, what it takes, and how it last ended.
 *
 *     app (one_for_one, 0 restarts, 3 of 3 left)
 *     ├─ service: running for 12 s
 *     ├─ pool (one_for_all, 1 restart, 2 of 3 left)
 *     │  └─ pool_0 (thread 3): running for 2 s, 18 MB, 97 % busy, 1 restart, last end crashed: Error: boom
 *     └─ encoder (command, pid 4711): running for 3 h, 210 MB
 *
 * It is called busy from 5 % on, and its event loop late when it took a second or longer to answer. Whatever an error says, it takes one
 * line, and at most 200 characters of that.
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
  const { id, supervisor } = child;
  if (supervisor === undefined) return [`${id}${place(child)}: ${factsOf(child)}`];
  const past = pastOf(child).length === 0 ? '' : `: ${factsOf(child)}`;
  return [`${describeSupervisor(id, supervisor)}${past}`, ...childLines(supervisor)];
}

function describeSupervisor(name: string, info: SupervisorInfo): string {
  const state = info.state === 'running' ? '' : `${info.state}, `;
  return `${name} (${state}${info.strategy}, ${restarts(info.totalRestarts)}, ${info.restartsLeft} of ${info.maxRestarts} left)`;
}

function factsOf(child: ChildInfo): string {
  const state = child.uptimeMs === undefined ? child.state : `${child.state} for ${duration(child.uptimeMs)}`;
  return [state, ...vitalSigns(child.vitals), ...pastOf(child)].join(', ');
}

function pastOf({ restartCount, lastExit }: ChildInfo): string[] {
  const past = restartCount === 0 ? [] : [restarts(restartCount)];
  if (lastExit !== undefined) past.push(`last end ${inOneLine(describeExit(lastExit.reason))}`);
  return past;
}

/** What it runs in, unless that is this event loop. */
function place({ kind, vitals }: ChildInfo): string {
  if (kind === 'task') return '';
  if (vitals?.threadId !== undefined) return ` (${kind} ${vitals.threadId})`;
  return vitals?.pid === undefined ? ` (${kind})` : ` (${kind}, pid ${vitals.pid})`;
}

function vitalSigns({ memoryBytes, utilization = 0, eventLoopDelayMs = 0 }: Vitals = {}): string[] {
  const signs = memoryBytes === undefined ? [] : [`${Math.round(memoryBytes / 1_000_000)} MB`];
  const percent = Math.round(utilization * 100);
  if (percent >= BUSY_PERCENT) signs.push(`${percent} % busy`);
  if (eventLoopDelayMs >= LATE_MS) signs.push(`event loop ${duration(eventLoopDelayMs)} late`);
  return signs;
}

/** In the largest unit that still tells one from two. */
function duration(ms: number): string {
  const seconds = ms / 1000;
  const [unit, unitSeconds] = UNITS.find(([, length]) => seconds >= 2 * length) ?? SECOND;
  return `${Math.floor(seconds / unitSeconds)} ${unit}`;
}

function inOneLine(text: string): string {
  const line = text.replaceAll(/\s*[\r\n]\s*/g, ' ');
  return line.length > MAX_CAUSE_LENGTH ? `${line.slice(0, MAX_CAUSE_LENGTH - 1)}…` : line;
}

function restarts(count: number): string {
  return count === 1 ? '1 restart' : `${count} restarts`;
}
