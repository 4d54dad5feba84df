import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { VirtualClock } from '../testing/index.js';
import type { DeadLetter } from './dead-letter.js';
import { DeadLetterQueue } from './dead-letter-queue.js';
import { RecordingEnvironment } from './environment.suite.js';
import { isVigilError, type VigilErrorCode } from './errors.js';
import { silentLogger } from './logger.js';
import { MESSAGE_PRIORITIES, Message, type MessagePriority } from './message.js';
import { type MailboxOptions, MailboxSettings, ProcessMailbox } from './process-mailbox.js';
import type { TelemetryEventType } from './telemetry-event.js';

describe('MailboxSettings', () => {
  it('has defaults', () => {
    assert.deepEqual(Object.entries(new MailboxSettings()), [
      ['capacity', 1000],
      ['priorityQueues', true],
      ['enableDeadletter', false],
      ['deadletterCapacity', 1000],
      ['maxAttempts', 5],
      ['defaultTtlMs', undefined],
      ['maxMessageSize', undefined],
      ['sizeOf', undefined],
      ['onPoison', undefined],
      ['backpressure', undefined],
      ['rateLimit', undefined],
    ]);
  });

  it('prefers the options to the defaults that it is given, and these to its own', () => {
    const settings = new MailboxSettings(
      { capacity: 5, priorityQueues: undefined },
      { capacity: 7, priorityQueues: false, maxAttempts: 2 },
    );
    assert.deepEqual([settings.capacity, settings.priorityQueues, settings.maxAttempts], [5, false, 2]);
  });

  it('refuses an option that is not what it should be, and names it', () => {
    const bad: [keyof MailboxOptions, unknown][] = [
      ['capacity', 0],
      ['capacity', 1.5],
      ['priorityQueues', 'yes'],
      ['enableDeadletter', 1],
      ['deadletterCapacity', 0],
      ['maxAttempts', 0],
      ['defaultTtlMs', -1],
      ['maxMessageSize', 0],
      ['sizeOf', 10],
      ['onPoison', 'log'],
    ];
    for (const [name, value] of bad) {
      assert.throws(
        () => new MailboxSettings({ [name]: value }),
        (error) => isVigilError(error, 'InvalidConfiguration') && error.message.startsWith(`${name} must be`),
      );
      assert.throws(() => new MailboxSettings({ [name]: null }), withCode('InvalidConfiguration'));
    }
    // @ts-expect-error options are an object
    assert.throws(() => new MailboxSettings(7), withCode('InvalidConfiguration'));
  });
});

