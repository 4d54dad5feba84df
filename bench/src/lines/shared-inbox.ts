import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type Inbox, isVigilError, runtime, thread } from 'vigiljs';
import { kept } from '../kept.js';
import { type Line, type Measurement, timed } from '../line.js';
import { BATCH, orderOf, STRETCH } from '../modules/order.js';

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

type Measure = (count: number) => Promise<Measurement>;

function line(name: string, payloadOf: (number: number) => unknown, ...others: Line['contestants']): Line {
  const payloads = Array.from({ length: BATCH }, (_, number) => payloadOf(number));
  return {
    name,
    item: 'message',
    unit: 'ns',
    count: 1_000_000,
    contestants: [
      { name: 'Vigil: sendBatch, recvBatch', measure: vigil(payloads, sendTogether) },
      { name: 'Vigil: send, recvBatch', isVariant: true, measure: vigil(payloads, sendOneByOne) },
      { name: "postMessage, on('message')", measure: bare(payloads) },
      ...others,
    ],
  };
}

function vigil(payloads: readonly unknown[], send: typeof sendTogether): Measure {
  const inboxes = kept(async () => {
    const own = runtime();
    const orders = own.inboxBuilder().capacity(CAPACITY).shared().build();
    const done = own.inboxBuilder<number>().shared().build();
    await own.supervisor().child('receiver', thread(modules.receiving), { args: { orders, done } }).build().start();
    return { orders, done };
  });
  return async (count) => {
    const { orders, done } = await inboxes();
    return timed(async () => {
      for (let sent = 0; sent < count; sent += payloads.length) await send(orders, payloads);
      let handled = 0;
      while (handled < count) handled += (await done.recv()).payload;
      return handled;
    });
  };
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

function bare(payloads: readonly unknown[]): Measure {
  const receiver = kept(async () => {
    const worker = new Worker(modules.bare);
    await once(worker, 'message');
    return worker;
  });
  return async (count) => {
    const worker = await receiver();
    return timed(async () => {
      const handled = new Promise<number>((resolve) => {
        let stretches = 0;
        worker.removeAllListeners('message').on('message', () => {
          stretches += 1;
          if (stretches * STRETCH >= count) resolve(stretches * STRETCH);
        });
      });
      for (let sent = 0; sent < count; sent += payloads.length) for (const payload of payloads) worker.postMessage(payload);
      return handled;
    });
  };
}
