import type { Socket } from 'node:net';
import { finished, PassThrough } from 'node:stream';
import { finished as ended, pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import type { Inbox, ProcessContext, Runtime } from 'vigiljs';
import type { Answer } from './commands.js';
import { Farewell } from './farewell.js';
import { type Line, LineSplitter } from './line-splitter.js';

/** How many requests of one client are worked on at a time. While so many answers are owed, nothing is read from it. */
const MAX_OWED_ANSWERS = 16;

/** After so many lines of one client the others have their turn, however many it has sent at once. */
const LINES_PER_TURN = 64;

export interface ConnectionArgs {
  readonly socket: Socket;
  readonly answer: (line: Line) => Answer;
  readonly runtime: Runtime;
}

/**
 * Serves one client. Requests are read and answers written at the same time; the answers that are owed wait in between, in
 * the order of the requests. It ends when everything is answered, after the client has closed its side or the server stops;
 * then it also waits until the client has taken the answers and closes.
 */
export async function connection({ args, clock, id, signal }: ProcessContext<never, ConnectionArgs>): Promise<void> {
  const { socket, answer, runtime } = args;
  const owed = runtime.inboxBuilder<Answer>().name(`answers of ${id}`).capacity(MAX_OWED_ANSWERS).build();
  const received = socket.pipe(new PassThrough());
  const farewell = new Farewell(clock, () => socket.destroy());
  const reply = (line: Line) => (farewell.isTooLateToBegin ? 'ERROR the server is stopping\n' : answer(line));
  const stopReading = () => {
    socket.unpipe(received);
    received.end();
  };
  finished(socket, stopReading);
  signal.addEventListener('abort', () => {
    stopReading();
    // What still comes is dropped: closing on unread bytes would take back answers that are on their way.
    socket.resume();
    farewell.begin();
  });

  try {
    await Promise.all([readRequests(received, reply, owed), pipeline(writeAnswers(owed, farewell), socket)]);
    await ended(socket);
  } catch (error) {
    // A client that went away has not crashed us; nobody is left to answer.
    if (!socket.destroyed) throw error;
  } finally {
    socket.destroy();
    farewell.waitForClient(false);
    received.destroy();
    owed.close({ discard: true });
  }
}

async function readRequests(chunks: AsyncIterable<Buffer>, answer: (line: Line) => Answer, owed: Inbox<Answer>): Promise<void> {
  const splitter = new LineSplitter();
  let lines = 0;
  for await (const chunk of chunks) {
    for (const line of splitter.split(chunk)) {
      await owed.sendWait(answer(line));
      lines += 1;
      if (lines % LINES_PER_TURN === 0) await setImmediate();
    }
  }
  owed.close();
}

async function* writeAnswers(owed: Inbox<Answer>, farewell: Farewell): AsyncGenerator<string | Buffer> {
  for await (const { payload } of owed) {
    const answer = await payload;
    farewell.waitForClient(true);
    // Comes back when the client has made room for more.
    yield answer;
    farewell.waitForClient(false);
  }
  farewell.waitForClient(true);
}
