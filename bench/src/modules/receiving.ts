/** For a thread or fork of Vigil: says how many orders have come after each batch of them. */
import type { ProcessContext } from 'vigiljs';
import { BATCH, type Order } from './order.js';

export default async function receiving(ctx: ProcessContext<Order>): Promise<void> {
  const replies = ctx.whereis('replies');
  let received = 0;
  for await (const { payload } of ctx.inbox) {
    if (payload.number === received) received += 1;
    if (received % BATCH === 0) replies?.send(received);
  }
}
