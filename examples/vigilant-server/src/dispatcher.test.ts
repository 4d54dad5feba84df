import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as vigil from 'vigiljs';
import { dispatcher } from './dispatcher.js';
import type { Report, Request } from './hasher.js';
import { Job } from './job.js';

const HASH: Request = { kind: 'hash', text: new Uint8Array() };

describe('the dispatcher', () => {
  it('gives each free worker one job at a time, the longest waiting job to the longest free worker', async () => {
    await using pool = await startPool(2);
    const jobs = pool.send(5);
    await pool.settle();
    assert.deepEqual(pool.given(), ['worker_0', 'worker_1']);
    assert.equal(pool.jobs.stats().depth, 3);

    pool.worker('worker_1').answer('b');
    assert.equal(await jobs[1]?.answer, 'b');
    await pool.settle();
    assert.deepEqual(pool.given(), ['worker_0', 'worker_1', 'worker_1']);
    assert.equal(pool.jobs.stats().depth, 2);
  });

  it('leaves jobs where they wait while nobody is free', async () => {
    await using pool = await startPool(0);
    pool.send(3);
    await pool.settle();
    assert.equal(pool.jobs.stats().depth, 3);
    await pool.hashers.startChild(pool.spec('worker_0'));
    await pool.settle();
    assert.deepEqual(pool.given(), ['worker_0']);
  });

  it('fails the one job that a worker has when it ends, with what it ended with', async () => {
    await using pool = await startPool(1);
    const [first, second] = pool.send(2);
    await pool.settle();
    pool.worker('worker_0').crash(new Error('boom'));
    await assert.rejects(first!.answer, { message: 'boom' });
    await pool.settle();
    pool.worker('worker_0').answer('done by its successor');
    assert.equal(await second!.answer, 'done by its successor');
  });

  it('fails the job of a worker that was stopped before it answered, and says so', async () => {
    await using pool = await startPool(1);
    const [job] = pool.send(1);
    await pool.settle();
    const stopped = pool.hashers.terminateChild('worker_0');
    pool.worker('worker_0').leave();
    await Promise.all([stopped, assert.rejects(job!.answer, { message: 'shutdown' })]);
  });

  it('takes an answer that a worker gave before it ended', async () => {
    await using pool = await startPool(1);
    const [job] = pool.send(1);
    await pool.settle();
    // What it has to hear first gives the end every chance to overtake the answer.
    for (let count = 0; count < 100; count += 1) pool.worker('worker_0').sendNews({ kind: 'free', worker: 'nobody', incarnation: 1 });
    pool.worker('worker_0').answer('the last one');
    pool.worker('worker_0').crash(new Error('boom'));
    assert.equal(await job!.answer, 'the last one');
  });

  it('gives a worker no second job because its predecessor is heard late', async () => {
    await using pool = await startPool(1);
    pool.send(3);
    await pool.settle();
    pool.worker('worker_0').crash(new Error('boom'));
    await pool.settle();
    pool.worker('worker_0').sendNews({ kind: 'free', worker: 'worker_0', incarnation: 1 });
    await pool.settle();
    assert.deepEqual(pool.given(), ['worker_0', 'worker_0']);
    assert.equal(pool.jobs.stats().depth, 1);
  });

  it('gives no job to a worker that has ended while it was free, and none to one that was asked to', async () => {
    await using pool = await startPool(3);
    pool.worker('worker_1').leave();
    await pool.hashers.terminateChild('worker_1');
    const stopped = pool.hashers.terminateChild('worker_0');
    const [job] = pool.send(1);
    await pool.settle();
    assert.deepEqual(pool.given(), ['worker_2']);
    pool.worker('worker_2').answer('c');
    assert.equal(await job!.answer, 'c');
    pool.worker('worker_0').leave();
    await stopped;
  });

  it('fails the jobs that workers have when it crashes itself; those that wait are done by whoever comes after', async () => {
    await using pool = await startPool(2);
    const [first, second, third] = pool.send(3);
    await pool.settle();
    pool.breakDispatcher();
    for (const id of ['worker_0', 'worker_1']) pool.worker(id).leaveWhenAsked();
    pool.worker('worker_0').sendNews({ kind: 'free', worker: 'worker_0', incarnation: 1 });
    await Promise.all([first!, second!].map((job) => assert.rejects(job.answer, { message: 'the dispatcher has ended' })));

    await pool.settle();
    pool.worker('worker_0').answer('of the second worker_0');
    assert.equal(await third!.answer, 'of the second worker_0');
  });

  it('fails the job for which it has found nobody when it crashes itself', async () => {
    await using pool = await startPool(1);
    pool.worker('worker_0').leave();
    await pool.hashers.terminateChild('worker_0');
    const [job] = pool.send(1);
    await pool.settle();
    assert.equal(pool.jobs.stats().depth, 0);
    pool.breakDispatcher();
    pool.worker('worker_0').sendNews({ kind: 'free', worker: 'worker_0', incarnation: 1 });
    await assert.rejects(job!.answer, { message: 'the dispatcher has ended' });
  });
});

