import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { isVigilError } from './errors.js';
import { type InboxEngine, inboxOf, observe, payloadOf, payloadsOf, withCode } from './inbox-bench.suite.js';

/** What an inbox does with senders while it is full. */
export function describeWaitingForRoom(engine: InboxEngine): void {
  describe(`${engine.name}: waiting for room`, () => {
    it('sendWait queues at once when there is room', async () => {
      const { inbox } = inboxOf(engine, { capacity: 1 });
      const result = inbox.sendWait('a');
      assert.equal(inbox.stats().depth, 1);
      assert.equal(await result, 'queued');
    });

    it('sendWait carries what the sender said, without its own signal and time-out', async () => {
      const { inbox } = inboxOf(engine, { capacity: 1 });
      inbox.send('a');
      const { signal } = new AbortController();
      const result = inbox.sendWait('b', { priority: 'low', from: 'alice', correlationId: 'c1', replyTo: 'r1', timeoutMs: 50, signal });
      inbox.tryRecv();
      await result;
      const message = await inbox.recv();
      assert.deepEqual([message.payload, message.priority, message.sender, message.signal], ['b', 'low', 'alice', undefined]);
      assert.deepEqual(message.metadata, { correlationId: 'c1', replyTo: 'r1' });
    });

    it('sendWait waits in a full inbox until somebody receives', async () => {
      const { inbox, clock } = inboxOf(engine, { capacity: 1 });
      inbox.send('a');
      const result = observe(inbox.sendWait('b'));
      await clock.advance(1e9);
      assert.equal(result.state, 'pending');
      assert.equal(inbox.tryRecv()?.payload, 'a');
      assert.equal(await result.settled, 'queued');
      assert.equal(inbox.tryRecv()?.payload, 'b');
    });

    it('admits waiting senders in the order of their calls, as far as there is room', async () => {
      const { inbox, clock } = inboxOf(engine, { capacity: 2 });
      inbox.sendBatch(['a', 'b']);
      const results = ['c', 'd', 'e'].map((payload) => observe(inbox.sendWait(payload)));
      inbox.tryRecv();
      await results[0]?.settled;
      await clock.advance(0);
      assert.deepEqual(
        results.map((result) => result.state),
        ['fulfilled', 'pending', 'pending'],
      );
      inbox.recvBatch(2);
      await Promise.all(results.map((result) => result.settled));
      assert.deepEqual(payloadsOf(inbox.peek()), ['d', 'e']);
      assert.equal(results[2]?.state, 'fulfilled');
    });

    it('sendWait does not overtake those that wait, although an expiry has made room that nobody has noticed', async () => {
      const { inbox, clock } = inboxOf(engine, { capacity: 1 });
      inbox.send('expires', { ttlMs: 10 });
      const results = [inbox.sendWait('first')];
      clock.beLateBy(10);
      results.push(inbox.sendWait('second'));
      assert.deepEqual(payloadsOf([await inbox.recv(), await inbox.recv()]), ['first', 'second']);
      assert.deepEqual(await Promise.all(results), ['queued', 'queued']);
    });

    it('sendWait waits in a full inbox although overflow is kept as dead letters', async () => {
      const { inbox } = inboxOf(engine, { capacity: 1, enableDeadletter: true });
      inbox.send('a');
      const result = inbox.sendWait('b');
      assert.equal(inbox.deadLetters.size, 0);
      inbox.tryRecv();
      assert.equal(await result, 'queued');
    });

    it('refuses a plain send while others wait for room', async () => {
      const { inbox } = inboxOf(engine, { capacity: 1 });
      inbox.send('a');
      const waiting = inbox.sendWait('b');
      assert.throws(() => inbox.send('c'), withCode('MailboxFull'));
      inbox.tryRecv();
      assert.equal(await waiting, 'queued');
      assert.throws(() => inbox.send('c'), withCode('MailboxFull'));
    });

    it('sendWait rejects with DeliveryTimeout when its time runs out, and its message never arrives', async () => {
      const { inbox, clock } = inboxOf(engine, { capacity: 1 });
      inbox.send('a');
      const result = observe(inbox.sendWait('b', { timeoutMs: 10 }));
      await clock.advance(9.9);
      assert.equal(result.state, 'pending');
      await clock.advance(0.1);
      assert.ok(isVigilError(await result.settled, 'DeliveryTimeout'));
      inbox.tryRecv();
      assert.equal(inbox.tryRecv(), undefined);
    });

    it('sendWait with a time-out of 0 does not wait for a receiver', async () => {
      const { inbox, clock } = inboxOf(engine, { capacity: 1 });
      inbox.send('a');
      const result = observe(inbox.sendWait('b', { timeoutMs: 0 }));
      await clock.advance(0);
      assert.ok(isVigilError(await result.settled, 'DeliveryTimeout'));
    });

    it('leaves neither timer nor listener behind, however the wait ends', async () => {
      const { inbox, clock } = inboxOf(engine, { capacity: 1 });
      const aborter = new AbortController();
      const { signal } = aborter;
      inbox.send('a', { ttlMs: 1000 });

      const timedOut = observe(inbox.sendWait('b', { timeoutMs: 10, signal }));
      await clock.advance(10);
      await timedOut.settled;
      assert.equal(clock.pendingTimers, 0);
      const admitted = inbox.sendWait('c', { ttlMs: 1000, timeoutMs: 10, signal });
      inbox.tryRecv();
      assert.equal(await admitted, 'queued');
      assert.equal(clock.pendingTimers, 0);
      const aborted = observe(inbox.sendWait('d', { timeoutMs: 10, signal }));
      assert.equal(getEventListeners(signal, 'abort').length, 1);
      aborter.abort();
      await aborted.settled;
      assert.equal(clock.pendingTimers, 0);
      assert.deepEqual(getEventListeners(signal, 'abort'), []);
    });

    it('sendWait rejects with the reason of the signal, before and during the wait', async () => {
      const { inbox } = inboxOf(engine, { capacity: 1 });
      const reason = new Error('changed my mind');
      await assert.rejects(inbox.sendWait('a', { signal: AbortSignal.abort(reason) }), reason);
      assert.equal(inbox.stats().depth, 0);
      inbox.send('a');
      const aborter = new AbortController();
      const result = observe(inbox.sendWait('b', { signal: aborter.signal }));
      aborter.abort(reason);
      assert.equal(await result.settled, reason);
      inbox.tryRecv();
      assert.equal(inbox.tryRecv(), undefined);
    });

    it('sendWait rejects what send would refuse, instead of throwing', async () => {
      const { inbox } = inboxOf(engine, { maxMessageSize: 10 });
      await assert.rejects(inbox.sendWait('much too long a text'), withCode('MessageTooLarge'));
      await assert.rejects(inbox.sendWait('a', { ttlMs: 0 }), withCode('MessageExpired'));
      await assert.rejects(inbox.sendWait('a', { from: '' }), withCode('InvalidMessage'));
      await assert.rejects(inbox.sendWait('a', { timeoutMs: -1 }), withCode('InvalidConfiguration'));
      inbox.close();
      await assert.rejects(inbox.sendWait('a'), withCode('InboxClosed'));
    });

    it('rejects options that are none, instead of throwing', async () => {
      const { inbox } = inboxOf(engine);
      // @ts-expect-error options are an object
      await assert.rejects(inbox.sendWait('a', null), withCode('InvalidMessage'));
      // @ts-expect-error a signal is an AbortSignal
      await assert.rejects(inbox.sendWait('a', { signal: 'stop' }), withCode('InvalidConfiguration'));
      // @ts-expect-error a signal is an AbortSignal
      await assert.rejects(inbox.recv({ signal: 'stop' }), withCode('InvalidConfiguration'));
      // @ts-expect-error a signal is an AbortSignal
      await assert.rejects(inbox.recvTimeout(5, { signal: 'stop' }), withCode('InvalidConfiguration'));
      assert.deepEqual([inbox.stats().depth, inbox.stats().waitingReceivers], [0, 0]);
    });

    it('sendWait does not wait for room in an inbox that is closed', async () => {
      const { inbox } = inboxOf(engine, { capacity: 1 });
      inbox.send('a');
      inbox.close();
      await assert.rejects(inbox.sendWait('b'), withCode('InboxClosed'));
    });

    it('sendWait rejects a message that expired while it waited, and admits the next one instead', async () => {
      const { inbox, clock } = inboxOf(engine, { capacity: 1 });
      inbox.send('a');
      const first = observe(inbox.sendWait('b', { ttlMs: 10 }));
      const second = inbox.sendWait('c');
      await clock.advance(10);
      inbox.tryRecv();
      assert.ok(isVigilError(await first.settled, 'MessageExpired'));
      assert.equal(await second, 'queued');
      assert.equal(inbox.tryRecv()?.payload, 'c');
    });

    it('counts a ttl of its own from the call, and the default ttl from the admission', async () => {
      const { inbox, clock } = inboxOf(engine, { capacity: 2, defaultTtlMs: 100 });
      inbox.sendBatch(['a', 'b'], { ttlMs: 1000 });
      const results = [inbox.sendWait('own', { ttlMs: 120 }), inbox.sendWait('default')];
      await clock.advance(50);
      inbox.recvBatch(2);
      await Promise.all(results);
      await clock.advance(70);
      assert.deepEqual(payloadsOf(inbox.peek()), ['default']);
      await clock.advance(30);
      assert.deepEqual(inbox.peek(), []);
    });

    it('MBX-05: admits a waiting sender as soon as a queued message expires', async () => {
      const { inbox, clock } = inboxOf(engine, { capacity: 2 });
      inbox.send('stays');
      inbox.send('expires', { ttlMs: 10 });
      const results = ['c', 'd'].map((payload) => observe(inbox.sendWait(payload, { ttlMs: 30 })));
      await clock.advance(9);
      assert.equal(results[0]?.state, 'pending');
      await clock.advance(1);
      assert.equal(await results[0]?.settled, 'queued');
      assert.deepEqual(payloadsOf(inbox.peek()), ['stays', 'c']);
      // At 30 c expires and makes room for d, which has expired by then, too.
      await clock.advance(19);
      assert.deepEqual(
        results.map((result) => result.state),
        ['fulfilled', 'pending'],
      );
      await clock.advance(1);
      assert.ok(isVigilError(await results[1]?.settled, 'MessageExpired'));
      assert.deepEqual(payloadsOf(inbox.peek()), ['stays']);
      assert.equal(clock.pendingTimers, 0);
    });

    it('MBX-05: admits a waiting sender at an expiry although an earlier one has come to nothing', async () => {
      const { inbox, clock } = inboxOf(engine, { capacity: 1 });
      inbox.send('received before it expires', { ttlMs: 10 });
      inbox.tryRecv();
      inbox.send('expires', { ttlMs: 100 });
      const result = observe(inbox.sendWait('waits'));
      await clock.advance(99);
      assert.equal(result.state, 'pending');
      await clock.advance(1);
      assert.equal(await result.settled, 'queued');
    });

    it('counts a sender who waited in vain as refused', async () => {
      const { inbox, clock } = inboxOf(engine, { capacity: 1 });
      inbox.send('a');
      const aborter = new AbortController();
      const results = [inbox.sendWait('b', { timeoutMs: 10 }), inbox.sendWait('c'), inbox.sendWait('d', { signal: aborter.signal })].map(
        observe,
      );
      await clock.advance(10);
      await results[0]?.settled;
      assert.equal(inbox.stats().messagesRejected, 1);
      // It was not refused: it was taken back.
      aborter.abort();
      inbox.close();
      await Promise.all(results.map((result) => result.settled));
      assert.equal(inbox.stats().messagesRejected, 2);
    });
  });

  describe(`${engine.name} in an event loop that is late`, () => {
    it('receives what a waiting sender puts in the place of an expired message, although nobody has admitted it yet', async () => {
      const { inbox, clock } = inboxOf(engine, { capacity: 1 });
      inbox.send('expires', { ttlMs: 10 });
      const sent = inbox.sendWait('waited for room');
      clock.beLateBy(10);
      const received = observe(inbox.recv());
      assert.equal(payloadOf(await received.settled), 'waited for room');
      assert.equal(await sent, 'queued');
    });
  });
}
