/** For a thread of Vigil: takes what comes out of a shared inbox in batches, and says when all of it has come. */
import { type Inbox, isVigilError, type ProcessContext } from 'vigiljs';
import { BATCH } from './order.js';

export interface SharedReceivingArgs {
  readonly orders: Inbox;
  /** How many come; says each time when as many have. */
  readonly count: number;
  readonly done: Inbox<number>;
}

export default async function sharedReceiving({ args }: ProcessContext<unknown, SharedReceivingArgs>): Promise<void> {
  const { orders, count, done } = args;
  for (let received = 0; ; ) {
    try {
      await orders.recv();
    } catch (error) {
      if (isVigilError(error, 'InboxClosed')) return;
      throw error;
    }
    received += 1;
    for (let batch = orders.recvBatch(BATCH); batch.length > 0; batch = orders.recvBatch(BATCH)) received += batch.length;
    if (received < count) continue;
    done.send(received);
    received -= count;
  }
}
