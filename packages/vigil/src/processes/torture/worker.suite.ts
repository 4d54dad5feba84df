/** A thread that is ended at any moment: sends to shared inboxes and receives from them until then. @see torture.suite.ts */
import { threadId, workerData } from 'node:worker_threads';
import { isVigilError, noTelemetry, SharedInbox, SystemClock, systemRandom } from '../../core/index.js';
import { BLOCK, Ledger } from './ledger.suite.js';
import { numberOf, OrderWatch, optionsOf, payloadOf } from './orders.suite.js';
import { type Assignment, MOST_AT_ONCE, OUT_OF_ORDER, PAUSED, RUNNING, silentLog, threadOf } from './stage.suite.js';

const { inboxes, ledger: memory, stage, place, firstNumber }: Assignment = workerData;
const ledger = new Ledger(memory);
const order = new OrderWatch();
const clock = new SystemClock();
const environment = { clock, log: silentLog, telemetry: noTelemetry, nextMessageId: () => `m-${threadId}`, thread: threadOf(threadId) };
const sides = inboxes.map((data) => SharedInbox.from(data, environment));
let nextNumber = firstNumber;

report(RUNNING);
for (;;) {
  if (Atomics.load(stage, 0) === PAUSED) {
    report(PAUSED);
    Atomics.wait(stage, 0, PAUSED);
    report(RUNNING);
  }
  const index = Math.floor(systemRandom.next() * sides.length);
  const act = systemRandom.next();
  if (act < 0.5) send(index, 1 + Math.floor(systemRandom.next() * 20));
  else if (act < 0.9) receive(index, 1 + Math.floor(systemRandom.next() * MOST_AT_ONCE));
  else take(index, sides[index]?.recvSync(1)?.payload);
}

function report(state: number): void {
  Atomics.store(stage, place, state);
  Atomics.notify(stage, place);
}

function send(index: number, count: number): void {
  for (let sent = 0; sent < count && nextNumber < firstNumber + BLOCK; sent += 1) {
    const number = nextNumber;
    try {
      sides[index]?.send(payloadOf(number), optionsOf(number));
      ledger.sent(number);
    } catch (error) {
      if (isVigilError(error, 'MailboxFull')) return;
      // A thread can stand still for longer than a message lives.
      if (!isVigilError(error, 'MessageExpired')) throw error;
    }
    nextNumber += 1;
  }
}

function receive(index: number, limit: number): void {
  for (const { payload } of sides[index]?.recvBatch(limit) ?? []) take(index, payload);
}

function take(index: number, payload: unknown): void {
  if (payload === undefined) return;
  const number = numberOf(payload);
  ledger.received(number);
  if (!order.isInOrder(index, number)) Atomics.add(stage, OUT_OF_ORDER, 1);
}
