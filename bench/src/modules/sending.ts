/** For a thread or fork of Vigil: sends a batch of orders for each message that comes. */
import type { ProcessContext } from 'vigiljs';
import { BATCH, orderOf } from './order.js';

export default async function sending(ctx: ProcessContext<number>): Promise<void> {
  const orders = ctx.whereis('orders');
  for await (const { payload: first } of ctx.inbox) {
    for (let index = 0; index < BATCH; index += 1) orders?.send(orderOf(first + index));
  }
}
