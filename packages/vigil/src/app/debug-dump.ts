import { describeExit } from '../core/index.js';
import { formatTree } from '../supervision/index.js';
import type { HealthReport } from './runtime-health.js';
import type { MailboxSnapshot, RuntimeSnapshot } from './runtime-snapshot.js';

type Section = readonly [title: string, lines: readonly string[]];

/**
 * A snapshot for people: what is wrong first, then the trees, then whatever else is there, a line each. What there is none of is left out.
 */
export function formatSnapshot(snapshot: RuntimeSnapshot, health: HealthReport): string {
  const { supervisors, givenUp, mailboxes, names, groups, topics, circuits, bulkheads, rateLimiters, keyedRateLimiters } = snapshot;
  const { timers, shutdownHooks, deadLetters, requests, crashes, uptimeMs } = snapshot;
  const sections: readonly Section[] = [
    ['wrong', health.reasons.map(({ severity, part, text }) => `${severity.replace('_', ' ')}: ${part} ${text}`)],
    ['trees', supervisors.flatMap((info) => formatTree(info).split('\n'))],
    ['gave up', givenUp.map(({ supervisor, reason }) => `${supervisor}: ${describeExit(reason)}`)],
    ['mailboxes', mailboxes.map(describeMailbox)],
    ['names', names.map(({ name, depth, capacity }) => `${name}: ${depth} of ${capacity} messages`)],
    [
      'groups',
      groups.map(({ name, members, delivered, failed }) => `${name}: ${members} members, ${delivered} delivered, ${failed} refused`),
    ],
    [
      'topics',
      topics.patterns === 0 ? [] : [`${topics.patterns} patterns of ${topics.subscribers} subscribers, ${topics.published} published`],
    ],
    ['circuits', circuits.map(({ name, state, failures, refused }) => `${name}: ${state}, ${failures} failures, ${refused} refused`)],
    [
      'bulkheads',
      bulkheads.map(({ name, inFlight, queued, refused }) => `${name}: ${inFlight} in flight, ${queued} queued, ${refused} refused`),
    ],
    [
      'rate limiters',
      [
        ...rateLimiters.map(({ name, available, waiting }) => `${name}: ${available} available, ${waiting} waiting`),
        ...keyedRateLimiters.map(({ name, keys }) => `${name}: ${keys} keys`),
      ],
    ],
    [
      'figures',
      [
        `timers: ${timers.pending} pending, ${timers.fired} fired, ${timers.cancelled} cancelled`,
        `requests: ${requests.pending} pending, ${requests.lateReplies} late replies`,
        `dead letters: ${deadLetters.size} of ${deadLetters.capacity}`,
        `crashes: ${crashes}`,
        `shutdown hooks: ${shutdownHooks}`,
      ],
    ],
  ];
  const title = `runtime: ${health.status}, ${health.isReady ? 'ready' : 'not ready'}, up ${Math.floor(uptimeMs / 1000)} s`;
  return [title, ...sections.flatMap(linesOf)].join('\n');
}

function linesOf([title, lines]: Section): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
}

function describeMailbox({ name, stats, queues }: MailboxSnapshot): string {
  const { depth, capacity, messagesSent, deadLetters } = stats;
  const ages = queues.flatMap(({ priority, oldestAgeMs }) =>
    oldestAgeMs === undefined ? [] : [`oldest ${priority} ${Math.round(oldestAgeMs)} ms`],
  );
  return [`${name}: ${depth} of ${capacity} messages`, `${messagesSent} sent`, `${deadLetters} dead letters`, ...ages].join(', ');
}
