import type * as vigil from 'vigiljs';
import { answerer } from './commands.js';
import { connection } from './connection.js';
import { Counters } from './counters.js';
import { FAREWELL_MS } from './farewell.js';
import { hasher, type Job } from './hash-pool.js';
import { listener } from './listener.js';

const HASHERS = 4;
const MAX_QUEUED_JOBS = 64;
const MAX_CONNECTIONS = 1_000;

export interface ServerOptions {
  readonly host: string;
  /** 0 takes a free one; the log tells which. */
  readonly port: number;
  /** Whether clients may kill workers. */
  readonly chaos: boolean;
}

/**
 * The whole server, ready to start: one supervision tree.
 *
 * The order is the architecture. The listener stops first, so that nobody new comes in; then each connection, when it has
 * answered what it was asked; then the workers, which by then have nothing left to do.
 */
export function vigilantServer(runtime: vigil.Runtime, { host, port, chaos }: ServerOptions): vigil.App {
  const app = runtime.app({ name: 'vigilant-server' });
  const counters = new Counters(runtime);
  const jobs = runtime.inboxBuilder<Job>().name('jobs').capacity(MAX_QUEUED_JOBS).build();

  const pool = runtime.supervisor().name('hashers').childPool('hasher', hasher, HASHERS, { args: { jobs } });
  if (chaos) pool.maxRestarts(1_000).maxSeconds(1);
  const hashers = pool.build();
  const connections = runtime.dynamicSupervisor(
    // They end by themselves; whoever does not is killed a moment later.
    { id: 'connection', startFn: connection, restartType: 'temporary', shutdownTimeoutMs: FAREWELL_MS + 1_000 },
    { name: 'connections', maxChildren: MAX_CONNECTIONS },
  );
  const answer = answerer({ app, runtime, counters, jobs, hashers, connections, chaos });

  return app
    .worker('hashers', hashers)
    .worker('connections', connections)
    .worker('listener', listener, { args: { host, port, runtime, counters, connections, answer }, readiness: 'explicit' });
}
