import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { VirtualClock } from '../testing/index.js';
import { nextTurn } from './clock.js';
import { DeadLetterQueue } from './dead-letter-queue.js';
import { RecordingEnvironment } from './environment.suite.js';
import { isVigilError, type VigilErrorCode } from './errors.js';
import { LocalInbox } from './local-inbox.js';
import { Message } from './message.js';
import { type MailboxOptions, MailboxSettings } from './process-mailbox.js';
import type { SendOutcome } from './sender.js';

describe('LocalInbox', () => {
  it('MBX-01: gives out by priority, oldest first within one', async () => {
    const { inbox } = inboxOf();
    for (const priority of ['low', 'critical', 'high', 'normal', 'normal'] as const) inbox.send(priority, { priority });
    const received = [await inbox.recv(), await inbox.recv(), await inbox.recv(), await inbox.recv(), await inbox.recv()];
    assert.deepEqual(payloadsOf(received), ['critical', 'high', 'normal', 'normal', 'low']);
    assert.deepEqual(
      received.map((message) => message.id),
      ['m-2', 'm-3', 'm-4', 'm-5', 'm-1'],
    );
  });

  it('MBX-12: gives each sent payload a message id of its own', async () => {
    const { inbox } = inboxOf();
    inbox.send('a');
    inbox.sendBatch(['a', 'a']);
    await inbox.sendWait('a');
    assert.equal(new Set(inbox.recvBatch(10).map((message) => message.id)).size, 4);
  });

  it('carries what the sender said', async () => {
    const { inbox } = inboxOf();
    const options = { priority: 'high', ttlMs: 5, signal: 'custom', from: 'alice', correlationId: 'c1', replyTo: 'r1' } as const;
    inbox.send('hello', options);
    const { payload, priority, ttlMs, signal, sender, metadata } = await inbox.recv();
    assert.deepEqual([payload, priority, ttlMs, signal, sender], ['hello', 'high', 5, 'custom', 'alice']);
    assert.deepEqual(metadata, { correlationId: 'c1', replyTo: 'r1' });
  });

  it('takes a message that was made before', async () => {
    const { inbox } = inboxOf();
    assert.equal(inbox.sendMessage(new Message('m1', undefined, 'hello')), 'queued');
    assert.equal((await inbox.recv()).id, 'm1');
  });

  it('knows its name', () => {
    assert.equal(inboxOf().inbox.name, 'jobs');
  });

  it('tells how many wait on either side', () => {
    const { inbox } = inboxOf({ capacity: 1 });
    ignore(inbox.recv());
    ignore(inbox.recv());
    assert.deepEqual([inbox.stats().waitingReceivers, inbox.stats().waitingSenders], [2, 0]);
    inbox.send('a');
    inbox.send('b');
    inbox.send('c');
    ignore(inbox.sendWait('d'));
    const { waitingReceivers, waitingSenders, depth, messagesReceived, capacity } = inbox.stats();
    assert.deepEqual([waitingReceivers, waitingSenders, depth, messagesReceived, capacity], [0, 1, 1, 2, 1]);
  });

  it('looks at what is queued without receiving it', () => {
    const { inbox } = inboxOf();
    inbox.sendBatch(['a', 'b', 'c']);
    assert.deepEqual(payloadsOf(inbox.peek()), ['a', 'b', 'c']);
    assert.deepEqual(payloadsOf(inbox.peek(1)), ['a']);
    assert.equal(inbox.stats().depth, 3);
    for (const limit of [0, -1, 1.5]) assert.throws(() => inbox.peek(limit), withCode('InvalidConfiguration'));
  });
});

