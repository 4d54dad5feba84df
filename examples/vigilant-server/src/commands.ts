import * as vigil from 'vigiljs';
import type { Counters, Counts } from './counters.js';
import { inSpan } from './in-span.js';
import { type Line, MAX_LINE_BYTES, TOO_LONG } from './line-splitter.js';
import type { Pool } from './pool.js';
import { publish, subscribe, unsubscribe } from './topics.js';

const MAX_WORKERS = 64;

/** What is sent back, with its newline. A promise of it never rejects. */
export type Answer = string | Buffer | Promise<string>;

interface Facts {
  readonly runtime: vigil.Runtime;
  readonly counters: Counters;
  readonly pool: Pool;
  /** Of the requests of all clients. */
  readonly limiter: vigil.RateLimiter;
  readonly hashers: vigil.Supervisor;
  readonly connections: Pick<vigil.Supervisor, 'inspect'>;
  /** All of them. */
  readonly supervisors: readonly Pick<vigil.Supervisor, 'state' | 'getChildInfo' | 'planFor'>[];
  readonly chaos: boolean;
}

/** Knows the answer to a line of a client, whose subscriber hears what others publish. */
export type Answerer = (line: Line, subscriber: vigil.Subscriber) => Answer;

/** Knows the answer to every line. */
export function answerer({ runtime, counters, pool, limiter, hashers, connections, supervisors, chaos }: Facts): Answerer {
  return (line, subscriber) => {
    counters.count('requests');
    if (!limiter.allow()) return refuse('the server has too much to do, try again later');
    if (line === TOO_LONG) return refuse(`the line is longer than ${MAX_LINE_BYTES} bytes`);

    const text = line.toString();
    if (text.startsWith('HASH ')) return done(inSpan('HASH', () => pool.hash(line.subarray('HASH '.length))));
    if (text.startsWith('PLAN ')) return plan(text.slice('PLAN '.length));
    if (text.startsWith('SUBSCRIBE ')) return attempt(() => subscribe(subscriber, text.slice('SUBSCRIBE '.length)));
    if (text.startsWith('UNSUBSCRIBE ')) return attempt(() => unsubscribe(subscriber, text.slice('UNSUBSCRIBE '.length)));
    if (text.startsWith('PUBLISH ')) return attempt(() => publish(runtime.pubsub, line.subarray('PUBLISH '.length)));
    if (text === 'CRASH' && chaos) return done(inSpan('CRASH', () => pool.crash()));
    if (text.startsWith('SCALE ') && chaos) return scale(text.slice('SCALE '.length));
    switch (text) {
      case 'STATUS':
        return withCounts((counts) => `OK active=${activeConnections()} total=${counts.connections}\n`);
      case 'HEALTH':
        return withCounts(health);
      case 'METRICS':
        return withCounts(metrics);
      case 'TREE':
        return `${runtime.snapshot().supervisors.map(vigil.formatTree).join('\n')}\n\n`;
      default:
        // Byte for byte, whatever its encoding.
        return Buffer.concat([line, Buffer.from('\n')]);
    }
  };

  function refuse(why: string): string {
    counters.count('errors');
    return `ERROR ${why}\n`;
  }

  function attempt(act: () => string): string {
    try {
      return `OK ${act()}\n`;
    } catch (error) {
      return refuse(vigil.isVigilError(error, 'InboxClosed') ? 'the server is stopping' : messageOf(error));
    }
  }

  function withCounts(answer: (counts: Counts) => string): Promise<string> {
    return counters.read().then(answer, () => refuse('the counters do not answer, try again later'));
  }

  /** As the tree has them, so that no restart of the counters makes it wrong. */
  function activeConnections(): number {
    return connections.inspect().childCount;
  }

  async function done(job: Promise<string>): Promise<string> {
    try {
      const text = await job;
      counters.count('jobs');
      return `OK ${text}\n`;
    } catch (error) {
      return refuse(messageOf(error));
    }
  }

  function health({ requests }: Counts): string {
    const snapshot = runtime.snapshot();
    const { status, isReady, reasons } = runtime.health();
    const figures = {
      uptime: secondsOf(snapshot.uptimeMs),
      requests,
      circuit: snapshot.circuits.map(({ state }) => state).join(),
      status,
      ready: isReady,
      reasons: oneLine(reasons.map(({ part, text }) => `${part} ${text}`).join('; ')),
    };
    return `OK\n${linesOf(figures)}`;
  }

  /** What a crash of this child would lead to. */
  function plan(id: string): string {
    const supervisor = supervisors.find((candidate) => candidate.getChildInfo(id) !== undefined);
    if (supervisor === undefined) return refuse(`there is no child "${id}"`);
    if (supervisor.state !== 'running') return refuse('the server is stopping');
    const { stop, start, givesUp } = supervisor.planFor(id);
    return `OK stop=${stop.join()} start=${start.join()} gives_up=${givesUp}\n`;
  }

  function scale(count: string): Answer {
    const workers = Number(count);
    if (!/^\d+$/.test(count) || workers > MAX_WORKERS) return refuse(`SCALE takes a number from 0 to ${MAX_WORKERS}`);
    return hashers.scaleWorkers('hasher', workers).then(
      () => `OK workers=${workers}\n`,
      (error: unknown) => refuse(messageOf(error)),
    );
  }

  function metrics(counts: Counts): string {
    const { topics, uptimeMs, mailboxes, bulkheads, deadLetters } = runtime.snapshot();
    const jobs = mailboxes.find(({ name }) => name === 'jobs')?.stats;
    const refusedByBulkheads = bulkheads.reduce((sum, { refused }) => sum + refused, 0);
    const figures = {
      active_connections: activeConnections(),
      total_connections: counts.connections,
      requests_handled: counts.requests,
      errors: counts.errors,
      uptime_seconds: secondsOf(uptimeMs),
      restarts: counts.restarts,
      jobs_done: counts.jobs,
      queued_jobs: jobs?.depth ?? 0,
      refused_jobs: refusedByBulkheads + (jobs?.messagesRejected ?? 0),
      subscribers: topics.subscribers,
      messages_delivered: topics.delivered,
      messages_missed: topics.failed,
      dead_letters: deadLetters.size,
    };
    return `${linesOf(figures)}\n`;
  }
}

function secondsOf(ms: number): number {
  return Math.floor(ms / 1000);
}

function linesOf(figures: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

function messageOf(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error));
}

/** Whatever it says, an answer is one line. */
function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ');
}
