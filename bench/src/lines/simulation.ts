import type { ProcessContext } from 'vigiljs';
import { simulate, type Simulation } from 'vigiljs/testing';
import { type Line, type Measurement, timed } from '../line.js';

const MESSAGES = 1000;

/** A message from one task to another in a simulation, which takes about one step. */
export const simulation: Line = {
  name: 'simulated message',
  item: 'message',
  unit: 'ns',
  count: 20 * MESSAGES,
  contestants: [{ name: 'Vigil: simulate(seed, scenario)', measure: simulated }],
};

async function simulated(count: number): Promise<Measurement> {
  return timed(async () => {
    let messages = 0;
    for (let seed = 0; messages < count; seed += 1) messages += (await simulate(seed, pingPong)).result;
    return messages;
  });
}

/** @returns how many messages came. */
async function pingPong({ runtime }: Simulation): Promise<number> {
  let received = 0;
  const end = new EventTarget();
  const isOver = new Promise((resolve) => end.addEventListener('over', resolve));
  const player = async ({ id, inbox }: ProcessContext<number>) => {
    for await (const { payload } of inbox) {
      received += 1;
      if (payload === 1) end.dispatchEvent(new Event('over'));
      else supervisor.address(id === 'a' ? 'b' : 'a').send(payload - 1);
    }
  };
  const supervisor = runtime.supervisor().child('a', player).child('b', player).build();
  await supervisor.start();
  supervisor.address('a').send(MESSAGES);
  await isOver;
  await supervisor.stop();
  return received;
}
