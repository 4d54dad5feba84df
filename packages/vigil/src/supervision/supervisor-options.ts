import {
  checkArray,
  checkBoolean,
  checkCount,
  checkFunction,
  checkGrowingDelay,
  checkName,
  checkObject,
  checkOneOf,
  checkOr,
  checkPositiveNumber,
  type ExitReason,
  invalidOption,
  optional,
} from '../core/index.js';
import { type ChildSpec, type CompleteChildSpec, completeChildSpec, duplicateChild, type SupervisionDefaults } from './child-spec.js';
import type { RestartDelay } from './restart-delay.js';
import { RESTART_STRATEGIES, type RestartStrategy } from './restart-plan.js';

/** Whether the end of significant children ends their supervisor: never, at the first, or when the last active one has ended. */
export const AUTO_SHUTDOWNS = ['never', 'any_significant', 'all_significant'] as const;
export type AutoShutdown = (typeof AUTO_SHUTDOWNS)[number];

/** Hears of each abnormal end of a child, before its restart, which waits for nothing that it does. */
export type CrashHandler = (id: string, reason: ExitReason) => void | Promise<void>;

export interface LifecycleOptions {
  /** What reports and trees call it; default `'supervisor'`, below another supervisor its child id. */
  readonly name?: string | undefined;
  /** Restarts that are allowed within `maxSeconds`; one more and the supervisor gives up. Default 3; 0 means never restart. */
  readonly maxRestarts?: number | undefined;
  /** Length of the sliding window in seconds, > 0; default 5. */
  readonly maxSeconds?: number | undefined;
  /** Default `'never'`. */
  readonly autoShutdown?: AutoShutdown | undefined;
  /** How long to wait before children are restarted, unless they say otherwise; default: not at all. */
  readonly restartDelay?: RestartDelay | undefined;
  readonly onCrash?: CrashHandler | undefined;
  /** Whether it reports to telemetry; default true. */
  readonly telemetry?: boolean | undefined;
  /** Whether it keeps Node alive while it runs; default true. */
  readonly keepAlive?: boolean | undefined;
}

export interface SupervisorOptions extends LifecycleOptions {
  /** Default `'one_for_one'`. */
  readonly strategy?: RestartStrategy | undefined;
  /** The children that every start begins with, in start order. */
  readonly children?: readonly ChildSpec[] | undefined;
}

/** The options that supervisors of all kinds have, checked and with their defaults. */
export interface LifecycleSettings {
  readonly name: string;
  readonly strategy: RestartStrategy;
  readonly maxRestarts: number;
  readonly periodMs: number;
  readonly autoShutdown: AutoShutdown;
  readonly onCrash: CrashHandler | undefined;
  readonly telemetry: boolean;
  readonly keepAlive: boolean;
  /** What its children use where they were told nothing. */
  readonly defaults: SupervisionDefaults;
}

const checkStrategy = checkOneOf(RESTART_STRATEGIES);
const checkAutoShutdown = checkOneOf(AUTO_SHUTDOWNS);
const checkDelay = optional(checkGrowingDelay);
const checkOnCrash = optional(checkFunction<CrashHandler>());

/** @throws {VigilError} `InvalidConfiguration` that names the option. */
export function completeLifecycleOptions(
  options: LifecycleOptions & Pick<SupervisorOptions, 'strategy'>,
  defaults: SupervisionDefaults,
  defaultName = 'supervisor',
): LifecycleSettings {
  checkObject('supervisor options', options);
  return {
    name: checkOr(checkName, 'name', options.name, defaultName),
    strategy: checkOr(checkStrategy, 'strategy', options.strategy, 'one_for_one'),
    maxRestarts: checkOr(checkCount, 'maxRestarts', options.maxRestarts, defaults.maxRestarts),
    periodMs: checkOr(checkPositiveNumber, 'maxSeconds', options.maxSeconds, defaults.maxSeconds) * 1000,
    autoShutdown: checkOr(checkAutoShutdown, 'autoShutdown', options.autoShutdown, 'never'),
    onCrash: checkOnCrash('onCrash', options.onCrash),
    telemetry: checkOr(checkBoolean, 'telemetry', options.telemetry, true),
    keepAlive: checkOr(checkBoolean, 'keepAlive', options.keepAlive, true),
    defaults: { ...defaults, restartDelay: checkDelay('restartDelay', options.restartDelay) ?? defaults.restartDelay },
  };
}

/** @throws {VigilError} `InvalidConfiguration` that names the option, `AlreadyMonitoring` when two children have one id. */
export function completeChildren(children: readonly ChildSpec[], { autoShutdown, defaults }: LifecycleSettings): CompleteChildSpec[] {
  const ids = new Set<string>();
  return checkArray('children', children).map((child) => {
    const spec = completeChildSpec(child, defaults);
    checkSignificance(spec, autoShutdown);
    if (ids.has(spec.id)) throw duplicateChild(spec.id, 'present');
    ids.add(spec.id);
    return spec;
  });
}

/** @throws {VigilError} `InvalidConfiguration` when a child is significant for a supervisor that never shuts down for one. */
export function checkSignificance(spec: CompleteChildSpec, autoShutdown: AutoShutdown): void {
  if (spec.significant && autoShutdown === 'never') {
    throw invalidOption('significant', `false where autoShutdown is 'never' (child "${spec.id}")`, true);
  }
}
