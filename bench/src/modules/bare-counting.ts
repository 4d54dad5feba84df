/** What `shared-receiving.ts` does, without Vigil. */
import { workerData } from 'node:worker_threads';
import { onMessage, post } from './bare-channel.js';

const count = Number(workerData);
let received = 0;
onMessage(() => {
  received += 1;
  if (received < count) return;
  post(received);
  received = 0;
});
post('running');
