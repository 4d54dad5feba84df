import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runtime, type Runtime } from '../app/index.js';
import { type Inbox, isVigilError, LocalInbox, type Message, SharedInbox, type VigilErrorCode } from '../core/index.js';
import type { ProcessBody, ProcessContext } from '../processes/index.js';
import { VirtualClock } from '../testing/index.js';
import { describeWithInboxes } from './engines.suite.js';
import { ReplyMailbox } from './reply-mailbox.js';

interface World {
  readonly clock: VirtualClock;
  readonly runtime: Runtime;
}

function newWorld(): World {
  const clock = new VirtualClock();
  return { clock, runtime: runtime({ clock }) };
}

const ENGINES: readonly (readonly [name: string, inboxOf: (own: Runtime) => Inbox<string | undefined>])[] = [
  ['a local inbox', (own) => own.inbox()],
  ['a shared inbox', (own) => own.inboxBuilder<string | undefined>().shared().build()],
];

/** Answers what it is asked with twice as much; leaves `0` without an answer. */
function doubling(world: World): ProcessBody<number> {
  return async (ctx: ProcessContext<number>) => {
    for await (const message of ctx.inbox) {
      if (message.payload === -1) throw new Error('asked to crash');
      if (message.payload > 0) world.runtime.reply(message, message.payload * 2);
    }
  };
}

