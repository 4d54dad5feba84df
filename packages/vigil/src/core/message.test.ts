import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { VirtualClock } from '../testing/index.js';
import { isVigilError } from './errors.js';
import { MESSAGE_PRIORITIES, Message, mailboxAccess, messageOf, SIGNALS } from './message.js';

const isInvalidMessage = (error: unknown) => isVigilError(error, 'InvalidMessage');

describe('Message', () => {
  it('holds what its sender said', () => {
    const payload = { order: 7 };
    const message = new Message('m1', 'alice', payload, 'healthCheck', 'high', 5000);
    const { id, sender, signal, priority, ttlMs, attemptCount } = message;
    assert.deepEqual([id, sender, signal, priority, ttlMs, attemptCount], ['m1', 'alice', 'healthCheck', 'high', 5000, 0]);
    assert.equal(message.payload, payload);
  });

  it('is of normal priority and lives for ever by default', () => {
    const message = new Message('m1', undefined, 'hello');
    assert.deepEqual([message.sender, message.signal, message.priority, message.ttlMs], [undefined, undefined, 'normal', undefined]);
    assert.equal(message.isExpired(), false);
  });

  it('turns a number into an id', () => {
    assert.equal(new Message(17, undefined, 'hello').id, 'm-17');
  });

  it('takes each priority and each signal', () => {
    for (const priority of MESSAGE_PRIORITIES) assert.equal(new Message('m1', undefined, '', undefined, priority).priority, priority);
    for (const signal of SIGNALS) assert.equal(new Message('m1', undefined, '', signal).signal, signal);
  });

  it('refuses an id and a sender that are no text', () => {
    assert.throws(() => new Message('', undefined, 'hello'), isInvalidMessage);
    // @ts-expect-error an id is a text or a number
    assert.throws(() => new Message(undefined, undefined, 'hello'), isInvalidMessage);
    assert.throws(() => new Message('m1', '', 'hello'), isInvalidMessage);
    // @ts-expect-error a sender is a text
    assert.throws(() => new Message('m1', 7, 'hello'), isInvalidMessage);
  });

  it('refuses a number that is none, and a clock that tells no time', () => {
    assert.throws(() => new Message(Number.NaN, undefined, 'hello'), isInvalidMessage);
    // @ts-expect-error a clock has now()
    assert.throws(() => new Message('m1', undefined, 'hello', undefined, 'normal', 5, {}), isInvalidMessage);
  });

  it('refuses a signal and a priority that do not exist', () => {
    // @ts-expect-error no such signal
    assert.throws(() => new Message('m1', undefined, 'hello', 'panic'), isInvalidMessage);
    // @ts-expect-error no such priority
    assert.throws(() => new Message('m1', undefined, 'hello', undefined, 'urgent'), isInvalidMessage);
  });

  it('refuses a ttl that is no duration', () => {
    for (const ttlMs of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => new Message('m1', undefined, 'hello', undefined, 'normal', ttlMs), isInvalidMessage);
    }
  });

  it('MBX-05: is expired as soon as its age equals its ttl', async () => {
    const clock = new VirtualClock();
    await clock.advance(1000);
    const message = new Message('m1', undefined, 'hello', undefined, 'normal', 10, clock);
    assert.equal(message.isExpired(), false);
    await clock.advance(9.99);
    assert.equal(message.isExpired(), false);
    await clock.advance(0.01);
    assert.equal(message.isExpired(), true);
  });

  it('MBX-05: is expired from the start with a ttl of 0', () => {
    assert.equal(new Message('m1', undefined, 'hello', undefined, 'normal', 0).isExpired(), true);
  });

  it('takes correlation id and reply address, one without the other and anew', () => {
    const message = new Message('m1', undefined, 'hello');
    assert.deepEqual(message.metadata, { correlationId: undefined, replyTo: undefined });
    message.setReplyTo('inbox');
    assert.deepEqual(message.metadata, { correlationId: undefined, replyTo: 'inbox' });
    message.setCorrelationId('c1');
    message.setCorrelationId('c2');
    assert.deepEqual(message.metadata, { correlationId: 'c2', replyTo: 'inbox' });
  });

  it('refuses metadata that is no text and keeps what it had', () => {
    const message = new Message('m1', undefined, 'hello');
    message.setCorrelationId('c1');
    assert.throws(() => message.setCorrelationId(''), isInvalidMessage);
    assert.throws(() => message.setReplyTo(''), isInvalidMessage);
    assert.deepEqual(message.metadata, { correlationId: 'c1', replyTo: undefined });
  });

  it('does not share its metadata with the messages made after it', () => {
    new Message('m1', undefined, 'hello').setCorrelationId('c1');
    assert.equal(new Message('m2', undefined, 'hello').metadata.correlationId, undefined);
  });
});