describe('ProcessMailbox', () => {
  it('MBX-01: gives out by priority, oldest first within one', () => {
    const { mailbox } = mailboxOf();
    for (const priority of ['low', 'critical', 'high', 'normal', 'batch', 'normal'] as const) mailbox.post(priority, { priority });
    mailbox.post('last normal', { priority: 'normal' });
    assert.deepEqual(payloadsOf(receiveAll(mailbox)), ['critical', 'high', 'normal', 'normal', 'last normal', 'low', 'batch']);
  });

  it('MBX-01: gives out in the order of arrival with priorities off', () => {
    const { mailbox } = mailboxOf({ priorityQueues: false });
    for (const priority of ['low', 'critical', 'batch', 'high'] as const) mailbox.post(priority, { priority });
    assert.deepEqual(payloadsOf(receiveAll(mailbox)), ['low', 'critical', 'batch', 'high']);
  });

  it('counts by priority what waits, with priorities off as well', () => {
    for (const priorityQueues of [true, false]) {
      const { mailbox } = mailboxOf({ priorityQueues });
      for (const priority of ['low', 'low', 'critical'] as const) mailbox.post(priority, { priority });
      assert.deepEqual(mailbox.stats().depthByPriority, { critical: 1, high: 0, normal: 0, low: 2, batch: 0 });
    }
  });

  it('throws EmptyMailbox from receive when it is empty, and gives undefined from tryReceive', () => {
    const { mailbox } = mailboxOf();
    assert.throws(() => mailbox.receive(), withCode('EmptyMailbox'));
    assert.equal(mailbox.tryReceive(), undefined);
  });

  it('MBX-12: gives each message that it makes an id of its own', () => {
    const { mailbox } = mailboxOf();
    for (let i = 0; i < 100; i += 1) mailbox.post('same');
    assert.equal(new Set(receiveAll(mailbox).map((message) => message.id)).size, 100);
  });

  it('MBX-13: passes the payload by reference, as documented', () => {
    const { mailbox } = mailboxOf();
    const payload = { text: 'hello' };
    mailbox.post(payload);
    assert.equal(mailbox.receive().payload, payload);
  });

  it('MBX-13: keeps a copy of a message, which the sender cannot change', () => {
    const { mailbox } = mailboxOf();
    const message = new Message('m1', 'alice', 'hello');
    message.setCorrelationId('at the time of sending');
    mailbox.send(message);
    message.setCorrelationId('changed');
    const received = mailbox.receive();
    assert.equal(received.id, 'm1');
    assert.equal(received.metadata.correlationId, 'at the time of sending');
    assert.equal(message.attemptCount, 0);
  });

  it('takes one message several times, each with a life of its own', () => {
    const { mailbox } = mailboxOf();
    const message = new Message('m1', undefined, 'hello');
    mailbox.send(message);
    mailbox.send(message);
    const [first, second] = [mailbox.receive(), mailbox.receive()];
    assert.notEqual(first, second);
    assert.deepEqual([first.attemptCount, second.attemptCount], [1, 1]);
  });

  it('refuses what is no message', () => {
    const { mailbox } = mailboxOf();
    // @ts-expect-error a payload is no message
    assert.throws(() => mailbox.send('hello'), withCode('InvalidMessage'));
    // @ts-expect-error something like a message is no message
    assert.throws(() => mailbox.send({ id: 'm1', payload: 'hello', priority: 'normal' }), withCode('InvalidMessage'));
    // @ts-expect-error something like a message is no message
    assert.throws(() => mailbox.deadLetter({ id: 'm1' }), withCode('InvalidMessage'));
  });

  it('refuses a message when it is full', () => {
    const { mailbox } = mailboxOf({ capacity: 2 });
    mailbox.post('a');
    mailbox.post('b');
    assert.throws(
      () => mailbox.post('c'),
      (error) => isVigilError(error, 'MailboxFull') && error.message === 'inbox "jobs" holds 2 of 2 messages',
    );
    assert.deepEqual(payloadsOf(mailbox.peek()), ['a', 'b']);
    assert.equal(mailbox.stats().messagesRejected, 1);
  });

  it('counts its capacity over all priorities together', () => {
    const { mailbox } = mailboxOf({ capacity: 2 });
    mailbox.post('a', { priority: 'low' });
    mailbox.post('b', { priority: 'batch' });
    assert.throws(() => mailbox.post('c', { priority: 'critical' }), withCode('MailboxFull'));
  });

  it('remembers how full it was at most', () => {
    const { mailbox } = mailboxOf();
    for (const payload of ['a', 'b', 'c']) mailbox.post(payload);
    receiveAll(mailbox);
    mailbox.post('d');
    assert.deepEqual([mailbox.stats().peakDepth, mailbox.stats().depth], [3, 1]);
  });

  it('reports what happens to each message', () => {
    const { mailbox, environment, clock } = mailboxOf();
    mailbox.post('a', { priority: 'high' });
    mailbox.post('b', { ttlMs: 5 });
    mailbox.post('c');
    clock.skip(5);
    mailbox.receive();
    mailbox.receive();
    mailbox.post('d');
    mailbox.close({ discard: true });
    assert.deepEqual(
      environment.events.map(({ eventType, metadata }) => [eventType, metadata]),
      [
        ['message_sent', { mailbox: 'jobs', messageId: 'm-1', priority: 'high' }],
        ['message_sent', { mailbox: 'jobs', messageId: 'm-2', priority: 'normal' }],
        ['message_sent', { mailbox: 'jobs', messageId: 'm-3', priority: 'normal' }],
        ['message_received', { mailbox: 'jobs', messageId: 'm-1', priority: 'high' }],
        ['message_expired', { mailbox: 'jobs', messageId: 'm-2', priority: 'normal' }],
        ['message_received', { mailbox: 'jobs', messageId: 'm-3', priority: 'normal' }],
        ['message_sent', { mailbox: 'jobs', messageId: 'm-4', priority: 'normal' }],
        ['message_dropped', { mailbox: 'jobs', messageId: 'm-4', priority: 'normal' }],
      ],
    );
  });
});

describe('ProcessMailbox without listeners', () => {
  it('makes no event that nobody wants', () => {
    const clock = new HandClock();
    const telemetry = { wants: () => false, report: () => assert.fail('reported') };
    const environment = { clock, telemetry, log: silentLogger, nextMessageId: () => 1 };
    const mailbox = new ProcessMailbox('jobs', new MailboxSettings({ capacity: 2, maxAttempts: 1 }), environment);
    mailbox.post('a');
    mailbox.deadLetter(mailbox.receive());
    for (let i = 0; i < 3; i += 1) {
      mailbox.post('b', { ttlMs: 5 });
      mailbox.post('c', { ttlMs: 5 });
      clock.skip(5);
    }
    mailbox.tryReceive();
    mailbox.post('d');
    mailbox.close({ discard: true });
    assert.equal(mailbox.stats().messagesExpired, 6);
  });
});