describe('LocalInbox: receiving', () => {
  it('MBX-03: recv waits for a message', async () => {
    const { inbox, clock } = inboxOf();
    const result = observe(inbox.recv());
    await clock.advance(1e9);
    assert.equal(result.state, 'pending');
    inbox.send('hello');
    assert.equal(payloadOf(await result.settled), 'hello');
  });

  it('MBX-03: recvTimeout waits as long as it is told, and not shorter', async () => {
    const { inbox, clock } = inboxOf();
    const result = observe(inbox.recvTimeout(10));
    await clock.advance(9.9);
    assert.equal(result.state, 'pending');
    await clock.advance(0.1);
    assert.equal(result.state, 'fulfilled');
    assert.equal(await result.settled, undefined);
  });

  it('MBX-03: recvTimeout takes what comes in time', async () => {
    const { inbox, clock } = inboxOf();
    const result = inbox.recvTimeout(10);
    await clock.advance(9);
    inbox.send('hello');
    assert.equal((await result)?.payload, 'hello');
    assert.equal(clock.pendingTimers, 0);
  });

  it('MBX-03: recvTimeout(0) and tryRecv take what is there and never wait', async () => {
    const { inbox } = inboxOf();
    inbox.sendBatch(['a', 'b']);
    assert.equal((await inbox.recvTimeout(0))?.payload, 'a');
    assert.equal(inbox.tryRecv()?.payload, 'b');
    assert.equal(await inbox.recvTimeout(0), undefined);
    assert.equal(inbox.tryRecv(), undefined);
    assert.equal(inbox.stats().waitingReceivers, 0);
  });

  it('rejects a time-out that is no duration, instead of throwing', async () => {
    const { inbox } = inboxOf();
    inbox.send('hello');
    for (const timeoutMs of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      await assert.rejects(inbox.recvTimeout(timeoutMs), withCode('InvalidConfiguration'));
    }
    assert.equal(inbox.stats().depth, 1);
  });

  it('MBX-04: serves waiting receivers in the order of their calls, one message each', async () => {
    const { inbox } = inboxOf();
    const results = [inbox.recv(), inbox.recvTimeout(50), inbox.recv()];
    inbox.sendBatch(['a', 'b', 'c', 'd']);
    assert.deepEqual(payloadsOf(await Promise.all(results)), ['a', 'b', 'c']);
    assert.equal(inbox.tryRecv()?.payload, 'd');
  });

  it('MBX-04: serves nothing to a receiver that timed out', async () => {
    const { inbox, clock } = inboxOf();
    const results = [inbox.recvTimeout(5), inbox.recv()];
    await clock.advance(5);
    inbox.send('a');
    assert.deepEqual(payloadsOf(await Promise.all(results)), [undefined, 'a']);
  });

  it('MBX-04: serves nothing to a receiver that gave up', async () => {
    const { inbox } = inboxOf();
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
    const { inbox } = inboxOf();
    const first = inbox.recv();
    inbox.send('a');
    const second = inbox.recv();
    inbox.send('b');
    assert.deepEqual(payloadsOf(await Promise.all([first, second])), ['a', 'b']);
  });

  it('hands a message to a waiting receiver before the send returns, so that no other can take it', async () => {
    const { inbox } = inboxOf();
    const result = inbox.recv();
    inbox.send('a');
    assert.equal(inbox.tryRecv(), undefined);
    assert.equal((await result).attemptCount, 1);
  });

  it('rejects with the reason of the signal, before and during the wait', async () => {
    const { inbox } = inboxOf();
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
    const { inbox, clock } = inboxOf();
    const { signal } = new AbortController();
    const results = [inbox.recv({ signal }), inbox.recvTimeout(5, { signal })];
    inbox.sendBatch(['a', 'b']);
    await Promise.all(results);
    assert.equal(clock.pendingTimers, 0);
    assert.deepEqual(getEventListeners(signal, 'abort'), []);
  });

  it('MBX-05: never delivers what has expired, and goes on to the next', async () => {
    const { inbox, clock } = inboxOf();
    inbox.send('expires', { ttlMs: 10 });
    inbox.send('stays');
    await clock.advance(10);
    assert.equal((await inbox.recv()).payload, 'stays');
    assert.equal(inbox.stats().messagesExpired, 1);
  });

  it('goes on waiting when all that was there has expired', async () => {
    const { inbox, clock } = inboxOf();
    inbox.send('expires', { ttlMs: 10 });
    await clock.advance(10);
    const result = inbox.recv();
    inbox.send('next');
    assert.equal((await result).payload, 'next');
  });

  it('delivers a replayed dead letter to a waiting receiver', async () => {
    const { inbox } = inboxOf();
    inbox.send('a');
    const letter = inbox.deadLetter(await inbox.recv());
    const result = inbox.recv();
    assert.equal(inbox.deadLetters.replay(letter.id), 'replayed');
    assert.deepEqual([(await result).payload, (await result).attemptCount], ['a', 2]);
  });
});

