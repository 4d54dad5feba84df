import * as vigil from 'vigiljs';
import type { Counters } from './counters.js';
import type { Request } from './hasher.js';
import { ask, type Job } from './job.js';
import { type Line, MAX_LINE_BYTES, TOO_LONG } from './line-splitter.js';

const MAX_WORKERS = 64;

/** What is sent back, with its newline. A promise of it never rejects. */
export type Answer = string | Buffer | Promise<string>;

interface Facts {
  readonly app: vigil.App;
  readonly runtime: vigil.Runtime;
  readonly counters: Counters;
  readonly jobs: vigil.Inbox<Job>;
  readonly hashers: vigil.Supervisor;
  /** All of them. */
  readonly supervisors: readonly Pick<vigil.Supervisor, 'state' | 'getChildInfo' | 'planFor'>[];
  readonly chaos: boolean;
}

/** Knows the answer to every line. */
export function answerer({ app, runtime, counters, jobs, hashers, supervisors, chaos }: Facts): (line: Line) => Answer {
  return (line) => {
    counters.requests += 1;
    if (line === TOO_LONG) return `ERROR the line is longer than ${MAX_LINE_BYTES} bytes\n`;

    const text = line.toString();
    if (text.startsWith('HASH ')) return delegate({ kind: 'hash', text: ownBytes(line.subarray('HASH '.length)) });
    if (text.startsWith('PLAN ')) return plan(text.slice('PLAN '.length));
    if (text === 'CRASH' && chaos) return delegate({ kind: 'crash' });
    if (text.startsWith('SCALE ') && chaos) return scale(text.slice('SCALE '.length));
    switch (text) {
      case 'STATUS':
        return `OK active=${counters.activeConnections} total=${counters.totalConnections}\n`;
      case 'HEALTH':
        return `OK\nuptime=${counters.uptimeSeconds}\nrequests=${counters.requests}\n`;
      case 'METRICS':
        return metrics();
      case 'TREE':
        return `${vigil.formatTree(app.inspect())}\n\n`;
      default:
        // Byte for byte, whatever its encoding.
        return Buffer.concat([line, Buffer.from('\n')]);
    }
  };

  function delegate(request: Request): Promise<string> {
    return ask(jobs, request, runtime.clock).then(
      (answer) => `OK ${answer}\n`,
      (error: unknown) => `ERROR ${explain(error)}\n`,
    );
  }

  /** What a crash of this child would lead to. */
  function plan(id: string): string {
    const supervisor = supervisors.find((candidate) => candidate.getChildInfo(id) !== undefined);
    if (supervisor === undefined) return `ERROR there is no child "${id}"\n`;
    if (supervisor.state !== 'running') return 'ERROR the server is stopping\n';
    const { stop, start, givesUp } = supervisor.planFor(id);
    return `OK stop=${stop.join()} start=${start.join()} gives_up=${givesUp}\n`;
  }

  function scale(count: string): Answer {
    const workers = Number(count);
    if (!/^\d+$/.test(count) || workers > MAX_WORKERS) return `ERROR SCALE takes a number from 0 to ${MAX_WORKERS}\n`;
    return hashers.scaleWorkers('hasher', workers).then(
      () => `OK workers=${workers}\n`,
      (error: unknown) => `ERROR ${error instanceof Error ? error.message : String(error)}\n`,
    );
  }

  function metrics(): string {
    const figures = {
      active_connections: counters.activeConnections,
      total_connections: counters.totalConnections,
      requests_handled: counters.requests,
      uptime_seconds: counters.uptimeSeconds,
      restarts: counters.restarts,
      queued_jobs: jobs.stats().depth,
      refused_jobs: jobs.stats().messagesRejected,
      dead_letters: runtime.deadLetters.size,
    };
    const lines = Object.entries(figures).map(([name, value]) => `${name}=${value}\n`);
    return `${lines.join('')}\n`;
  }
}

function explain(error: unknown): string {
  if (vigil.isVigilError(error, 'MailboxFull')) return 'too many jobs are waiting, try again later';
  if (vigil.isVigilError(error, 'OperationTimeout')) return error.message;
  // Whatever it says, an answer is one line.
  return `the worker failed: ${(error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, ' ')}`;
}

/** Without the rest of the chunk that they came in, which a clone would have to take along. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
