import { describeExit } from '../core/index.js';
import { childrenOf, type RuntimeSnapshot } from './runtime-snapshot.js';

/**
 * - `unhealthy`: something has failed for good and nobody will mend it but a restart of the program.
 * - `degraded`: something is wrong that may pass, or is about to get worse.
 * - `not_ready`: nothing is wrong, but no work should be given to it now.
 */
export type HealthSeverity = 'unhealthy' | 'degraded' | 'not_ready';

export interface HealthReason {
  readonly severity: HealthSeverity;
  /** Which part: `supervisor "app"`, `circuit "database"`. */
  readonly part: string;
  /** What about it, for people. */
  readonly text: string;
}

export interface HealthReport {
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  /** Whether work should be given to the program: it is up, does not drain or stop, and is not unhealthy. */
  readonly isReady: boolean;
  /** Empty when all is well; the most severe first. */
  readonly reasons: readonly HealthReason[];
}

/** An event loop that takes longer to answer is in trouble, in milliseconds. */
const LATE_MS = 1000;

/** The most severe first. */
const SEVERITIES: readonly HealthSeverity[] = ['unhealthy', 'degraded', 'not_ready'];

/** What is wrong with a runtime that looks like this. */
export function assessHealth(snapshot: RuntimeSnapshot): HealthReport {
  const reasons = reasonsOf(snapshot).toSorted((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
  const has = (severity: HealthSeverity) => reasons.some((reason) => reason.severity === severity);
  const status = has('unhealthy') ? 'unhealthy' : has('degraded') ? 'degraded' : 'healthy';
  return { status, isReady: status !== 'unhealthy' && !has('not_ready'), reasons };
}

function reasonsOf(snapshot: RuntimeSnapshot): HealthReason[] {
  const reasons: HealthReason[] = [];
  const note = (severity: HealthSeverity, part: string, text: string) => reasons.push({ severity, part, text });
  const { isDraining, givenUp, supervisors, mailboxes, circuits, deadLetters } = snapshot;
  if (isDraining) note('not_ready', 'runtime', 'drains');
  for (const { supervisor, reason } of givenUp) note('unhealthy', `supervisor "${supervisor}"`, `gave up: ${describeExit(reason)}`);
  for (const info of supervisors) {
    if (info.state !== 'running') note('not_ready', `supervisor "${info.name}"`, `is ${info.state}`);
    noteTree(info, info.name, note);
  }
  for (const { name, stats } of mailboxes) {
    const { depth, capacity } = stats;
    if (depth >= capacity) note('degraded', `inbox "${name}"`, `is full: ${depth} of ${capacity}`);
  }
  for (const { name, state } of circuits) if (state !== 'closed') note('degraded', `circuit "${name}"`, `is ${state.replace('_', ' ')}`);
  const { size, capacity } = deadLetters;
  if (size >= capacity) note('degraded', 'dead letters', `are full: ${size} of ${capacity}, and the oldest are lost`);
  return reasons;
}

function noteTree(
  info: RuntimeSnapshot['supervisors'][number],
  path: string,
  note: (severity: HealthSeverity, part: string, text: string) => void,
): void {
  const isSpent = ({ restartsLeft, maxRestarts, state }: typeof info) => state === 'running' && restartsLeft === 0 && maxRestarts > 0;
  if (isSpent(info)) note('degraded', `supervisor "${path}"`, `has no restart left of ${info.maxRestarts} in ${info.maxSeconds} s`);
  for (const { path: childPath, child } of childrenOf(info, path)) {
    const { state, vitals, supervisor } = child;
    if (state === 'restarting') note('degraded', `child "${childPath}"`, 'is down and will be restarted');
    const delayMs = vitals?.eventLoopDelayMs ?? 0;
    if (delayMs >= LATE_MS) note('degraded', `child "${childPath}"`, `answers ${Math.round(delayMs)} ms late`);
    if (supervisor !== undefined && isSpent(supervisor))
      note('degraded', `supervisor "${childPath}"`, `has no restart left of ${supervisor.maxRestarts} in ${supervisor.maxSeconds} s`);
  }
}
