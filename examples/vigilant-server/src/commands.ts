import * as vigil from 'vigiljs';
import type { Counters, Counts } from './counters.js';
import type { Reply, Request } from './hasher.js';
import { type Line, MAX_LINE_BYTES, TOO_LONG } from './line-splitter.js';
import { publish, subscribe, unsubscribe } from './topics.js';

const MAX_WORKERS = 64;

/** Milliseconds until a client hears that its job is not done, whatever has become of it. */
const ANSWER_TIMEOUT_MS = 5_000;

/** What is sent back, with its newline. A promise of it never rejects. */
export type Answer = string | Buffer | Promise<string>;

interface Facts {
  readonly app: vigil.App;
  readonly runtime: vigil.Runtime;
  readonly counters: Counters;
  readonly jobs: vigil.Inbox<Request>;
  readonly hashers: vigil.Supervisor;
  readonly connections: Pick<vigil.Supervisor, 'inspect'>;
  /** All of them. */
  readonly supervisors: readonly Pick<vigil.Supervisor, 'state' | 'getChildInfo' | 'planFor'>[];
  readonly chaos: boolean;
}

/** Knows the answer to a line of a client, whose subscriber hears what others publish. */
export type Answerer = (line: Line, subscriber: vigil.Subscriber) => Answer;

/** Knows the answer to every line. */
export function answerer({ app, runtime, counters, jobs, hashers, connections, supervisors, chaos }: Facts): Answerer {
  const { clock } = runtime;
  const startedAtMs = clock.now();

  return (line, subscriber) => {
    counters.count('requests');
    if (line === TOO_LONG) return refuse(`the line is longer than ${MAX_LINE_BYTES} bytes`);

    const text = line.toString();
    if (text.startsWith('HASH ')) return delegate({ kind: 'hash', text: line.subarray('HASH '.length) });
    if (text.startsWith('PLAN ')) return plan(text.slice('PLAN '.length));
    if (text.startsWith('SUBSCRIBE ')) return attempt(() => subscribe(subscriber, text.slice('SUBSCRIBE '.length)));
    if (text.startsWith('UNSUBSCRIBE ')) return attempt(() => unsubscribe(subscriber, text.slice('UNSUBSCRIBE '.length)));
    if (text.startsWith('PUBLISH ')) return attempt(() => publish(runtime.pubsub, line.subarray('PUBLISH '.length)));
    if (text === 'CRASH' && chaos) return delegate({ kind: 'crash' });
    if (text.startsWith('SCALE ') && chaos) return scale(text.slice('SCALE '.length));
    switch (text) {
      case 'STATUS':
        return withCounts((counts) => `OK active=${activeConnections()} total=${counts.connections}\n`);
      case 'HEALTH':
        return withCounts((counts) => `OK\nuptime=${uptimeSeconds()}\nrequests=${counts.requests}\n`);
      case 'METRICS':
        return withCounts(metrics);
      case 'TREE':
        return `${vigil.formatTree(app.inspect())}\n\n`;
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

  function uptimeSeconds(): number {
    return Math.floor((clock.now() - startedAtMs) / 1000);
  }

  async function delegate(request: Request): Promise<string> {
    try {
      const reply = await runtime.request<Reply>(jobs, request, { timeoutMs: ANSWER_TIMEOUT_MS, ttlMs: ANSWER_TIMEOUT_MS });
      if ('error' in reply) return refuse(`the worker failed: ${oneLine(reply.error)}`);
      counters.count('jobs');
      return `OK ${reply.text}\n`;
    } catch (error) {
      return refuse(explain(error));
    }
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
    const topics = runtime.pubsub.stats();
    const figures = {
      active_connections: activeConnections(),
      total_connections: counts.connections,
      requests_handled: counts.requests,
      errors: counts.errors,
      uptime_seconds: uptimeSeconds(),
      restarts: counts.restarts,
      jobs_done: counts.jobs,
      queued_jobs: jobs.stats().depth,
      refused_jobs: jobs.stats().messagesRejected,
      subscribers: topics.subscribers,
      messages_delivered: topics.delivered,
      messages_missed: topics.failed,
      dead_letters: runtime.deadLetters.size,
    };
    const lines = Object.entries(figures).map(([name, value]) => `${name}=${value}\n`);
    return `${lines.join('')}\n`;
  }
}

/** Why a job is not done. */
function explain(error: unknown): string {
  if (vigil.isVigilError(error, 'MailboxFull')) return 'too many jobs are waiting, try again later';
  if (vigil.isVigilError(error, 'OperationTimeout') || vigil.isVigilError(error, 'MessageExpired')) {
    return `no worker answered within ${ANSWER_TIMEOUT_MS} ms`;
  }
  return messageOf(error);
}

function messageOf(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error));
}

/** Whatever it says, an answer is one line. */
function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ');
}
