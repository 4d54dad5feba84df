import type { Environment, ExitReason, InboxStats, TimerSnapshot } from '../core/index.js';
import type { GroupStats, NameRegistry, TopicBroker, TopicStats } from '../messaging/index.js';
import type { InboxFigures } from '../processes/index.js';
import type { CircuitState } from '../resilience/index.js';
import { type ChildInfo, runningRoots, type SupervisorInfo } from '../supervision/index.js';
import type { QueueAges, QueueSnapshot } from './queue-ages.js';
import type { RuntimeParts } from './runtime-parts.js';
import type { ShutdownManager } from './shutdown-manager.js';

/** A mailbox at one moment. */
export interface MailboxSnapshot {
  /** The path of the process whose inbox it is, such as `app/pool/worker_1`; of any other, its own name. */
  readonly name: string;
  readonly stats: InboxStats;
  /** The queues that were ever used, the most urgent first. */
  readonly queues: readonly QueueSnapshot[];
}

/** A name at one moment, and how the mailbox fares that has it. */
export interface NameSnapshot {
  readonly name: string;
  readonly depth: number;
  readonly capacity: number;
  readonly deadLetters: number;
}

/** Everything in a runtime that a person could want to know, at one moment: a copy. */
export interface RuntimeSnapshot {
  /** Wall-clock time, in milliseconds since 1970. */
  readonly timestampMs: number;
  /** Milliseconds since the runtime was made. */
  readonly uptimeMs: number;
  readonly isDraining: boolean;
  /** The trees that run. */
  readonly supervisors: readonly SupervisorInfo[];
  /** The trees that gave up and were not started again. */
  readonly givenUp: readonly { readonly supervisor: string; readonly reason: ExitReason }[];
  /** Of the processes in these trees that have ever used theirs, and then those that were built and are not closed and empty. */
  readonly mailboxes: readonly MailboxSnapshot[];
  /** None in a thread or fork, whose names are the application's. */
  readonly names: readonly NameSnapshot[];
  readonly groups: readonly (GroupStats & { readonly name: string })[];
  /** All of it 0 in a thread or fork, whose topics are the application's. */
  readonly topics: TopicStats;
  readonly circuits: readonly {
    readonly name: string;
    readonly state: CircuitState;
    readonly failures: number;
    readonly refused: number;
  }[];
  readonly bulkheads: readonly { readonly name: string; readonly inFlight: number; readonly queued: number; readonly refused: number }[];
  readonly rateLimiters: readonly { readonly name: string; readonly available: number; readonly waiting: number }[];
  readonly keyedRateLimiters: readonly { readonly name: string; readonly keys: number }[];
  /** Those of all timers together. */
  readonly timers: TimerSnapshot;
  readonly shutdownHooks: number;
  /** Of ended processes. */
  readonly deadLetters: { readonly size: number; readonly capacity: number; readonly evicted: number };
  /** Requests that wait for their reply, and replies that came too late for theirs. */
  readonly requests: { readonly pending: number; readonly lateReplies: number };
  /** Processes that ended abnormally since the runtime was made. */
  readonly crashes: number;
}

const NO_TOPICS: TopicStats = { subscribers: 0, patterns: 0, published: 0, delivered: 0, failed: 0 };

/** The parts of a runtime that are looked at. */
export interface Observed {
  readonly environment: Environment;
  readonly registry: NameRegistry;
  readonly pubsub: TopicBroker;
  readonly shutdownManager: ShutdownManager;
  readonly parts: RuntimeParts;
  readonly startedAtMs: number;
  /** Whether it stands for another one, to which names and topics belong. */
  readonly isHosted: boolean;
}

/** Looks at all of a runtime. */
export function takeSnapshot(
  { environment, registry, pubsub, shutdownManager, parts, startedAtMs, isHosted }: Observed,
  ages: QueueAges,
): RuntimeSnapshot {
  const { clock, roots, deadLetters, replies, crashes } = environment;
  const nowMs = clock.now();
  const supervisors = runningRoots(environment).map((root) => root.inspect());
  const mailbox = (name: string, key: object, { stats, queues }: InboxFigures): MailboxSnapshot => ({
    name,
    stats,
    queues: ages.look(key, queues, nowMs),
  });
  const mailboxes: MailboxSnapshot[] = [];
  for (const info of supervisors) {
    for (const { path, child } of childrenOf(info, info.name)) {
      if (child.ref !== undefined && child.inbox !== undefined) mailboxes.push(mailbox(path, child.ref, child.inbox));
    }
  }
  for (const inbox of parts.inboxes) {
    const stats = inbox.stats();
    if (stats.depth > 0 || !inbox.isClosed()) mailboxes.push(mailbox(inbox.name, inbox, { stats, queues: inbox.queues() }));
  }
  return {
    timestampMs: clock.wallTime(),
    uptimeMs: nowMs - startedAtMs,
    isDraining: roots.isDraining,
    supervisors,
    givenUp: Array.from(roots.givenUp, ([supervisor, reason]) => ({ supervisor, reason })),
    mailboxes,
    names: Array.from(isHosted ? [] : registry.snapshot(), ([name, { depth, capacity, deadLetters: letters }]) => ({
      name,
      depth,
      capacity,
      deadLetters: letters,
    })),
    groups: Array.from(parts.groups, (group) => ({ name: group.name, ...group.stats() })),
    topics: isHosted ? NO_TOPICS : pubsub.stats(),
    circuits: Array.from(parts.circuits, (circuit) => ({
      name: circuit.name,
      state: circuit.getState(),
      failures: circuit.getFailureCount(),
      refused: circuit.refused,
    })),
    bulkheads: Array.from(parts.bulkheads, ({ name, inFlight, queued, refused }) => ({ name, inFlight, queued, refused })),
    rateLimiters: Array.from(parts.rateLimiters, (limiter) => ({
      name: limiter.name,
      available: limiter.available(),
      waiting: limiter.waiting,
    })),
    keyedRateLimiters: Array.from(parts.keyedRateLimiters, ({ name, size }) => ({ name, keys: size })),
    timers: sumOf(Array.from(parts.timers, (timer) => timer.snapshot())),
    shutdownHooks: shutdownManager.size,
    deadLetters: { size: deadLetters.size, capacity: deadLetters.capacity, evicted: deadLetters.evicted },
    requests: { pending: replies.pendingCalls, lateReplies: replies.lateReplies },
    crashes: crashes.total,
  };
}

/** A child in a tree, and where it is: `app/pool/worker_1`. */
export interface PlacedChild {
  readonly path: string;
  readonly child: ChildInfo;
}

/** All children of a tree, each before those below it. */
export function* childrenOf(info: SupervisorInfo, path: string): Generator<PlacedChild> {
  for (const child of info.children) {
    const childPath = `${path}/${child.id}`;
    yield { path: childPath, child };
    if (child.supervisor !== undefined) yield* childrenOf(child.supervisor, childPath);
  }
}

function sumOf(timers: readonly TimerSnapshot[]): TimerSnapshot {
  const sum = { pending: 0, fired: 0, cancelled: 0 };
  for (const { pending, fired, cancelled } of timers) {
    sum.pending += pending;
    sum.fired += fired;
    sum.cancelled += cancelled;
  }
  return sum;
}
