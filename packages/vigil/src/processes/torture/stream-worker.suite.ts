/** One of many threads that send to an inbox, or one of many that receive from it. @see stream.suite.ts */
import { threadId, workerData } from 'node:worker_threads';
import { isVigilError, MESSAGE_PRIORITIES, noTelemetry, SharedInbox, SystemClock } from '../../core/index.js';
import { Ledger } from './ledger.suite.js';
import { MOST_AT_ONCE, silentLog, threadOf } from './stage.suite.js';
import type { StreamPart } from './stream.suite.js';

const { role, inbox: data, ledger: memory, perProducer, producer }: StreamPart = workerData;
const clock = new SystemClock();
const environment = { clock, log: silentLog, telemetry: noTelemetry, nextMessageId: () => `m-${threadId}`, thread: threadOf(threadId) };
const inbox = SharedInbox.from<number>(data, environment);

if (role === 'producer') produce();
else consume();

function produce(): void {
  const first = producer * perProducer;
  for (let number = first; number < first + perProducer; number += 1) {
    inbox.sendSync(number, { priority: MESSAGE_PRIORITIES[number % MESSAGE_PRIORITIES.length] ?? 'normal' });
  }
}

function consume(): void {
  const ledger = new Ledger(memory);
  /** The last number of each producer and priority. */
  const last = new Map<number, number>();
  const take = (number: number): void => {
    const line = Math.floor(number / perProducer) * MESSAGE_PRIORITIES.length + (number % MESSAGE_PRIORITIES.length);
    if (number <= (last.get(line) ?? -1)) throw new Error(`${number} came after ${last.get(line)}`);
    last.set(line, number);
    ledger.received(number);
  };
  try {
    for (let message = inbox.recvSync(); message !== undefined; message = inbox.recvSync()) {
      take(message.payload);
      for (const { payload } of inbox.recvBatch(MOST_AT_ONCE)) take(payload);
    }
  } catch (error) {
    if (!isVigilError(error, 'InboxClosed')) throw error;
  }
}
