import { handling } from '@vigiljs/otel/handling';
import { type Inbox, isVigilError, type Message, type ProcessContext, type Runtime, type Sender } from 'vigiljs';
import type { Reply, Request } from './hasher.js';

export interface PorterArgs {
  readonly jobs: Inbox<Request>;
  /** How the names of the workers begin. */
  readonly prefix: string;
  readonly runtime: Runtime;
}

/**
 * Carries jobs to workers that share no memory with the inbox where they wait: one at a time to each. In its own inbox are those who are free.
 *
 * It learns of a worker when that takes its name, so when it is restarted, they must be, too.
 */
export async function porter({ args, inbox: free, signal }: ProcessContext<Sender, PorterArgs>): Promise<void> {
  const { jobs, prefix, runtime } = args;
  const stopListening = runtime.registry.listen(({ kind, name, mailbox }) => {
    if (kind === 'registered' && name.startsWith(prefix)) free.send(mailbox);
  });
  const end = new AbortController();
  const carried = new Set<Promise<void>>();
  try {
    // While nobody is free, jobs stay where they are bounded and counted.
    for await (const { payload: worker } of free) {
      const carrying = carry(await jobs.recv({ signal }), worker).finally(() => carried.delete(carrying));
      carried.add(carrying);
    }
  } finally {
    stopListening();
    end.abort(new Error('the porter has ended'));
    await Promise.all(carried);
  }

  async function carry(job: Message<Request>, worker: Sender): Promise<void> {
    try {
      await handling(job, () => hand(job, worker), { name: 'carry' });
    } catch (error) {
      runtime.reply<Reply>(job, { error: causeOf(error) });
    }
  }

  async function hand(job: Message<Request>, worker: Sender): Promise<void> {
    try {
      const reply = await runtime.request<Reply>(worker, job.payload, { timeoutMs: 'infinity', signal: end.signal });
      runtime.reply(job, reply);
      // One that has failed is about to end.
      if ('text' in reply && !free.isClosed()) free.send(worker);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      // It goes back, as it was, for another one.
      jobs.sendMessage(job);
    }
  }
}

/** Whether a worker has not begun a job: it had ended, or was asked to and ended cleanly, before which it answers what it has begun. */
function isRefusal(error: unknown): boolean {
  if (isVigilError(error, 'InboxClosed')) return true;
  return isVigilError(error, 'ProcessNotFound') && !isAbnormal(error.details.reason);
}

function isAbnormal(reason: unknown): boolean {
  return typeof reason === 'object' && reason !== null && 'kind' in reason && (reason.kind === 'crashed' || reason.kind === 'killed');
}

/** What a worker ended with, where an error says no more than that it ended. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