describe('ProcessMailbox: expiry', () => {
  it('MBX-05: a message whose age equals its ttl is expired', () => {
    const { mailbox, clock } = mailboxOf();
    mailbox.post('young', { ttlMs: 10 });
    clock.skip(9.99);
    assert.equal(mailbox.receive().payload, 'young');
    mailbox.post('old', { ttlMs: 10 });
    clock.skip(10);
    assert.equal(mailbox.tryReceive(), undefined);
    assert.equal(mailbox.stats().messagesExpired, 1);
  });

  it('MBX-05: a message with a ttl of its own does not follow the default ttl', () => {
    const { mailbox, clock } = mailboxOf({ defaultTtlMs: 10 });
    mailbox.post('default');
    mailbox.post('longer', { ttlMs: 20 });
    mailbox.send(new Message('m1', undefined, 'default too'));
    mailbox.send(new Message('m2', undefined, 'longer too', undefined, 'normal', 20, clock));
    clock.skip(10);
    assert.deepEqual(payloadsOf(receiveAll(mailbox)), ['longer', 'longer too']);
  });

  it('MBX-05: counts the age of a message from its making, not from its sending', () => {
    const { mailbox, clock } = mailboxOf();
    const message = new Message('m1', undefined, 'hello', undefined, 'normal', 10, clock);
    clock.skip(6);
    mailbox.send(message);
    clock.skip(4);
    assert.equal(mailbox.tryReceive(), undefined);
  });

  it('refuses a message that has expired before it came', () => {
    const { mailbox, clock } = mailboxOf();
    const message = new Message('m1', undefined, 'hello', undefined, 'normal', 10, clock);
    clock.skip(10);
    assert.throws(() => mailbox.send(message), withCode('MessageExpired'));
    assert.throws(() => mailbox.post('hello', { ttlMs: 0 }), withCode('MessageExpired'));
    assert.deepEqual([mailbox.stats().messagesRejected, mailbox.stats().messagesExpired], [2, 0]);
  });

  it('MBX-05: expired messages make room for a send that finds the mailbox full, wherever they are queued', () => {
    const { mailbox, clock } = mailboxOf({ capacity: 3 });
    mailbox.post('stays', { priority: 'low' });
    mailbox.post('expires', { priority: 'low', ttlMs: 5 });
    mailbox.post('expires too', { priority: 'high', ttlMs: 5 });
    clock.skip(5);
    assert.equal(mailbox.post('new', { priority: 'batch' }), 'queued');
    assert.deepEqual([mailbox.stats().messagesExpired, mailbox.stats().depth], [2, 2]);
    assert.deepEqual(payloadsOf(receiveAll(mailbox)), ['stays', 'new']);
  });

  it('MBX-05: expired messages make room for a replay', () => {
    const { mailbox, clock } = mailboxOf({ capacity: 1, enableDeadletter: true });
    mailbox.post('expires', { ttlMs: 5 });
    mailbox.post('overflows');
    assert.equal(mailbox.deadLetters.replay(1), 'retained');
    clock.skip(5);
    assert.equal(mailbox.deadLetters.replay(1), 'replayed');
    assert.equal(mailbox.receive().payload, 'overflows');
  });

  it('tells when the next message may expire', () => {
    const { mailbox, clock } = mailboxOf();
    assert.equal(mailbox.nextExpiryMs, Number.POSITIVE_INFINITY);
    mailbox.post('a', { ttlMs: 20 });
    clock.skip(5);
    mailbox.post('b', { ttlMs: 10 });
    mailbox.post('c');
    assert.equal(mailbox.nextExpiryMs, 15);
    receiveAll(mailbox);
    assert.equal(mailbox.nextExpiryMs, Number.POSITIVE_INFINITY);
  });

  it('keeps the order of arrival and its capacity when a listener sends while expired messages are dropped', () => {
    let isListening = false;
    const { mailbox, clock } = mailboxOf({ capacity: 4 }, (eventType) => {
      if (isListening && eventType === 'message_expired') mailbox.post('from the listener');
    });
    mailbox.post('expires', { ttlMs: 5 });
    for (const payload of ['a', 'b', 'c']) mailbox.post(payload);
    clock.skip(5);
    isListening = true;
    assert.throws(() => mailbox.post('d'), withCode('MailboxFull'));
    assert.deepEqual(payloadsOf(receiveAll(mailbox)), ['a', 'b', 'c', 'from the listener']);
  });
});

describe('ProcessMailbox: size', () => {
  it('MBX-07: takes a message of the largest size and refuses one that is larger', () => {
    const { mailbox } = mailboxOf({ maxMessageSize: 10, enableDeadletter: true });
    assert.equal(mailbox.send(new Message('m', 'bob', '123456')), 'queued');
    assert.throws(() => mailbox.send(new Message('m', 'bob', '1234567')), withCode('MessageTooLarge'));
  });

  it('MBX-07: does not make a dead letter of a message that is too large, not even when it is full', () => {
    const { mailbox } = mailboxOf({ maxMessageSize: 10, enableDeadletter: true, capacity: 1 });
    for (let i = 0; i < 2; i += 1) {
      assert.throws(() => mailbox.post('much too long a text'), withCode('MessageTooLarge'));
      mailbox.post('short');
    }
    assert.equal(mailbox.deadLetters.size, 1);
    assert.equal(mailbox.stats().messagesRejected, 3);
  });

  it('MBX-07: counts metadata', () => {
    const { mailbox } = mailboxOf({ maxMessageSize: 20 });
    assert.throws(() => mailbox.post('short', { correlationId: 'x'.repeat(20) }), withCode('MessageTooLarge'));
    assert.throws(() => mailbox.post('short', { replyTo: 'x'.repeat(20) }), withCode('MessageTooLarge'));
    assert.throws(() => mailbox.post('short', { from: 'x'.repeat(20) }), withCode('MessageTooLarge'));
  });

  it('asks sizeOf about nothing when every size is welcome', () => {
    const { mailbox } = mailboxOf({ sizeOf: () => assert.fail('asked') });
    assert.equal(mailbox.post({}), 'queued');
  });

  it('asks sizeOf about other payloads', () => {
    const { mailbox } = mailboxOf<{ weight: number }>({ maxMessageSize: 20, sizeOf: ({ weight }) => weight });
    mailbox.post({ weight: 16 });
    assert.throws(() => mailbox.post({ weight: 21 }), withCode('MessageTooLarge'));
  });
});

