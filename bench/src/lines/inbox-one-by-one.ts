import fastq from 'fastq';
import { inbox } from 'vigiljs';
import { type Line, timed } from '../line.js';
import { BATCH, nactInBursts } from './nact-in-bursts.js';

/** A thousand messages go in, then each comes out through a promise of its own. */
export const inboxOneByOne: Line = {
  name: 'local inbox, one by one',
  item: 'message',
  unit: 'ns',
  count: 1_000_000,
  contestants: [
    { name: 'Vigil: send, await recv()', measure: vigil },
    { name: 'nact: dispatch to an actor', measure: nactInBursts },
    { name: 'fastq: push, async worker', measure: fastQueue },
    { name: 'Erlang: ! and receive', erlang: 'inbox' },
  ],
};

async function vigil(count: number) {
  using orders = inbox<number>();
  return await timed(async () => {
    let handled = 0;
    for (let sent = 0; sent < count; sent += BATCH) {
      for (let index = 0; index < BATCH; index += 1) orders.send(sent + index);
      for (let index = 0; index < BATCH; index += 1) if ((await orders.recv()).payload === handled) handled += 1;
    }
    return handled;
  });
}

async function fastQueue(count: number) {
  let handled = 0;
  const queue = fastq.promise<unknown, number>(async (order) => {
    if (order === handled) handled += 1;
  }, 1);
  return timed(async () => {
    for (let sent = 0; sent < count; sent += BATCH) {
      // It hands out a promise per message; the last one settles last.
      let last: Promise<unknown> = Promise.resolve();
      for (let index = 0; index < BATCH; index += 1) last = queue.push(sent + index);
      await last;
    }
    return handled;
  });
}
