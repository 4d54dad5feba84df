import { type CrashDecision, type CrashReport, describeExit, describeValue, errorOf } from '../core/index.js';

/** A chain of causes may lead back into itself. */
const MAX_CAUSES = 10;

/**
 * A crash report for people: who and why in the first line, then what was done about it, what was known of the process, and the stacks of the
 * error and its causes.
 */
export function formatCrashReport(report: CrashReport): string {
  const { sequence, process, reason, uptimeMs, inboxDepth, args, lastMessage, decision, restartsLeft } = report;
  const { id, supervisor, kind, incarnation } = process;
  const facts = [
    `${describeDecision(decision)}, ${restartsLeft} restarts left`,
    uptimeMs === undefined ? 'was never ready' : `was up for ${Math.round(uptimeMs)} ms`,
    ...(inboxDepth === undefined ? [] : [`${inboxDepth} messages waited`]),
    ...(args === undefined ? [] : [`args: ${describeValue(args)}`]),
    ...(lastMessage === undefined ? [] : [`last message: ${describeValue(lastMessage)}`]),
    ...stacksOf(errorOf(reason)),
  ];
  const title = `crash ${sequence}: child "${id}" of "${supervisor}" (${kind}, incarnation ${incarnation}) ${describeExit(reason)}`;
  return [title, ...facts.flatMap((fact) => fact.split('\n')).map((line) => `  ${line}`)].join('\n');
}

function describeDecision(decision: CrashDecision): string {
  switch (decision.do) {
    case 'restart':
      return decision.stop.length === 0
        ? `starts ${decision.start.join(', ')}`
        : `stops ${decision.stop.join(', ')}, starts ${decision.start.join(', ')}`;
    case 'give_up':
      return 'the supervisor gives up';
    case 'leave':
      return 'it stays down';
    case 'fail_start':
      return 'its start has failed';
    case 'stop':
      return 'the supervisor is being stopped';
  }
}

function stacksOf(error: unknown): string[] {
  const stacks: string[] = [];
  for (let cause = error; cause instanceof Error && stacks.length < MAX_CAUSES; { cause } = cause) {
    stacks.push(`${stacks.length === 0 ? '' : 'caused by '}${cause.stack ?? String(cause)}`);
  }
  return stacks;
}
