import { Timer } from 'vigiljs';
import { type Line, timed } from '../line.js';

const DELAY_MS = 60_000;

/** A time-out that does not come true, as most do. */
export const timers: Line = {
  name: 'set a time-out and cancel it',
  item: 'time-out',
  unit: 'ns',
  count: 300_000,
  contestants: [
    { name: 'Vigil: timer.setTimeout', measure: vigil },
    { name: 'setTimeout, clearTimeout', measure: native },
  ],
};

async function vigil(count: number) {
  using timer = new Timer();
  return await timed(() => {
    let handled = 0;
    for (let set = 0; set < count; set += 1) if (timer.setTimeout(DELAY_MS, never)()) handled += 1;
    return handled;
  });
}

async function native(count: number) {
  return timed(() => {
    for (let set = 0; set < count; set += 1) clearTimeout(setTimeout(never, DELAY_MS));
    return count;
  });
}

function never(): void {}