describeWithInboxes('request', (engine) => {
  it('RR-01: resolves with the payload of the reply, for a ref, a name, an address and an inbox', async () => {
    const world = newWorld();
    const supervisor = world.runtime.supervisor().child('a', doubling(world)).build();
    await supervisor.start();
    const ref = supervisor.getChildInfo('a')?.ref;
    assert.ok(ref);
    world.runtime.registry.register('doubler', ref);
    for (const target of [ref, 'doubler', world.runtime.via('doubler'), supervisor.address('a')]) {
      assert.equal(await world.runtime.request<number>(target, 21), 42);
    }
    const inbox = engine.build<number>(world.runtime);
    const asked = world.runtime.request(inbox, 3);
    world.runtime.reply(await inbox.recv(), 'three');
    assert.equal(await asked, 'three');
    await supervisor.stop();
    assert.equal(world.runtime.replies.pendingCalls, 0);
  });

  it('GS-06: rejects at once when the target is dead or unknown, also without a time-out', async () => {
    const world = newWorld();
    const supervisor = world.runtime.supervisor().child('a', doubling(world)).build();
    await supervisor.start();
    const ref = supervisor.getChildInfo('a')?.ref;
    assert.ok(ref);
    await supervisor.stop();
    await assert.rejects(world.runtime.request(ref, 1, { timeoutMs: 'infinity' }), withCode('ProcessNotFound'));
    await assert.rejects(world.runtime.request('nobody', 1, { timeoutMs: 'infinity' }), withCode('NotRegistered'));
    await assert.rejects(world.runtime.request(supervisor.address('a'), 1), withCode('ProcessNotFound'));
    assert.equal(world.runtime.replies.pendingCalls, 0);
  });

  it('GS-05: fails every waiting caller at once, with the exit reason, when the target ends', async () => {
    const world = newWorld();
    const supervisor = world.runtime.supervisor().child('a', doubling(world), { restartType: 'temporary' }).build();
    await supervisor.start();
    const ref = supervisor.getChildInfo('a')?.ref;
    assert.ok(ref);
    const calls = [0, -1, 5, 6].map((payload) => world.runtime.request(ref, payload, { timeoutMs: 'infinity' }));
    for (const outcome of await Promise.allSettled(calls)) {
      assert.equal(outcome.status, 'rejected');
      assert.ok(isVigilError(outcome.reason, 'ProcessNotFound'));
      const { reason } = outcome.reason.details;
      assert.ok(typeof reason === 'object' && reason !== null && 'kind' in reason);
      assert.equal(reason.kind, 'crashed');
      assert.ok(outcome.reason.cause instanceof Error && outcome.reason.cause.message === 'asked to crash');
    }
    await supervisor.stop();
  });

  it('GS-07, GS-08, RR-03: times out at its time; the late reply is counted and given to nobody', async () => {
    const world = newWorld();
    const inbox = engine.build<string>(world.runtime);
    const first = world.runtime.request(inbox, 'first', { timeoutMs: 100 });
    const late = await inbox.recv();
    const rejected = assert.rejects(first, withCode('OperationTimeout'));
    await world.clock.advance(99);
    assert.equal(world.runtime.replies.pendingCalls, 1);
    await world.clock.advance(1);
    await rejected;
    const second = world.runtime.request(inbox, 'second', { timeoutMs: 100 });
    world.runtime.reply(late, 'for the first');
    world.runtime.reply(await inbox.recv(), 'for the second');
    assert.equal(await second, 'for the second');
    assert.equal(world.runtime.replies.lateReplies, 1);
  });

  it('times out by default after 5,000 ms, and each call of a line by its own time', async () => {
    const world = newWorld();
    const inbox = engine.build<number>(world.runtime);
    const ends: string[] = [];
    const ask = (name: string, timeoutMs?: number) =>
      world.runtime
        .request(inbox, 0, timeoutMs === undefined ? undefined : { timeoutMs })
        .catch(() => ends.push(`${name} ${world.clock.now()}`));
    const all = [ask('a'), ask('b', 50)];
    await world.clock.advance(10);
    all.push(ask('c'), ask('d', 50));
    await world.clock.advance(6000);
    await Promise.all(all);
    assert.deepEqual(ends, ['b 50', 'd 60', 'a 5000', 'c 5010']);
  });

  it('sets one timer for any number of calls of one length', async () => {
    const world = newWorld();
    const inbox = engine.build<number>(world.runtime, (builder) => builder.capacity(1000));
    const calls = Array.from({ length: 1000 }, (_, n) => world.runtime.request(inbox, n));
    assert.equal(world.clock.pendingTimers, 1);
    for (const message of inbox.recvBatch(1000)) world.runtime.reply(message, message.payload);
    assert.deepEqual(
      await Promise.all(calls),
      Array.from({ length: 1000 }, (_, n) => n),
    );
    await world.clock.advance(0);
    assert.equal(world.clock.pendingTimers, 0);
  });

  it('gives up with the reason of its signal, before and during the wait', async () => {
    const world = newWorld();
    const inbox = engine.build(world.runtime);
    const controller = new AbortController();
    const asked = world.runtime.request(inbox, 1, { signal: controller.signal });
    const reason = new Error('no longer needed');
    controller.abort(reason);
    await assert.rejects(asked, reason);
    await assert.rejects(world.runtime.request(inbox, 2, { signal: controller.signal }), reason);
    assert.equal(inbox.stats().depth, 1);
  });

  it('fails at once when its request is refused, kept as a dead letter, expired, discarded or given up', async () => {
    const world = newWorld();
    const full = engine.build(world.runtime, (builder) => builder.capacity(1));
    full.send('x');
    await assert.rejects(world.runtime.request(full, 1), withCode('MailboxFull'));
    const lettered = engine.build(world.runtime, (builder) => builder.capacity(1).deadLetter(true));
    lettered.send('x');
    await assert.rejects(world.runtime.request(lettered, 1), withCode('MailboxFull'));

    const inbox = engine.build(world.runtime);
    const expiring = assert.rejects(world.runtime.request(inbox, 1, { ttlMs: 10 }), withCode('MessageExpired'));
    await world.clock.advance(10);
    assert.equal(inbox.tryRecv(), undefined);
    await expiring;

    const givenUp = world.runtime.request(inbox, 2);
    inbox.deadLetter(await inbox.recv());
    await assert.rejects(givenUp, withCode('ReceiverUnavailable'));

    const discarded = world.runtime.request(inbox, 3);
    inbox.close({ discard: true });
    await assert.rejects(discarded, withCode('InboxClosed'));
    await assert.rejects(world.runtime.request(inbox, 4), withCode('InboxClosed'));
  });

  it('lets the receiver of a closed inbox answer what is queued', async () => {
    const world = newWorld();
    const inbox = engine.build(world.runtime);
    const asked = world.runtime.request(inbox, 1);
    inbox.close();
    world.runtime.reply(await inbox.recv(), 'still');
    assert.equal(await asked, 'still');
  });

  it('is answered by whom the request was passed on to', async () => {
    const world = newWorld();
    const [front, back] = [engine.build(world.runtime), engine.build(world.runtime)];
    const asked = world.runtime.request(front, 1);
    back.sendMessage(await front.recv());
    world.runtime.reply(await back.recv(), 'from the back');
    assert.equal(await asked, 'from the back');
  });

  it('gives its texts to those who read them, and takes a reply that comes with them', async () => {
    const world = newWorld();
    const inbox = engine.build(world.runtime);
    const asked = world.runtime.request(inbox, 1);
    const { correlationId, replyTo } = (await inbox.recv()).metadata;
    assert.ok(correlationId !== undefined && replyTo !== undefined);
    world.runtime.reply(world.runtime.msg('by hand').withCorrelation(correlationId).replyTo(replyTo).build(), 'known by its text');
    assert.equal(await asked, 'known by its text');
    world.runtime.reply(world.runtime.msg('by hand').withCorrelation(correlationId).replyTo(replyTo).build(), 'again');
    assert.equal(world.runtime.replies.lateReplies, 1);
  });
});

