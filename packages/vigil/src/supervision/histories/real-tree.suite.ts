import type { ProcessKind } from '../../processes/index.js';
import { type Budget, type Dice, randomTree, randomWorker, type SupervisorSpec, type WorkerSpec } from './tree.suite.js';

/** What a worker's code does without being told, the same in every kind of process. */
export interface Manners {
  /** Whether it says itself when it is ready. */
  readonly isExplicit: boolean;
  /** Incarnations that throw, or exit with code 3, as soon as they run. */
  readonly failsAt: readonly number[];
  /** Incarnations that decline to start. */
  readonly declinesAt: readonly number[];
  /** Incarnations that never get ready. */
  readonly hangsAt: readonly number[];
  /** What it does when it is asked to stop. */
  readonly onStop: 'returns' | 'throws' | 'ignores';
}

export type WorkerKind = Exclude<ProcessKind, 'supervisor'>;

/**
 * A worker of the model, and what really runs. For the model `isExplicit` says whether its start takes time: a task or a command that
 * need not say that it is ready has started when `start()` returns, a thread or a fork has not.
 */
export interface RealWorkerSpec extends WorkerSpec {
  readonly runsAs: WorkerKind;
  readonly manners: Manners;
  /** Of a thread. */
  readonly spares: number;
}

export interface RealSupervisorSpec extends SupervisorSpec {
  readonly children: readonly (RealWorkerSpec | RealSupervisorSpec)[];
  readonly template: RealWorkerSpec | undefined;
}

/** Things that workers can be made to do: what they are told in a message, and what is done to them from outside. */
export type Deed = 'throw' | 'return' | 'info' | 'exit' | 'stray' | 'SIGKILL';

export const DEEDS: Readonly<Record<WorkerKind, readonly Deed[]>> = {
  task: ['throw', 'return', 'info'],
  thread: ['throw', 'return', 'info', 'exit', 'stray'],
  fork: ['throw', 'return', 'info', 'exit', 'stray', 'SIGKILL'],
  command: ['return', 'exit', 'SIGKILL'],
};

/** With what a worker ends that is made to do something. */
export const DEED_TEXTS: Readonly<Record<Deed, string>> = {
  throw: 'crashed(boom)',
  return: 'normal',
  info: 'shutdown("info")',
  exit: 'crashed(AbnormalExit)',
  stray: 'crashed(boom)',
  SIGKILL: 'crashed(AbnormalExit)',
};

/** How a worker says that it has failed: a program has only its exit code. */
export function failureText({ runsAs }: RealWorkerSpec): string {
  return runsAs === 'command' ? DEED_TEXTS.exit : DEED_TEXTS.throw;
}

/** Longer than any history takes: then it plays no part when something happens. */
const FOREVER_MS = 1_000_000_000;
const GRACE_MS = 30;
const DELAY_MS = 15;
const START_TIMEOUT_MS = 30;

/** A tree like those of the simulation, in which time decides nothing but what it decides alone. */
export function randomRealTree(dice: Dice): RealSupervisorSpec {
  return realSupervisor(dice, randomTree(dice));
}

export function randomRealWorker(dice: Dice, id: string): RealWorkerSpec {
  return realWorker(dice, randomWorker(dice, id, 'never'));
}

function realSupervisor(dice: Dice, spec: SupervisorSpec): RealSupervisorSpec {
  const { children, template, shutdownTimeoutMs } = spec;
  return {
    ...spec,
    ...timeless(spec),
    periodMs: FOREVER_MS,
    shutdownTimeoutMs: shutdownTimeoutMs === 'infinity' ? 'infinity' : 2 * GRACE_MS,
    children: children.map((child) => (child.kind === 'worker' ? realWorker(dice, child) : realSupervisor(dice, child))),
    template: template && realWorker(dice, template),
  };
}

