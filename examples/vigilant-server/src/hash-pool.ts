import { type BinaryLike, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { type Clock, type Inbox, type ProcessContext, type Sender, VigilError } from 'vigiljs';

/** Milliseconds until whoever asked stops waiting, whatever has become of the job. */
const ANSWER_TIMEOUT_MS = 5_000;

export type Request = { readonly kind: 'hash'; readonly text: Buffer } | { readonly kind: 'crash' };

/** A request, and the promise of its answer to whoever made it. */
export class Job {
  readonly request: Request;
  readonly answer: Promise<string>;
  resolve!: (answer: string) => void;
  reject!: (error: unknown) => void;

  constructor(request: Request) {
    this.request = request;
    this.answer = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}

/**
 * Has a request done by the next free worker.
 *
 * @throws `MailboxFull` at once when too many jobs wait, `OperationTimeout`, and what the worker crashed with, if it did.
 */
export async function ask(jobs: Sender<Job>, request: Request, clock: Clock): Promise<string> {
  const job = new Job(request);
  jobs.send(job, { ttlMs: ANSWER_TIMEOUT_MS });
  const tooLate = new VigilError('OperationTimeout', `no worker answered within ${ANSWER_TIMEOUT_MS} ms`);
  const cancel = clock.after(ANSWER_TIMEOUT_MS, () => job.reject(tooLate));
  try {
    return await job.answer;
  } finally {
    cancel();
  }
}

/** A worker. All of them read one inbox, which outlives them: jobs that wait there do not notice a crash. */
export async function hasher({ args, signal }: ProcessContext<never, { readonly jobs: Inbox<Job> }>): Promise<void> {
  for (;;) {
    const { payload: job } = await args.jobs.recv({ signal });
    try {
      job.resolve(await perform(job.request));
    } catch (error) {
      // Only this job dies with the worker. Its client hears of it here, the supervisor by the throw.
      job.reject(error);
      throw error;
    }
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
