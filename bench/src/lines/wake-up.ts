import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { runtime, thread } from 'vigiljs';
import type { Line, Measurement } from '../line.js';
import type { EchoingArgs } from '../modules/echoing.js';

/** Longer than anybody looks before going to sleep. */
const PAUSE_MS = 2;
const WARM_UP = 5000;

const modules = {
  echoing: new URL('../modules/echoing.js', import.meta.url),
  answering: new URL('../modules/answering.js', import.meta.url),
  bare: new URL('../modules/bare-answering.js', import.meta.url),
};

/** To a thread that sleeps and back, where the other one sleeps meanwhile: two wake-ups. */
export const wakeUp: Line = {
  name: 'wake a thread that sleeps',
  item: 'wake-up',
  unit: 'ns',
  count: 400,
  contestants: [
    { name: 'Vigil: two shared inboxes', measure: viaInboxes },
    { name: 'Vigil: await request', isVariant: true, measure: viaRequest },
    { name: "postMessage, on('message'), both ways", measure: bare },
  ],
};

async function viaInboxes(count: number): Promise<Measurement> {
  const own = runtime();
  const args: EchoingArgs = { ping: own.inboxBuilder<number>().shared().build(), pong: own.inboxBuilder<number>().shared().build() };
  const root = own.supervisor().child('echoing', thread(modules.echoing), { args }).build();
  await root.start();
  const measurement = await woken(count, async (number) => {
    args.ping.send(number);
    return (await args.pong.recv()).payload;
  });
  args.ping.close();
  await root.stop();
  return measurement;
}

async function viaRequest(count: number): Promise<Measurement> {
  const own = runtime();
  const root = own.supervisor().child('answering', thread(modules.answering)).build();
  await root.start();
  const target = root.address('answering');
  const measurement = await woken(count, (number) => own.request<number>(target, number));
  await root.stop();
  return measurement;
}

async function bare(count: number): Promise<Measurement> {
  const worker = new Worker(modules.bare);
  await once(worker, 'message');
  const measurement = await woken(count, async (number) => {
    const answer = once(worker, 'message');
    worker.postMessage(number);
    return Number((await answer)[0]);
  });
  await worker.terminate();
  return measurement;
}

/** Neither do the pauses count, nor the first calls, without pauses, in which the code becomes quick. */
async function woken(count: number, ask: (number: number) => Promise<number>): Promise<Measurement> {
  for (let number = 0; number < WARM_UP; number += 1) await ask(number);
  let handled = 0;
  let total = 0;
  while (handled < count) {
    await pause(PAUSE_MS);
    const start = process.hrtime.bigint();
    if ((await ask(handled)) === handled) handled += 2;
    total += Number(process.hrtime.bigint() - start);
  }
  return { handled, total };
}
