import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DeadLetter } from './dead-letter.js';
import { type InboxEngine, inboxOf, payloadsOf, receiveAll, withCode } from './inbox-bench.suite.js';
import type { Inbox } from './inbox.js';
import { Message } from './message.js';

/** What an inbox could not queue, or was told to give up. */
export function describeDeadLetters(engine: InboxEngine): void {
  describe(`${engine.name}: dead letters`, () => {
    it('DLQ-01: keeps what overflows, and leaves the queue as it is', () => {
      const { inbox } = inboxOf(engine, { capacity: 1, enableDeadletter: true });
      assert.deepEqual([inbox.send('a'), inbox.send('b')], ['queued', 'dead_lettered']);
      assert.deepEqual(
        inbox.deadLetters.list().map(({ id, reason, mailbox, message }) => [id, reason, mailbox, message.payload]),
        [[1, 'mailbox_full', 'jobs', 'b']],
      );
      assert.deepEqual(payloadsOf(inbox.peek()), ['a']);
      const { messagesSent, messagesDropped, messagesDeadLettered, messagesRejected, deadLetters } = inbox.stats();
      assert.deepEqual([messagesSent, messagesDropped, messagesDeadLettered, messagesRejected, deadLetters], [1, 0, 0, 1, 1]);
    });

    it('DLQ-01: refuses what overflows when there is no room for another dead letter', () => {
      const { inbox } = inboxOf(engine, { capacity: 1, enableDeadletter: true, deadletterCapacity: 1 });
      inbox.sendBatch(['a', 'b']);
      assert.equal(inbox.deadLetters.isFull, true);
      assert.throws(() => inbox.send('c'), withCode('MailboxFull'));
      assert.deepEqual([payloadsIn(inbox), inbox.deadLetters.evicted], [['b'], 0]);
    });

    it('DLQ-03: shows what it holds without consuming it: id, message, reason, mailbox, time, poison', async () => {
      const { inbox, clock } = inboxOf(engine, { capacity: 1, enableDeadletter: true, maxAttempts: 1 });
      inbox.send('a', { priority: 'high', from: 'alice', correlationId: 'c1', replyTo: 'r1', signal: 'custom' });
      await clock.advance(250);
      const first = clock.wallTime();
      inbox.send('b');
      await clock.advance(250);
      inbox.deadLetter(await inbox.recv());
      for (let look = 0; look < 2; look += 1) {
        assert.deepEqual(
          inbox.deadLetters.list().map(({ message, ...rest }) => ({ ...rest, message: message.payload })),
          [
            { id: 1, message: 'b', reason: 'mailbox_full', mailbox: 'jobs', timestampMs: first, poisoned: false },
            { id: 2, message: 'a', reason: 'max_attempts', mailbox: 'jobs', timestampMs: first + 250, poisoned: true },
          ],
        );
      }
      const { sender, priority, signal, metadata, attemptCount } = letterAt(inbox, 1).message;
      assert.deepEqual([sender, priority, signal, attemptCount], ['alice', 'high', 'custom', 1]);
      assert.deepEqual(metadata, { correlationId: 'c1', replyTo: 'r1' });
      assert.deepEqual([inbox.deadLetters.size, inbox.deadLetters.capacity], [2, 1000]);
    });

    it('DLQ-03: shows copies', () => {
      const { inbox } = inboxOf(engine, { capacity: 1, enableDeadletter: true });
      inbox.sendBatch(['a', 'b']);
      letterAt(inbox, 0).message.setCorrelationId('changed');
      inbox.deadLetters.list().pop();
      assert.equal(letterAt(inbox, 0).message.metadata.correlationId, undefined);
      inbox.tryRecv();
      inbox.deadLetters.replay(1);
      assert.equal(inbox.tryRecv()?.metadata.correlationId, undefined);
    });

    it('DLQ-03: counts ids up and uses none twice', () => {
      const { inbox } = inboxOf(engine, { capacity: 1, enableDeadletter: true, deadletterCapacity: 2 });
      inbox.sendBatch(['a', 'b', 'c']);
      inbox.deadLetters.discardAll();
      inbox.send('d');
      inbox.deadLetters.discard(3);
      inbox.send('e');
      assert.deepEqual(
        inbox.deadLetters.list().map(({ id }) => id),
        [4],
      );
    });

    it('lets the oldest make room for what is given up, counts and reports it', async () => {
      const { inbox, environment } = inboxOf(engine, { deadletterCapacity: 2 });
      inbox.sendBatch(['a', 'b', 'c']);
      const [first] = inbox.peek();
      for (const message of inbox.recvBatch(3)) inbox.deadLetter(message);
      assert.deepEqual([payloadsIn(inbox), inbox.deadLetters.size, inbox.deadLetters.evicted], [['b', 'c'], 2, 1]);
      assert.deepEqual(
        environment.events.filter(({ eventType }) => eventType === 'message_dropped').map(({ metadata }) => metadata),
        [{ mailbox: 'jobs', messageId: first?.id, priority: 'normal', deadLetterId: 1 }],
      );
      assert.equal(inbox.stats().messagesDropped, 0);
    });

    it('DLQ-05: gives up a received message, in the end as poison, and tells once', async () => {
      const poison: DeadLetter[] = [];
      const { inbox, environment } = inboxOf(engine, { maxAttempts: 2, onPoison: (letter) => poison.push(letter) });
      inbox.send('a');
      const first = inbox.deadLetter(await inbox.recv());
      assert.deepEqual([first.reason, first.poisoned], ['delivery_failed', false]);
      assert.equal(inbox.deadLetters.replay(first.id), 'replayed');
      assert.equal(poison.length, 0);

      const second = inbox.deadLetter(await inbox.recv());
      assert.deepEqual([second.reason, second.poisoned], ['max_attempts', true]);
      assert.equal(inbox.deadLetters.replay(second.id), 'poison');
      assert.equal(inbox.deadLetters.replay(second.id, inboxOf(engine).inbox), 'poison');
      assert.deepEqual(
        poison.map(({ id, message }) => [id, message.payload]),
        [[second.id, 'a']],
      );
      assert.equal(environment.takeEventTypes().filter((type) => type === 'poison_message_detected').length, 1);
      assert.deepEqual([inbox.deadLetters.discard(second.id), inbox.deadLetters.size], [true, 0]);
    });

    it('survives an onPoison that throws, and logs it', async () => {
      const failure = new Error('from onPoison');
      const onPoison = () => {
        throw failure;
      };
      const { inbox, environment } = inboxOf(engine, { maxAttempts: 1, onPoison });
      inbox.send('a');
      assert.equal(inbox.deadLetter(await inbox.recv()).poisoned, true);
      assert.deepEqual(
        environment.errors.map(({ details }) => details),
        [failure],
      );
    });

    it('keeps what is given up although overflow is not kept', async () => {
      const { inbox } = inboxOf(engine, { enableDeadletter: false });
      inbox.send('a');
      inbox.deadLetter(await inbox.recv());
      assert.deepEqual([payloadsIn(inbox), inbox.stats().deadLetters], [['a'], 1]);
    });

    it('can give up what it gave out, also after it was closed', async () => {
      const { inbox } = inboxOf(engine);
      inbox.send('a');
      inbox.close();
      assert.equal(inbox.deadLetter(await inbox.recv()).reason, 'delivery_failed');
    });

    it('DLQ-07: lets a message be given up once for each time it was received', async () => {
      const { inbox } = inboxOf(engine);
      inbox.send('a');
      const message = await inbox.recv();
      const letter = inbox.deadLetter(message);
      assert.throws(() => inbox.deadLetter(message), withCode('InvalidState'));
      inbox.deadLetters.replay(letter.id);
      assert.throws(() => inbox.deadLetter(message), withCode('InvalidState'));
      inbox.deadLetter(await inbox.recv());
      assert.equal(inbox.deadLetters.size, 1);
    });

    it('DLQ-07: does not let a message be given up that nobody has received, such as the copies for looking at', async () => {
      const { inbox } = inboxOf(engine);
      inbox.send('a');
      for (const message of inbox.peek()) assert.throws(() => inbox.deadLetter(message), withCode('InvalidState'));
      inbox.deadLetter(await inbox.recv());
      assert.throws(() => inbox.deadLetter(letterAt(inbox, 0).message), withCode('InvalidState'));
      assert.throws(() => inbox.deadLetter(new Message('m1', undefined, 'never sent')), withCode('InvalidState'));
      // @ts-expect-error something like a message is no message
      assert.throws(() => inbox.deadLetter({ id: 'm1' }), withCode('InvalidMessage'));
      assert.equal(inbox.deadLetters.size, 1);
    });

    it('DLQ-07: lets one win when a replay and a discard of one dead letter meet', () => {
      let isReplaying = false;
      const outcomes: unknown[] = [];
      const { inbox } = inboxOf(engine, { capacity: 1, enableDeadletter: true }, (eventType) => {
        // While the message is on its way back into the queue.
        if (eventType === 'message_sent' && isReplaying) {
          outcomes.push(inbox.deadLetters.discard(1), inbox.deadLetters.replay(1), inbox.deadLetters.discardAll());
        }
      });
      inbox.sendBatch(['a', 'b']);
      inbox.tryRecv();
      isReplaying = true;
      assert.equal(inbox.deadLetters.replay(1), 'replayed');
      assert.deepEqual(outcomes, [false, 'not_found', 0]);
      assert.deepEqual([inbox.deadLetters.discard(1), payloadsOf(receiveAll(inbox)), inbox.deadLetters.size], [false, ['b'], 0]);
    });

    it('DLQ-07: replays nothing that was discarded, and discards nothing twice', () => {
      const { inbox } = inboxOf(engine, { capacity: 1, enableDeadletter: true });
      inbox.sendBatch(['a', 'b', 'c', 'd']);
      receiveAll(inbox);
      const { deadLetters } = inbox;
      assert.deepEqual([deadLetters.discard(1), deadLetters.discard(1), deadLetters.replay(1)], [true, false, 'not_found']);
      assert.deepEqual([deadLetters.discardAll(), deadLetters.discardAll(), deadLetters.replay(2)], [2, 0, 'not_found']);
      assert.deepEqual(receiveAll(inbox), []);
    });

    it('DLQ-08: reports each action once, and discarding all as one', async () => {
      const { inbox, environment } = inboxOf(engine, { capacity: 2, enableDeadletter: true, maxAttempts: 1 });
      inbox.sendBatch(['poison', 'b', 'c', 'd', 'e', 'f']);
      const messageIds = [...inbox.deadLetters.list().map(({ message }) => message.id), inbox.peek()[0]?.id];
      const factsOf = (deadLetterId: number) => ({
        mailbox: 'jobs',
        messageId: messageIds[deadLetterId - 1],
        priority: 'normal',
        deadLetterId,
      });
      inbox.deadLetter(await inbox.recv());
      inbox.deadLetters.replay(1);
      inbox.deadLetters.replay(2);
      inbox.deadLetters.discard(2);
      inbox.deadLetters.discard(2);
      inbox.deadLetters.discardAll();
      inbox.deadLetters.discardAll();
      const own = ['message_dead_lettered', 'poison_message_detected', 'message_replayed', 'message_discarded', 'message_dropped'];
      assert.deepEqual(
        environment.events.filter(({ eventType }) => own.includes(eventType)).map(({ eventType, metadata }) => [eventType, metadata]),
        [
          ...[1, 2, 3, 4].map((id) => ['message_dead_lettered', { ...factsOf(id), reason: 'mailbox_full' }]),
          ['message_dead_lettered', { ...factsOf(5), reason: 'max_attempts' }],
          ['poison_message_detected', { ...factsOf(5), attempts: 1 }],
          ['message_replayed', factsOf(1)],
          ['message_discarded', { mailbox: 'jobs', count: 1 }],
          ['message_discarded', { mailbox: 'jobs', count: 3 }],
        ],
      );
    });
  });

  describe(`${engine.name}: replays`, () => {
    it('DLQ-04: replays to the tail of the priority', () => {
      const { inbox } = inboxOf(engine, { capacity: 3, enableDeadletter: true });
      inbox.send('low', { priority: 'low' });
      inbox.sendBatch(['a', 'b', 'overflow']);
      inbox.tryRecv();
      assert.equal(inbox.deadLetters.replay(1), 'replayed');
      assert.deepEqual(payloadsOf(receiveAll(inbox)), ['b', 'overflow', 'low']);
      assert.equal(inbox.deadLetters.size, 0);
    });

    it('DLQ-04: renews the ttl', async () => {
      const { inbox, clock } = inboxOf(engine, { capacity: 1, enableDeadletter: true });
      inbox.send('a');
      inbox.send('overflow', { ttlMs: 10 });
      inbox.tryRecv();
      await clock.advance(500);
      inbox.deadLetters.replay(1);
      await clock.advance(9);
      assert.deepEqual(payloadsOf(inbox.peek()), ['overflow']);
      await clock.advance(1);
      assert.deepEqual(inbox.peek(), []);
    });

    it('DLQ-04: counts the attempts on', async () => {
      const { inbox } = inboxOf(engine);
      inbox.send('a');
      for (const attempt of [1, 2, 3]) {
        const message = await inbox.recv();
        assert.deepEqual([message.payload, message.attemptCount], ['a', attempt]);
        inbox.deadLetters.replay(inbox.deadLetter(message).id);
      }
    });

    it('DLQ-04: retains what would be replayed into a full or a closed inbox, at its place by age', () => {
      const { inbox, environment } = inboxOf(engine, { capacity: 1, enableDeadletter: true });
      inbox.sendBatch(['a', 'b', 'c', 'd']);
      environment.takeEventTypes();
      assert.deepEqual([inbox.deadLetters.replay(2), inbox.deadLetters.replay(1)], ['retained', 'retained']);
      inbox.close();
      inbox.tryRecv();
      assert.equal(inbox.deadLetters.replay(2), 'retained');
      assert.deepEqual(payloadsIn(inbox), ['b', 'c', 'd']);
      assert.deepEqual(environment.takeEventTypes(), ['message_received']);
    });

    it('DLQ-04: does not know an id that was never given, or was replayed', () => {
      const { inbox } = inboxOf(engine, { capacity: 1, enableDeadletter: true });
      inbox.sendBatch(['a', 'b']);
      inbox.tryRecv();
      inbox.deadLetters.replay(1);
      assert.deepEqual(
        [0, 1, 2, -1, 1.5].map((id) => inbox.deadLetters.replay(id)),
        ['not_found', 'not_found', 'not_found', 'not_found', 'not_found'],
      );
    });

    it('DLQ-04: counts a replayed message as one that came in', () => {
      const { inbox } = inboxOf(engine, { capacity: 1, enableDeadletter: true });
      inbox.sendBatch(['a', 'b']);
      inbox.tryRecv();
      inbox.deadLetters.replay(1);
      const { messagesSent, messagesReceived, depth, deadLetters } = inbox.stats();
      assert.deepEqual([messagesSent, messagesReceived, depth, deadLetters], [2, 1, 1, 0]);
    });

    it('sends to somebody else when told so', () => {
      const { inbox } = inboxOf(engine, { capacity: 1, enableDeadletter: true });
      const other = inboxOf(engine).inbox;
      inbox.send('a');
      inbox.send('b', { from: 'alice', priority: 'low' });
      assert.equal(inbox.deadLetters.replay(1, other), 'replayed');
      const message = other.tryRecv();
      assert.deepEqual([message?.payload, message?.sender, message?.priority], ['b', 'alice', 'low']);
      assert.deepEqual([payloadsOf(inbox.peek()), inbox.deadLetters.size], [['a'], 0]);
    });

    it('retains what somebody else refuses', () => {
      const { inbox } = inboxOf(engine, { capacity: 1, enableDeadletter: true });
      const other = inboxOf(engine).inbox;
      other.close();
      inbox.sendBatch(['a', 'b', 'c']);
      assert.deepEqual([inbox.deadLetters.replay(1, other), payloadsIn(inbox)], ['retained', ['b', 'c']]);
      for (const to of [null, 'jobs', {}]) {
        // @ts-expect-error it takes a sender
        assert.throws(() => inbox.deadLetters.replay(1, to), withCode('InvalidConfiguration'));
      }
      assert.deepEqual(payloadsIn(inbox), ['b', 'c']);
    });
  });
}

function payloadsIn(inbox: Inbox): unknown[] {
  return inbox.deadLetters.list().map(({ message }) => message.payload);
}

function letterAt(inbox: Inbox, index: number): DeadLetter {
  return inbox.deadLetters.list()[index] ?? assert.fail(`there is no dead letter at ${index}`);
}
