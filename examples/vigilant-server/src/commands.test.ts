import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as vigil from 'vigiljs';
import { type Answer, answerer } from './commands.js';
import { Counters } from './counters.js';
import type { Job } from './job.js';
import type { Line } from './line-splitter.js';

describe('HASH', () => {
  it('is answered in one line, whatever the error says', async () => {
    const answer = answererWith((job) => job.reject(new Error('exit code 1\r\n\n  at line 7')));
    assert.equal(await answer(Buffer.from('HASH x')), 'ERROR the worker failed: exit code 1 at line 7\n');
  });

  it('sends the worker the bytes of the text, without the rest of what was received with them', async () => {
    let text: Uint8Array | undefined;
    const answer = answererWith((job) => {
      if (job.request.kind === 'hash') ({ text } = job.request);
      job.resolve('done');
    });
    assert.equal(await answer(Buffer.from('before HASH grüße after').subarray(7, 19)), 'OK done\n');
    assert.deepEqual(text, new TextEncoder().encode('grüße'));
    assert.equal(text?.buffer.byteLength, 7);
  });
});

describe('a command that needs the counters', () => {
  it('is answered with an error when they do not run', async () => {
    const answer = answererWith(() => {});
    for (const command of ['STATUS', 'HEALTH', 'METRICS']) {
      assert.equal(await answer(Buffer.from(command)), 'ERROR the counters do not answer, try again later\n');
    }
  });
});

/** Answers without counters, with workers that do with a job what the test says. */
function answererWith(work: (job: Job) => void): (line: Line) => Answer {
  const runtime = vigil.runtime();
  const app = runtime.app();
  const jobs = runtime.inbox<Job>();
  const hashers = runtime.supervisor().build();
  const counters = new Counters(runtime.via('nobody'), runtime);
  const answer = answerer({ app, runtime, counters, jobs, hashers, connections: hashers, supervisors: [], chaos: false });
  const subscriber = new vigil.Subscriber(runtime.inbox(), runtime);
  return (line) => {
    const answered = answer(line, subscriber);
    const job = jobs.tryRecv()?.payload;
    if (job !== undefined) work(job);
    return answered;
  };
}