describeWithInboxes('reply', (engine) => {
  it('RR-01: keeps the correlation id and goes to replyTo, else to the sender', () => {
    const world = newWorld();
    const [answers, client] = [engine.build(world.runtime), engine.build(world.runtime)];
    world.runtime.registry.register('answers', answers);
    world.runtime.registry.register('client', client);
    const both = world.runtime.msg('?').from('client').withCorrelation('corr_1').replyTo('answers').build();
    const response = world.runtime.reply(both, 'one');
    assert.equal(response.metadata.correlationId, 'corr_1');
    const received = answers.tryRecv();
    assert.deepEqual([received?.payload, received?.metadata.correlationId], ['one', 'corr_1']);
    world.runtime.reply(world.runtime.msg('?').from('client').withCorrelation('corr_2').build(), 'two');
    assert.deepEqual(client.tryRecv()?.payload, 'two');
  });

  it('RR-01: refuses a request without a correlation id, and what is no message', () => {
    const world = newWorld();
    assert.throws(() => world.runtime.reply(world.runtime.msg('?').from('client').build(), 'x'), withCode('InvalidMessage'));
    // @ts-expect-error no message
    assert.throws(() => world.runtime.reply('?', 'x'), withCode('InvalidMessage'));
  });

  it('says when nobody has the name in replyTo, and keeps a response to a sender whom nobody knows', () => {
    const world = newWorld();
    const lost = world.runtime.msg('?').withCorrelation('corr').replyTo('nobody').build();
    assert.throws(() => world.runtime.reply(lost, 'x'), withCode('NotRegistered'));
    const response = world.runtime.reply(world.runtime.msg('?').from('client').withCorrelation('corr_123').build(), 'response_data');
    assert.equal(response.metadata.correlationId, 'corr_123');
    assert.deepEqual(
      world.runtime.deadLetters.list().map(({ message, mailbox, reason }) => [message.payload, mailbox, reason]),
      [['response_data', 'client', 'delivery_failed']],
    );
  });
});