describe('LocalInbox: batches', () => {
  it('MBX-11: sendBatch stops at the first refusal and tells how many came in', () => {
    const { inbox } = inboxOf({ capacity: 2 });
    assert.equal(inbox.sendBatch(['a', 'b', 'c', 'd']), 2);
    assert.deepEqual(payloadsOf(inbox.peek()), ['a', 'b']);
    assert.equal(inbox.stats().messagesRejected, 1);
  });

  it('MBX-11: sendBatch throws when the first is refused', () => {
    const { inbox } = inboxOf({ capacity: 1 });
    inbox.send('a');
    assert.throws(() => inbox.sendBatch(['b', 'c']), withCode('MailboxFull'));
  });

  it('MBX-11: sendBatch counts what became a dead letter: it was kept', () => {
    const { inbox } = inboxOf({ capacity: 1, enableDeadletter: true });
    assert.equal(inbox.sendBatch(['a', 'b']), 2);
  });

  it('sendBatch gives each payload the options, and takes none for 0', () => {
    const { inbox } = inboxOf();
    assert.equal(inbox.sendBatch(['a', 'b'], { priority: 'high', from: 'alice' }), 2);
    for (const message of inbox.recvBatch(2)) assert.deepEqual([message.priority, message.sender], ['high', 'alice']);
    assert.equal(inbox.sendBatch([]), 0);
  });

  it('sendBatch refuses what is no list, such as a text', () => {
    const { inbox } = inboxOf();
    // @ts-expect-error it takes an array
    assert.throws(() => inbox.sendBatch('abc'), withCode('InvalidConfiguration'));
    assert.equal(inbox.stats().depth, 0);
  });

  it('sendBatch passes on what is no refusal', () => {
    const { inbox } = inboxOf<number>({ maxMessageSize: 10, sizeOf: failAtTwo });
    assert.throws(() => inbox.sendBatch([1, 2, 3]), /a bug in sizeOf/);
  });

  it('MBX-11: recvBatch gives up to so many, in the order of delivery', () => {
    const { inbox } = inboxOf();
    inbox.send('low', { priority: 'low' });
    inbox.sendBatch(['a', 'b']);
    assert.deepEqual(payloadsOf(inbox.recvBatch(2)), ['a', 'b']);
    assert.deepEqual(payloadsOf(inbox.recvBatch(5)), ['low']);
    assert.deepEqual(inbox.recvBatch(5), []);
  });

  it('recvBatch refuses a limit that is none', () => {
    const { inbox } = inboxOf();
    for (const limit of [0, -1, 1.5, Number.NaN]) assert.throws(() => inbox.recvBatch(limit), withCode('InvalidConfiguration'));
  });

  it('recvBatch admits waiting senders as it goes, and gives out theirs as well', async () => {
    const { inbox } = inboxOf({ capacity: 2 });
    inbox.sendBatch(['a', 'b']);
    const results = ['c', 'd', 'e'].map((payload) => inbox.sendWait(payload));
    assert.deepEqual(payloadsOf(inbox.recvBatch(3)), ['a', 'b', 'c']);
    assert.deepEqual(await Promise.all(results), ['queued', 'queued', 'queued']);
    assert.deepEqual(payloadsOf(inbox.peek()), ['d', 'e']);
  });

  it('recvBatch gives what is left of a closed inbox, also when some of it has expired, and then throws', async () => {
    const { inbox, clock } = inboxOf();
    inbox.send('a');
    inbox.send('b', { ttlMs: 5 });
    inbox.close();
    await clock.advance(5);
    assert.deepEqual(payloadsOf(inbox.recvBatch(5)), ['a']);
    assert.throws(() => inbox.recvBatch(5), withCode('InboxClosed'));
  });
});

