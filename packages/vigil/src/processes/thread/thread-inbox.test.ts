import assert from 'node:assert/strict';
import { createSecretKey, KeyObject } from 'node:crypto';
import { afterEach, describe } from 'node:test';
import { type Inbox, isVigilError, type MailboxStats, nextTurn, systemRandom } from '../../core/index.js';
import type { ChildOptions } from '../../supervision/index.js';
import { request } from '../../messaging/index.js';
import type { ProcessRef } from '../runner.js';
import { moduleOf, Outpost } from '../remote/outpost.suite.js';
import { it } from '../remote/patient-it.suite.js';
import { thread } from './thread-runner.js';

const PATIENCE_MS = 20_000;
const KILLS = 25;

/** Says whatever it receives. */
const ECHO = 'for await (const { payload } of ctx.inbox) say(payload);';

/** Waits until it is let go. */
const WAITING = "say('waiting'); while (Atomics.load(ctx.args, 0) === 0) await new Promise(setImmediate);";

/** Does what it is told with the process that is called `envoy`. */
const SENDER = `
  const envoy = ctx.whereis('envoy');
  say('ready');
  for await (const { payload: { act, payload, options } } of ctx.inbox) {
    const result = { send: () => envoy.send(payload, options), wait: () => envoy.sendWait(payload, options) }[act];
    try { say(await result()); } catch (error) { say(error.code); }
  }`;

