import { type BinaryLike, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { handling } from '@vigiljs/otel/handling';
import { type Message, type ProcessContext, reply, type SharedInbox } from 'vigiljs';

/** What a worker is asked for. It may cross to a thread or to another process, so it is nothing but data. */
export type Request = { readonly kind: 'hash'; readonly text: Uint8Array } | { readonly kind: 'crash' };

export type Reply = { readonly text: string } | { readonly error: string };

export interface HasherArgs {
  /** Where the jobs for all workers wait; without it they are brought to this worker's own inbox, by whoever finds it by its name. */
  readonly jobs?: SharedInbox<Request>;
  /** Whether it prints its spans. */
  readonly printsSpans: boolean;
}

/** A worker: the same file as a task, in a thread and in a process of its own. It does one job after the other. */
export default async function hasher(ctx: ProcessContext<Request, HasherArgs>): Promise<void> {
  const jobs = ctx.args.jobs ?? ctx.inbox;
  if (ctx.args.printsSpans) {
    // It takes longer to load than all the rest of a worker.
    const { printSpans } = await import('./print-spans.js');
    printSpans((line) => ctx.log.info(line));
  }
  ctx.register(ctx.id);
  ctx.ready();
  for (;;) {
    const job = await jobs.recv({ signal: ctx.signal });
    await handling(job, () => answer(job), { name: job.payload.kind });
  }
}

async function answer(job: Message<Request>): Promise<void> {
  try {
    reply<Reply>(job, { text: await perform(job.payload) });
  } catch (error) {
    // Nobody else can tell whoever asked: an inbox does not know who had taken what out of it.
    reply<Reply>(job, { error: error instanceof Error ? error.message : String(error) });
    throw error;
  }
}

async function perform(request: Request): Promise<string> {
  switch (request.kind) {
    case 'hash':
      return (await derive(request.text, 'vigilant-server', 32)).toString('hex');
    case 'crash':
      throw new Error('a client asked for it');
  }
}

const derive = promisify<BinaryLike, BinaryLike, number, Buffer>(scrypt);
