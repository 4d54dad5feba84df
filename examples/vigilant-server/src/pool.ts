import * as vigil from 'vigiljs';
import type { Reply, Request } from './hasher.js';

/** Jobs to hash that wait or are worked on; the next one is refused. */
const MAX_HASHES = 64;

/** Milliseconds until a client hears that its job is not done, whatever has become of it. */
const ANSWER_TIMEOUT_MS = 5_000;

/** After so many jobs in a row that have failed the workers get none for a while. */
const FAILURE_THRESHOLD = 20;
const RESET_TIMEOUT_MS = 1_000;

/**
 * The workers, as the rest of the server sees them: whatever becomes of a job, its client hears of it in time, and neither too many jobs nor workers
 * that fail take anything else with them.
 */
export class Pool {
  readonly #jobs: vigil.Inbox<Request>;
  readonly #runtime: vigil.Runtime;
  readonly #hashing: vigil.Policy;
  readonly #crashing: vigil.Policy;

  /** @param jobs - where the workers take their jobs from. */
  constructor(jobs: vigil.Inbox<Request>, runtime: vigil.Runtime) {
    this.#jobs = jobs;
    this.#runtime = runtime;
    const rules = { failureThreshold: FAILURE_THRESHOLD, resetTimeoutMs: RESET_TIMEOUT_MS, isFailure };
    const breaker = new vigil.CircuitBreaker('hash_pool', rules, runtime);
    const bulkhead = new vigil.Bulkhead('hashes', { maxConcurrent: MAX_HASHES }, runtime);
    const timeout = vigil.timeout(ANSWER_TIMEOUT_MS);
    this.#hashing = runtime.policy(bulkhead, timeout, breaker);
    this.#crashing = runtime.policy(timeout, breaker);
  }

  /** @throws an error whose message is for the client. */
  hash(text: Uint8Array): Promise<string> {
    return this.#do({ kind: 'hash', text }, this.#hashing);
  }

  /** Makes a worker crash, which ends in an error. */
  crash(): Promise<string> {
    return this.#do({ kind: 'crash' }, this.#crashing);
  }

  async #do(request: Request, policy: vigil.Policy): Promise<string> {
    try {
      return await policy(({ signal }) => this.#ask(request, signal));
    } catch (error) {
      throw new Error(explain(error), { cause: error });
    }
  }

  async #ask(request: Request, signal: AbortSignal): Promise<string> {
    // The time is up to the policy; what nobody waits for any more is not begun.
    const options = { timeoutMs: 'infinity', ttlMs: ANSWER_TIMEOUT_MS, signal } as const;
    const reply = await this.#runtime.request<Reply>(this.#jobs, request, options);
    if ('error' in reply) throw new Error(`the worker failed: ${reply.error}`);
    return reply.text;
  }
}

/** That too many wait says nothing of the workers. */
function isFailure(error: unknown): boolean {
  return !vigil.isVigilError(error, 'MailboxFull');
}

/** Why a job is not done. */
function explain(error: unknown): string {
  if (vigil.isVigilError(error, 'CircuitOpen')) return 'the workers keep failing, try again later';
  if (vigil.isVigilError(error, 'BulkheadFull') || vigil.isVigilError(error, 'MailboxFull')) {
    return 'too many jobs are waiting, try again later';
  }
  if (vigil.isVigilError(error, 'OperationTimeout') || vigil.isVigilError(error, 'MessageExpired')) {
    return `no worker answered within ${ANSWER_TIMEOUT_MS} ms`;
  }
  return error instanceof Error ? error.message : String(error);
}