describe('LocalInbox: waiting for room', () => {
  it('sendWait queues at once when there is room', async () => {
    const { inbox } = inboxOf({ capacity: 1 });
    const result = inbox.sendWait('a');
    assert.equal(inbox.stats().depth, 1);
    assert.equal(await result, 'queued');
  });

  it('sendWait carries what the sender said, without its own signal and time-out', async () => {
    const { inbox } = inboxOf({ capacity: 1 });
    inbox.send('a');
    const { signal } = new AbortController();
    const result = inbox.sendWait('b', { priority: 'low', from: 'alice', correlationId: 'c1', replyTo: 'r1', timeoutMs: 50, signal });
    inbox.tryRecv();
    await result;
    const message = inbox.tryRecv();
    assert.deepEqual([message?.payload, message?.priority, message?.sender, message?.signal], ['b', 'low', 'alice', undefined]);
    assert.deepEqual(message?.metadata, { correlationId: 'c1', replyTo: 'r1' });
  });

  it('sendWait waits in a full inbox until somebody receives', async () => {
    const { inbox, clock } = inboxOf({ capacity: 1 });
    inbox.send('a');
    const result = observe(inbox.sendWait('b'));
    await clock.advance(1e9);
    assert.equal(result.state, 'pending');
    assert.equal(inbox.tryRecv()?.payload, 'a');
    assert.equal(await result.settled, 'queued');
    assert.equal(inbox.tryRecv()?.payload, 'b');
  });

  it('admits waiting senders in the order of their calls, as far as there is room', async () => {
    const { inbox, clock } = inboxOf({ capacity: 2 });
    inbox.sendBatch(['a', 'b']);
    const results = ['c', 'd', 'e'].map((payload) => observe(inbox.sendWait(payload)));
    inbox.tryRecv();
    await clock.advance(0);
    assert.deepEqual(
      results.map((result) => result.state),
      ['fulfilled', 'pending', 'pending'],
    );
    inbox.tryRecv();
    inbox.tryRecv();
    await clock.advance(0);
    assert.deepEqual(payloadsOf(inbox.peek()), ['d', 'e']);
    assert.equal(results[2]?.state, 'fulfilled');
  });

  it('sendWait waits in a full inbox although overflow is kept as dead letters', async () => {
    const { inbox } = inboxOf({ capacity: 1, enableDeadletter: true });
    inbox.send('a');
    const result = inbox.sendWait('b');
    assert.equal(inbox.deadLetters.size, 0);
    inbox.tryRecv();
    assert.equal(await result, 'queued');
  });

  it('refuses a plain send while others wait for room', () => {
    const { inbox } = inboxOf({ capacity: 1 });
    inbox.send('a');
    ignore(inbox.sendWait('b'));
    assert.throws(() => inbox.send('c'), withCode('MailboxFull'));
    inbox.tryRecv();
    assert.throws(() => inbox.send('c'), withCode('MailboxFull'));
  });

  it('sendWait rejects with DeliveryTimeout when its time runs out, and its message never arrives', async () => {
    const { inbox, clock } = inboxOf({ capacity: 1 });
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
    const { inbox, clock } = inboxOf({ capacity: 1 });
    inbox.send('a');
    const result = observe(inbox.sendWait('b', { timeoutMs: 0 }));
    await clock.advance(0);
    assert.ok(isVigilError(await result.settled, 'DeliveryTimeout'));
  });

  it('leaves neither timer nor listener behind, however the wait ends', async () => {
    const { inbox, clock } = inboxOf({ capacity: 1 });
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
    const { inbox } = inboxOf({ capacity: 1 });
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
    const { inbox } = inboxOf({ maxMessageSize: 10 });
    await assert.rejects(inbox.sendWait('much too long a text'), withCode('MessageTooLarge'));
    await assert.rejects(inbox.sendWait('a', { ttlMs: 0 }), withCode('MessageExpired'));
    await assert.rejects(inbox.sendWait('a', { from: '' }), withCode('InvalidMessage'));
    await assert.rejects(inbox.sendWait('a', { timeoutMs: -1 }), withCode('InvalidConfiguration'));
    inbox.close();
    await assert.rejects(inbox.sendWait('a'), withCode('InboxClosed'));
  });

  it('rejects options that are none, instead of throwing', async () => {
    const { inbox } = inboxOf();
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
    const { inbox } = inboxOf({ capacity: 1 });
    inbox.send('a');
    inbox.close();
    await assert.rejects(inbox.sendWait('b'), withCode('InboxClosed'));
  });

  it('sendWait rejects a message that expired while it waited, and admits the next one instead', async () => {
    const { inbox, clock } = inboxOf({ capacity: 1 });
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
    const { inbox, clock } = inboxOf({ capacity: 2, defaultTtlMs: 100 });
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
    const { inbox, clock } = inboxOf({ capacity: 2 });
    inbox.send('stays');
    inbox.send('expires', { ttlMs: 10 });
    const results = ['c', 'd'].map((payload) => observe(inbox.sendWait(payload, { ttlMs: 30 })));
    await clock.advance(9);
    assert.equal(results[0]?.state, 'pending');
    await clock.advance(1);
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
    const { inbox, clock } = inboxOf({ capacity: 1 });
    inbox.send('received before it expires', { ttlMs: 10 });
    inbox.tryRecv();
    inbox.send('expires', { ttlMs: 100 });
    const result = observe(inbox.sendWait('waits'));
    await clock.advance(99);
    assert.equal(result.state, 'pending');
    await clock.advance(1);
    assert.equal(result.state, 'fulfilled');
  });

  it('counts a sender who waited in vain as refused', async () => {
    const { inbox, clock } = inboxOf({ capacity: 1 });
    inbox.send('a');
    const aborter = new AbortController();
    const results = [inbox.sendWait('b', { timeoutMs: 10 }), inbox.sendWait('c'), inbox.sendWait('d', { signal: aborter.signal })].map(
      observe,
    );
    await clock.advance(10);
    assert.equal(inbox.stats().messagesRejected, 1);
    // It was not refused: it was taken back.
    aborter.abort();
    inbox.close();
    assert.equal(inbox.stats().messagesRejected, 2);
    await Promise.all(results.map((result) => result.settled));
  });
});

