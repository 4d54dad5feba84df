/** What `sending.ts` does, without Vigil. */
import { onMessage, post } from './bare-channel.js';
import { BATCH, orderOf } from './order.js';

onMessage((first) => {
  for (let index = 0; index < BATCH; index += 1) post(orderOf(Number(first) + index));
});
post('running');
