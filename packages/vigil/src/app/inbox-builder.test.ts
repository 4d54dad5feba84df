import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type DeadLetter, isVigilError, type VigilErrorCode } from '../core/index.js';
import { VirtualClock } from '../testing/index.js';
import type { InboxBuilder } from './inbox-builder.js';
import { Runtime } from './runtime.js';

describe('InboxBuilder', () => {
  it('makes an inbox with the defaults', () => {
    const inbox = build();
    assert.equal(inbox.name, 'inbox');
    assert.equal(inbox.stats().capacity, 1000);
    inbox.send('second', { priority: 'low' });
    inbox.send('first', { priority: 'high' });
    assert.deepEqual(payloads(inbox.recvBatch(2)), ['first', 'second']);
    fill(inbox, 1000);
    assert.throws(() => inbox.send('x'), isError('MailboxFull'));
  });

  it('name: what its errors call it', () => {
    const inbox = build((builder) => builder.name('orders').capacity(1));
    inbox.send('x');
    assert.equal(inbox.name, 'orders');
    assert.throws(() => inbox.send('y'), /"orders"/);
  });

  it('capacity: it is full at exactly that many', () => {
    const inbox = build((builder) => builder.capacity(3));
    fill(inbox, 3);
    assert.throws(() => inbox.send('x'), isError('MailboxFull'));
    assert.equal(inbox.stats().capacity, 3);
  });

  it('priorityQueues: without them messages come in the order of arrival', () => {
    const inbox = build((builder) => builder.priorityQueues(false));
    inbox.send('first', { priority: 'batch' });
    inbox.send('second', { priority: 'critical' });
    assert.deepEqual(payloads(inbox.recvBatch(2)), ['first', 'second']);
  });

  it('deadLetter: overflow is kept', () => {
    const inbox = build((builder) => builder.capacity(1).deadLetter(true));
    assert.deepEqual([inbox.send('a'), inbox.send('b')], ['queued', 'dead_lettered']);
    assert.deepEqual(
      inbox.deadLetters.list().map(({ message, reason }) => [message.payload, reason]),
      [['b', 'mailbox_full']],
    );
  });

  it('deadLetterCapacity: so much overflow and no more', () => {
    const inbox = build((builder) => builder.capacity(1).deadLetter(true).deadLetterCapacity(2));
    fill(inbox, 3);
    assert.equal(inbox.deadLetters.capacity, 2);
    assert.throws(() => inbox.send('d'), isError('MailboxFull'));
  });

  it('maxAttempts and onPoison: a message given up that often is poison, and somebody hears of it', () => {
    const poison: DeadLetter<string>[] = [];
    const inbox = build((builder) => builder.maxAttempts(2).onPoison((letter) => poison.push(letter)));
    inbox.send('bad');
    const { id } = inbox.deadLetter(inbox.tryRecv()!);
    assert.equal(poison.length, 0);
    assert.equal(inbox.deadLetters.replay(id), 'replayed');
    const letter = inbox.deadLetter(inbox.tryRecv()!);
    assert.deepEqual([letter.poisoned, poison.map(({ message }) => message.payload)], [true, ['bad']]);
  });

  it('defaultTTL: a message without a ttl of its own expires then', async () => {
    const clock = new VirtualClock();
    const inbox = new Runtime({ clock }).inboxBuilder<string>().defaultTTL(50).build();
    inbox.send('short');
    inbox.send('long', { ttlMs: 51 });
    await clock.advance(50);
    assert.deepEqual(payloads(inbox.recvBatch(5)), ['long']);
  });

  it('maxMessageSize: refuses a message that is one byte larger', () => {
    const roomForId = 'm-1'.length;
    const inbox = build((builder) => builder.maxMessageSize(roomForId + 4));
    assert.equal(inbox.send('four'), 'queued');
    assert.throws(() => inbox.send('fives'), isError('MessageTooLarge'));
  });

  it('sizeOf: measures what is neither a string nor bytes', () => {
    const inbox = new Runtime()
      .inboxBuilder<{ bytes: number }>()
      .maxMessageSize(100)
      .sizeOf(({ bytes }) => bytes)
      .build();
    assert.equal(inbox.send({ bytes: 90 }), 'queued');
    assert.throws(() => inbox.send({ bytes: 101 }), isError('MessageTooLarge'));
  });

  it('withRateLimit: so many in a second, of a local inbox and a shared one', async () => {
    for (const make of [(builder: InboxBuilder<string>) => builder, (builder: InboxBuilder<string>) => builder.shared()]) {
      const clock = new VirtualClock();
      const inbox = make(new Runtime({ clock }).inboxBuilder<string>().withRateLimit({ maxPerSecond: 2, burst: 1 })).build();
      inbox.send('a');
      assert.throws(() => inbox.send('b'), isError('RateLimitExceeded'));
      await clock.advance(500);
      assert.equal(inbox.send('c'), 'queued');
      assert.equal(inbox.stats().flow?.throttled, 1);
    }
  });

  it('withBackpressure: what is done at the high watermark, of a local inbox and a shared one', () => {
    for (const make of [(builder: InboxBuilder<string>) => builder, (builder: InboxBuilder<string>) => builder.shared()]) {
      const inbox = build((builder) => make(builder.withBackpressure({ strategy: 'drop_oldest', highWatermark: 2 })));
      fill(inbox, 3);
      assert.deepEqual([inbox.stats().depth, inbox.stats().capacity, inbox.stats().flow?.dropped], [2, 1000, 1]);
    }
  });

  for (const [what, backpressure] of [
    ['a low watermark above the high one', { strategy: 'drop_newest', highWatermark: 2, lowWatermark: 3 }],
    ['a low watermark of 0 that blocks', { strategy: 'block', highWatermark: 2, lowWatermark: 0 }],
    ['a low watermark of 0 that delays', { strategy: 'adaptive', highWatermark: 2, lowWatermark: 0 }],
    ['a high watermark above the capacity', { strategy: 'block', highWatermark: 11 }],
    ['a delay where nobody is delayed', { strategy: 'block', maxDelayMs: 5 }],
  ] as const) {
    it(`BP-05: withBackpressure refuses ${what} when it builds`, () => {
      const builder = new Runtime().inboxBuilder().capacity(10).withBackpressure(backpressure);
      assert.throws(() => builder.build(), isError('InvalidConfiguration'));
    });
  }

  it("BP-05: takes a low watermark of 0 that is nobody's", () => {
    const inbox = build((builder) => builder.withBackpressure({ strategy: 'drop_newest', highWatermark: 1, lowWatermark: 0 }));
    assert.deepEqual([inbox.send('a'), inbox.send('b')], ['queued', 'dropped']);
  });

  it('works as statements as it does chained', () => {
    const builder = new Runtime().inboxBuilder<string>();
    builder.name('orders');
    builder.capacity(2);
    const inbox = builder.build();
    assert.deepEqual([inbox.name, inbox.stats().capacity], ['orders', 2]);
  });

  it('takes the last word, and `undefined` as the default', () => {
    const inbox = build((builder) => builder.name('orders').capacity(5).capacity(7).name(undefined!));
    assert.deepEqual([inbox.name, inbox.stats().capacity], ['inbox', 7]);
    assert.equal(build((builder) => builder.capacity(5).capacity(undefined!)).stats().capacity, 1000);
  });

  it('SPEC-10: may build again: independent inboxes, and later calls do not change what was built', () => {
    const builder = new Runtime().inboxBuilder<string>().capacity(1);
    const first = builder.build();
    const second = builder.capacity(2).build();
    first.send('x');
    assert.throws(() => first.send('y'), isError('MailboxFull'));
    first.close();
    assert.deepEqual([second.stats().depth, second.isClosed(), second.sendBatch(['a', 'b', 'c'])], [0, false, 2]);
  });

  it('can build after a bad option was put right', () => {
    const builder = new Runtime().inboxBuilder<string>().name('orders').capacity(-1);
    assert.throws(() => builder.build(), isError('InvalidConfiguration'));
    assert.deepEqual(builder.capacity(4).build().stats().capacity, 4);
  });
});

function build(configure: (builder: InboxBuilder<string>) => InboxBuilder<string> = (builder) => builder) {
  return configure(new Runtime().inboxBuilder<string>()).build();
}

function fill(inbox: { send(payload: string): unknown }, count: number): void {
  for (let sent = 0; sent < count; sent += 1) inbox.send('x');
}

function payloads(messages: readonly { payload: string }[]): string[] {
  return messages.map(({ payload }) => payload);
}

function isError(code: VigilErrorCode): (error: unknown) => boolean {
  return (error) => isVigilError(error, code);
}