describe('ProcessMailbox: dead letters', () => {
  it('DLQ-01: retains what overflows', () => {
    const { mailbox } = mailboxOf({ capacity: 1, enableDeadletter: true });
    mailbox.post('first');
    assert.equal(mailbox.post('second'), 'dead_lettered');
    assert.deepEqual(
      mailbox.deadLetters.list().map(({ id, reason, mailbox: name, message }) => [id, reason, name, message.payload]),
      [[1, 'mailbox_full', 'jobs', 'second']],
    );
    assert.deepEqual(payloadsOf(mailbox.peek()), ['first']);
    const { messagesSent, messagesDropped, messagesDeadLettered, messagesRejected } = mailbox.stats();
    assert.deepEqual([messagesSent, messagesDropped, messagesDeadLettered, messagesRejected], [1, 0, 0, 1]);
  });

  it('refuses what overflows when there is no room for another dead letter', () => {
    const { mailbox } = mailboxOf({ capacity: 1, enableDeadletter: true, deadletterCapacity: 1 });
    for (const payload of ['first', 'second']) mailbox.post(payload);
    assert.throws(() => mailbox.post('third'), withCode('MailboxFull'));
    assert.equal(mailbox.deadLetters.evicted, 0);
  });

  it('DLQ-04: replays to the tail of the priority', () => {
    const { mailbox } = mailboxOf({ capacity: 2, enableDeadletter: true });
    mailbox.post('a');
    mailbox.post('b');
    mailbox.post('overflow');
    mailbox.receive();
    assert.equal(mailbox.deadLetters.replay(1), 'replayed');
    assert.deepEqual(payloadsOf(receiveAll(mailbox)), ['b', 'overflow']);
  });

  it('DLQ-04: retains what would be replayed into a full or a closed mailbox', () => {
    const { mailbox } = mailboxOf({ capacity: 1, enableDeadletter: true });
    mailbox.post('a');
    mailbox.post('overflow');
    assert.equal(mailbox.deadLetters.replay(1), 'retained');
    mailbox.receive();
    mailbox.close();
    assert.equal(mailbox.deadLetters.replay(1), 'retained');
    assert.equal(mailbox.deadLetters.size, 1);
  });

  it('DLQ-04: counts the attempts on', () => {
    const { mailbox } = mailboxOf();
    mailbox.post('hello');
    for (const attempt of [1, 2, 3]) {
      const message = mailbox.receive();
      assert.equal(message.attemptCount, attempt);
      mailbox.deadLetters.replay(mailbox.deadLetter(message).id);
    }
  });

  it('DLQ-05: takes a message for poison at the last attempt, tells once, and does not replay it', () => {
    const poison: DeadLetter[] = [];
    const { mailbox, environment } = mailboxOf({ maxAttempts: 2, onPoison: (letter) => poison.push(letter) });
    mailbox.post('hello');

    const first = mailbox.deadLetter(mailbox.receive());
    assert.deepEqual([first.reason, first.poisoned], ['delivery_failed', false]);
    assert.equal(mailbox.deadLetters.replay(first.id), 'replayed');
    assert.deepEqual(poison, []);

    const second = mailbox.deadLetter(mailbox.receive());
    assert.deepEqual([second.reason, second.poisoned], ['max_attempts', true]);
    assert.equal(mailbox.deadLetters.replay(second.id), 'poison');
    assert.deepEqual(poison, [second]);
    assert.equal(mailbox.deadLetters.discard(second.id), true);
    assert.equal(environment.takeEventTypes().filter((type) => type === 'poison_message_detected').length, 1);
  });

  it('survives an onPoison that throws, and logs it', () => {
    const failure = new Error('from onPoison');
    const onPoison = () => {
      throw failure;
    };
    const { mailbox, environment } = mailboxOf({ maxAttempts: 1, onPoison });
    mailbox.post('hello');
    assert.equal(mailbox.deadLetter(mailbox.receive()).poisoned, true);
    assert.deepEqual(environment.errors, [{ message: 'onPoison of mailbox "jobs" failed', details: failure }]);
  });

  it('gives up a message for the reason it is told, unless it is poison', () => {
    const { mailbox } = mailboxOf({ maxAttempts: 2 });
    mailbox.post('hello');
    const letter = mailbox.deadLetter(mailbox.receive(), 'inbox_closed');
    assert.equal(letter.reason, 'inbox_closed');
    mailbox.deadLetters.replay(letter.id);
    assert.equal(mailbox.deadLetter(mailbox.receive(), 'inbox_closed').reason, 'max_attempts');
  });

  it('keeps what is given up although overflow is not kept', () => {
    const { mailbox } = mailboxOf({ enableDeadletter: false });
    mailbox.post('hello');
    mailbox.deadLetter(mailbox.receive());
    assert.equal(mailbox.stats().deadLetters, 1);
  });

  it('DLQ-07: lets a message be given up once for each time it was received', () => {
    const { mailbox } = mailboxOf();
    mailbox.post('hello');
    const message = mailbox.receive();
    const letter = mailbox.deadLetter(message);
    assert.throws(() => mailbox.deadLetter(message), withCode('InvalidState'));
    mailbox.deadLetters.replay(letter.id);
    assert.throws(() => mailbox.deadLetter(message), withCode('InvalidState'));
    mailbox.deadLetter(mailbox.receive());
    assert.equal(mailbox.deadLetters.size, 1);
  });

  it('DLQ-07: does not let a message be given up that nobody has received, such as the copies for looking at', () => {
    const { mailbox } = mailboxOf();
    mailbox.post('queued');
    assert.throws(() => mailbox.deadLetter(mailbox.peek()[0]!), withCode('InvalidState'));
    mailbox.deadLetter(mailbox.receive());
    assert.throws(() => mailbox.deadLetter(mailbox.deadLetters.list()[0]!.message), withCode('InvalidState'));
    assert.throws(() => mailbox.deadLetter(new Message('m1', undefined, 'never sent')), withCode('InvalidState'));
    assert.equal(mailbox.deadLetters.size, 1);
  });
});

