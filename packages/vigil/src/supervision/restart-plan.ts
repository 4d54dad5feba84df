import { type ExitReason, isAbnormal } from '../core/index.js';

/**
 * Whom a failed child takes with it: nobody (`one_for_one`), everybody (`one_for_all`), or the children that were started
 * after it (`rest_for_one`).
 */
export const RESTART_STRATEGIES = ['one_for_one', 'one_for_all', 'rest_for_one'] as const;
export type RestartStrategy = (typeof RESTART_STRATEGIES)[number];

/** Whether a child that ended is started again: always, only after an abnormal end, or never. */
export const RESTART_TYPES = ['permanent', 'transient', 'temporary'] as const;
export type RestartType = (typeof RESTART_TYPES)[number];

/** Whether a child is started again after an end with this reason. @see OTP supervisor, `permanent | transient | temporary` */
export function isRestarted(restartType: RestartType, reason: ExitReason): boolean {
  switch (restartType) {
    case 'permanent':
      return true;
    case 'transient':
      return isAbnormal(reason);
    case 'temporary':
      return false;
  }
}

/** What a plan needs to know of a child. */
export interface PlannedChild {
  readonly restartType: RestartType;
}

/** The answer to a failed child: all stops, one after the other, before the first start. */
export interface RestartPlan<C extends PlannedChild> {
  /** In reverse start order. */
  readonly stop: readonly C[];
  /** Temporary children among those stopped: they do not come back. */
  readonly forget: readonly C[];
  /** In start order, the failed child among them. */
  readonly start: readonly C[];
}

/**
 * Plans the restart of `failed` and of whom its end takes along.
 *
 * A child of the group that was stopped by request or ended cleanly is started again with it, as in OTP.
 *
 * @param startOrder - all children; read only as far as the strategy asks.
 */
export function planRestart<C extends PlannedChild>(startOrder: Iterable<C>, failed: C, strategy: RestartStrategy): RestartPlan<C> {
  if (strategy === 'one_for_one') return { stop: [], forget: [], start: [failed] };
  const group = restartGroup([...startOrder], failed, strategy);
  const others = group.filter((child) => child !== failed);
  const isTemporary = (child: C) => child.restartType === 'temporary';
  return {
    stop: others.toReversed(),
    forget: others.filter(isTemporary),
    start: group.filter((child) => child === failed || !isTemporary(child)),
  };
}

function restartGroup<C>(startOrder: readonly C[], failed: C, strategy: 'one_for_all' | 'rest_for_one'): readonly C[] {
  switch (strategy) {
    case 'one_for_all':
      return startOrder;
    case 'rest_for_one':
      return startOrder.slice(startOrder.indexOf(failed));
  }
}