/** What a test can have a worker do. */
interface Worker {
  answer(text: string): void;
  sendNews(news: Report): void;
  crash(error: Error): void;
  leave(): void;
  leaveWhenAsked(): void;
}

type WorkerContext = vigil.ProcessContext<Request, { readonly dispatcher: string }>;

/** A dispatcher with workers that do what the test tells them. */
async function startPool(size: number) {
  const runtime = vigil.runtime();
  const workers = new Map<string, Worker>();
  const given: string[] = [];
  let isBroken = false;

  const startFn = async (ctx: WorkerContext) => {
    const sender: vigil.Sender<Report> | undefined = ctx.whereis(ctx.args.dispatcher);
    let correlationId: string | undefined;
    const takeJobs = async () => {
      for await (const { metadata } of ctx.inbox) {
        correlationId = metadata.correlationId;
        given.push(ctx.id);
      }
    };
    const ended = new Promise<void>((leave, crash) => {
      workers.set(ctx.id, {
        answer: (text) => sender?.send({ kind: 'answer', text }, { correlationId }),
        sendNews: (news) => sender?.send(news),
        crash,
        leave,
        leaveWhenAsked: () => void ctx.stopped.then(leave),
      });
    });
    sender?.send({ kind: 'free', worker: ctx.id, incarnation: ctx.incarnation });
    await Promise.all([takeJobs(), ended]);
  };

  const args = { dispatcher: 'dispatcher' };
  const jobs = runtime.inbox<Job>();
  const hashers = runtime.supervisor().childPool('worker', startFn, size, { args }).build();
  const getChildInfo = (id: string) => {
    if (!isBroken) return hashers.getChildInfo(id);
    isBroken = false;
    throw new Error('a bug');
  };
  const pool = runtime
    .supervisor()
    .strategy('rest_for_one')
    .child('dispatcher', dispatcher, { args: { name: 'dispatcher', jobs, hashers: { getChildInfo } } })
    .child('hashers', hashers)
    .build();
  await pool.start();

  return {
    jobs,
    hashers,
    given: () => given,
    spec: (id: string) => ({ id, startFn, args }),
    worker: (id: string) => workers.get(id)!,
    breakDispatcher() {
      isBroken = true;
    },
    send(count: number) {
      const sent = Array.from({ length: count }, () => new Job(HASH));
      for (const job of sent) {
        // What the test does not look at may fail.
        job.answer.catch(() => {});
        jobs.send(job);
      }
      return sent;
    },
    /** Until everybody has dealt with what has happened. */
    async settle() {
      for (let turn = 0; turn < 5; turn += 1) await new Promise<void>((resolve) => runtime.clock.soon(resolve));
    },
    async [Symbol.asyncDispose]() {
      for (const worker of workers.values()) worker.leave();
      await pool.stop();
    },
  };
}
