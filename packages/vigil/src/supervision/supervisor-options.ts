import {
  checkBoolean,
  checkCount,
  checkFunction,
  checkName,
  checkObject,
  checkOneOf,
  checkPositiveDuration,
  type ExitReason,
  invalidOption,
  optional,
} from '../core/index.js';
import { type ChildSpec, type CompleteChildSpec, completeChildSpec, duplicateChild, type SupervisionDefaults } from './child-spec.js';
import { RESTART_STRATEGIES, type RestartStrategy } from './restart-plan.js';

/** Whether the end of significant children ends their supervisor: never, at the first, or when the last active one has ended. */
export const AUTO_SHUTDOWNS = ['never', 'any_significant', 'all_significant'] as const;
export type AutoShutdown = (typeof AUTO_SHUTDOWNS)[number];

/** Hears of each abnormal end of a child, before its restart, which waits for nothing that it does. */
export type CrashHandler = (id: string, reason: ExitReason) => void | Promise<void>;

export interface SupervisorOptions {
  /** What reports and trees call it; default `'supervisor'`, below another supervisor its child id. */
  readonly name?: string | undefined;
  /** Default `'one_for_one'`. */
  readonly strategy?: RestartStrategy | undefined;
  /** Restarts that are allowed within `maxSeconds`; one more and the supervisor gives up. Default 3; 0 means never restart. */
  readonly maxRestarts?: number | undefined;
  /** Length of the sliding window in seconds, > 0; default 5. */
  readonly maxSeconds?: number | undefined;
  /** Default `'never'`. */
  readonly autoShutdown?: AutoShutdown | undefined;
  /** The children that every start begins with, in start order. */
  readonly children?: readonly ChildSpec[] | undefined;
  readonly onCrash?: CrashHandler | undefined;
  /** Whether it reports to telemetry; default true. */
  readonly telemetry?: boolean | undefined;
  /** Whether it keeps Node alive while it runs; default true. */
  readonly keepAlive?: boolean | undefined;
}

/** The options of a supervisor, checked and with their defaults. */
export interface SupervisorSettings {
  readonly name: string;
  readonly strategy: RestartStrategy;
  readonly maxRestarts: number;
  readonly periodMs: number;
  readonly autoShutdown: AutoShutdown;
  readonly children: readonly CompleteChildSpec[];
  readonly onCrash: CrashHandler | undefined;
  readonly telemetry: boolean;
  readonly keepAlive: boolean;
}

const checkStrategy = checkOneOf(RESTART_STRATEGIES);
const checkAutoShutdown = checkOneOf(AUTO_SHUTDOWNS);
const checkOnCrash = optional(checkFunction<CrashHandler>());

function checkArray<T>(name: string, value: readonly T[]): readonly T[] {
  if (!Array.isArray(value)) throw invalidOption(name, 'an array', value);
  return value;
}

/** @throws {VigilError} `InvalidConfiguration` that names the option, `AlreadyMonitoring` when two children have one id. */
export function completeSupervisorOptions(options: SupervisorOptions, defaults: SupervisionDefaults): SupervisorSettings {
  checkObject('supervisor options', options);
  const autoShutdown = checkAutoShutdown('autoShutdown', options.autoShutdown ?? 'never');
  return {
    name: checkName('name', options.name ?? 'supervisor'),
    strategy: checkStrategy('strategy', options.strategy ?? 'one_for_one'),
    maxRestarts: checkCount('maxRestarts', options.maxRestarts ?? defaults.maxRestarts),
    periodMs: checkPositiveDuration('maxSeconds', options.maxSeconds ?? defaults.maxSeconds) * 1000,
    autoShutdown,
    children: completeChildren(options, autoShutdown, defaults),
    onCrash: checkOnCrash('onCrash', options.onCrash),
    telemetry: checkBoolean('telemetry', options.telemetry ?? true),
    keepAlive: checkBoolean('keepAlive', options.keepAlive ?? true),
  };
}

/** @throws {VigilError} `InvalidConfiguration` when a child is significant for a supervisor that never shuts down for one. */
export function checkSignificance(spec: CompleteChildSpec, autoShutdown: AutoShutdown): void {
  if (spec.significant && autoShutdown === 'never') {
    throw invalidOption('significant', `false where autoShutdown is 'never' (child "${spec.id}")`, true);
  }
}

function completeChildren(options: SupervisorOptions, autoShutdown: AutoShutdown, defaults: SupervisionDefaults): CompleteChildSpec[] {
  const ids = new Set<string>();
  return checkArray('children', options.children ?? []).map((child) => {
    const spec = completeChildSpec(child, defaults);
    checkSignificance(spec, autoShutdown);
    if (ids.has(spec.id)) throw duplicateChild(spec.id, 'present');
    ids.add(spec.id);
    return spec;
  });
}