describe('LocalInbox in an event loop that is late', () => {
  it('receives what a waiting sender puts in the place of an expired message, although nobody has admitted it yet', async () => {
    const { inbox, clock } = inboxOf({ capacity: 1 });
    inbox.send('expires', { ttlMs: 10 });
    const sent = inbox.sendWait('waited for room');
    clock.beLateBy(10);
    const received = observe(inbox.recv());
    assert.equal(payloadOf(await received.settled), 'waited for room');
    assert.equal(await sent, 'queued');
  });

  it('receives the message of the first sender that still has one when others expired while they waited', () => {
    const { inbox, clock } = inboxOf({ capacity: 1 });
    inbox.send('expires', { ttlMs: 10 });
    ignore(inbox.sendWait('expires, too', { ttlMs: 10 }));
    ignore(inbox.sendWait('stays'));
    clock.beLateBy(10);
    assert.equal(inbox.tryRecv()?.payload, 'stays');
  });

  it('does not let a newcomer overtake those that wait for room', async () => {
    const newcomers: ((inbox: LocalInbox) => unknown)[] = [
      (inbox) => ignore(inbox.sendWait('newcomer')),
      (inbox) => assert.throws(() => inbox.send('newcomer'), withCode('MailboxFull')),
      (inbox) => assert.throws(() => inbox.sendMessage(new Message('m1', undefined, 'newcomer')), withCode('MailboxFull')),
    ];
    for (const come of newcomers) {
      const { inbox, clock } = inboxOf({ capacity: 2 });
      inbox.sendBatch(['expires', 'expires'], { ttlMs: 10 });
      const results = [inbox.sendWait('first'), inbox.sendWait('second')];
      clock.beLateBy(10);
      come(inbox);
      assert.deepEqual(payloadsOf([inbox.tryRecv(), inbox.tryRecv()]), ['first', 'second']);
      assert.deepEqual(await Promise.all(results), ['queued', 'queued']);
    }
  });
});

describe('LocalInbox: dead letters', () => {
  it('DLQ-01: keeps what overflows', () => {
    const { inbox } = inboxOf({ capacity: 1, enableDeadletter: true });
    assert.deepEqual([inbox.send('a'), inbox.send('b')], ['queued', 'dead_lettered']);
    assert.deepEqual(
      inbox.deadLetters.list().map(({ message, reason }) => [message.payload, reason]),
      [['b', 'mailbox_full']],
    );
  });

  it('DLQ-05: gives up a received message, in the end as poison', async () => {
    const { inbox } = inboxOf({ maxAttempts: 2 });
    inbox.send('a');
    const first = inbox.deadLetter(await inbox.recv());
    inbox.deadLetters.replay(first.id);
    const second = inbox.deadLetter(await inbox.recv());
    assert.deepEqual([first.poisoned, second.poisoned], [false, true]);
    assert.equal(inbox.deadLetters.replay(second.id), 'poison');
  });
});

