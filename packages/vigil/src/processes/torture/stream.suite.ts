import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { MailboxSettings, noTelemetry, SharedInbox, type SharedInboxData, SystemClock } from '../../core/index.js';
import { Ledger } from './ledger.suite.js';
import { silentLog } from './stage.suite.js';

const WORKER = new URL('./stream-worker.suite.js', import.meta.url);
const THREADS = 4;

/** What a thread of the stream is told. */
export interface StreamPart {
  readonly role: 'producer' | 'consumer';
  readonly inbox: SharedInboxData;
  readonly ledger: SharedArrayBuffer;
  readonly perProducer: number;
  readonly producer: number;
}

/** Four threads send to four others, over five priorities: nothing is lost or doubled, and those of one sender and priority stay in order. */
export async function stream(messages: number): Promise<void> {
  const perProducer = messages / THREADS;
  const clock = new SystemClock();
  const environment = { clock, log: silentLog, telemetry: noTelemetry, nextMessageId: () => 'm-main' };
  const inbox = new SharedInbox('stream', new MailboxSettings({ capacity: 1000 }), environment);
  const ledger = new Ledger(messages);
  const start = (role: StreamPart['role'], producer: number): Promise<unknown> => {
    const workerData: StreamPart = { role, inbox: inbox.data(), ledger: ledger.memory, perProducer, producer };
    return once(new Worker(WORKER, { workerData }), 'exit');
  };
  const threads = [...new Array(THREADS).keys()];
  const consumers = threads.map((index) => start('consumer', index));
  await Promise.all(threads.map((index) => start('producer', index)));
  inbox.close();
  await Promise.all(consumers);
  assert.equal(ledger.receipts(), messages);
  assert.deepEqual(ledger.doubled(), []);
  const { messagesSent, messagesReceived, depth } = inbox.stats();
  assert.deepEqual([messagesSent, messagesReceived, depth], [messages, messages, 0]);
}
