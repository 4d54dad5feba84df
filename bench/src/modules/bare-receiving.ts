/** What `receiving.ts` does, without Vigil. */
import { onMessage, post } from './bare-channel.js';
import { BATCH, isOrder } from './order.js';

let received = 0;
onMessage((message) => {
  if (isOrder(message) && message.number === received) received += 1;
  if (received % BATCH === 0) post(received);
});
post('running');
