/** What `shared-receiving.ts` does, without Vigil. */
import { onMessage, post } from './bare-channel.js';
import { STRETCH } from './order.js';

let received = 0;
onMessage(() => {
  received += 1;
  if (received < STRETCH) return;
  post(received);
  received = 0;
});
post('running');