describe('ProcessMailbox: peek', () => {
  it('MBX-10: lists in the order of delivery without consuming or counting an attempt', () => {
    const { mailbox } = mailboxOf();
    for (const priority of ['low', 'high', 'normal'] as const) mailbox.post(priority, { priority });
    for (let look = 0; look < 2; look += 1) {
      const messages = mailbox.peek();
      assert.deepEqual(payloadsOf(messages), ['high', 'normal', 'low']);
      assert.deepEqual(
        messages.map((message) => message.attemptCount),
        [0, 0, 0],
      );
    }
    assert.equal(mailbox.receive().attemptCount, 1);
  });

  it('lists as many as asked for', () => {
    const { mailbox } = mailboxOf();
    for (const payload of ['a', 'b', 'c']) mailbox.post(payload);
    assert.deepEqual(payloadsOf(mailbox.peek(2)), ['a', 'b']);
    assert.deepEqual(payloadsOf(mailbox.peek(9)), ['a', 'b', 'c']);
    for (const limit of [0, -1, 1.5, Number.NaN]) assert.throws(() => mailbox.peek(limit), withCode('InvalidConfiguration'));
  });

  it('leaves out what has expired', () => {
    const { mailbox, clock } = mailboxOf();
    mailbox.post('expires', { ttlMs: 5 });
    mailbox.post('stays');
    clock.skip(5);
    assert.deepEqual(payloadsOf(mailbox.peek(1)), ['stays']);
  });

  it('gives copies', () => {
    const { mailbox } = mailboxOf();
    mailbox.post('a');
    mailbox.peek()[0]?.setCorrelationId('changed');
    assert.equal(mailbox.receive().metadata.correlationId, undefined);
  });
});

describe('ProcessMailbox: close', () => {
  it('MBX-09: refuses new messages, gives out what is queued, then is closed for receivers, too', () => {
    const { mailbox } = mailboxOf();
    mailbox.post('a');
    mailbox.post('b');
    mailbox.close();
    assert.equal(mailbox.isClosed(), true);
    assert.throws(() => mailbox.post('c'), withCode('InboxClosed'));
    assert.deepEqual([mailbox.receive().payload, mailbox.tryReceive()?.payload], ['a', 'b']);
    assert.throws(() => mailbox.receive(), withCode('InboxClosed'));
    assert.throws(() => mailbox.tryReceive(), withCode('InboxClosed'));
    assert.equal(mailbox.stats().messagesRejected, 1);
  });

  it('MBX-09: is closed for receivers at once when what is left has expired', () => {
    const { mailbox, clock } = mailboxOf();
    mailbox.post('a', { ttlMs: 5 });
    mailbox.close();
    clock.skip(5);
    assert.throws(() => mailbox.tryReceive(), withCode('InboxClosed'));
    assert.equal(mailbox.stats().messagesExpired, 1);
  });

  it('MBX-09: makes dead letters of what is queued with discard, in the order of delivery', () => {
    const { mailbox, environment } = mailboxOf({ enableDeadletter: true });
    mailbox.post('b', { priority: 'low' });
    mailbox.post('a');
    environment.takeEventTypes();
    mailbox.close({ discard: true });
    assert.deepEqual(
      mailbox.deadLetters.list().map(({ message, reason }) => [message.payload, reason]),
      [
        ['a', 'inbox_closed'],
        ['b', 'inbox_closed'],
      ],
    );
    assert.deepEqual(environment.takeEventTypes(), ['message_dead_lettered', 'message_dead_lettered']);
    assert.deepEqual([mailbox.stats().messagesDeadLettered, mailbox.stats().depth], [2, 0]);
    assert.throws(() => mailbox.receive(), withCode('InboxClosed'));
  });

  it('MBX-09: drops and counts what is queued with discard while dead letters are off', () => {
    const { mailbox, environment } = mailboxOf();
    mailbox.post('a');
    mailbox.close({ discard: true });
    assert.deepEqual([mailbox.stats().messagesDropped, mailbox.deadLetters.size], [1, 0]);
    assert.deepEqual(environment.takeEventTypes(), ['message_sent', 'message_dropped']);
  });

  it('counts what has expired as expired, not as discarded', () => {
    const { mailbox, clock } = mailboxOf({ enableDeadletter: true });
    mailbox.post('expires', { ttlMs: 5 });
    mailbox.post('stays');
    clock.skip(5);
    mailbox.close({ discard: true });
    assert.deepEqual([mailbox.stats().messagesExpired, mailbox.stats().messagesDeadLettered], [1, 1]);
  });

  it('can discard later what it left to receivers at first', () => {
    const { mailbox } = mailboxOf();
    mailbox.post('a');
    mailbox.close();
    mailbox.close();
    assert.equal(mailbox.stats().depth, 1);
    mailbox.close({ discard: true });
    assert.equal(mailbox.stats().messagesDropped, 1);
  });

  it('refuses options that are none', () => {
    const { mailbox } = mailboxOf();
    // @ts-expect-error discard is a boolean
    assert.throws(() => mailbox.close({ discard: 'yes' }), withCode('InvalidConfiguration'));
    // @ts-expect-error options are an object
    assert.throws(() => mailbox.close(true), withCode('InvalidConfiguration'));
    assert.equal(mailbox.isClosed(), false);
  });

  it('gives what is queued to the dead letters of its runtime when its process ends', () => {
    const { mailbox, environment, clock } = mailboxOf({ enableDeadletter: true });
    mailbox.post('a');
    mailbox.post('expires', { ttlMs: 5 });
    mailbox.close();
    clock.skip(5);
    const runtimeLetters = new DeadLetterQueue(10, clock, environment.telemetry);
    mailbox.end(runtimeLetters);
    assert.deepEqual(
      runtimeLetters.list().map(({ message, reason, mailbox: name }) => [message.payload, reason, name]),
      [['a', 'process_exited', 'jobs']],
    );
    assert.equal(mailbox.deadLetters.size, 0);
    assert.deepEqual([mailbox.stats().messagesDeadLettered, mailbox.stats().messagesExpired], [1, 1]);
  });
});