describe('the inbox of a thread', () => {
  let outpost: Outpost | undefined;

  const start = async (body: string, options: ChildOptions = {}): Promise<{ post: Outpost; ref: ProcessRef }> => {
    const post = new Outpost(thread(moduleOf(`ctx.register('envoy'); ${body}`)), options);
    outpost = post;
    return { post, ref: await post.start() };
  };

  const more = async (post: Outpost, id: string, body: string, options: ChildOptions = {}): Promise<ProcessRef> => {
    await post.supervisor.startChild({ id, startFn: thread(moduleOf(body)), restartType: 'temporary', ...options });
    return post.supervisor.getChildInfo(id)?.ref ?? assert.fail(`${id} runs`);
  };

  /** Another thread that sends to it, and says what came of each send. */
  const sender = async (post: Outpost): Promise<ProcessRef> => {
    const ref = await more(post, 'sender', SENDER);
    await post.heardThat('ready');
    return ref;
  };

  afterEach(async () => {
    await outpost?.end();
    outpost = undefined;
  });

  it('takes messages of other threads while the event loop of the supervisor stands still', async () => {
    const words = new Int32Array(new SharedArrayBuffer(4));
    const { post } = await start(
      `for await (const { payload } of ctx.inbox) {
         if (payload < 1000) continue;
         Atomics.store(ctx.args, 0, payload);
         Atomics.notify(ctx.args, 0);
         say(ctx.inbox.stats().messagesReceived);
       }`,
      { args: words },
    );
    const other = await more(
      post,
      'other',
      "const envoy = ctx.whereis('envoy'); say('ready'); await heard(); for (let n = 1; n <= 1000; n += 1) await envoy.sendWait(n); await ctx.stopped;",
    );
    await post.heardThat('ready');
    other.send('go');
    assert.notEqual(Atomics.wait(words, 0, 0, PATIENCE_MS), 'timed-out');
    assert.equal(words[0], 1000);
    await post.heardThat(1000);
  });

  it('is received from in the middle of a computation', async () => {
    const words = new Int32Array(new SharedArrayBuffer(4));
    const { post, ref } = await start(
      `say('computing');
       let message;
       while (message === undefined) message = ctx.inbox.tryRecv();
       Atomics.store(ctx.args, 0, message.payload);
       Atomics.notify(ctx.args, 0);
       await ctx.stopped;`,
      { args: words },
    );
    await post.heardThat('computing');
    ref.send(7);
    assert.notEqual(Atomics.wait(words, 0, 0, PATIENCE_MS), 'timed-out');
    assert.equal(words[0], 7);
  });

  describe('with recvSync', () => {
    const BLOCKED = `
      say('blocked');
      for (let message = ctx.inbox.recvSync(); ; message = ctx.inbox.recvSync()) say(message.payload);`;

    it('blocks its thread until there is a message, which is no block', async () => {
      const { post, ref } = await start(BLOCKED, { maxBlockedMs: 50 });
      await post.heardThat('blocked');
      assert.equal(await post.observer.recvTimeout(300), undefined);
      for (const payload of [1, 'two', { three: 3 }]) {
        ref.send(payload);
        await post.heardThat(payload);
      }
      assert.equal(ref.isAlive(), true);
    });

    it('ends with the stop request, for which nobody has to be killed', async () => {
      const { post, ref } = await start(BLOCKED, { shutdownTimeoutMs: PATIENCE_MS });
      await post.heardThat('blocked');
      const { down } = ref.monitor();
      await post.supervisor.terminateChild('envoy');
      assert.deepEqual((await down).reason, { kind: 'shutdown' });
    });

    it('gives out nothing while its process is suspended', async () => {
      const { post, ref } = await start(BLOCKED);
      await post.heardThat('blocked');
      await post.supervisor.suspendChild('envoy');
      ref.send('x');
      assert.equal(await post.observer.recvTimeout(100), undefined);
      assert.equal(ref.stats().depth, 1);
      await post.supervisor.resumeChild('envoy');
      await post.heardThat('x');
    });
  });

  it('gives out nothing from the moment in which its process is suspended, whatever its thread has heard of that', async () => {
    const words = new Int32Array(new SharedArrayBuffer(4));
    const { post, ref } = await start(
      `say('busy');
       while (Atomics.load(ctx.args, 0) === 0);
       say(ctx.inbox.tryRecv() === undefined);
       ${ECHO}`,
      { args: words },
    );
    await post.heardThat('busy');
    await post.supervisor.suspendChild('envoy');
    ref.send('x');
    Atomics.store(words, 0, 1);
    await post.heardThat(true);
    await post.supervisor.resumeChild('envoy');
    await post.heardThat('x');
  });

  it('closes with a stop request, which its code has heard of by then', async () => {
    const words = new Int32Array(new SharedArrayBuffer(4));
    const { post, ref } = await start(
      `say('busy');
       while (!ctx.inbox.isClosed());
       say([code(() => ctx.inbox.tryRecv()), ctx.signal.aborted]);
       await ctx.inbox.recv();`,
      { args: words, shutdownTimeoutMs: PATIENCE_MS },
    );
    await post.heardThat('busy');
    const { down } = ref.monitor();
    await post.supervisor.terminateChild('envoy');
    await post.heardThat(['InboxClosed', true]);
    assert.deepEqual((await down).reason, { kind: 'shutdown' });
  });

  it('has its size and its books in one, wherever one looks', async () => {
    const { post, ref } = await start(`say('recvSync' in ctx.inbox); await heard(); say(ctx.inbox.stats()); await ctx.stopped;`, {
      inbox: { capacity: 5 },
    });
    await post.heardThat(true);
    ref.send('go');
    const there = await post.heard();
    assert.deepEqual(there, { ...ref.stats(), waitingReceivers: 0, waitingSenders: 0 });
    for (let count = 0; count < 5; count += 1) ref.send(count, { priority: count === 0 ? 'high' : 'low' });
    assert.throws(() => ref.send(5), withCode('MailboxFull'));
    const { depth, depthByPriority, messagesRejected, capacity } = ref.stats();
    assert.deepEqual([depth, depthByPriority.high, depthByPriority.low, messagesRejected, capacity], [5, 1, 4, 1, 5]);
  });

  describe('takes what its memory does not', () => {
    const KEY = createSecretKey(Buffer.from('a secret'));

    it('such as what only threads can be given, in its place among the others', async () => {
      const words = new Int32Array(new SharedArrayBuffer(4));
      const { post, ref } = await start(
        `for await (const { payload } of ctx.inbox) {
           if (payload instanceof Int32Array) Atomics.add(payload, 0, 1);
           say(payload.export?.().toString() ?? payload.deep?.length ?? payload);
         }`,
      );
      ref.send(1);
      ref.send(KEY);
      ref.send({ deep: 'x'.repeat(3_000_000) });
      ref.send(words);
      ref.send('last', { priority: 'batch' });
      assert.deepEqual(await post.heardAll(5), [1, 'a secret', 3_000_000, words, 'last']);
      assert.equal(words[0], 1);
    });

    it('such as more bytes than it has, up to the capacity', async () => {
      const words = new Int32Array(new SharedArrayBuffer(4));
      const body = `${WAITING} say(ctx.inbox.peek().map(({ payload }) => payload)); for (const { payload } of ctx.inbox.recvBatch(100)) say(payload);`;
      const { post, ref } = await start(body, { args: words, inbox: { capacity: 100 } });
      await post.heardThat('waiting');
      const sent = Array.from({ length: 100 }, (_, index) => String(index).repeat(20_000));
      for (const payload of sent) assert.equal(ref.send(payload), 'queued');
      assert.throws(() => ref.send('one more'), withCode('MailboxFull'));
      await assert.rejects(ref.sendWait(KEY, { timeoutMs: 1 }), withCode('DeliveryTimeout'));
      Atomics.store(words, 0, 1);
      await post.heardThat(sent);
      assert.deepEqual(await post.heardAll(100), sent);
    });

    it('from other threads as well, in the order of their sends', async () => {
      const { post } = await start(`for await (const { payload } of ctx.inbox) say(payload.length ?? payload.size ?? payload);`);
      await more(
        post,
        'other',
        `const envoy = ctx.whereis('envoy');
         envoy.send(1);
         envoy.send('x'.repeat(3_000_000));
         envoy.send(2);
         envoy.send(new (class Order { size = 5 })());
         await envoy.sendWait('x'.repeat(4_000_000));
         envoy.send(3);
         await ctx.stopped;`,
      );
      assert.deepEqual(await post.heardAll(6), [1, 3_000_000, 2, 5, 4_000_000, 3]);
    });

    it('and from itself', async () => {
      const { post } = await start(
        `say([ctx.inbox.send('x'.repeat(3_000_000)), ctx.self.send(new Map([[1, ctx.args]])), await ctx.inbox.sendWait(new (class {})())]);
         say(ctx.inbox.peek().map(({ payload }) => payload.length ?? payload.size ?? 'object'));
         say(ctx.inbox.recvSync().payload.length);
         say(ctx.inbox.sendSync('y'.repeat(3_000_001)));
         say(ctx.inbox.recvBatch(3).map(({ payload }) => payload.length ?? payload.size ?? 'object'));
         await ctx.stopped;`,
        { args: new Int32Array(new SharedArrayBuffer(4)) },
      );
      await post.heardThat(['queued', 'queued', 'queued']);
      await post.heardThat([3_000_000, 1, 'object']);
      await post.heardThat(3_000_000);
      await post.heardThat('queued');
      await post.heardThat([1, 'object', 3_000_001]);
    });

    it('and has it as a dead letter when it is not received', async () => {
      const { post, ref } = await start("say('entered'); await ctx.stopped;");
      await post.heardThat('entered');
      ref.send('plain');
      ref.send(KEY);
      ref.send('x'.repeat(3_000_000), { priority: 'high' });
      await post.supervisor.terminateChild('envoy');
      const [large, plain, key] = post.runtime.deadLetters.list().map(({ message }) => message.payload);
      assert.ok(typeof large === 'string' && large.length === 3_000_000 && plain === 'plain');
      assert.ok(key instanceof KeyObject && key.equals(KEY));
    });

    it('but neither what cannot be cloned, nor refs', async () => {
      const { ref } = await start(ECHO);
      for (const bad of [
        new WeakMap(),
        { at: ref },
        [ref],
        new (class {
          callback = () => {};
        })(),
      ]) {
        assert.throws(() => ref.send(bad), withCode('InvalidMessage'));
        await assert.rejects(ref.sendWait(bad), withCode('InvalidMessage'));
      }
      assert.equal(ref.stats().messagesSent, 0);
    });
  });

  describe('tells another thread at once', () => {
    it('that it is full', async () => {
      const { post, ref } = await start('await ctx.stopped;', { inbox: { capacity: 1 } });
      const other = await sender(post);
      for (const expected of ['queued', 'MailboxFull']) {
        other.send({ act: 'send', payload: expected });
        await post.heardThat(expected);
      }
      other.send({ act: 'wait', payload: 'x', options: { timeoutMs: 5 } });
      await post.heardThat('DeliveryTimeout');
      assert.equal(ref.stats().messagesRejected, 2);
      assert.equal(post.runtime.deadLetters.size, 0);
    });

    it('that the message became a dead letter, which the side of the supervisor keeps', async () => {
      const { post, ref } = await start(
        'await heard(); say(ctx.inbox.deadLetters.list().map(({ message, reason }) => [message.payload, reason])); await ctx.stopped;',
        {
          inbox: { capacity: 1, enableDeadletter: true },
        },
      );
      const other = await sender(post);
      await post.supervisor.suspendChild('envoy');
      for (const expected of ['queued', 'dead_lettered']) {
        other.send({ act: 'send', payload: expected });
        await post.heardThat(expected);
      }
      assert.equal(ref.stats().deadLetters, 1);
      await post.supervisor.resumeChild('envoy');
      await post.heardThat([['dead_lettered', 'mailbox_full']]);
    });

    it('that it took the place of an older one, which is a dead letter on the side of the supervisor', async () => {
      const { post, ref } = await start(
        'await heard(); say(ctx.inbox.deadLetters.list().map(({ message, reason }) => [message.payload, reason])); await ctx.stopped;',
        {
          inbox: { enableDeadletter: true, backpressure: { strategy: 'drop_oldest', highWatermark: 1 } },
        },
      );
      const other = await sender(post);
      await post.supervisor.suspendChild('envoy');
      for (const payload of ['oldest', 'older']) {
        other.send({ act: 'send', payload });
        await post.heardThat('queued');
      }
      other.send({ act: 'wait', payload: 'newest' });
      await post.heardThat('queued');
      assert.equal(ref.stats().deadLetters, 2);
      await post.supervisor.resumeChild('envoy');
      await post.heardThat([
        ['oldest', 'mailbox_full'],
        ['older', 'mailbox_full'],
      ]);
    });

    it('that it is closed, and that its process has ended', async () => {
      const { post, ref } = await start("await heard(); ctx.inbox.close(); say('closed'); await ctx.stopped;");
      const other = await sender(post);
      ref.send('close');
      await post.heardThat('closed');
      for (const act of ['send', 'wait']) {
        other.send({ act, payload: 'x' });
        await post.heardThat('InboxClosed');
      }
      await post.supervisor.terminateChild('envoy');
      for (const act of ['send', 'wait']) {
        other.send({ act, payload: 'x' });
        await post.heardThat('ProcessNotFound');
      }
    });

    it('that a message is too large by a measure that only the supervisor has', async () => {
      const { post } = await start(
        'say([code(() => ctx.inbox.send({ bytes: 11 })), ctx.inbox.send({ bytes: 1 })]); say((await ctx.inbox.recv()).payload); await ctx.stopped;',
        {
          inbox: { maxMessageSize: 40, sizeOf: (payload) => Number(Reflect.get(Object(payload), 'bytes')) * 10 },
        },
      );
      await post.heardThat(['MessageTooLarge', 'queued']);
      await post.heardThat({ bytes: 1 });
    });
  });

  it('fails a request of another thread when its process ends, and answers it before', async () => {
    const { post } = await start(
      `for await (const message of ctx.inbox) if (message.payload !== 'wait') vigil.reply(message, [message.payload]); else say('waits');`,
    );
    await more(
      post,
      'asks',
      `const envoy = ctx.whereis('envoy');
       say(await vigil.request(envoy, 'a'));
       const waiting = codeOf(vigil.request(envoy, 'wait', { timeoutMs: 'infinity' }));
       say(await waiting);
       say(await codeOf(vigil.request(envoy, 'a')));
       await ctx.stopped;`,
    );
    await post.heardThat(['a']);
    await post.heardThat('waits');
    await post.supervisor.terminateChild('envoy');
    await post.heardThat('ProcessNotFound');
    await post.heardThat('ProcessNotFound');
  });

  it('fails requests of this side that are queued, given up or expired there', async () => {
    const words = new Int32Array(new SharedArrayBuffer(4));
    const { post, ref } = await start(
      `say('busy');
       while (Atomics.load(ctx.args, 0) === 0);
       ctx.inbox.deadLetter(await ctx.inbox.recv());
       say('given up');
       await ctx.stopped;`,
      { args: words },
    );
    await post.heardThat('busy');
    const { environment } = post.runtime;
    const ask = (ttlMs?: number) => request(environment, ref, 'x', { timeoutMs: PATIENCE_MS, ttlMs });
    const all = [
      assert.rejects(ask(1), withCode('MessageExpired')),
      assert.rejects(ask(), withCode('ReceiverUnavailable')),
      assert.rejects(ask(), withCode('ProcessNotFound')),
    ];
    const untilMs = environment.clock.now() + 5;
    while (environment.clock.now() < untilMs);
    Atomics.store(words, 0, 1);
    await post.heardThat('given up');
    await Promise.all(all.slice(0, 2));
    await post.supervisor.terminateChild('envoy');
    await all[2];
  });

  it('reports its messages here as long as somebody listens, whoever sent them', async () => {
    const { post, ref } = await start(ECHO);
    const other = await sender(post);
    const seen: string[] = [];
    const { telemetry } = post.runtime;
    ref.send('unheard');
    await post.heardThat('unheard');
    for (const event of ['message_sent', 'message_received'] as const) {
      telemetry.on(event, ({ metadata }) => void (metadata.mailbox === 'envoy' && seen.push(`${event} ${metadata.messageId}`)));
    }
    ref.send('heard');
    await post.heardThat('heard');
    other.send({ act: 'send', payload: 'from there' });
    const said = await post.heardAll(2);
    assert.deepEqual(new Set(said), new Set(['from there', 'queued']));
    // Three of them come from threads.
    while (seen.length < 4) await nextTurn();
    assert.equal(seen.filter((event) => event.startsWith('message_sent')).length, 2);
    assert.equal(new Set(seen).size, 4);
    assert.equal(new Set(seen.map((event) => event.split(' ')[1])).size, 2);
    telemetry.removeHandlers('message_sent');
    telemetry.removeHandlers('message_received');
    ref.send('unheard');
    await post.heardThat('unheard');
    assert.equal(seen.length, 4);
  });

  it('is lent message by message where it is vast', async () => {
    const { post, ref } = await start(`say('recvSync' in ctx.inbox); ${ECHO}`, { inbox: { capacity: 2 ** 40 } });
    await post.heardThat(false);
    ref.send('x');
    await post.heardThat('x');
    assert.equal(ref.stats().capacity, 2 ** 40);
  });

  it('is not passed on: it ends with its process', async () => {
    const { post } = await start(
      `const nested = vigil.supervisor().child('inner', vigil.thread(new URL('data:text/javascript,export default (ctx) => ctx.stopped')), { args: ctx.inbox }).build();
       say((await nested.start().catch((error) => error))?.cause.code);
       await ctx.stopped;`,
    );
    await post.heardThat('InvalidConfiguration');
  });

  it('of a thread of a thread works the same', async () => {
    const { post, ref } = await start(
      `const inner = new URL('data:text/javascript,' + encodeURIComponent(\`export default async (ctx) => {
         const observer = ctx.whereis('observer');
         for (let message = ctx.inbox.recvSync(); ; message = ctx.inbox.recvSync()) observer.send(['inner', message.payload]);
       };\`));
       const nested = vigil.supervisor().child('inner', vigil.thread(inner)).build();
       await nested.start();
       for await (const { payload } of ctx.inbox) nested.address('inner').send(payload);
       await nested.stop();
       say('stopped');`,
      { shutdownTimeoutMs: PATIENCE_MS },
    );
    for (const payload of [1, 'x'.repeat(3_000_000), new Map([[1, 2]])]) {
      ref.send(payload);
      await post.heardThat(['inner', payload]);
    }
    await post.supervisor.terminateChild('envoy');
    await post.heardThat('stopped');
  });

  it('counts as abandoned what its thread was just taking out when it ended', async () => {
    const { post, ref } = await start(
      `const { toString } = Buffer.prototype;
       Buffer.prototype.toString = function (...args) {
         const text = toString.apply(this, args);
         return text.includes('deadly') ? process.exit(3) : text;
       };
       ${ECHO}`,
    );
    // Long enough for Node's own function.
    ref.send('harmless'.padStart(40));
    await post.heardThat('harmless'.padStart(40));
    const { down } = ref.monitor();
    ref.send('deadly'.padStart(40));
    ref.send('behind it');
    await down;
    const { messagesReceived, messagesAbandoned, messagesDeadLettered, depth } = ref.stats();
    assert.deepEqual([messagesReceived, messagesAbandoned, messagesDeadLettered, depth], [1, 1, 1, 0]);
  });

  it('leaves nothing taken when a thread ends whose own thread was just taking something out', async () => {
    const words = new Int32Array(new SharedArrayBuffer(4));
    const post = (outpost = new Outpost(thread(moduleOf('await ctx.stopped;'))));
    await post.start();
    const orders = post.runtime.inboxBuilder<unknown>().capacity(2).shared().build();
    // The inner thread stands still for ever where it would free the record of what it has received.
    orders.send('taken');
    await more(
      post,
      'outer',
      `const inner = new URL('data:text/javascript,' + encodeURIComponent(\`export default ({ args: { orders, words } }) => {
         const { store } = Atomics;
         Atomics.store = () => {
           store(words, 0, 1);
           Atomics.notify(words, 0);
           Atomics.wait(words, 0, 1);
         };
         orders.tryRecv();
       };\`));
       await vigil.supervisor().child('inner', vigil.thread(inner), { args: ctx.args }).build().start();
       await ctx.stopped;`,
      { args: { orders, words }, shutdownTimeoutMs: 'brutal_kill' },
    );
    await Atomics.waitAsync(words, 0, 0).value;
    await post.supervisor.terminateChild('outer');
    orders.sendBatch(['next', 'last']);
    assert.deepEqual([booked(orders.stats()), orders.stats().depth], [3, 2]);
  });

  it(`loses and doubles nothing when its thread is killed under traffic, ${KILLS} times`, async () => {
    const post = (outpost = new Outpost(thread(moduleOf('await ctx.stopped;'))));
    await post.start();
    const out = post.runtime.inboxBuilder<unknown>().capacity(1000).shared().build();
    for (let kill = 0; kill < KILLS; kill += 1) {
      const ref = await more(
        post,
        'victim',
        `ctx.register('victim');
         for (let message = ctx.inbox.recvSync(); ; message = ctx.inbox.recvSync()) ctx.args.sendSync(message.payload.length ?? message.payload);`,
        { args: out, shutdownTimeoutMs: 'brutal_kill', inbox: { capacity: 100 } },
      );
      await more(
        post,
        'pusher',
        `const victim = ctx.whereis('victim');
         for (let number = 0; ; number += 1) {
           try { await victim.sendWait(number % 50 === 49 ? 'x'.repeat(number) : number, { priority: 'high' }); } catch { return; }
         }`,
      );
      await checkBalanceAfterKill(post, ref, out);
    }
  });
});

