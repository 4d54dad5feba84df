import { on, once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { finished } from 'node:stream';
import type { Clock, ProcessContext, Supervisor } from 'vigiljs';
import { connection, type ConnectionArgs } from './connection.js';
import type { Counters } from './counters.js';

const MAX_CONNECTIONS = 1_000;

/** Milliseconds that a client has to read why it is refused. */
const FAREWELL_MS = 1_000;

export interface ListenerArgs extends Omit<ConnectionArgs, 'socket'> {
  readonly host: string;
  readonly port: number;
  readonly connections: Supervisor;
  readonly counters: Counters;
}

/** Makes each client a child of `connections`. It is ready when clients can come; that the port is taken fails its start. */
export async function listener(ctx: ProcessContext<never, ListenerArgs>): Promise<void> {
  const { args, clock, log, signal } = ctx;
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  try {
    server.listen(args.port, args.host);
    await once(server, 'listening', { signal });
    log.info(`listening on ${args.host}:${portOf(server)}`);
    ctx.ready();
    // A loop and not an event handler, so that what goes wrong in it is a crash of this process and nobody else's.
    for await (const [socket] of on(server, 'connection', { signal })) admit(socket, args, clock);
  } finally {
    server.close();
  }
}

function admit(socket: Socket, { answer, connections, counters, runtime }: ListenerArgs, clock: Clock): void {
  if (counters.activeConnections >= MAX_CONNECTIONS) {
    return refuse(socket, `there are ${MAX_CONNECTIONS} connections already, try again later`, clock);
  }
  counters.activeConnections += 1;
  counters.totalConnections += 1;
  finished(socket, () => {
    counters.activeConnections -= 1;
  });
  connections
    .startChild({
      id: `connection_${counters.totalConnections}`,
      startFn: connection,
      restartType: 'temporary',
      shutdownTimeoutMs: 15_000,
      args: { socket, answer, runtime },
    })
    .catch(() => refuse(socket, 'the server is stopping', clock));
}

function refuse(socket: Socket, why: string, clock: Clock): void {
  // That it went away already is no error to anybody; unheard, it would be one to the whole program.
  socket.on('error', () => {});
  socket.end(`ERROR ${why}\n`);
  // Closing on unread bytes would take our line back.
  socket.resume();
  clock.after(FAREWELL_MS, () => socket.destroy());
}

function portOf(server: Server): number | undefined {
  const address = server.address();
  return typeof address === 'object' ? address?.port : undefined;
}