describe('ProcessMailbox.onClose', () => {
  it('calls back once, after the intake has ended and before what is queued is given up', () => {
    const { mailbox } = mailboxOf();
    mailbox.post('a');
    const seen: unknown[] = [];
    mailbox.onClose(() => seen.push([mailbox.isClosed(), mailbox.depth]));
    mailbox.close({ discard: true });
    mailbox.close();
    assert.deepEqual(seen, [[true, 1]]);
  });

  it('calls back when its process ends', () => {
    const { mailbox, environment, clock } = mailboxOf();
    let calls = 0;
    mailbox.onClose(() => (calls += 1));
    mailbox.end(new DeadLetterQueue(1, clock, environment.telemetry));
    assert.equal(calls, 1);
  });

  it('does not call back when it is closed already', () => {
    const { mailbox } = mailboxOf();
    mailbox.close();
    const cancel = mailbox.onClose(() => assert.fail('too late'));
    assert.equal(cancel(), false);
  });

  it('tells whether a cancel came in time', () => {
    const { mailbox } = mailboxOf();
    const cancel = mailbox.onClose(() => assert.fail('was cancelled'));
    const cancelLate = mailbox.onClose(() => {});
    assert.deepEqual([cancel(), cancel()], [true, false]);
    mailbox.close();
    assert.equal(cancelLate(), false);
  });

  it('tells two registrations of one callback apart', () => {
    const { mailbox } = mailboxOf();
    let calls = 0;
    const callback = () => (calls += 1);
    const cancel = mailbox.onClose(callback);
    mailbox.onClose(callback);
    cancel();
    mailbox.close();
    assert.equal(calls, 1);
  });

  it('lets one callback cancel another', () => {
    const { mailbox } = mailboxOf();
    const results: boolean[] = [];
    mailbox.onClose(() => results.push(cancelSecond()));
    const cancelSecond = mailbox.onClose(() => assert.fail('was cancelled'));
    mailbox.close();
    assert.deepEqual(results, [true]);
  });

  it('is not kept from closing by a callback that throws, and logs it', () => {
    const { mailbox, environment } = mailboxOf();
    mailbox.post('a');
    const failure = new Error('from the callback');
    let calls = 0;
    mailbox.onClose(() => {
      throw failure;
    });
    mailbox.onClose(() => (calls += 1));
    mailbox.close({ discard: true });
    assert.deepEqual([calls, mailbox.depth], [1, 0]);
    assert.deepEqual(
      environment.errors.map(({ details }) => details),
      [failure],
    );
  });
});

