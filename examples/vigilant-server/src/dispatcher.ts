import { EventEmitter, once } from 'node:events';
import {
  describeExit,
  type Down,
  type Inbox,
  isVigilError,
  type Monitor,
  type ProcessContext,
  type ProcessRef,
  type Supervisor,
} from 'vigiljs';
import type { Report } from './hasher.js';
import type { Job } from './job.js';

export interface DispatcherArgs {
  /** By which the workers find it. */
  readonly name: string;
  readonly jobs: Inbox<Job>;
  readonly hashers: Pick<Supervisor, 'getChildInfo'>;
}

/** What it hears: from the workers, and from its watches over them. */
type News = Report | { readonly kind: 'down'; readonly reason: Down['reason'] };

/** What a client hears whose job was taken and is not done. */
const ENDED = 'the dispatcher has ended';

/** A job that a worker has. */
interface Assignment {
  readonly job: Job;
  readonly worker: ProcessRef;
  readonly monitor: Monitor;
}

/**
 * Stands between clients and workers: gives each worker that is free one job at a time, whatever the worker runs in.
 *
 * Jobs wait in an inbox that outlives it and the workers, so they do not notice a crash; a worker takes only the one it has with it.
 */
export async function dispatcher(ctx: ProcessContext<News, DispatcherArgs>): Promise<void> {
  await new Dispatcher(ctx).run();
}

class Dispatcher {
  readonly #ctx: ProcessContext<News, DispatcherArgs>;
  /** By child, since one that was restarted is free only once. The longest free first. */
  readonly #free = new Map<string, ProcessRef>();
  readonly #assignments = new Map<string, Assignment>();
  readonly #events = new EventEmitter();
  #lastAssignment = 0;

  constructor(ctx: ProcessContext<News, DispatcherArgs>) {
    this.#ctx = ctx;
  }

  async run(): Promise<void> {
    this.#ctx.register(this.#ctx.args.name);
    try {
      await Promise.all([this.#hearNews(), this.#giveJobs()]);
    } finally {
      for (const { job } of this.#assignments.values()) job.reject(new Error(ENDED));
    }
  }

  /** One thing after the other: an answer that a worker gave before it ended is heard before its end. */
  async #hearNews(): Promise<void> {
    for await (const { payload: news, metadata } of this.#ctx.inbox) {
      switch (news.kind) {
        case 'free':
          this.#welcome(news.worker, news.incarnation);
          break;
        case 'answer': {
          const assignment = this.#close(metadata.correlationId);
          assignment?.job.resolve(news.text);
          if (assignment !== undefined) this.#release(assignment.worker);
          break;
        }
        case 'down':
          this.#close(metadata.correlationId)?.job.reject(errorOf(news.reason));
          break;
      }
    }
  }

  async #giveJobs(): Promise<never> {
    const { args, signal } = this.#ctx;
    for (;;) {
      // While nobody could do them, jobs stay where they are bounded and counted.
      await this.#someoneFree();
      const { payload: job } = await args.jobs.recv({ signal });
      try {
        while (!this.#assign(job)) await this.#someoneFree();
      } catch (error) {
        job.reject(new Error(ENDED));
        throw error;
      }
    }
  }

  async #someoneFree(): Promise<void> {
    while (this.#free.size === 0) await once(this.#events, 'free', { signal: this.#ctx.signal });
  }

  #welcome(id: string, incarnation: number): void {
    const worker = this.#ctx.args.hashers.getChildInfo(id)?.ref;
    // One that has ended meanwhile has a successor, which speaks for itself.
    if (worker?.incarnation === incarnation) this.#release(worker);
  }

  #release(worker: ProcessRef): void {
    this.#free.set(worker.id, worker);
    this.#events.emit('free');
  }

  /** Gives the job to the first free worker that takes it; false when none does. */
  #assign(job: Job): boolean {
    for (const [id, worker] of this.#free) {
      this.#free.delete(id);
      if (this.#hand(job, worker)) return true;
    }
    return false;
  }

  /** False when the worker has ended while it was free, or was asked to. */
  #hand(job: Job, worker: ProcessRef): boolean {
    this.#lastAssignment += 1;
    const correlationId = String(this.#lastAssignment);
    try {
      worker.send(job.request, { correlationId });
    } catch (error) {
      if (isVigilError(error, 'ProcessNotFound') || isVigilError(error, 'InboxClosed')) return false;
      throw error;
    }
    const monitor = this.#ctx.monitor(worker);
    this.#assignments.set(correlationId, { job, worker, monitor });
    void this.#tellDown(monitor, correlationId);
    return true;
  }

  async #tellDown(monitor: Monitor, correlationId: string): Promise<void> {
    const { reason } = await monitor.down;
    try {
      await this.#ctx.inbox.sendWait({ kind: 'down', reason }, { correlationId });
    } catch {
      // It is closed: we end, and nobody hears news any more.
    }
  }

  #close(correlationId: string | undefined): Assignment | undefined {
    if (correlationId === undefined) return undefined;
    const assignment = this.#assignments.get(correlationId);
    this.#assignments.delete(correlationId);
    assignment?.monitor.demonitor();
    return assignment;
  }
}

/** What a worker ended with, for the client whose job it had. */
function errorOf(reason: Down['reason']): unknown {
  if (reason.kind === 'crashed') return reason.error;
  return new Error(reason.kind === 'noproc' ? 'it had ended' : describeExit(reason));
}
