import { type Clock, type Sender, VigilError } from 'vigiljs';
import type { Request } from './hasher.js';

/** Milliseconds until whoever asked stops waiting, whatever has become of the job. */
const ANSWER_TIMEOUT_MS = 5_000;

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
 * @throws `MailboxFull` at once when too many jobs wait, `OperationTimeout`, and what the worker ended with, if it did.
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
