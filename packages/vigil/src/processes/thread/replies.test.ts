import assert from 'node:assert/strict';
import { createSecretKey, KeyObject } from 'node:crypto';
import { afterEach, describe } from 'node:test';
import { isVigilError } from '../../core/index.js';
import { moduleOf, Outpost } from '../remote/outpost.suite.js';
import { it } from '../remote/patient-it.suite.js';
import type { ProcessRef } from '../runner.js';
import { thread } from './thread-runner.js';

/** Answers each request with its payload, or as it is told. */
const SERVER = `
  ctx.register('envoy');
  for await (const message of ctx.inbox) {
    const { payload } = message;
    if (payload?.is === 'key') vigil.reply(message, payload.key);
    else if (payload?.is === 'large') vigil.reply(message, 'x'.repeat(payload.length));
    else if (payload?.is === 'late') setTimeout(() => { vigil.reply(message, 'late'); say('replied'); }, payload.delayMs);
    else vigil.reply(message, payload);
  }`;

/** Waits in the middle of everything, as an event loop does that has something to compute. */
function standStill(until: Int32Array<SharedArrayBuffer>): void {
  Atomics.wait(until, 0, 0);
}

describe('replies in threads', () => {
  let outpost: Outpost | undefined;

  const start = async (body = SERVER): Promise<{ post: Outpost; ref: ProcessRef }> => {
    const post = new Outpost(thread(moduleOf(body)));
    outpost = post;
    return { post, ref: await post.start() };
  };

  const more = async (post: Outpost, id: string, body: string, args?: unknown): Promise<ProcessRef> => {
    await post.supervisor.startChild({ id, startFn: thread(moduleOf(body)), restartType: 'temporary', args });
    return post.supervisor.getChildInfo(id)?.ref ?? assert.fail(`${id} runs`);
  };

  afterEach(async () => {
    await outpost?.end();
    outpost = undefined;
  });

  it('come as what was replied: plain, large, and such as only the channel between threads takes', async () => {
    const { post, ref } = await start();
    const key = createSecretKey(Buffer.from('secret'));
    // The first goes the long way; then it is known where the others can go.
    for (let round = 0; round < 3; round += 1) {
      for (const payload of [undefined, null, 7, 'ж', { a: [1, { b: 'x' }] }, new Map([[1, new Date(5)]]), new Uint8Array([1, 2])]) {
        assert.deepEqual(await post.runtime.request(ref, payload), payload);
      }
      assert.equal(await post.runtime.request(ref, { is: 'large', length: 3_000_000 }), 'x'.repeat(3_000_000));
      const replied = await post.runtime.request(ref, { is: 'key', key });
      assert.ok(replied instanceof KeyObject && key.equals(replied));
    }
    assert.equal(post.runtime.replies.lateReplies, 0);
  });

  it('need no event loop but those of the two threads', async () => {
    const { post } = await start();
    const words = new Int32Array(new SharedArrayBuffer(4));
    await more(
      post,
      'caller',
      `const envoy = ctx.whereis('envoy');
       await vigil.request(envoy, 'by way of the application');
       say('ready');
       await ctx.inbox.recv();
       for (let call = 0; call < 100; call += 1) if ((await vigil.request(envoy, call)) !== call) throw new Error('not mine');
       Atomics.store(ctx.args, 0, 1);
       Atomics.notify(ctx.args, 0);
       say('answered');
       await ctx.stopped;`,
      words,
    );
    const caller = post.supervisor.getChildInfo('caller')?.ref ?? assert.fail('it runs');
    await post.heardThat('ready');
    caller.send('go');
    standStill(words);
    await post.heardThat('answered');
  });

  it('all come, though more of them wait than the memory takes', async () => {
    const { post, ref } = await start();
    for (let round = 0; round < 3; round += 1) {
      const replies = await Promise.all(Array.from({ length: 1000 }, (_, number) => post.runtime.request(ref, number)));
      assert.deepEqual(
        replies,
        Array.from({ length: 1000 }, (_, number) => number),
      );
    }
  });

  it('come out of memory after any number of threads have come and gone', async () => {
    const { post } = await start();
    const server = SERVER.replace("ctx.register('envoy');", '');
    // More than can use a piece of memory at a time.
    for (let round = 0; round < 9; round += 1) {
      const ids = Array.from({ length: 16 }, (_, index) => `server ${round}.${index}`);
      const servers = await Promise.all(ids.map((id) => more(post, id, server)));
      for (const ref of servers) for (const payload of [1, 2]) assert.equal(await post.runtime.request(ref, payload), payload);
      for (const id of ids) await post.supervisor.terminateChild(id);
    }
    const words = new Int32Array(new SharedArrayBuffer(4));
    const last = await more(
      post,
      'last',
      `for await (const message of ctx.inbox) {
         vigil.reply(message, 'x');
         if (message.payload === 'first') continue;
         Atomics.store(ctx.args, 0, 1);
         Atomics.notify(ctx.args, 0);
       }`,
      words,
    );
    await post.runtime.request(last, 'first');
    const second = post.runtime.request(last, 'second');
    standStill(words);
    const { lateReplies, pendingCalls } = post.runtime.replies;
    assert.deepEqual([lateReplies, pendingCalls], [0, 0]);
    assert.equal(await second, 'x');
  });

  it('RR-02: are taken out of the inbox of a thread past all others, which stay', async () => {
    const { post, ref } = await start(
      `const replies = new vigil.requestReply.ReplyMailbox(ctx.inbox);
       ctx.register('envoy');
       const waiting = replies.waitForReply('r', 60_000);
       say('waits');
       say((await waiting).payload);
       say(ctx.inbox.recvBatch(10).map(({ payload, attemptCount }) => [payload, attemptCount]));
       say(await codeOf(replies.waitForReply('q', 1)));
       say('gave up');
       say((await ctx.inbox.recv()).payload);
       say(replies.lateReplies);
       await ctx.stopped;`,
    );
    await post.heardThat('waits');
    ref.send('x');
    ref.send('y', { correlationId: 'other' });
    ref.send('the reply', { correlationId: 'r' });
    await post.heardThat('the reply');
    await post.heardThat([
      ['x', 1],
      ['y', 1],
    ]);
    await post.heardThat('DeliveryTimeout');
    await post.heardThat('gave up');
    ref.send('late', { correlationId: 'q' });
    ref.send('ordinary');
    await post.heardThat('ordinary');
    await post.heardThat(1);
    const { messagesReceived, messagesDeadLettered, deadLetters, depth } = ref.stats();
    assert.deepEqual([messagesReceived, messagesDeadLettered, deadLetters, depth], [4, 1, 1, 0]);
  });

  it('RR-03: are late when nobody waits for them any more, which is counted, and nobody gets them', async () => {
    const { post, ref } = await start();
    await post.runtime.request(ref, 'x');
    const late = post.runtime.request(ref, { is: 'late', delayMs: 0 }, { signal: AbortSignal.abort() });
    await assert.rejects(late, { name: 'AbortError' });
    const timedOut = post.runtime.request(ref, { is: 'late', delayMs: 20 }, { timeoutMs: 1 });
    await assert.rejects(timedOut, (error) => isVigilError(error, 'OperationTimeout'));
    await post.heardThat('replied');
    assert.equal(await post.runtime.request(ref, 'mine'), 'mine');
    assert.equal(post.runtime.replies.lateReplies, 1);
  });
});
