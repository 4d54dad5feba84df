import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as vigil from 'vigiljs';
import type { Reply, Request } from './hasher.js';
import { porter } from './porter.js';

const HASH: Request = { kind: 'hash', text: new Uint8Array() };

describe('the porter', () => {
  it('brings each free worker one job at a time, the longest waiting job to the longest free worker', async () => {
    await using pool = await startPool(2);
    const replies = pool.ask(5);
    await pool.settle();
    assert.deepEqual(pool.given, ['worker_0', 'worker_1']);
    assert.equal(pool.jobs.stats().depth, 3);

    pool.worker('worker_1').answer({ text: 'b' });
    assert.deepEqual(await replies[1], { text: 'b' });
    await pool.settle();
    assert.deepEqual(pool.given, ['worker_0', 'worker_1', 'worker_1']);
    assert.equal(pool.jobs.stats().depth, 2);
  });

  it('leaves jobs where they wait while nobody is free', async () => {
    await using pool = await startPool(0);
    void pool.ask(3);
    await pool.settle();
    assert.equal(pool.jobs.stats().depth, 3);
    await pool.workers.startChild(pool.spec('worker_0'));
    await pool.settle();
    assert.deepEqual(pool.given, ['worker_0']);
  });

  it('answers the one job that a worker has when it ends, with what it ended with', async () => {
    await using pool = await startPool(1);
    const [first, second] = pool.ask(2);
    await pool.settle();
    pool.worker('worker_0').crash(new Error('boom'));
    assert.deepEqual(await first, { error: 'boom' });
    await pool.settle();
    pool.worker('worker_0').answer({ text: 'done by its successor' });
    assert.deepEqual(await second, { text: 'done by its successor' });
  });

  it('brings nothing more to a worker that has replied with an error', async () => {
    await using pool = await startPool(1);
    const [first] = pool.ask(2);
    await pool.settle();
    pool.worker('worker_0').answer({ error: 'boom' });
    assert.deepEqual(await first, { error: 'boom' });
    await pool.settle();
    assert.deepEqual([pool.given, pool.jobs.stats().depth], [['worker_0'], 1]);
  });

  it('brings a job to the next one when a worker has ended while it was free, or ends cleanly without a reply', async () => {
    await using pool = await startPool(3);
    pool.worker('worker_1').leave();
    await pool.workers.terminateChild('worker_1');
    const stopped = pool.workers.terminateChild('worker_0');
    const [job] = pool.ask(1);
    await pool.settle();
    assert.deepEqual(pool.given, ['worker_2']);
    pool.worker('worker_0').leave();
    await stopped;
    const left = pool.workers.terminateChild('worker_2');
    pool.worker('worker_2').leave();
    await left;
    await pool.workers.startChild(pool.spec('worker_3'));
    await pool.settle();
    pool.worker('worker_3').answer({ text: 'd' });
    assert.deepEqual(await job, { text: 'd' });
  });

  it('answers the jobs that workers have when it ends itself; those that wait are done by whoever comes after', async () => {
    await using pool = await startPool(2);
    const [first, second, third] = pool.ask(3);
    await pool.settle();
    const restarted = pool.supervisor.restartChild('porter');
    assert.deepEqual(await Promise.all([first, second]), [{ error: 'the porter has ended' }, { error: 'the porter has ended' }]);
    await restarted;
    assert.deepEqual([pool.given, pool.jobs.stats().depth], [['worker_0', 'worker_1'], 1]);

    await pool.workers.startChild(pool.spec('worker_2'));
    await pool.settle();
    pool.worker('worker_2').answer({ text: 'by a new one' });
    assert.deepEqual(await third, { text: 'by a new one' });
  });
});

/** What a test can have a worker do. */
interface Worker {
  answer(reply: Reply): void;
  crash(error: Error): void;
  leave(): void;
}

/** A porter with workers that do what the test tells them. */
async function startPool(size: number) {
  const runtime = vigil.runtime();
  const running = new Map<string, Worker>();
  const given: string[] = [];

  const startFn = async (ctx: vigil.ProcessContext<Request>) => {
    let job: vigil.Message<Request> | undefined;
    const takeJobs = async () => {
      for await (job of ctx.inbox) given.push(ctx.id);
    };
    const ended = new Promise<void>((leave, crash) => {
      running.set(ctx.id, { answer: (reply) => job && runtime.reply(job, reply), crash, leave });
    });
    ctx.register(ctx.id);
    await Promise.all([takeJobs(), ended]);
  };

  const jobs = runtime.inboxBuilder<Request>().shared().build();
  const workers = runtime.supervisor().childPool('worker', startFn, size).build();
  const supervisor = runtime
    .supervisor()
    .child('porter', porter, { args: { jobs, prefix: 'worker', runtime } })
    .child('workers', workers)
    .build();
  await supervisor.start();

  return {
    jobs,
    supervisor,
    workers,
    given,
    spec: (id: string) => ({ id, startFn }),
    worker: (id: string) => running.get(id) ?? assert.fail(`${id} has not begun`),
    ask(count: number) {
      const replies = Array.from({ length: count }, () => runtime.request<Reply>(jobs, HASH));
      // What the test does not look at may fail.
      for (const reply of replies) reply.catch(() => {});
      return replies;
    },
    /** Until everybody has dealt with what has happened. */
    async settle() {
      for (let turn = 0; turn < 5; turn += 1) await new Promise<void>((resolve) => runtime.clock.soon(resolve));
    },
    async [Symbol.asyncDispose]() {
      for (const worker of running.values()) worker.leave();
      await supervisor.stop();
      jobs.close({ discard: true });
    },
  };
}
