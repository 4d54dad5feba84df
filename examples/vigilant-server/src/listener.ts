import { on, once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { type Clock, type DynamicSupervisor, isVigilError, type ProcessContext } from 'vigiljs';
import type { ConnectionArgs } from './connection.js';
import type { Counters } from './counters.js';

/** Milliseconds that a client has to read why it is refused. */
const FAREWELL_MS = 1_000;

export interface ListenerArgs extends Omit<ConnectionArgs, 'socket'> {
  readonly host: string;
  readonly port: number;
  readonly connections: DynamicSupervisor<never, ConnectionArgs>;
  readonly counters: Counters;
}

/** Makes each client a child of `connections`. It is ready when clients can come; that the port is taken fails its start. */
export async function listener(ctx: ProcessContext<never, ListenerArgs>): Promise<void> {
  const { args, clock, log, signal } = ctx;
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  const waiting = new Set<Socket>();
  server.on('connection', (socket) => {
    waiting.add(socket);
    // That it went away while it waits is no error to anybody; unheard, it would be one to the whole program.
    socket.on('error', () => {});
  });
  try {
    server.listen(args.port, args.host);
    await once(server, 'listening', { signal });
    log.info(`listening on ${args.host}:${portOf(server)}`);
    ctx.ready();
    // A loop and not an event handler, so that what goes wrong in it is a crash of this process and nobody else's.
    for await (const [socket] of on(server, 'connection', { signal })) {
      await admit(socket, args, clock);
      waiting.delete(socket);
      // Without it the loop would first go through all that wait.
      signal.throwIfAborted();
    }
  } finally {
    server.close();
    for (const socket of waiting) socket.destroy();
  }
}

async function admit(socket: Socket, { connections, counters, answer, runtime, clientRate }: ListenerArgs, clock: Clock): Promise<void> {
  try {
    await connections.startChild({ socket, answer, runtime, clientRate });
  } catch (error) {
    return refuse(socket, isVigilError(error, 'TooManyChildren') ? `${error.message}, try again later` : 'the server is stopping', clock);
  }
  counters.count('connections');
}

function refuse(socket: Socket, why: string, clock: Clock): void {
  socket.end(`ERROR ${why}\n`);
  // Closing on unread bytes would take our line back.
  socket.resume();
  clock.after(FAREWELL_MS, () => socket.destroy());
}

function portOf(server: Server): number | undefined {
  const address = server.address();
  return typeof address === 'object' ? address?.port : undefined;
}