describe('ProcessMailbox: whatever is done to it', () => {
  it('MBX-10: does what a list would do, and its books balance', () => {
    fc.assert(
      fc.property(settingsOf, fc.array(operations, { maxLength: 100, size: 'max' }), endings, (options, steps, lastSteps) => {
        // Whoever listens to an event sees books that balance, too.
        const { mailbox, clock } = mailboxOf(options, () => assert.equal(imbalanceOf(mailbox), 0));
        const model = new ModelMailbox(options);
        const received: Message[] = [];
        for (const step of [...steps, ...lastSteps]) {
          switch (step.do) {
            case 'send':
              assert.equal(
                outcomeOf(() => mailbox.post('', step.options)),
                model.send(step.options.priority, step.options.ttlMs),
              );
              break;
            case 'receive': {
              const outcome = outcomeOf(() => mailbox.tryReceive());
              if (outcome instanceof Message) received.push(outcome);
              assert.equal(outcome instanceof Message ? outcome.id : outcome, model.receive());
              break;
            }
            case 'wait':
              clock.skip(step.ms);
              model.nowMs += step.ms;
              break;
            case 'deadLetter': {
              const message = received[step.pick % received.length];
              if (message === undefined) break;
              const outcome = outcomeOf(() => mailbox.deadLetter(message).reason);
              assert.equal(outcome, model.deadLetter(message.id));
              break;
            }
            case 'replay': {
              const id = model.letterId(step.pick);
              assert.equal(mailbox.deadLetters.replay(id), model.replay(id));
              break;
            }
            case 'discard': {
              const id = model.letterId(step.pick);
              assert.equal(mailbox.deadLetters.discard(id), model.discard(id));
              break;
            }
            case 'close':
              mailbox.close({ discard: step.discard });
              model.close(step.discard);
              break;
          }
          const stats = mailbox.stats();
          assert.deepEqual({ ...stats, depthByPriority: undefined }, { ...model.stats(), depthByPriority: undefined });
          assert.equal(imbalanceOf(mailbox), 0);
          assert.equal(
            Object.values(stats.depthByPriority).reduce((sum, depth) => sum + depth, 0),
            stats.depth,
          );
          assert.deepEqual(
            mailbox.peek().map((message) => message.id),
            model.visible(),
          );
          assert.deepEqual(
            mailbox.deadLetters.list().map(({ id, message, reason }) => [id, message.id, reason]),
            model.letters.map(({ id, message, reason }) => [id, message.id, reason]),
          );
          const expiries = model.queue.map((message) => message.expiresAtMs);
          assert.ok(mailbox.nextExpiryMs <= Math.min(...expiries), 'a message expires before nextExpiryMs');
        }
      }),
      { numRuns: 500 },
    );
  });
});

const ttls = fc.option(fc.nat(8), { nil: undefined, freq: 4 });

const settingsOf = fc.record({
  capacity: fc.integer({ min: 1, max: 5 }),
  priorityQueues: fc.boolean(),
  enableDeadletter: fc.boolean(),
  deadletterCapacity: fc.integer({ min: 1, max: 3 }),
  maxAttempts: fc.integer({ min: 1, max: 3 }),
  defaultTtlMs: ttls,
});

const operations = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('send'),
      options: fc.record({ priority: fc.constantFrom(...MESSAGE_PRIORITIES), ttlMs: ttls }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('receive') }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('deadLetter'), pick: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('replay'), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('discard'), pick: fc.nat() }) },
);

const endings = fc.tuple(
  fc.record({ do: fc.constant('close'), discard: fc.boolean() }),
  fc.record({ do: fc.constant('send'), options: fc.record({ priority: fc.constant('normal'), ttlMs: fc.constant(undefined) }) }),
  fc.record({ do: fc.constant('receive') }),
  fc.record({ do: fc.constant('replay'), pick: fc.nat() }),
  fc.record({ do: fc.constant('close'), discard: fc.boolean() }),
  fc.record({ do: fc.constant('receive') }),
);

interface ModelMessage {
  readonly id: string;
  readonly priority: MessagePriority;
  readonly ttlMs: number | undefined;
  expiresAtMs: number;
  attempts: number;
  givenUpAt: number;
}

/** What a mailbox should do, without regard to speed. */
class ModelMailbox {
  readonly options: MailboxOptions & { capacity: number; deadletterCapacity: number; maxAttempts: number };
  nowMs = 0;
  isClosed = false;
  queue: ModelMessage[] = [];
  letters: { id: number; message: ModelMessage; reason: string }[] = [];
  readonly all = new Map<string, ModelMessage>();
  made = 0;
  lastLetter = 0;
  peakDepth = 0;
  books = {
    messagesSent: 0,
    messagesReceived: 0,
    messagesExpired: 0,
    messagesDropped: 0,
    messagesDeadLettered: 0,
    messagesAbandoned: 0,
    messagesRejected: 0,
  };

  constructor(options: ModelMailbox['options']) {
    this.options = options;
  }

  send(priority: MessagePriority, ownTtlMs: number | undefined): string {
    this.made += 1;
    const ttlMs = ownTtlMs ?? this.options.defaultTtlMs;
    const message = {
      id: `m-${this.made}`,
      priority,
      ttlMs,
      expiresAtMs: this.nowMs + (ttlMs ?? Number.POSITIVE_INFINITY),
      attempts: 0,
      givenUpAt: 0,
    };
    this.all.set(message.id, message);
    if (this.isClosed || this.isPast(message)) {
      this.books.messagesRejected += 1;
      return this.isClosed ? 'InboxClosed' : 'MessageExpired';
    }
    if (this.makeRoom()) {
      this.enqueue(message);
      return 'queued';
    }
    this.books.messagesRejected += 1;
    if (!this.options.enableDeadletter || this.letters.length === this.options.deadletterCapacity) return 'MailboxFull';
    this.bury(message, 'mailbox_full');
    return 'dead_lettered';
  }