describe('LocalInbox: close', () => {
  it('MBX-09: rejects waiting receivers at once', async () => {
    const { inbox, clock } = inboxOf();
    const results = [inbox.recv(), inbox.recvTimeout(50)].map(observe);
    inbox.close();
    for (const result of results) assert.ok(isVigilError(await result.settled, 'InboxClosed'));
    assert.equal(clock.pendingTimers, 0);
  });

  it('MBX-09: rejects waiting senders at once, also those that an expiry would admit', async () => {
    const { inbox, clock } = inboxOf({ capacity: 1 });
    inbox.send('a', { ttlMs: 10 });
    const result = observe(inbox.sendWait('b', { timeoutMs: 5 }));
    inbox.close();
    assert.ok(isVigilError(await result.settled, 'InboxClosed'));
    assert.equal(clock.pendingTimers, 0);
  });

  it('MBX-09: gives out what is queued to later receives, then ends them with InboxClosed', async () => {
    const { inbox } = inboxOf();
    inbox.sendBatch(['a', 'b', 'c', 'd']);
    inbox.close();
    assert.equal(inbox.isClosed(), true);
    assert.equal((await inbox.recv()).payload, 'a');
    assert.equal((await inbox.recvTimeout(0))?.payload, 'b');
    assert.equal((await inbox.recvTimeout(10))?.payload, 'c');
    assert.equal(inbox.tryRecv()?.payload, 'd');
    await assert.rejects(inbox.recv(), withCode('InboxClosed'));
    await assert.rejects(inbox.recvTimeout(10), withCode('InboxClosed'));
    await assert.rejects(inbox.recvTimeout(0), withCode('InboxClosed'));
    assert.throws(() => inbox.tryRecv(), withCode('InboxClosed'));
  });

  it('MBX-09: refuses new messages of every kind', async () => {
    const { inbox } = inboxOf();
    inbox.close();
    assert.throws(() => inbox.send('a'), withCode('InboxClosed'));
    assert.throws(() => inbox.sendBatch(['a']), withCode('InboxClosed'));
    assert.throws(() => inbox.sendMessage(new Message('m1', undefined, 'a')), withCode('InboxClosed'));
    await assert.rejects(inbox.sendWait('a'), withCode('InboxClosed'));
  });

  it('MBX-09: makes dead letters of what is queued with discard', async () => {
    const { inbox, environment } = inboxOf({ enableDeadletter: true });
    inbox.send('a');
    inbox.close({ discard: true });
    await assert.rejects(inbox.recv(), withCode('InboxClosed'));
    assert.equal(inbox.stats().messagesDeadLettered, 1);
    assert.deepEqual(environment.takeEventTypes(), ['message_sent', 'message_dead_lettered']);
  });

  it('calls back once at the close', () => {
    const { inbox } = inboxOf();
    let calls = 0;
    inbox.onClose(() => (calls += 1));
    const cancel = inbox.onClose(() => assert.fail('was cancelled'));
    assert.equal(cancel(), true);
    inbox.close();
    inbox.close();
    assert.equal(calls, 1);
  });

  it('sends those who wait away even when a callback of onClose throws', async () => {
    const { inbox } = inboxOf();
    inbox.onClose(() => {
      throw new Error('from the callback');
    });
    const result = observe(inbox.recv());
    inbox.close();
    assert.ok(isVigilError(await result.settled, 'InboxClosed'));
  });

  it('closes at the end of a using block', () => {
    const { inbox } = inboxOf();
    inbox.send('a');
    inbox[Symbol.dispose]();
    assert.equal(inbox.isClosed(), true);
    assert.equal(inbox.stats().depth, 1);
  });

  it('ends with its process: sends everybody away and leaves the rest to the runtime', async () => {
    const { inbox, environment, clock } = inboxOf({ capacity: 1, enableDeadletter: true });
    inbox.send('a');
    const sent = observe(inbox.sendWait('b'));
    const letters = new DeadLetterQueue(10, clock, environment.telemetry);
    inbox.end(letters);
    assert.ok(isVigilError(await sent.settled, 'InboxClosed'));
    assert.deepEqual(
      letters.list().map(({ message, reason }) => [message.payload, reason]),
      [['a', 'process_exited']],
    );
    await assert.rejects(inbox.recv(), withCode('InboxClosed'));
  });
});

describe('LocalInbox that is held', () => {
  it('takes messages within its capacity and gives out none until it is released, then in their order', async () => {
    const { inbox } = inboxOf({ capacity: 3 });
    const early = observe(inbox.recv());
    inbox.hold();
    inbox.sendBatch(['a', 'b']);
    const late = observe(inbox.recv());
    assert.deepEqual([inbox.tryRecv(), inbox.recvBatch(5), await inbox.recvTimeout(0)], [undefined, [], undefined]);
    inbox.send('c');
    assert.throws(() => inbox.send('d'), withCode('MailboxFull'));
    await nextTurn();
    assert.deepEqual([early.state, late.state], ['pending', 'pending']);
    assert.deepEqual(payloadsOf(inbox.peek()), ['a', 'b', 'c']);
    inbox.release();
    assert.deepEqual(payloadsOf([await early.settled, await late.settled, inbox.tryRecv()]), ['a', 'b', 'c']);
  });

  it('lets waiting senders in as soon as it is released', async () => {
    const { inbox } = inboxOf({ capacity: 1 });
    inbox.hold();
    inbox.send('a');
    const sent = inbox.sendWait('b');
    const received = [inbox.recv(), inbox.recv()];
    inbox.release();
    assert.equal(await sent, 'queued');
    assert.deepEqual(payloadsOf(await Promise.all(received)), ['a', 'b']);
  });

  it('lets receivers wait on when it is released and has nothing for them', async () => {
    const { inbox } = inboxOf();
    inbox.hold();
    const received = inbox.recv();
    inbox.release();
    assert.equal(inbox.stats().waitingReceivers, 1);
    inbox.send('a');
    assert.equal((await received).payload, 'a');
  });

  it('lets time-outs and signals end a receive', async () => {
    const { inbox, clock } = inboxOf();
    inbox.hold();
    inbox.send('a');
    const aborter = new AbortController();
    const [timedOut, aborted] = [observe(inbox.recvTimeout(10)), observe(inbox.recv({ signal: aborter.signal }))];
    await clock.advance(10);
    aborter.abort();
    assert.equal(await timedOut.settled, undefined);
    await aborted.settled;
    assert.deepEqual([timedOut.state, aborted.state], ['fulfilled', 'rejected']);
  });

  it('ends every receive when it closes, and gives out what is left once it is released', async () => {
    const { inbox } = inboxOf();
    inbox.hold();
    inbox.send('a');
    const waiting = observe(inbox.recv());
    inbox.close();
    assert.ok(isVigilError(await waiting.settled, 'InboxClosed'));
    const [first, second] = [observe(inbox.recv()), observe(inbox.recv())];
    inbox.release();
    assert.equal(payloadOf(await first.settled), 'a');
    assert.ok(isVigilError(await second.settled, 'InboxClosed'));
  });
});