describe('Message.sizeBytes', () => {
  it('MBX-07: counts id, sender, payload, correlation id and reply address', () => {
    const message = new Message('12345', '1234', '123');
    assert.equal(message.sizeBytes(), 12);
    message.setCorrelationId('12');
    message.setReplyTo('1');
    assert.equal(message.sizeBytes(), 15);
  });

  it('MBX-07: counts anew when metadata is replaced', () => {
    const message = new Message('m', undefined, '');
    message.setCorrelationId('1234567890');
    message.setCorrelationId('12');
    assert.equal(message.sizeBytes(), 3);
  });

  it('MBX-07: counts bytes of UTF-8, not characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: characters, minLength: 1 }), fc.string({ unit: characters }), (sender, payload) => {
        assert.equal(new Message('m', sender, payload).sizeBytes(), 1 + bytesOf(sender) + bytesOf(payload));
      }),
    );
  });

  it('counts the id that a number was turned into', () => {
    assert.equal(new Message(17, undefined, '').sizeBytes(), 'm-17'.length);
  });

  it('counts bytes in each of their forms', () => {
    const forms = [Buffer.alloc(5), new Uint16Array(4), new DataView(new ArrayBuffer(3)), new ArrayBuffer(6), new SharedArrayBuffer(7)];
    assert.deepEqual(
      forms.map((payload) => new Message('m', undefined, payload).sizeBytes() - 1),
      [5, 8, 3, 6, 7],
    );
  });

  it('counts another payload by sizeOf, and as nothing without it', () => {
    const message = new Message('m', undefined, { length: 42 });
    assert.equal(message.sizeBytes(), 1);
    assert.equal(
      message.sizeBytes((payload) => payload.length),
      43,
    );
  });

  it('does not ask sizeOf about strings and bytes', () => {
    assert.equal(new Message('m', undefined, 'abc').sizeBytes(mustNotAsk), 4);
    assert.equal(new Message('m', undefined, Buffer.alloc(3)).sizeBytes(mustNotAsk), 4);
  });
});

describe('messageOf', () => {
  const origin = { clock: new VirtualClock() };

  it('makes the message that the options describe', () => {
    const options = { from: 'alice', signal: 'custom', priority: 'low', ttlMs: 5, correlationId: 'c1', replyTo: 'r1' } as const;
    const message = messageOf(3, 'hello', options, 100, origin);
    const { id, sender, signal, priority, ttlMs, metadata } = message;
    assert.deepEqual([id, sender, signal, priority, ttlMs], ['m-3', 'alice', 'custom', 'low', 5]);
    assert.deepEqual(metadata, { correlationId: 'c1', replyTo: 'r1' });
  });

  it('MBX-05: gives the default ttl to a message that has none of its own', () => {
    assert.equal(messageOf(1, 'hello', undefined, 100, origin).ttlMs, 100);
    assert.equal(messageOf(1, 'hello', {}, 100, origin).ttlMs, 100);
    assert.equal(messageOf(1, 'hello', { ttlMs: 0 }, 100, origin).ttlMs, 0);
    assert.equal(messageOf(1, 'hello', undefined, undefined, origin).ttlMs, undefined);
  });

  it('refuses options that no message can have', () => {
    // @ts-expect-error options are an object
    for (const options of [null, 5, 'high']) assert.throws(() => messageOf(1, 'hello', options, undefined, origin), isInvalidMessage);
    // @ts-expect-error undefined is the default, null is nothing
    assert.throws(() => messageOf(1, 'hello', { ttlMs: null }, 100, origin), isInvalidMessage);
    for (const options of [{ from: '' }, { ttlMs: -1 }, { correlationId: '' }, { replyTo: '' }]) {
      assert.throws(() => messageOf(1, 'hello', options, undefined, origin), isInvalidMessage);
    }
  });
});

describe('the copy that a mailbox keeps of a message', () => {
  it('is as the message was', () => {
    const original = new Message('m1', 'alice', { a: 1 }, 'custom', 'batch', 7);
    original.setCorrelationId('c1');
    original.setReplyTo('r1');
    const copy = mailboxAccess.copy(original);
    assert.notEqual(copy, original);
    assert.equal(copy.payload, original.payload);
    const { id, sender, signal, priority, ttlMs, metadata } = copy;
    assert.deepEqual([id, sender, signal, priority, ttlMs], ['m1', 'alice', 'custom', 'batch', 7]);
    assert.deepEqual(metadata, original.metadata);
  });

  it('does not change with the original, nor the original with it', () => {
    const original = new Message('m1', undefined, 'hello');
    const copy = mailboxAccess.copy(original);
    original.setCorrelationId('of the original');
    copy.setReplyTo('of the copy');
    mailboxAccess.countAttempt(copy);
    assert.deepEqual(copy.metadata, { correlationId: undefined, replyTo: 'of the copy' });
    assert.deepEqual(original.metadata, { correlationId: 'of the original', replyTo: undefined });
    assert.deepEqual([original.attemptCount, copy.attemptCount], [0, 1]);
  });

  it('is as old as the original, also where another clock goes on counting', async () => {
    const [theirs, ours] = [new VirtualClock(), new VirtualClock()];
    await ours.advance(5000);
    const original = new Message('m1', undefined, 'hello', undefined, 'normal', 10, theirs);
    await theirs.advance(4);
    const copy = mailboxAccess.copy(original, ours);
    await theirs.advance(1000);
    await ours.advance(5.5);
    assert.equal(copy.isExpired(), false);
    await ours.advance(0.5);
    assert.equal(copy.isExpired(), true);
  });

  it('MBX-05: gets the default ttl, counted from now, only when it has none of its own', async () => {
    const clock = new VirtualClock();
    const without = new Message('m1', undefined, 'hello', undefined, 'normal', undefined, clock);
    const withOwn = new Message('m2', undefined, 'hello', undefined, 'normal', 20, clock);
    await clock.advance(5);
    const copies = [without, withOwn].map((message) => mailboxAccess.copy(message, clock, 10));
    assert.deepEqual(
      copies.map((copy) => copy.ttlMs),
      [10, 20],
    );
    await clock.advance(10);
    assert.deepEqual(
      copies.map((copy) => copy.isExpired()),
      [true, false],
    );
    await clock.advance(5);
    assert.equal(copies[1]?.isExpired(), true);
  });
});

/** Of one to four bytes, and a broken one. */
const characters = fc.constantFrom('a', 'ü', '€', '😀', '\ud800');

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

function mustNotAsk(): never {
  return assert.fail('asked about a string or bytes');
}
