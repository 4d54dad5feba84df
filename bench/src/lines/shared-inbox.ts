import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type Inbox, isVigilError, runtime, thread } from 'vigiljs';
import { type Line, type Measurement, timed } from '../line.js';
import { BATCH, orderOf } from '../modules/order.js';
import type { SharedReceivingArgs } from '../modules/shared-receiving.js';

/** As many as can wait; a sender for whom there is no room waits. */
const CAPACITY = 8 * BATCH;

const modules = {
  receiving: new URL('../modules/shared-receiving.js', import.meta.url),
  bare: new URL('../modules/bare-counting.js', import.meta.url),
};

/** An id of 16 letters. */
const textOf = () => randomBytes(8).toString('hex');

/** One way, from the main thread to another, both busy: as fast as the sender can, until the receiver has all of them. */
export const sharedInboxStrings: Line = line('shared inbox, strings of 16 letters', textOf, {
  name: 'Erlang: ! to another process',
  erlang: 'one_way',
});
export const sharedInboxObjects: Line = line('shared inbox, small objects', orderOf);

function line(name: string, payloadOf: (number: number) => unknown, ...others: Line['contestants']): Line {
  const payloads = Array.from({ length: BATCH }, (_, number) => payloadOf(number));
  return {
    name,
    item: 'message',
    unit: 'ns',
    // The receiver is a new thread in each round, which has to become quick first.
    count: 2_000_000,
    contestants: [
      { name: 'Vigil: sendBatch, recvBatch', measure: (count) => vigil(count, payloads, sendTogether) },
      { name: 'Vigil: send, recvBatch', isVariant: true, measure: (count) => vigil(count, payloads, sendOneByOne) },
      { name: "postMessage, on('message')", measure: (count) => bare(count, payloads) },
      ...others,
    ],
  };
}

async function vigil(count: number, payloads: readonly unknown[], send: typeof sendTogether): Promise<Measurement> {
  const own = runtime();
  const orders = own.inboxBuilder().capacity(CAPACITY).shared().build();
  const done = own.inboxBuilder<number>().shared().build();
  const args: SharedReceivingArgs = { orders, count, done };
  const root = own.supervisor().child('receiver', thread(modules.receiving), { args }).build();
  await root.start();
  const measurement = await timed(async () => {
    for (let sent = 0; sent < count; sent += payloads.length) await send(orders, payloads);
    return (await done.recv()).payload;
  });
  orders.close();
  await root.stop();
  return measurement;
}

async function sendTogether(orders: Inbox, payloads: readonly unknown[]): Promise<void> {
  for (let sent = 0; sent < payloads.length; ) {
    try {
      sent += orders.sendBatch(sent === 0 ? payloads : payloads.slice(sent));
    } catch (error) {
      await waitForRoom(orders, payloads[sent], error);
      sent += 1;
    }
  }
}

async function sendOneByOne(orders: Inbox, payloads: readonly unknown[]): Promise<void> {
  for (const payload of payloads) {
    try {
      orders.send(payload);
    } catch (error) {
      await waitForRoom(orders, payload, error);
    }
  }
}

async function waitForRoom(orders: Inbox, payload: unknown, error: unknown): Promise<void> {
  if (!isVigilError(error, 'MailboxFull')) throw error;
  await orders.sendWait(payload);
}

async function bare(count: number, payloads: readonly unknown[]): Promise<Measurement> {
  const worker = new Worker(modules.bare, { workerData: count });
  await once(worker, 'message');
  const measurement = await timed(async () => {
    const done = once(worker, 'message');
    for (let sent = 0; sent < count; sent += payloads.length) for (const payload of payloads) worker.postMessage(payload);
    return Number((await done)[0]);
  });
  await worker.terminate();
  return measurement;
}
