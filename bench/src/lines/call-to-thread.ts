import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { runtime, thread } from 'vigiljs';
import { kept } from '../kept.js';
import { type Line, type Measurement, timed } from '../line.js';

const modules = {
  answering: new URL('../modules/answering.js', import.meta.url),
  bare: new URL('../modules/bare-answering.js', import.meta.url),
  piscina: new URL('../modules/piscina-answering.js', import.meta.url),
};

/** A number to another thread and back, the next one when it has come. */
export const callToThread: Line = {
  name: 'call and reply between threads',
  item: 'call',
  unit: 'ns',
  count: 30_000,
  contestants: [
    { name: 'Vigil: await request', measure: vigil },
    { name: 'Piscina: await run', measure: piscina },
    { name: "postMessage, on('message'), both ways", measure: bare },
  ],
};

const server = kept(async () => {
  const own = runtime();
  const root = own.supervisor().child('answering', thread(modules.answering)).build();
  await root.start();
  const target = root.getChildInfo('answering')?.ref;
  if (target === undefined) throw new Error('the thread has ended');
  return { own, target };
});

async function vigil(count: number): Promise<Measurement> {
  const { own, target } = await server();
  return timed(() => answered(count, (number) => own.request<number>(target, number)));
}

const pool = kept(async () => {
  const started = new Piscina({ filename: modules.piscina.href, minThreads: 1, maxThreads: 1 });
  await started.run(0);
  return started;
});

async function piscina(count: number): Promise<Measurement> {
  const threads = await pool();
  return timed(() => answered(count, async (number) => Number(await threads.run(number))));
}

const worker = kept(async () => {
  const started = new Worker(modules.bare);
  await once(started, 'message');
  return started;
});

async function bare(count: number): Promise<Measurement> {
  const peer = await worker();
  let resolve: ((answer: number) => void) | undefined;
  peer.removeAllListeners('message').on('message', (answer) => resolve?.(Number(answer)));
  const ask = (number: number) =>
    new Promise<number>((next) => {
      resolve = next;
      peer.postMessage(number);
    });
  return timed(() => answered(count, ask));
}

/** How many answers were right. */
async function answered(count: number, ask: (number: number) => Promise<number>): Promise<number> {
  let right = 0;
  for (let number = 0; number < count; number += 1) if ((await ask(number)) === number) right += 1;
  return right;
}