/** Sends to the victim until it is killed, at an instant of chance, and looks at what became of each message. */
async function checkBalanceAfterKill(post: Outpost, ref: ProcessRef, out: Inbox): Promise<void> {
  const received: number[] = [];
  const receiving = (async () => {
    for (;;) {
      const message = await out.recvTimeout(100);
      if (message === undefined && !ref.isAlive()) return;
      if (typeof message?.payload === 'number') received.push(message.payload);
    }
  })();
  const turns = Math.floor(systemRandom.next() * 30);
  let sent = 0;
  for (let turn = 0; turn < turns; turn += 1) {
    for (let count = 0; count < 20; count += 1) {
      sent -= 1;
      try {
        ref.send(sent);
      } catch (error) {
        assert.ok(isVigilError(error, 'MailboxFull'));
        sent += 1;
      }
    }
    await nextTurn();
  }
  await post.supervisor.terminateChild('victim');
  await receiving;
  const stats = ref.stats();
  assert.equal(stats.depth, 0);
  assert.ok(stats.messagesAbandoned <= 1, `${stats.messagesAbandoned} were abandoned`);
  assert.equal(booked(stats), stats.messagesSent);
  const dead = post.runtime.deadLetters
    .list()
    .filter(({ mailbox, reason }) => mailbox === 'victim' && reason === 'process_exited')
    .map(({ message: { payload } }) => (typeof payload === 'string' ? payload.length : Number(payload)));
  post.runtime.deadLetters.discardAll();
  assert.equal(dead.length, stats.messagesDeadLettered);
  const seen = [...received, ...dead];
  assert.equal(new Set(seen).size, seen.length);
  // One that was abandoned, and one that it had received and said nothing of.
  const lost = stats.messagesSent - seen.length;
  assert.ok(lost >= stats.messagesAbandoned && lost <= 2, `${lost} were lost`);
  for (const isMine of [(number: number) => number < 0, (number: number) => number >= 0]) {
    const mine = seen.filter(isMine).map(Math.abs);
    assert.deepEqual(
      mine,
      mine.toSorted((a, b) => a - b),
    );
  }
  // Where it has not noticed by itself that nobody is there any more.
  await post.supervisor.terminateChild('pusher').catch((error: unknown) => assert.ok(isVigilError(error, 'ChildNotFound')));
}

function booked(stats: MailboxStats): number {
  const { messagesReceived, messagesExpired, messagesDropped, messagesDeadLettered, messagesAbandoned, depth } = stats;
  return messagesReceived + messagesExpired + messagesDropped + messagesDeadLettered + messagesAbandoned + depth;
}

function withCode(code: Parameters<typeof isVigilError>[1]): (error: unknown) => boolean {
  return (error) => isVigilError(error, code);
}
