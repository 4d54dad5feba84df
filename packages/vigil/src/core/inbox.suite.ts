import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { describeClosing } from './inbox-close.suite.js';
import { describeDeadLetters } from './inbox-dead-letters.suite.js';
import { describeFlowControl } from './inbox-flow.suite.js';
import { describeHistories } from './inbox-histories.suite.js';
import { describeMessages } from './inbox-messages.suite.js';
import { describeModel } from './inbox-model.suite.js';
import { describePayloads } from './inbox-payloads.suite.js';
import { describeWaitingForRoom } from './inbox-room.suite.js';
import { type InboxEngine, ignore, inboxOf, observe, payloadOf, payloadsOf, withCode } from './inbox-bench.suite.js';
import { Message } from './message.js';

/** The contract of an inbox, whichever engine keeps its messages. */
export function describeInbox(engine: InboxEngine): void {
  describeReceiving(engine);
  describeMessages(engine);
  describePayloads(engine);
  describeWaitingForRoom(engine);
  describeDeadLetters(engine);
  describeClosing(engine);
  describeFlowControl(engine);
  describeModel(engine);
  describeHistories(engine);
}

function describeReceiving(engine: InboxEngine): void {
  describe(engine.name, () => {
    it('MBX-01: gives out by priority, oldest first within one', async () => {
      const { inbox } = inboxOf(engine);
      for (const priority of ['low', 'critical', 'high'] as const) inbox.send(priority, { priority });
      inbox.sendBatch(['normal 1', 'normal 2']);
      const received = [await inbox.recv(), await inbox.recv(), await inbox.recv(), await inbox.recv(), await inbox.recv()];
      assert.deepEqual(payloadsOf(received), ['critical', 'high', 'normal 1', 'normal 2', 'low']);
    });

    it('MBX-12: gives each sent payload a message id of its own', async () => {
      const { inbox } = inboxOf(engine);
      inbox.send('a');
      inbox.sendBatch(['a', 'a']);
      await inbox.sendWait('a');
      assert.equal(new Set(inbox.recvBatch(10).map((message) => message.id)).size, 4);
    });

    it('MBX-12: gives no message id twice among the inboxes of one runtime', () => {
      const { inbox, environment } = inboxOf(engine);
      const other = engine.create('mails', {}, environment);
      for (const target of [inbox, other, other, inbox]) target.send('a');
      assert.equal(new Set([...inbox.recvBatch(10), ...other.recvBatch(10)].map((message) => message.id)).size, 4);
    });

    it('carries what the sender said', async () => {
      const { inbox } = inboxOf(engine);
      const options = { priority: 'high', ttlMs: 5, signal: 'custom', from: 'alice', correlationId: 'c1', replyTo: 'r1' } as const;
      inbox.send('hello', options);
      const { payload, priority, ttlMs, signal, sender, metadata } = await inbox.recv();
      assert.deepEqual([payload, priority, ttlMs, signal, sender], ['hello', 'high', 5, 'custom', 'alice']);
      assert.deepEqual(metadata, { correlationId: 'c1', replyTo: 'r1' });
    });

    it('takes a message that was made before', async () => {
      const { inbox } = inboxOf(engine);
      assert.equal(inbox.sendMessage(new Message('m1', undefined, 'hello')), 'queued');
      assert.equal((await inbox.recv()).id, 'm1');
    });

    it('knows its name', () => {
      assert.equal(inboxOf(engine).inbox.name, 'jobs');
    });

    it('tells how many wait on either side', async () => {
      const { inbox } = inboxOf(engine, { capacity: 1 });
      const receives = [inbox.recv(), inbox.recv()];
      assert.deepEqual([inbox.stats().waitingReceivers, inbox.stats().waitingSenders], [2, 0]);
      for (const receive of receives) {
        inbox.send('a');
        await receive;
      }
      inbox.send('c');
      ignore(inbox.sendWait('d'));
      const { waitingReceivers, waitingSenders, depth, messagesReceived, capacity } = inbox.stats();
      assert.deepEqual([waitingReceivers, waitingSenders, depth, messagesReceived, capacity], [0, 1, 1, 2, 1]);
    });

    it('looks at what is queued without receiving it', () => {
      const { inbox } = inboxOf(engine);
      inbox.sendBatch(['a', 'b', 'c']);
      assert.deepEqual(payloadsOf(inbox.peek()), ['a', 'b', 'c']);
      assert.deepEqual(payloadsOf(inbox.peek(1)), ['a']);
      assert.equal(inbox.stats().depth, 3);
      for (const limit of [0, -1, 1.5]) assert.throws(() => inbox.peek(limit), withCode('InvalidConfiguration'));
    });
  });

  describe(`${engine.name}: receiving`, () => {
    it('MBX-03: recv waits for a message', async () => {
      const { inbox, clock } = inboxOf(engine);
      const result = observe(inbox.recv());
      await clock.advance(1e9);
      assert.equal(result.state, 'pending');
      inbox.send('hello');
      assert.equal(payloadOf(await result.settled), 'hello');
    });

    it('MBX-03: recvTimeout waits as long as it is told, and not shorter', async () => {
      const { inbox, clock } = inboxOf(engine);
      const result = observe(inbox.recvTimeout(10));
      await clock.advance(9.9);
      assert.equal(result.state, 'pending');
      await clock.advance(0.1);
      assert.equal(await result.settled, undefined);
      assert.equal(result.state, 'fulfilled');
    });

    it('MBX-03: recvTimeout takes what comes in time', async () => {
      const { inbox, clock } = inboxOf(engine);
      const result = inbox.recvTimeout(10);
      await clock.advance(9);
      inbox.send('hello');
      assert.equal((await result)?.payload, 'hello');
      assert.equal(clock.pendingTimers, 0);
    });

    it('MBX-03: recvTimeout(0) and tryRecv take what is there and never wait', async () => {
      const { inbox } = inboxOf(engine);
      inbox.sendBatch(['a', 'b']);
      assert.equal((await inbox.recvTimeout(0))?.payload, 'a');
      assert.equal(inbox.tryRecv()?.payload, 'b');
      assert.equal(await inbox.recvTimeout(0), undefined);
      assert.equal(inbox.tryRecv(), undefined);
      assert.equal(inbox.stats().waitingReceivers, 0);
    });

    it('rejects a time-out that is no duration, instead of throwing', async () => {
      const { inbox } = inboxOf(engine);
      inbox.send('hello');
      for (const timeoutMs of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
        await assert.rejects(inbox.recvTimeout(timeoutMs), withCode('InvalidConfiguration'));
      }
      assert.equal(inbox.stats().depth, 1);
    });

    it('MBX-04: serves waiting receivers in the order of their calls, one message each', async () => {
      const { inbox } = inboxOf(engine);
      const results = [inbox.recv(), inbox.recvTimeout(50), inbox.recv()];
      inbox.sendBatch(['a', 'b', 'c', 'd']);
      assert.deepEqual(payloadsOf(await Promise.all(results)), ['a', 'b', 'c']);
      assert.equal(inbox.tryRecv()?.payload, 'd');
    });

    it('MBX-04: serves nothing to a receiver that timed out', async () => {
      const { inbox, clock } = inboxOf(engine);
      const results = [inbox.recvTimeout(5), inbox.recv()];
      await clock.advance(5);
      inbox.send('a');
      assert.deepEqual(payloadsOf(await Promise.all(results)), [undefined, 'a']);
    });

    it('MBX-04: serves nothing to a receiver that gave up', async () => {
      const { inbox } = inboxOf(engine);
      const aborter = new AbortController();
      const first = observe(inbox.recv({ signal: aborter.signal }));
      const second = inbox.recv();
      aborter.abort(new Error('gave up'));
      inbox.send('a');
      assert.equal((await second).payload, 'a');
      await first.settled;
      assert.equal(first.state, 'rejected');
    });

    it('MBX-04: does not let a receiver overtake those that wait', async () => {
      const { inbox } = inboxOf(engine);
      const first = inbox.recv();
      inbox.send('a');
      const second = inbox.recv();
      inbox.send('b');
      assert.deepEqual(payloadsOf(await Promise.all([first, second])), ['a', 'b']);
    });

    it('rejects with the reason of the signal, before and during the wait', async () => {
      const { inbox } = inboxOf(engine);
      const reason = new Error('changed my mind');
      const aborted = AbortSignal.abort(reason);
      inbox.send('stays');
      await assert.rejects(inbox.recv({ signal: aborted }), reason);
      await assert.rejects(inbox.recvTimeout(5, { signal: aborted }), reason);
      await assert.rejects(inbox.recvTimeout(0, { signal: aborted }), reason);
      assert.equal(inbox.tryRecv()?.payload, 'stays');

      const aborter = new AbortController();
      const results = [inbox.recv({ signal: aborter.signal }), inbox.recvTimeout(5, { signal: aborter.signal })].map(observe);
      aborter.abort(reason);
      for (const result of results) assert.equal(await result.settled, reason);
      assert.equal(inbox.stats().waitingReceivers, 0);
    });

    it('leaves neither timer nor listener behind', async () => {
      const { inbox, clock } = inboxOf(engine);
      const { signal } = new AbortController();
      const results = [inbox.recv({ signal }), inbox.recvTimeout(5, { signal })];
      inbox.sendBatch(['a', 'b']);
      await Promise.all(results);
      assert.equal(clock.pendingTimers, 0);
      assert.deepEqual(getEventListeners(signal, 'abort'), []);
    });

    it('MBX-05: never delivers what has expired, and goes on to the next', async () => {
      const { inbox, clock } = inboxOf(engine);
      inbox.send('expires', { ttlMs: 10 });
      inbox.send('stays');
      await clock.advance(10);
      assert.equal((await inbox.recv()).payload, 'stays');
      assert.equal(inbox.stats().messagesExpired, 1);
    });

    it('goes on waiting when all that was there has expired', async () => {
      const { inbox, clock } = inboxOf(engine);
      inbox.send('expires', { ttlMs: 10 });
      await clock.advance(10);
      const result = inbox.recv();
      inbox.send('next');
      assert.equal((await result).payload, 'next');
    });

    it('delivers a replayed dead letter to a waiting receiver', async () => {
      const { inbox } = inboxOf(engine);
      inbox.send('a');
      const letter = inbox.deadLetter(await inbox.recv());
      const result = inbox.recv();
      assert.equal(inbox.deadLetters.replay(letter.id), 'replayed');
      assert.deepEqual([(await result).payload, (await result).attemptCount], ['a', 2]);
    });
  });

  describe(`${engine.name}: batches`, () => {
    it('MBX-11: sendBatch stops at the first refusal and tells how many came in', () => {
      const { inbox } = inboxOf(engine, { capacity: 2 });
      assert.equal(inbox.sendBatch(['a', 'b', 'c', 'd']), 2);
      assert.deepEqual(payloadsOf(inbox.peek()), ['a', 'b']);
      assert.equal(inbox.stats().messagesRejected, 1);
    });

    it('MBX-11: sendBatch throws when the first is refused', () => {
      const { inbox } = inboxOf(engine, { capacity: 1 });
      inbox.send('a');
      assert.throws(() => inbox.sendBatch(['b', 'c']), withCode('MailboxFull'));
    });

    it('MBX-11: sendBatch counts what became a dead letter: it was kept', () => {
      const { inbox } = inboxOf(engine, { capacity: 1, enableDeadletter: true });
      assert.equal(inbox.sendBatch(['a', 'b']), 2);
    });

    it('sendBatch gives those who wait theirs at once, so that it takes no room', async () => {
      const { inbox } = inboxOf(engine, { capacity: 3 });
      const received = [inbox.recv(), inbox.recv()];
      assert.equal(inbox.sendBatch(['a', 'b', 'c', 'd', 'e', 'f']), 5);
      assert.deepEqual(
        (await Promise.all(received)).map(({ payload }) => payload),
        ['a', 'b'],
      );
    });

    it('sendBatch gives each payload the options, and takes none for 0', () => {
      const { inbox } = inboxOf(engine);
      assert.equal(inbox.sendBatch(['a', 'b'], { priority: 'high', from: 'alice' }), 2);
      for (const message of inbox.recvBatch(2)) assert.deepEqual([message.priority, message.sender], ['high', 'alice']);
      assert.equal(inbox.sendBatch([]), 0);
    });

    it('sendBatch refuses what is no list, such as a text', () => {
      const { inbox } = inboxOf(engine);
      // @ts-expect-error it takes an array
      assert.throws(() => inbox.sendBatch('abc'), withCode('InvalidConfiguration'));
      assert.equal(inbox.stats().depth, 0);
    });

    it('MBX-11: recvBatch gives up to so many, in the order of delivery', () => {
      const { inbox } = inboxOf(engine);
      inbox.send('low', { priority: 'low' });
      inbox.sendBatch(['a', 'b']);
      assert.deepEqual(payloadsOf(inbox.recvBatch(2)), ['a', 'b']);
      assert.deepEqual(payloadsOf(inbox.recvBatch(5)), ['low']);
      assert.deepEqual(inbox.recvBatch(5), []);
    });

    it('recvBatch refuses a limit that is none', () => {
      const { inbox } = inboxOf(engine);
      for (const limit of [0, -1, 1.5, Number.NaN]) assert.throws(() => inbox.recvBatch(limit), withCode('InvalidConfiguration'));
    });

    it('recvBatch gives what is left of a closed inbox, also when some of it has expired, and then throws', async () => {
      const { inbox, clock } = inboxOf(engine);
      inbox.send('a');
      inbox.send('b', { ttlMs: 5 });
      inbox.close();
      await clock.advance(5);
      assert.deepEqual(payloadsOf(inbox.recvBatch(5)), ['a']);
      assert.throws(() => inbox.recvBatch(5), withCode('InboxClosed'));
    });
  });
}
