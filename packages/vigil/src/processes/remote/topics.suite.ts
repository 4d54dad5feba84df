import assert from 'node:assert/strict';
import { afterEach, describe } from 'node:test';
import type { ChildOptions } from '../../supervision/index.js';
import type { ProcessRef, Runner } from '../runner.js';
import { moduleOf, Outpost } from './outpost.suite.js';
import { it } from './patient-it.suite.js';

/** What holds for publishers and subscribers on the other side of a boundary. */
export function describeTopics(kind: 'thread' | 'fork', runnerOf: (module: URL) => Runner): void {
  describe(`topics in a ${kind}`, () => {
    let outpost: Outpost | undefined;

    const start = async (body: string, options?: ChildOptions): Promise<{ post: Outpost; ref: ProcessRef }> => {
      const post = new Outpost(runnerOf(moduleOf(body)), options);
      outpost = post;
      return { post, ref: await post.start() };
    };

    afterEach(async () => {
      await outpost?.end();
      outpost = undefined;
    });

    it('bring what is published here to its inbox, with the topic, once and in order', async () => {
      const { post } = await start(
        `const subscriber = new vigil.Subscriber(ctx.inbox);
         subscriber.subscribe(['events.user.*', 'events.#']);
         say([subscriber.matches('events.user.created'), subscriber.matches('other')]);
         for await (const { payload, metadata } of ctx.inbox) say([payload, metadata.topic]);`,
      );
      await post.heardThat([true, false]);
      const { pubsub } = post.runtime;
      assert.deepEqual(pubsub.publishBatch('events.user.created', ['p', { q: 1 }]), { delivered: 2, failed: 0 });
      assert.deepEqual(pubsub.publish('other', 'x'), { delivered: 0, failed: 0 });
      assert.deepEqual(pubsub.publish('events', 'r'), { delivered: 1, failed: 0 });
      assert.deepEqual(
        pubsub.publish('events', () => 'cannot go there'),
        { delivered: 0, failed: 1 },
      );
      assert.deepEqual(await post.heardAll(3), [
        ['p', 'events.user.created'],
        [{ q: 1 }, 'events.user.created'],
        ['r', 'events'],
      ]);
    });

    it('PS-06: give their publisher there the exact result', async () => {
      const { post } = await start(
        `for (const name of ['small', 'sink']) new vigil.Subscriber(ctx.whereis(name)).subscribe('a.*');
         const said = { priority: 'high', from: 'envoy', extra: () => 1 };
         say([
           vigil.publish('a.b', 1, said),
           vigil.defaultRuntime().pubsub.publishBatch('a.c', [2, { three: 3 }]),
           vigil.publish('nobody', 1),
         ]);
         await ctx.stopped;`,
      );
      await post.heardThat([
        { delivered: 2, failed: 0 },
        { delivered: 3, failed: 1 },
        { delivered: 0, failed: 0 },
      ]);
      const messages = post.sink.recvBatch(10);
      assert.deepEqual(
        messages.map(({ payload, metadata }) => [payload, metadata.topic]),
        [
          [1, 'a.b'],
          [2, 'a.c'],
          [{ three: 3 }, 'a.c'],
        ],
      );
      assert.deepEqual([messages[0]?.priority, messages[0]?.sender], ['high', 'envoy']);
    });

    it('refuse there what they refuse here, and what cannot travel', async () => {
      const { post } = await start(
        `const subscriber = new vigil.Subscriber(ctx.self);
         const { pubsub } = vigil.defaultRuntime();
         say([
           code(() => subscriber.subscribe(['a', 'a.#.b'])),
           subscriber.patterns(),
           code(() => vigil.publish('a.*', 1)),
           code(() => vigil.publish('a', 1, { ttlMs: -1 })),
           code(() => vigil.publish('a', () => 1)),
           code(() => pubsub.publishBatch('a', 'text')),
           code(() => new vigil.Subscriber(vigil.inbox())),
           code(() => pubsub.receiversOf('a')),
           code(() => pubsub.stats()),
           code(() => pubsub.subscribe({})),
           code(() => pubsub.unsubscribe({})),
         ]);
         await ctx.stopped;`,
      );
      const [bad, message] = ['InvalidConfiguration', 'InvalidMessage'];
      await post.heardThat([bad, [], bad, message, message, bad, bad, 'InvalidState', 'InvalidState', bad, bad]);
      assert.equal(post.runtime.pubsub.stats().patterns, 0);
    });

    it('send nothing more to a subscriber that has left, and something again when it is back', async () => {
      const { post } = await start(
        `const { pubsub } = vigil.defaultRuntime();
         const subscriber = new vigil.Subscriber(ctx.whereis('sink'));
         subscriber.subscribe(['a', 'b', 'c']);
         subscriber.unsubscribe('a');
         say([vigil.publish('a', 1).delivered, vigil.publish('b', 1).delivered]);
         say([pubsub.unsubscribe(subscriber), pubsub.unsubscribe(subscriber), vigil.publish('b', 1).delivered]);
         pubsub.subscribe(subscriber);
         say(vigil.publish('c', 1).delivered);
         await ctx.stopped;`,
      );
      assert.deepEqual(await post.heardAll(3), [[0, 1], [true, false, 0], 1]);
      post.sink.close();
      assert.equal(post.runtime.pubsub.stats().patterns, 0);
    });

    it('PS-08: know nothing more of a process that has ended, nor of what it had others subscribe', async () => {
      const { post, ref } = await start(
        `new vigil.Subscriber(ctx.inbox).subscribe('a.*');
         new vigil.Subscriber(ctx.self).subscribe('b');
         new vigil.Subscriber(ctx.whereis('sink')).subscribe(['a.#', 'c']);
         say('subscribed');
         await ctx.stopped;`,
      );
      await post.heardThat('subscribed');
      const { pubsub, telemetry } = post.runtime;
      assert.equal(pubsub.receiversOf('a.b').length, 2);
      const patterns: number[] = [];
      telemetry.on('process_stopped', () => patterns.push(pubsub.stats().patterns));
      const ended = post.ended(ref);
      await post.supervisor.terminateChild('envoy');
      await ended;
      assert.deepEqual(patterns, [0]);
      assert.deepEqual(pubsub.publish('a.b', 1), { delivered: 0, failed: 0 });
    });

    it('PS-08: are left by a process that is killed while it publishes', async () => {
      const { post, ref } = await start(
        `new vigil.Subscriber(ctx.self).subscribe('a');
         say('go');
         for (;;) vigil.publish('a', 'x');`,
        { shutdownTimeoutMs: 1 },
      );
      await post.heardThat('go');
      const ended = post.ended(ref);
      await post.supervisor.terminateChild('envoy');
      await ended;
      assert.deepEqual(post.runtime.pubsub.publish('a', 1), { delivered: 0, failed: 0 });
    });
  });
}