  receive(): string | undefined {
    for (let message = this.queue.shift(); message !== undefined; message = this.queue.shift()) {
      if (this.isPast(message)) {
        this.books.messagesExpired += 1;
        continue;
      }
      message.attempts += 1;
      this.books.messagesReceived += 1;
      return message.id;
    }
    return this.isClosed ? 'InboxClosed' : undefined;
  }

  deadLetter(id: string): string {
    const message = this.all.get(id)!;
    if (message.givenUpAt === message.attempts) return 'InvalidState';
    message.givenUpAt = message.attempts;
    const reason = message.attempts >= this.options.maxAttempts ? 'max_attempts' : 'delivery_failed';
    this.bury(message, reason);
    return reason;
  }

  replay(id: number): string {
    const letter = this.letters.find((other) => other.id === id);
    if (letter === undefined) return 'not_found';
    if (letter.reason === 'max_attempts') return 'poison';
    if (this.isClosed || !this.makeRoom()) return 'retained';
    this.letters = this.letters.filter((other) => other !== letter);
    letter.message.expiresAtMs = this.nowMs + (letter.message.ttlMs ?? Number.POSITIVE_INFINITY);
    this.enqueue(letter.message);
    return 'replayed';
  }

  /** One of those that there are, or one too many. */
  letterId(pick: number): number {
    return this.letters[pick % (this.letters.length + 1)]?.id ?? this.lastLetter + 1;
  }

  discard(id: number): boolean {
    const before = this.letters.length;
    this.letters = this.letters.filter((letter) => letter.id !== id);
    return this.letters.length < before;
  }

  close(discard: boolean): void {
    this.isClosed = true;
    if (!discard) return;
    for (const message of this.queue.splice(0)) {
      if (this.isPast(message)) this.books.messagesExpired += 1;
      else if (this.options.enableDeadletter === true) {
        this.books.messagesDeadLettered += 1;
        this.bury(message, 'inbox_closed');
      } else this.books.messagesDropped += 1;
    }
  }

  visible(): string[] {
    return this.queue.filter((message) => !this.isPast(message)).map((message) => message.id);
  }

  stats() {
    const { capacity } = this.options;
    return { capacity, depth: this.queue.length, peakDepth: this.peakDepth, ...this.books, deadLetters: this.letters.length };
  }

  isPast(message: ModelMessage): boolean {
    return this.nowMs >= message.expiresAtMs;
  }

  makeRoom(): boolean {
    if (this.queue.length >= this.options.capacity) {
      const alive = this.queue.filter((message) => !this.isPast(message));
      this.books.messagesExpired += this.queue.length - alive.length;
      this.queue = alive;
    }
    return this.queue.length < this.options.capacity;
  }

  enqueue(message: ModelMessage): void {
    this.books.messagesSent += 1;
    this.queue.push(message);
    if (this.options.priorityQueues === true) this.queue = this.queue.toSorted((a, b) => rankOf(a) - rankOf(b));
    this.peakDepth = Math.max(this.peakDepth, this.queue.length);
  }

  bury(message: ModelMessage, reason: string): void {
    this.lastLetter += 1;
    this.letters = [...this.letters, { id: this.lastLetter, message, reason }].slice(-this.options.deadletterCapacity);
  }
}

function rankOf(message: ModelMessage): number {
  return MESSAGE_PRIORITIES.indexOf(message.priority);
}

/** A clock that a test moves without an `await`; its timers stand still. */
class HandClock extends VirtualClock {
  #skippedMs = 0;

  override now(): number {
    return this.#skippedMs;
  }

  skip(ms: number): void {
    this.#skippedMs += ms;
  }
}

function mailboxOf<T = unknown>(options: MailboxOptions<T> = {}, onEvent?: (eventType: TelemetryEventType) => void) {
  const clock = new HandClock();
  const environment = new RecordingEnvironment(clock, onEvent);
  return { mailbox: new ProcessMailbox<T>('jobs', new MailboxSettings(options), environment), environment, clock };
}

function imbalanceOf(mailbox: ProcessMailbox): number {
  const { messagesSent, messagesReceived, messagesExpired, messagesDropped, messagesDeadLettered, depth } = mailbox.stats();
  return messagesSent - (messagesReceived + messagesExpired + messagesDropped + messagesDeadLettered + depth);
}

function receiveAll(mailbox: ProcessMailbox): Message[] {
  const messages: Message[] = [];
  for (let message = mailbox.tryReceive(); message !== undefined; message = mailbox.tryReceive()) messages.push(message);
  return messages;
}

function payloadsOf(messages: readonly Message[]): unknown[] {
  return messages.map((message) => message.payload);
}

function withCode(code: VigilErrorCode): (error: unknown) => boolean {
  return (error) => isVigilError(error, code);
}

/** What a call gave, or the code of its refusal. */
function outcomeOf<T>(call: () => T): T | string {
  try {
    return call();
  } catch (error) {
    if (isVigilError(error)) return error.code;
    throw error;
  }
}
