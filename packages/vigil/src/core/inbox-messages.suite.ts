import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { imbalanceOf, type InboxEngine, inboxOf, payloadsOf, receiveAll, withCode } from './inbox-bench.suite.js';
import { Message } from './message.js';

/** What an inbox keeps of a message, for how long, and what it tells of it. */
export function describeMessages(engine: InboxEngine): void {
  describe(`${engine.name}: messages`, () => {
    it('MBX-01: gives out in the order of arrival with priorities off', () => {
      const { inbox } = inboxOf(engine, { priorityQueues: false });
      for (const priority of ['low', 'critical', 'batch', 'high'] as const) inbox.send(priority, { priority });
      assert.deepEqual(payloadsOf(receiveAll(inbox)), ['low', 'critical', 'batch', 'high']);
    });

    it('MBX-01: lets what is urgent pass what is queued, and nothing of its own priority', () => {
      const { inbox } = inboxOf(engine);
      for (const payload of ['batch', 'low', 'normal', 'high', 'critical'] as const) inbox.send(`${payload} 1`, { priority: payload });
      inbox.tryRecv();
      for (const payload of ['batch', 'low', 'normal', 'high', 'critical'] as const) inbox.send(`${payload} 2`, { priority: payload });
      assert.deepEqual(payloadsOf(receiveAll(inbox)), [
        'critical 2',
        'high 1',
        'high 2',
        'normal 1',
        'normal 2',
        'low 1',
        'low 2',
        'batch 1',
        'batch 2',
      ]);
    });

    it('MBX-01: keeps the order over many more messages than it holds at a time', () => {
      const { inbox } = inboxOf<number>(engine, { capacity: 7 });
      const received: number[] = [];
      for (let number = 0; number < 700; number += 1) {
        inbox.send(number);
        if (inbox.stats().depth === 5) received.push(...inbox.recvBatch(3).map((message) => message.payload));
      }
      received.push(...receiveAll(inbox).map((message) => message.payload));
      assert.deepEqual(received, [...new Array(700).keys()]);
    });

    it('gives every payload out as it was sent', () => {
      const bytes = new Uint8Array([0, 1, 2, 254, 255]);
      const texts = ['', 'text', 'Grüße, 世界, 👋', 'a half \ud83d of a pair', 'x'.repeat(5000)];
      const views = [bytes, bytes.subarray(1, 3), new Uint8Array(0)];
      const primitives = [0, -0, 1.5, Number.NaN, 2n ** 70n, true, null, undefined];
      const objects = [[1, [2, [3]]], { a: { b: 'c' } }, new Map([['key', new Set([1])]]), new Date(5), new Float64Array([1.5])];
      const payloads = [...texts, ...views, ...primitives, ...objects];
      const { inbox } = inboxOf(engine);
      for (const payload of payloads) inbox.send(payload);
      assert.deepEqual(payloadsOf(inbox.peek()), payloads);
      assert.deepEqual(payloadsOf(receiveAll(inbox)), payloads);
    });

    it('MBX-13: keeps a copy of a message, which the sender cannot change', async () => {
      const { inbox } = inboxOf(engine);
      const message = new Message('m1', 'alice', 'hello');
      message.setCorrelationId('at the time of sending');
      inbox.sendMessage(message);
      message.setCorrelationId('changed');
      const received = await inbox.recv();
      assert.deepEqual([received.id, received.sender, received.payload], ['m1', 'alice', 'hello']);
      assert.equal(received.metadata.correlationId, 'at the time of sending');
      assert.equal(message.attemptCount, 0);
    });

    it('takes one message several times, each with a life of its own', () => {
      const { inbox } = inboxOf(engine);
      const message = new Message('m1', undefined, 'hello');
      inbox.sendMessage(message);
      inbox.sendMessage(message);
      const received = inbox.recvBatch(2);
      assert.notEqual(received[0], received[1]);
      assert.deepEqual(
        received.map(({ attemptCount }) => attemptCount),
        [1, 1],
      );
    });

    it('refuses what is no message', () => {
      const { inbox } = inboxOf(engine);
      // @ts-expect-error a payload is no message
      assert.throws(() => inbox.sendMessage('hello'), withCode('InvalidMessage'));
      // @ts-expect-error something like a message is no message
      assert.throws(() => inbox.sendMessage({ id: 'm1', payload: 'hello', priority: 'normal' }), withCode('InvalidMessage'));
      assert.throws(() => inbox.send('hello', { from: '' }), withCode('InvalidMessage'));
      assert.equal(inbox.stats().depth, 0);
    });

    it('refuses a message when it is full, over all priorities together', () => {
      const { inbox } = inboxOf(engine, { capacity: 2 });
      inbox.send('a', { priority: 'low' });
      inbox.send('b', { priority: 'batch' });
      assert.throws(() => inbox.send('c', { priority: 'critical' }), withCode('MailboxFull'));
      assert.throws(() => inbox.sendMessage(new Message('m1', undefined, 'd')), withCode('MailboxFull'));
      assert.deepEqual(payloadsOf(inbox.peek()), ['a', 'b']);
      assert.equal(inbox.stats().messagesRejected, 2);
    });

    it('reports what happens to each message', async () => {
      const { inbox, environment, clock } = inboxOf(engine);
      inbox.send('a', { priority: 'high' });
      inbox.send('b', { ttlMs: 5 });
      inbox.send('c');
      inbox.send('d', { priority: 'low' });
      const [a, b, c, d] = inbox.peek().map(({ id, priority }) => ({ mailbox: 'jobs', messageId: id, priority }));
      await clock.advance(5);
      inbox.recvBatch(2);
      inbox.close({ discard: true });
      assert.deepEqual(
        environment.events.map(({ eventType, metadata }) => [eventType, metadata]),
        [
          ...[a, b, c, d].map((message) => ['message_sent', message]),
          ['message_received', a],
          ['message_expired', b],
          ['message_received', c],
          ['message_dropped', d],
        ],
      );
    });
  });

  describe(`${engine.name}: expiry`, () => {
    it('MBX-05: a message whose age equals its ttl is expired', async () => {
      const { inbox, clock } = inboxOf(engine);
      inbox.send('young', { ttlMs: 10 });
      await clock.advance(9.99);
      assert.equal(inbox.tryRecv()?.payload, 'young');
      inbox.send('old', { ttlMs: 10 });
      await clock.advance(10);
      assert.equal(inbox.tryRecv(), undefined);
      assert.deepEqual([inbox.stats().messagesExpired, inbox.stats().messagesReceived], [1, 1]);
    });

    it('MBX-05: a message with a ttl of its own does not follow the default ttl', async () => {
      const { inbox, clock } = inboxOf(engine, { defaultTtlMs: 10 });
      inbox.send('default');
      inbox.send('longer', { ttlMs: 20 });
      inbox.send('shorter', { ttlMs: 5 });
      inbox.sendMessage(new Message('m1', undefined, 'default too'));
      inbox.sendMessage(new Message('m2', undefined, 'longer too', undefined, 'normal', 20, clock));
      await clock.advance(5);
      assert.deepEqual(payloadsOf(inbox.peek()), ['default', 'longer', 'default too', 'longer too']);
      await clock.advance(5);
      assert.deepEqual(payloadsOf(receiveAll(inbox)), ['longer', 'longer too']);
    });

    it('MBX-05: counts the age of a message from its making, not from its sending', async () => {
      const { inbox, clock } = inboxOf(engine);
      const message = new Message('m1', undefined, 'hello', undefined, 'normal', 10, clock);
      await clock.advance(6);
      inbox.sendMessage(message);
      await clock.advance(4);
      assert.equal(inbox.tryRecv(), undefined);
    });

    it('MBX-05: gives out a message that knows its ttl and its age', async () => {
      const { inbox, clock } = inboxOf(engine);
      inbox.send('a', { ttlMs: 10 });
      await clock.advance(6);
      const [shown, received] = [inbox.peek()[0], inbox.tryRecv()];
      assert.deepEqual([shown?.ttlMs, received?.ttlMs], [10, 10]);
      await clock.advance(3);
      assert.deepEqual([shown?.isExpired(), received?.isExpired()], [false, false]);
      await clock.advance(1);
      assert.deepEqual([shown?.isExpired(), received?.isExpired()], [true, true]);
    });

    it('MBX-05: refuses a message that has expired before it came', async () => {
      const { inbox, clock } = inboxOf(engine);
      const message = new Message('m1', undefined, 'hello', undefined, 'normal', 10, clock);
      await clock.advance(10);
      assert.throws(() => inbox.sendMessage(message), withCode('MessageExpired'));
      assert.throws(() => inbox.send('hello', { ttlMs: 0 }), withCode('MessageExpired'));
      assert.deepEqual([inbox.stats().messagesRejected, inbox.stats().messagesExpired], [2, 0]);
    });

    it('MBX-05: expired messages make room for a send that finds the inbox full, wherever they are queued', async () => {
      const { inbox, clock } = inboxOf(engine, { capacity: 3 });
      inbox.send('stays', { priority: 'low' });
      inbox.send('expires', { priority: 'low', ttlMs: 5 });
      inbox.send('expires, too', { priority: 'high', ttlMs: 5 });
      await clock.advance(5);
      assert.deepEqual([inbox.send('new', { priority: 'batch' }), inbox.send('newer', { priority: 'batch' })], ['queued', 'queued']);
      assert.throws(() => inbox.send('newest'), withCode('MailboxFull'));
      assert.deepEqual(payloadsOf(receiveAll(inbox)), ['stays', 'new', 'newer']);
      assert.deepEqual([inbox.stats().messagesExpired, inbox.stats().depth], [2, 0]);
    });

    it('MBX-05: expired messages make room for a replay', async () => {
      const { inbox, clock } = inboxOf(engine, { capacity: 1, enableDeadletter: true });
      inbox.send('expires', { ttlMs: 5 });
      inbox.send('overflows');
      assert.equal(inbox.deadLetters.replay(1), 'retained');
      await clock.advance(5);
      assert.equal(inbox.deadLetters.replay(1), 'replayed');
      assert.equal(inbox.tryRecv()?.payload, 'overflows');
    });
  });

  describe(`${engine.name}: size`, () => {
    it('MBX-07: takes a message of the largest size, as UTF-8, and refuses one that is larger', () => {
      const { inbox } = inboxOf<string | Uint8Array>(engine, { maxMessageSize: 10 });
      for (const payload of ['123456', 'äöü', new Uint8Array(6)])
        assert.equal(inbox.sendMessage(new Message('m', 'bob', payload)), 'queued');
      for (const payload of ['1234567', 'äöü1', new Uint8Array(7)]) {
        assert.throws(() => inbox.sendMessage(new Message('m', 'bob', payload)), withCode('MessageTooLarge'));
      }
      assert.deepEqual([inbox.stats().depth, inbox.stats().messagesRejected], [3, 3]);
    });

    it('MBX-07: counts correlation id, reply address and sender', () => {
      const { inbox } = inboxOf(engine, { maxMessageSize: 20 });
      for (const name of ['correlationId', 'replyTo', 'from'] as const) {
        assert.throws(() => inbox.send('short', { [name]: 'x'.repeat(20) }), withCode('MessageTooLarge'));
        assert.equal(inbox.send('short', { [name]: 'x' }), 'queued');
      }
    });

    it('MBX-07: counts anew when metadata are replaced', () => {
      const { inbox } = inboxOf(engine, { maxMessageSize: 10 });
      const message = new Message('m', undefined, 'short');
      for (const [correlationId, isTaken] of [
        ['1234', true],
        ['12345', false],
        ['1', true],
      ] as const) {
        message.setCorrelationId(correlationId);
        if (isTaken) assert.equal(inbox.sendMessage(message), 'queued');
        else assert.throws(() => inbox.sendMessage(message), withCode('MessageTooLarge'));
      }
    });

    it('MBX-07: makes no dead letter of a message that is too large, not even when it is full', () => {
      const { inbox } = inboxOf(engine, { maxMessageSize: 16, enableDeadletter: true, capacity: 1 });
      for (let i = 0; i < 2; i += 1) {
        assert.throws(() => inbox.send('much too long a text'), withCode('MessageTooLarge'));
        inbox.send('short');
      }
      assert.deepEqual([inbox.deadLetters.size, inbox.stats().messagesRejected], [1, 3]);
    });
  });

  describe(`${engine.name}: books`, () => {
    it('MBX-10: lists in the order of delivery without consuming or counting an attempt', () => {
      const { inbox } = inboxOf(engine);
      for (const priority of ['low', 'high', 'normal'] as const) inbox.send(priority, { priority });
      for (let look = 0; look < 2; look += 1) {
        assert.deepEqual(
          inbox.peek().map(({ payload, attemptCount }) => [payload, attemptCount]),
          [
            ['high', 0],
            ['normal', 0],
            ['low', 0],
          ],
        );
      }
      assert.equal(inbox.tryRecv()?.attemptCount, 1);
    });

    it('MBX-10: leaves out of the list what has expired', async () => {
      const { inbox, clock } = inboxOf(engine);
      inbox.send('expires', { ttlMs: 5 });
      inbox.send('stays');
      await clock.advance(5);
      assert.deepEqual(payloadsOf(inbox.peek(1)), ['stays']);
    });

    it('MBX-10: lists copies', () => {
      const { inbox } = inboxOf(engine);
      inbox.send('a');
      inbox.peek()[0]?.setCorrelationId('changed');
      assert.equal(inbox.tryRecv()?.metadata.correlationId, undefined);
    });

    it('MBX-10: counts where each message went that came in', async () => {
      const { inbox, clock } = inboxOf(engine, { capacity: 4 });
      inbox.send('expires', { ttlMs: 5 });
      inbox.sendBatch(['received', 'dropped', 'dropped']);
      assert.throws(() => inbox.send('refused'), withCode('MailboxFull'));
      await clock.advance(5);
      inbox.tryRecv();
      assert.deepEqual([inbox.stats().depth, imbalanceOf(inbox)], [2, 0]);
      inbox.close({ discard: true });
      const { messagesSent, messagesReceived, messagesExpired, messagesDropped, messagesRejected, depth } = inbox.stats();
      assert.deepEqual([messagesSent, messagesReceived, messagesExpired, messagesDropped, messagesRejected, depth], [4, 1, 1, 2, 1, 0]);
    });

    it('MBX-10: has books that balance for whoever listens to its events', async () => {
      const imbalances: number[] = [];
      const { inbox, clock } = inboxOf(engine, { capacity: 3, enableDeadletter: true }, () => imbalances.push(imbalanceOf(inbox)));
      inbox.send('expires', { ttlMs: 5 });
      inbox.sendBatch(['a', 'b', 'overflows']);
      await clock.advance(5);
      inbox.deadLetters.replay(1);
      inbox.deadLetter(await inbox.recv());
      inbox.deadLetters.discardAll();
      inbox.close({ discard: true });
      assert.deepEqual(new Set(imbalances), new Set([0]));
    });

    it('counts by priority what waits, with priorities off as well', () => {
      for (const priorityQueues of [true, false]) {
        const { inbox } = inboxOf(engine, { priorityQueues });
        for (const priority of ['low', 'low', 'critical'] as const) inbox.send(priority, { priority });
        assert.deepEqual(inbox.stats().depthByPriority, { critical: 1, high: 0, normal: 0, low: 2, batch: 0 });
      }
    });

    it('remembers how full it was at most', () => {
      const { inbox } = inboxOf(engine);
      inbox.sendBatch(['a', 'b', 'c']);
      receiveAll(inbox);
      inbox.send('d');
      assert.deepEqual([inbox.stats().peakDepth, inbox.stats().depth], [3, 1]);
    });
  });
}