describe('LocalInbox: iteration', () => {
  it('gives each message and ends when the inbox closes, after what is queued', async () => {
    const { inbox } = inboxOf();
    inbox.sendBatch(['a', 'b']);
    const seen: unknown[] = [];
    for await (const message of inbox) {
      seen.push(message.payload);
      if (message.payload === 'b') {
        inbox.send('c');
        inbox.close();
      }
    }
    assert.deepEqual(seen, ['a', 'b', 'c']);
  });

  it('ends when the inbox closes while it waits', async () => {
    const { inbox, clock } = inboxOf();
    const loop = async () => {
      for await (const message of inbox) assert.fail(`got ${String(message.payload)}`);
      return 'ended';
    };
    const result = loop();
    await clock.advance(1);
    inbox.close();
    assert.equal(await result, 'ended');
  });

  it('takes no message that it does not give: a loop that breaks leaves the next one', async () => {
    const { inbox } = inboxOf();
    inbox.sendBatch(['a', 'b']);
    for await (const message of inbox) {
      assert.equal(message.payload, 'a');
      break;
    }
    assert.equal(inbox.tryRecv()?.payload, 'b');
  });
});

describe('Node', () => {
  it('stays alive for a receive with a time-out, for a send with one, and for a sender who waits for an expiry', async () => {
    const program = `
      const here = ${JSON.stringify(new URL('.', import.meta.url))};
      const { SystemClock } = await import(here + 'clock.js');
      const { LocalInbox } = await import(here + 'local-inbox.js');
      const { MailboxSettings } = await import(here + 'process-mailbox.js');
      const { noTelemetry } = await import(here + 'telemetry-event.js');
      const environment = { clock: new SystemClock(), telemetry: noTelemetry, nextMessageId: () => 1 };
      const inbox = new LocalInbox('jobs', new MailboxSettings({ capacity: 1 }), environment);
      console.log(await inbox.recvTimeout(5));
      inbox.send('a', { ttlMs: 30 });
      console.log(await inbox.sendWait('b', { timeoutMs: 5 }).catch((error) => error.code));
      console.log(await inbox.sendWait('c'));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], { timeout: 30_000 });
    assert.equal(stdout, 'undefined\nDeliveryTimeout\nqueued\n');
  });
});

describe('LocalInbox, whatever is done to it', () => {
  it('gives out in the order of the receives what came in the order of the sends, and leaves nobody waiting in vain', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.array(operations, { maxLength: 40 }), async (capacity, steps) => {
        const { inbox, clock } = inboxOf<number>({ capacity, priorityQueues: false });
        const waits: { readonly aborter: AbortController; readonly result: Observed }[] = [];
        const receives: (Observed | Message<number>)[] = [];
        const sends: { readonly result: Observed | SendOutcome | VigilErrorCode }[] = [];
        const wait = (start: (signal: AbortSignal) => Promise<unknown>) => {
          const aborter = new AbortController();
          const result = observe(start(aborter.signal));
          waits.push({ aborter, result });
          return result;
        };
        for (const step of steps) {
          switch (step.do) {
            case 'send':
              sends.push({ result: outcomeOf(() => inbox.send(sends.length, { ttlMs: step.ttlMs })) });
              break;
            case 'sendWait': {
              const { ttlMs, timeoutMs } = step;
              sends.push({ result: wait((signal) => inbox.sendWait(sends.length, { ttlMs, timeoutMs, signal })) });
              break;
            }
            case 'recv':
              receives.push(
                wait((signal) => (step.timeoutMs === undefined ? inbox.recv({ signal }) : inbox.recvTimeout(step.timeoutMs, { signal }))),
              );
              break;
            case 'recvNow':
              receives.push(...inbox.recvBatch(step.limit));
              break;
            case 'abort':
              waits[step.pick % waits.length]?.aborter.abort();
              break;
            case 'advance':
              await clock.advance(step.ms);
              break;
            case 'late':
              clock.beLateBy(step.ms);
              break;
          }
          const { waitingReceivers, waitingSenders, depth } = inbox.stats();
          assert.ok(waitingReceivers === 0 || inbox.peek().length === 0, 'a receiver waits although there is a message');
          assert.ok(waitingSenders === 0 || depth === capacity, 'a sender waits although there is room');
        }
        await clock.advance(1000);
        inbox.close();
        await nextTurn();
        assert.equal(clock.pendingTimers, 0);
        assert.deepEqual(
          waits.filter(({ result }) => result.state === 'pending'),
          [],
        );

        const received = receives
          .map((result) => (result instanceof Message ? result : result.value))
          .filter((value) => value instanceof Message);
        const numbers = received.map((message) => message.payload);
        assert.deepEqual(
          numbers,
          numbers.toSorted((a, b) => a - b),
        );
        assert.equal(new Set(numbers).size, numbers.length);
        const queued = sends.flatMap(({ result }, index) =>
          result === 'queued' || (typeof result === 'object' && result.value === 'queued') ? [index] : [],
        );
        assert.deepEqual(
          numbers.filter((number) => !queued.includes(number)),
          [],
        );
        const { messagesSent, messagesReceived, messagesExpired, depth } = inbox.stats();
        assert.deepEqual([messagesSent, messagesReceived], [queued.length, numbers.length]);
        assert.equal(messagesSent, messagesReceived + messagesExpired + depth);
      }),
      { numRuns: 1000 },
    );
  });
});

const ttls = fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined });
const timeouts = fc.option(fc.nat(6), { nil: undefined });

const operations = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('send'), ttlMs: ttls }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('sendWait'), ttlMs: ttls, timeoutMs: timeouts }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('recv'), timeoutMs: timeouts }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('recvNow'), limit: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('abort'), pick: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('advance'), ms: fc.nat(4) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('late'), ms: fc.integer({ min: 1, max: 6 }) }) },
);

/** A clock whose timers can be late, as they are in an event loop that was busy. */
class LateClock extends VirtualClock {
  #lateMs = 0;

  override now(): number {
    return super.now() + this.#lateMs;
  }

  beLateBy(ms: number): void {
    this.#lateMs += ms;
  }
}

interface Observed {
  state: 'pending' | 'fulfilled' | 'rejected';
  /** What it was fulfilled with, if it was. */
  value: unknown;
  /** Its value or its error; never rejects. */
  readonly settled: Promise<unknown>;
}

function observe(promise: Promise<unknown>): Observed {
  const observed: { -readonly [K in keyof Observed]: Observed[K] } = { state: 'pending', value: undefined, settled: Promise.resolve() };
  const settle = async () => {
    try {
      observed.value = await promise;
      observed.state = 'fulfilled';
      return observed.value;
    } catch (error) {
      observed.state = 'rejected';
      return error;
    }
  };
  observed.settled = settle();
  return observed;
}

/** For a wait that outlives its test. */
function ignore(promise: Promise<unknown>): void {
  observe(promise);
}

function inboxOf<T = unknown>(options: MailboxOptions<T> = {}) {
  const clock = new LateClock();
  const environment = new RecordingEnvironment(clock);
  return { inbox: new LocalInbox<T>('jobs', new MailboxSettings(options), environment), clock, environment };
}

function failAtTwo(payload: number): number {
  if (payload === 2) throw new TypeError('a bug in sizeOf');
  return 0;
}

function payloadOf(message: unknown): unknown {
  return message instanceof Message ? message.payload : undefined;
}

function payloadsOf(messages: readonly unknown[]): unknown[] {
  return messages.map(payloadOf);
}

function withCode(code: VigilErrorCode): (error: unknown) => boolean {
  return (error) => isVigilError(error, code);
}

/** What a send gave, or the code of its refusal. */
function outcomeOf(send: () => SendOutcome): SendOutcome | VigilErrorCode {
  try {
    return send();
  } catch (error) {
    if (isVigilError(error)) return error.code;
    throw error;
  }
}