for (const [engine, inboxOf] of ENGINES) {
  describe(`ReplyMailbox on ${engine}`, () => {
    for (const [how, arrive] of [
      ['queued before', 'before'],
      ['that comes during the wait', 'during'],
    ] as const) {
      it(`RR-02: finds a reply ${how} and leaves the others untouched, in their order`, async () => {
        const { runtime: own } = newWorld();
        const inbox = inboxOf(own);
        const replies = new ReplyMailbox(inbox);
        inbox.send('x');
        inbox.send(undefined, { signal: 'heartbeat' });
        const send = () => inbox.send('the reply', { correlationId: 'r' });
        if (arrive === 'before') send();
        const waiting = replies.waitForReply('r', 1000);
        if (arrive === 'during') send();
        inbox.send('z', { correlationId: 'other' });
        assert.equal((await waiting).payload, 'the reply');
        assert.deepEqual(drain(inbox), [
          ['x', undefined, 1],
          [undefined, 'heartbeat', 1],
          ['z', undefined, 1],
        ]);
        const { messagesSent, messagesReceived, depth } = inbox.stats();
        assert.deepEqual([messagesSent, messagesReceived, depth], [4, 4, 0]);
      });
    }

    it('RR-02: leaves the others untouched when its time runs out, and with time 0 finds what is there', async () => {
      const { runtime: own, clock } = newWorld();
      const inbox = inboxOf(own);
      const replies = new ReplyMailbox(inbox);
      inbox.send('x');
      const timedOut = assert.rejects(replies.waitForReply('r', 10), withCode('DeliveryTimeout'));
      await clock.advance(10);
      await timedOut;
      await assert.rejects(replies.waitForReply('q', 0), withCode('DeliveryTimeout'));
      inbox.send('q', { correlationId: 'q' });
      assert.equal((await replies.waitForReply('q', 0)).payload, 'q');
      assert.deepEqual(drain(inbox), [['x', undefined, 1]]);
    });

    it('RR-02: ends with ReceiverUnavailable when the inbox closes, and leaves what is queued', async () => {
      const { runtime: own } = newWorld();
      const inbox = inboxOf(own);
      const replies = new ReplyMailbox(inbox);
      inbox.send('x');
      const waiting = assert.rejects(replies.waitForReply('r', 1000), withCode('ReceiverUnavailable'));
      inbox.close();
      await waiting;
      await assert.rejects(replies.waitForReply('r', 0), withCode('ReceiverUnavailable'));
      assert.deepEqual((await inbox.recv()).payload, 'x');
    });

    it('RR-03: a reply whose waiter has given up is a dead letter, and nobody receives it', async () => {
      const { runtime: own, clock } = newWorld();
      const inbox = inboxOf(own);
      const replies = new ReplyMailbox(inbox);
      const timedOut = assert.rejects(replies.waitForReply('r', 10), withCode('DeliveryTimeout'));
      await clock.advance(10);
      await timedOut;
      const other = inbox.recv();
      inbox.send('late', { correlationId: 'r' });
      inbox.send('ordinary');
      assert.equal((await other).payload, 'ordinary');
      assert.equal(replies.lateReplies, 1);
      assert.deepEqual(
        inbox.deadLetters.list().map(({ message, reason }) => [message.payload, reason]),
        [['late', 'late_reply']],
      );
      const { messagesSent, messagesReceived, messagesDeadLettered } = inbox.stats();
      assert.deepEqual([messagesSent, messagesReceived, messagesDeadLettered], [2, 1, 1]);
    });

    it('RR-02: hands every reply that came while the inbox was held to its waiter, and none before', async () => {
      const { runtime: own, clock } = newWorld();
      const inbox = inboxOf(own);
      assert.ok(inbox instanceof LocalInbox || inbox instanceof SharedInbox);
      const replies = new ReplyMailbox(inbox);
      inbox.hold();
      const early = ['a', 'b'].map((id) => replies.waitForReply(id, 1000));
      for (const id of ['a', 'b', 'c']) inbox.send(id, { correlationId: id });
      await assert.rejects(replies.waitForReply('c', 0), withCode('DeliveryTimeout'));
      assert.equal(inbox.stats().depth, 3);
      inbox.release();
      assert.deepEqual(
        (await Promise.all(early)).map(({ payload }) => payload),
        ['a', 'b'],
      );
      assert.equal((await replies.waitForReply('c', 0)).payload, 'c');
      await clock.advance(1000);
    });

    it('refuses what is no inbox, no id or no time', async () => {
      // @ts-expect-error no inbox
      assert.throws(() => new ReplyMailbox({}), withCode('InvalidConfiguration'));
      const replies = new ReplyMailbox(inboxOf(newWorld().runtime));
      await assert.rejects(replies.waitForReply('', 1), withCode('InvalidConfiguration'));
      await assert.rejects(replies.waitForReply('r', -1), withCode('InvalidConfiguration'));
    });
  });
}

function drain(inbox: { tryRecv(): Message<string | undefined> | undefined }): unknown[] {
  const seen: unknown[] = [];
  for (let message = inbox.tryRecv(); message !== undefined; message = inbox.tryRecv()) {
    seen.push([message.payload, message.signal, message.attemptCount]);
  }
  return seen;
}

function withCode(code: VigilErrorCode): (error: unknown) => boolean {
  return (error) => isVigilError(error, code);
}
