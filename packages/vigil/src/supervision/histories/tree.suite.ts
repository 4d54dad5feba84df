import type { Random } from '../../core/index.js';
import type { RestartStrategy, RestartType } from '../restart-plan.js';
import type { ShutdownTimeout } from '../child-spec.js';
import type { AutoShutdown } from '../supervisor-options.js';

interface NodeSpec {
  readonly id: string;
  readonly restartType: RestartType;
  readonly significant: boolean;
  readonly shutdownTimeoutMs: ShutdownTimeout;
  /** A budget of its own. */
  readonly budget: Budget | undefined;
  readonly delay: { readonly initialMs: number; readonly maxMs: number; readonly multiplier: number } | undefined;
}

export interface Budget {
  readonly maxRestarts: number;
  readonly periodMs: number;
}

export interface WorkerSpec extends NodeSpec {
  readonly kind: 'worker';
  /** Whether it says itself when it is ready. */
  readonly isExplicit: boolean;
  readonly startTimeoutMs: number | 'infinity';
  readonly healthIntervalMs: number | undefined;
}

export interface SupervisorSpec extends NodeSpec, Budget {
  readonly kind: 'supervisor';
  readonly strategy: RestartStrategy;
  readonly autoShutdown: AutoShutdown;
  readonly children: readonly (WorkerSpec | SupervisorSpec)[];
  /** Makes it a dynamic supervisor: all its children are like this. */
  readonly template: WorkerSpec | undefined;
  readonly maxChildren: number;
}

/** Chance with a few shapes. */
export class Dice {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Whether something of this probability happens. */
  chance(probability: number): boolean {
    return this.#random.next() < probability;
  }

  /** An integer >= 0 and < `count`. */
  below(count: number): number {
    return Math.floor(this.#random.next() * count);
  }

  /** A number >= 0 and < `limit`. */
  upTo(limit: number): number {
    return this.#random.next() * limit;
  }

  pick<T>(options: readonly T[]): T {
    const option = options[this.below(options.length)];
    if (option === undefined) throw new Error('nothing to pick from');
    return option;
  }
}

export const PERIODS_MS: readonly number[] = [1000, 3000, 5000];

export function randomTree(dice: Dice): SupervisorSpec {
  return randomSupervisor(dice, 'root', 0, 'never');
}

/** A supervisor at some depth below the root; `parentShutdown` says whether it may be significant. */
function randomSupervisor(dice: Dice, id: string, depth: number, parentShutdown: AutoShutdown): SupervisorSpec {
  const isDynamic = depth > 0 && dice.chance(0.35);
  const autoShutdown = dice.pick<AutoShutdown>(['never', 'never', 'any_significant', 'all_significant']);
  const ids = dice.chance(0.3) ? ['w_0', 'w_1', 'w_2', 'a', 'b'] : ['a', 'b', 'c', 'd', 'e'];
  const count = isDynamic ? 0 : dice.below(depth === 0 ? 5 : 4) + (depth === 0 ? 1 : 0);
  return {
    ...randomNode(dice, id, parentShutdown, 'supervisor'),
    kind: 'supervisor',
    strategy: isDynamic ? 'one_for_one' : dice.pick(['one_for_one', 'one_for_all', 'rest_for_one']),
    maxRestarts: dice.below(7),
    periodMs: dice.pick(PERIODS_MS),
    autoShutdown,
    children: ids.slice(0, count).map((childId) => randomChild(dice, childId, depth + 1, autoShutdown)),
    template: isDynamic ? randomWorker(dice, 'child', autoShutdown) : undefined,
    maxChildren: isDynamic ? dice.below(4) : 0,
  };
}

function randomChild(dice: Dice, id: string, depth: number, parentShutdown: AutoShutdown): WorkerSpec | SupervisorSpec {
  return depth < 3 && !id.startsWith('w_') && dice.chance(0.3)
    ? randomSupervisor(dice, id, depth, parentShutdown)
    : randomWorker(dice, id, parentShutdown);
}

export function randomWorker(dice: Dice, id: string, parentShutdown: AutoShutdown): WorkerSpec {
  return {
    ...randomNode(dice, id, parentShutdown, 'worker'),
    kind: 'worker',
    isExplicit: dice.chance(0.35),
    startTimeoutMs: dice.pick([700, 2000, 'infinity']),
    healthIntervalMs: dice.chance(0.1) ? dice.pick([400, 1000]) : undefined,
  };
}

function randomNode(dice: Dice, id: string, parentShutdown: AutoShutdown, kind: 'worker' | 'supervisor'): NodeSpec {
  const restartType = dice.pick<RestartType>(['permanent', 'permanent', 'transient', 'temporary']);
  return {
    id,
    restartType,
    significant: parentShutdown !== 'never' && restartType !== 'permanent' && dice.chance(0.5),
    shutdownTimeoutMs:
      kind === 'worker'
        ? dice.pick<ShutdownTimeout>([0, 500, 500, 5000, 'infinity', 'brutal_kill'])
        : dice.pick<ShutdownTimeout>(['infinity', 'infinity', 'infinity', 800]),
    budget: dice.chance(0.15) ? { maxRestarts: dice.below(3), periodMs: dice.pick(PERIODS_MS) } : undefined,
    delay: dice.chance(0.15) ? { initialMs: dice.pick([100, 1000]), maxMs: 3000, multiplier: 2 } : undefined,
  };
}

/** A tree in one line a child, with what is not ordinary about it. */
export function describeTree(spec: SupervisorSpec, indent = ''): string {
  const { strategy, maxRestarts, periodMs, autoShutdown, template, maxChildren } = spec;
  const what = template === undefined ? strategy : `dynamic, at most ${maxChildren}`;
  const shutdown = autoShutdown === 'never' ? '' : `, ${autoShutdown}`;
  const line = `${indent}${describeNode(spec)} (${what}, ${maxRestarts} in ${periodMs} ms${shutdown})`;
  const below = `${indent}  `;
  const children = [...spec.children, ...(template === undefined ? [] : [template])];
  return [
    line,
    ...children.map((child) => (child.kind === 'worker' ? `${below}${describeWorker(child)}` : describeTree(child, below))),
  ].join('\n');
}

function describeWorker(spec: WorkerSpec): string {
  const start = spec.isExplicit ? `, ready explicitly within ${spec.startTimeoutMs}` : '';
  const health = spec.healthIntervalMs === undefined ? '' : `, health every ${spec.healthIntervalMs}`;
  return `${describeNode(spec)}${start}${health}`;
}

function describeNode({ id, restartType, significant, shutdownTimeoutMs, budget, delay }: NodeSpec): string {
  const own = budget === undefined ? '' : `, own budget ${budget.maxRestarts} in ${budget.periodMs}`;
  const late = delay === undefined ? '' : `, delay ${delay.initialMs}…${delay.maxMs}`;
  return `${id}: ${restartType}${significant ? ', significant' : ''}, shutdown ${shutdownTimeoutMs}${own}${late}`;
}
