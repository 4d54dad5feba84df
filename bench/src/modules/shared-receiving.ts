/** For a thread of Vigil: takes what comes out of a shared inbox in batches, and says each time when a stretch of it has come. */
import type { Inbox, ProcessContext } from 'vigiljs';
import { BATCH, STRETCH } from './order.js';

export interface SharedReceivingArgs {
  readonly orders: Inbox;
  readonly done: Inbox<number>;
}

export default async function sharedReceiving({ args }: ProcessContext<unknown, SharedReceivingArgs>): Promise<void> {
  const { orders, done } = args;
  for (let received = 0; ; ) {
    await orders.recv();
    received += 1;
    for (let batch = orders.recvBatch(BATCH); batch.length > 0; batch = orders.recvBatch(BATCH)) received += batch.length;
    for (; received >= STRETCH; received -= STRETCH) done.send(STRETCH);
  }
}
