import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as vigil from 'vigiljs';
import { VirtualClock } from 'vigiljs/testing';
import { type Answer, answerer } from './commands.js';
import { Counters } from './counters.js';
import type { Reply, Request } from './hasher.js';
import type { Line } from './line-splitter.js';
import { Pool } from './pool.js';

describe('HASH', () => {
  it('is answered in one line, whatever the error says', async () => {
    const answer = answererWith({ error: 'exit code 1\r\n\n  at line 7' });
    assert.equal(await answer(Buffer.from('HASH x')), 'ERROR the worker failed: exit code 1 at line 7\n');
  });

  it('is answered after five seconds when nobody does it', async () => {
    const clock = new VirtualClock();
    const answered = answererWith(undefined, clock)(Buffer.from('HASH x'));
    await clock.advance(5_000);
    assert.equal(await answered, 'ERROR no worker answered within 5000 ms\n');
  });
});

describe('SUBSCRIBE', () => {
  it('is refused when the connection takes no messages any more', () => {
    assert.equal(answererWith()(Buffer.from('SUBSCRIBE a')), 'ERROR the server is stopping\n');
  });
});

describe('a command that needs the counters', () => {
  it('is answered with an error when they do not run', async () => {
    const answer = answererWith();
    for (const command of ['STATUS', 'HEALTH', 'METRICS']) {
      assert.equal(await answer(Buffer.from(command)), 'ERROR the counters do not answer, try again later\n');
    }
  });
});

/** Answers without counters, with workers that reply this to every job, for a connection that is about to end. */
function answererWith(reply?: Reply, clock?: vigil.Clock): (line: Line) => Answer {
  const runtime = vigil.runtime({ clock });
  const jobs = runtime.inbox<Request>();
  const hashers = runtime.supervisor().build();
  const counters = new Counters(runtime.via('nobody'), runtime);
  const pool = new Pool(jobs, runtime);
  const limiter = new vigil.RateLimiter(1_000, runtime);
  const answer = answerer({ runtime, counters, pool, limiter, hashers, connections: hashers, supervisors: [], chaos: false });
  const messages = runtime.inbox();
  messages.close();
  const subscriber = new vigil.Subscriber(messages, runtime);
  return (line) => {
    const answered = answer(line, subscriber);
    const job = reply && jobs.tryRecv();
    if (job !== undefined) runtime.reply(job, reply);
    return answered;
  };
}