function realWorker(dice: Dice, spec: WorkerSpec): RealWorkerSpec {
  const runsAs = dice.pick<WorkerKind>(['task', 'task', 'task', 'thread', 'thread', 'fork', 'command', 'command']);
  const manners = randomManners(dice, spec, runsAs);
  return {
    ...spec,
    ...timeless(spec),
    isExplicit: manners.isExplicit || runsAs === 'thread' || runsAs === 'fork',
    startTimeoutMs: manners.hangsAt.length > 0 ? START_TIMEOUT_MS : 'infinity',
    healthIntervalMs: undefined,
    shutdownTimeoutMs: graceOf(spec, manners),
    runsAs,
    manners,
    spares: runsAs === 'thread' && dice.chance(0.2) ? 1 : 0,
  };
}

function timeless({ budget, delay }: WorkerSpec | SupervisorSpec): Pick<WorkerSpec, 'budget' | 'delay'> {
  const own: Budget | undefined = budget && { maxRestarts: budget.maxRestarts, periodMs: FOREVER_MS };
  return { budget: own, delay: delay && { initialMs: DELAY_MS, maxMs: DELAY_MS, multiplier: 1 } };
}

function randomManners(dice: Dice, { isExplicit }: WorkerSpec, runsAs: WorkerKind): Manners {
  const at = (probability: number): number[] => (dice.chance(probability) ? [dice.pick([1, 2, 2, 3, 3, 4])] : []);
  return {
    isExplicit,
    failsAt: [...at(0.2), ...at(0.1)],
    declinesAt: isExplicit && runsAs !== 'command' ? at(0.1) : [],
    // In a task only, which is always ready in time unless it hangs.
    hangsAt: isExplicit && runsAs === 'task' ? at(0.15) : [],
    onStop: dice.pick<Manners['onStop']>(['returns', 'returns', 'returns', 'returns', 'throws', 'ignores']),
  };
}

/** Short, or without end: a stop that is obeyed in time on one machine is obeyed in time on every other. */
function graceOf({ shutdownTimeoutMs }: WorkerSpec, { onStop }: Manners): WorkerSpec['shutdownTimeoutMs'] {
  if (shutdownTimeoutMs === 'brutal_kill') return 'brutal_kill';
  if (onStop === 'ignores') return GRACE_MS;
  return shutdownTimeoutMs === 0 ? 0 : 'infinity';
}

/** A tree in one line a child, with what is not ordinary about it. */
export function describeRealTree(spec: RealSupervisorSpec, indent = '  '): string {
  const { strategy, maxRestarts, autoShutdown, template, maxChildren } = spec;
  const what = template === undefined ? strategy : `dynamic, at most ${maxChildren}`;
  const shutdown = autoShutdown === 'never' ? '' : `, ${autoShutdown}`;
  const line = `${indent}${describeNode(spec)} (${what}, ${maxRestarts} restarts${shutdown})`;
  const below = `${indent}  `;
  const children = [...spec.children, ...(template === undefined ? [] : [template])];
  return [
    line,
    ...children.map((child) => (child.kind === 'worker' ? `${below}${describeRealWorker(child)}` : describeRealTree(child, below))),
  ].join('\n');
}

export function describeRealWorker(spec: RealWorkerSpec): string {
  const { isExplicit, failsAt, declinesAt, hangsAt, onStop } = spec.manners;
  const facts = [
    `${spec.runsAs} ${describeNode(spec)}`,
    ...(isExplicit ? ['explicitly ready'] : []),
    ...(spec.spares > 0 ? ['spares'] : []),
    ...(failsAt.length > 0 ? [`fails at ${failsAt.join(' and ')}`] : []),
    ...(declinesAt.length > 0 ? [`declines at ${declinesAt.join(' and ')}`] : []),
    ...(hangsAt.length > 0 ? [`hangs at ${hangsAt.join(' and ')}`] : []),
    ...(onStop === 'returns' ? [] : [`${onStop} when asked to stop`]),
  ];
  return facts.join(', ');
}

function describeNode({ id, restartType, significant, shutdownTimeoutMs, budget, delay }: RealWorkerSpec | RealSupervisorSpec): string {
  const own = budget === undefined ? '' : `, own budget ${budget.maxRestarts}`;
  const late = delay === undefined ? '' : ', delayed';
  return `${id}: ${restartType}${significant ? ', significant' : ''}, shutdown ${shutdownTimeoutMs}${own}${late}`;
}
