import { type ChildProcess, fork as bareFork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { fork, type Runner, runtime, thread } from 'vigiljs';
import { type Line, type Measurement, timed } from '../line.js';
import { BATCH, isOrder, type Order, orderOf } from '../modules/order.js';

/** A bare worker or fork, as far as it is the same. */
interface Channel {
  readonly post: (message: Order | number) => void;
  readonly onMessage: (handle: (message: unknown) => void) => void;
  readonly close: () => unknown;
}

const modules = {
  receiving: new URL('../modules/receiving.js', import.meta.url),
  bareReceiving: new URL('../modules/bare-receiving.js', import.meta.url),
  sending: new URL('../modules/sending.js', import.meta.url),
  bareSending: new URL('../modules/bare-sending.js', import.meta.url),
};

/** One way, in batches as large as an inbox by default; what is counted is what was handled at the other end. */
export const messagesAcrossBoundaries: readonly Line[] = [
  line('messages to a thread', 'postMessage', {
    vigil: (count) => vigilTo(count, thread(modules.receiving)),
    bare: (count) => bareTo(count, workerOf(modules.bareReceiving)),
  }),
  line('messages from a thread', 'postMessage', {
    vigil: (count) => vigilFrom(count, thread(modules.sending)),
    bare: (count) => bareFrom(count, workerOf(modules.bareSending)),
  }),
  line('messages to a fork', 'process.send', {
    vigil: (count) => vigilTo(count, fork(modules.receiving)),
    bare: (count) => bareTo(count, forkOf(modules.bareReceiving)),
  }),
  line('messages from a fork', 'process.send', {
    vigil: (count) => vigilFrom(count, fork(modules.sending)),
    bare: (count) => bareFrom(count, forkOf(modules.bareSending)),
  }),
];

type Measure = (count: number) => Promise<Measurement>;

function line(name: string, bareName: string, { vigil, bare }: { vigil: Measure; bare: Measure }): Line {
  const contestants = [
    { name: 'Vigil: send, for await over the inbox', measure: vigil },
    { name: `bare ${bareName}, on('message')`, measure: bare },
  ];
  return { name, item: 'message', unit: 'ns', count: 50_000, contestants };
}

async function vigilTo(count: number, receiver: Runner): Promise<Measurement> {
  const own = runtime();
  using replies = own.inbox<number>();
  own.registry.register('replies', replies);
  await using root = own.supervisor().child('receiver', receiver).build();
  await root.start();
  const orders = root.address('receiver');
  return await timed(async () => {
    let received = 0;
    while (received < count) {
      for (let index = 0; index < BATCH; index += 1) orders.send(orderOf(received + index));
      received = (await replies.recv()).payload;
    }
    return received;
  });
}

async function vigilFrom(count: number, sender: Runner): Promise<Measurement> {
  const own = runtime();
  using orders = own.inbox<Order>();
  own.registry.register('orders', orders);
  await using root = own.supervisor().child('sender', sender).build();
  await root.start();
  const requests = root.address('sender');
  return await timed(async () => {
    let received = 0;
    requests.send(received);
    for await (const { payload } of orders) {
      if (payload.number === received) received += 1;
      if (received === count) break;
      if (received % BATCH === 0) requests.send(received);
    }
    return received;
  });
}

async function bareTo(count: number, channel: Promise<Channel>): Promise<Measurement> {
  const { post, onMessage, close } = await channel;
  const measurement = await timed(
    () =>
      new Promise<number>((resolve) => {
        onMessage((received) => {
          if (Number(received) < count) postBatch(post, Number(received));
          else resolve(Number(received));
        });
        postBatch(post, 0);
      }),
  );
  await close();
  return measurement;
}

function postBatch(post: Channel['post'], first: number): void {
  for (let index = 0; index < BATCH; index += 1) post(orderOf(first + index));
}

async function bareFrom(count: number, channel: Promise<Channel>): Promise<Measurement> {
  const { post, onMessage, close } = await channel;
  const measurement = await timed(
    () =>
      new Promise<number>((resolve) => {
        let received = 0;
        onMessage((order) => {
          if (isOrder(order) && order.number === received) received += 1;
          if (received === count) resolve(received);
          else if (received % BATCH === 0) post(received);
        });
        post(received);
      }),
  );
  await close();
  return measurement;
}

async function workerOf(module: URL): Promise<Channel> {
  const worker = new Worker(module);
  await once(worker, 'message');
  return {
    post: (message) => worker.postMessage(message),
    onMessage: (handle) => worker.on('message', handle),
    close: () => worker.terminate(),
  };
}

async function forkOf(module: URL): Promise<Channel> {
  const child: ChildProcess = bareFork(fileURLToPath(module));
  await once(child, 'message');
  return {
    post: (message) => child.send(message),
    onMessage: (handle) => child.on('message', handle),
    close: () => child.kill('SIGKILL'),
  };
}
