import type { Socket } from 'node:net';
import { finished, PassThrough } from 'node:stream';
import { finished as ended, pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import { type Inbox, type ProcessContext, RateLimiter, type Runtime, type Sender, Subscriber } from 'vigiljs';
import type { Answer, Answerer } from './commands.js';
import { Farewell } from './farewell.js';
import { type Line, LineSplitter } from './line-splitter.js';

/** How many requests of one client are worked on at a time. While so many answers are owed, nothing is read from it. */
const MAX_OWED_ANSWERS = 16;

/** Messages that others have published and the client has not taken. What comes then is missed. */
const MAX_WAITING_MESSAGES = 64;

/** After so many lines of one client the others have their turn, however many it has sent at once. */
const LINES_PER_TURN = 64;

export interface ConnectionArgs {
  readonly socket: Socket;
  readonly answer: Answerer;
  readonly runtime: Runtime;
  /** Requests a second. */
  readonly clientRate: number;
}

/**
 * Serves one client. Requests are read and answers written at the same time; the answers that are owed wait in between, in
 * the order of the requests, and what others have published waits beside them. It ends when everything is answered, after the client has closed its side or the server stops;
 * then it also waits until the client has taken the answers and closes.
 */
export async function connection({ args, clock, id, signal }: ProcessContext<never, ConnectionArgs>): Promise<void> {
  const { socket, answer, runtime, clientRate } = args;
  const owed = runtime.inboxBuilder<Answer>().name(`answers of ${id}`).capacity(MAX_OWED_ANSWERS).build();
  const messages = runtime.inboxBuilder<Buffer>().name(`messages for ${id}`).capacity(MAX_WAITING_MESSAGES).build();
  const lines = runtime.inboxBuilder<string | Buffer>().name(`lines for ${id}`).capacity(1).build();
  const subscriber = new Subscriber(messages, runtime);
  const limiter = new RateLimiter(clientRate, runtime);
  const received = socket.pipe(new PassThrough());
  const farewell = new Farewell(clock, () => socket.destroy());
  const reply = (line: Line) => (farewell.isTooLateToBegin ? 'ERROR the server is stopping\n' : answer(line, subscriber));
  // When the server stops, what it has received is answered as fast as it can be.
  const turn = () => (signal.aborted || limiter.allow() ? undefined : limiter.wait(1, { signal }).catch(() => {}));
  const stopReading = () => {
    socket.unpipe(received);
    received.end();
  };
  finished(socket, stopReading);
  signal.addEventListener('abort', () => {
    stopReading();
    messages.close();
    // What still comes is dropped: closing on unread bytes would take back answers that are on their way.
    socket.resume();
    farewell.begin();
  });

  try {
    await Promise.all([
      readRequests(received, turn, reply, owed),
      mergeLines(owed, messages, lines),
      pipeline(writeLines(lines, farewell), socket),
    ]);
    await ended(socket);
  } catch (error) {
    // A client that went away has not crashed us; nobody is left to answer.
    if (!socket.destroyed) throw error;
  } finally {
    socket.destroy();
    farewell.waitForClient(false);
    received.destroy();
    for (const inbox of [owed, messages, lines]) inbox.close({ discard: true });
  }
}

/** @param turn - resolves when the client may have the next request answered. */
async function readRequests(
  chunks: AsyncIterable<Buffer>,
  turn: () => Promise<void> | undefined,
  answer: (line: Line) => Answer,
  owed: Inbox<Answer>,
): Promise<void> {
  const splitter = new LineSplitter();
  let lines = 0;
  for await (const chunk of chunks) {
    for (const line of splitter.split(chunk)) {
      await turn();
      await owed.sendWait(answer(line));
      lines += 1;
      if (lines % LINES_PER_TURN === 0) await setImmediate();
    }
  }
  owed.close();
}

/** What is written next, an answer or a message as a whole. When all is answered, only the messages that wait by then still follow. */
async function mergeLines(owed: Inbox<Answer>, messages: Inbox<Buffer>, lines: Inbox<string | Buffer>): Promise<void> {
  const answered = forwardAnswers(owed, lines).then(() => messages.close());
  await Promise.all([answered, forwardMessages(messages, lines)]);
  lines.close();
}

async function forwardAnswers(owed: Inbox<Answer>, lines: Sender<string | Buffer>): Promise<void> {
  for await (const { payload } of owed) await lines.sendWait(await payload);
}

/** How many have found no room is told before the next one that did. */
async function forwardMessages(messages: Inbox<Buffer>, lines: Sender<string | Buffer>): Promise<void> {
  let told = 0;
  for await (const { payload } of messages) {
    const { messagesRejected } = messages.stats();
    if (messagesRejected > told) await lines.sendWait(`MISSED ${messagesRejected - told}\n`);
    told = messagesRejected;
    await lines.sendWait(payload);
  }
}

async function* writeLines(lines: Inbox<string | Buffer>, farewell: Farewell): AsyncGenerator<string | Buffer> {
  for await (const { payload } of lines) {
    farewell.waitForClient(true);
    // Comes back when the client has made room for more.
    yield payload;
    farewell.waitForClient(false);
  }
  farewell.waitForClient(true);
}
