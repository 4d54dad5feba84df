import * as vigil from 'vigiljs';
import { bookkeeper, type Entry, keepBooks } from './books.js';
import { answerer } from './commands.js';
import { connection } from './connection.js';
import { Counters, counterServer } from './counters.js';
import { FAREWELL_MS } from './farewell.js';
import hasher, { type Request } from './hasher.js';
import { MAX_LINE_BYTES } from './line-splitter.js';
import { listener } from './listener.js';
import { Pool } from './pool.js';
import { porter } from './porter.js';

const HASHERS = 4;
const MAX_QUEUED_JOBS = 64;
const MAX_CONNECTIONS = 1_000;

/** What the workers of `HASH` can be. */
export const POOLS = ['task', 'thread', 'fork'] as const;

export interface ServerOptions {
  readonly host: string;
  /** 0 takes a free one; the log tells which. */
  readonly port: number;
  /** Requests a second of all clients; those above it are refused. */
  readonly rate: number;
  /** Requests a second of one client, and at once after a pause; above it, nothing is read from it until it is its turn. */
  readonly clientRate: number;
  /** Whether clients may kill workers. */
  readonly chaos: boolean;
  readonly pool: (typeof POOLS)[number];
  /** Whether spans are printed, of workers too. */
  readonly trace: boolean;
}

/**
 * The whole server, ready to start: one supervision tree.
 *
 * The order is the architecture. The listener stops first, so that nobody new comes in; then each connection, when it has
 * answered what it was asked; then the workers, which by then have nothing left to do; then the counters, and last the program that is told
 * of every restart.
 */
export function vigilantServer(runtime: vigil.Runtime, { host, port, rate, clientRate, chaos, pool, trace }: ServerOptions): vigil.App {
  const app = runtime.app({ name: 'vigilant-server' });
  const counters = new Counters(app.root.address('counters'), runtime);
  keepBooks(app.root.address<Entry>('bookkeeper'), runtime);
  // Enough for so many of the longest, whatever else a job takes.
  const bytes = 2 * MAX_QUEUED_JOBS * MAX_LINE_BYTES;
  const jobs = runtime.inboxBuilder<Request>().name('jobs').capacity(MAX_QUEUED_JOBS).shared({ bytes }).build();

  // The same module in this event loop, in a thread or in a process of its own: one word makes the difference.
  const module = new URL('./hasher.js', import.meta.url);
  const startFn = { task: hasher, thread: vigil.thread(module), fork: vigil.fork(module) }[pool];
  // A task prints what the server prints.
  const printsSpans = trace && pool !== 'task';
  const args = pool === 'fork' ? { printsSpans } : { jobs, printsSpans };
  const workers = runtime.supervisor().childPool('hasher', startFn, HASHERS, { args, readiness: 'explicit' });
  if (chaos) workers.maxRestarts(1_000).maxSeconds(1);
  const hashers = workers.build();
  const poolBuilder = runtime.supervisor().strategy('rest_for_one');
  // Memory is shared with threads, not with processes: those have their jobs brought. When the porter is restarted, so are they.
  if (pool === 'fork') poolBuilder.child('porter', porter, { args: { jobs, prefix: 'hasher', runtime } });
  const hashPool = poolBuilder.child('hashers', hashers).build();
  const connections = runtime.dynamicSupervisor(
    // They end by themselves; whoever does not is killed a moment later.
    { id: 'connection', startFn: connection, restartType: 'temporary', shutdownTimeoutMs: FAREWELL_MS + 1_000 },
    { name: 'connections', maxChildren: MAX_CONNECTIONS },
  );
  const answer = answerer({
    runtime,
    counters,
    pool: new Pool(jobs, runtime),
    limiter: new vigil.RateLimiter(rate, runtime),
    hashers,
    connections,
    supervisors: [app.root, hashPool, hashers, connections],
    chaos,
  });

  return app
    .worker('bookkeeper', bookkeeper)
    .worker('counters', counterServer)
    .worker('hash_pool', hashPool)
    .worker('connections', connections)
    .worker('listener', listener, { args: { host, port, runtime, clientRate, counters, connections, answer }, readiness: 'explicit' });
}
