import fastq from 'fastq';
import { inbox } from 'vigiljs';
import { type Line, timed } from '../line.js';
import { BATCH, nactInBursts } from './nact-in-bursts.js';

/** A thousand messages go in, then a thousand come out together. */
export const inboxInBatches: Line = {
  name: 'local inbox, in batches',
  item: 'message',
  unit: 'ns',
  count: 1_000_000,
  contestants: [
    { name: 'Vigil: send, recvBatch', measure: vigil },
    { name: 'nact: dispatch to an actor', measure: nactInBursts },
    { name: 'fastq: push, worker with callback', measure: fastQueue },
    { name: 'Erlang: ! and receive', erlang: 'inbox' },
  ],
};

async function vigil(count: number) {
  using orders = inbox<number>();
  return await timed(() => {
    let handled = 0;
    for (let sent = 0; sent < count; sent += BATCH) {
      for (let index = 0; index < BATCH; index += 1) orders.send(sent + index);
      for (const { payload } of orders.recvBatch(BATCH)) if (payload === handled) handled += 1;
    }
    return handled;
  });
}

/** Paused while the batch goes in, since it calls the worker without queueing otherwise. */
async function fastQueue(count: number) {
  let handled = 0;
  const queue = fastq<unknown, number>((order, done) => {
    if (order === handled) handled += 1;
    done(null);
  }, 1);
  return timed(() => {
    for (let sent = 0; sent < count; sent += BATCH) {
      queue.pause();
      for (let index = 0; index < BATCH; index += 1) queue.push(sent + index);
      queue.resume();
    }
    return handled;
  });
}
