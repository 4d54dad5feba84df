import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Message, type MessageMetadata } from '../core/index.js';
import { VirtualClock } from '../testing/index.js';
import { Runtime } from './runtime.js';

describe('MessageBuilder', () => {
  it('makes a message that says nothing but its payload', () => {
    const payload = { order: 7 };
    const message = new Runtime().msg(payload).build();
    assert.ok(message instanceof Message);
    assert.equal(message.payload, payload);
    assert.deepEqual(
      [message.sender, message.priority, message.ttlMs, message.signal, message.isExpired(), message.attemptCount],
      [undefined, 'normal', undefined, undefined, false, 0],
    );
    assert.deepEqual(message.metadata, { correlationId: undefined, replyTo: undefined });
  });

  it('puts everything that it was told into the message', () => {
    const builder = new Runtime().msg('Hello World').from('sender_id').priority('high').ttl(5000).signal('healthCheck');
    const message = builder.withCorrelation('request_123').replyTo('response_queue').build();
    assert.deepEqual(
      [message.payload, message.sender, message.priority, message.ttlMs, message.signal],
      ['Hello World', 'sender_id', 'high', 5000, 'healthCheck'],
    );
    assert.deepEqual<MessageMetadata>(message.metadata, { correlationId: 'request_123', replyTo: 'response_queue' });
  });

  it('works as statements as it does chained', () => {
    const builder = new Runtime().msg('x');
    builder.from('me');
    builder.priority('low');
    const message = builder.build();
    assert.deepEqual([message.sender, message.priority], ['me', 'low']);
  });

  it('takes the last word, and `undefined` as none', () => {
    const builder = new Runtime().msg('x').priority('low').priority('batch').ttl(5).from('me');
    assert.equal(builder.build().priority, 'batch');
    const takenBack = builder.ttl(undefined!).from(undefined!).priority(undefined!).build();
    assert.deepEqual([takenBack.ttlMs, takenBack.sender, takenBack.priority], [undefined, undefined, 'normal']);
  });

  it('counts the ttl from build() on, by the clock of its runtime', async () => {
    const clock = new VirtualClock();
    const builder = new Runtime({ clock }).msg('x').ttl(100);
    await clock.advance(100);
    const message = builder.build();
    await clock.advance(99);
    assert.equal(message.isExpired(), false);
    await clock.advance(1);
    assert.equal(message.isExpired(), true);
  });

  it('may build again: a message of its own each time, and later calls do not change what was built', () => {
    const builder = new Runtime().msg('x').from('me');
    const first = builder.build();
    const second = builder.from('you').withCorrelation('c').build();
    assert.notEqual(first.id, second.id);
    assert.deepEqual([first.sender, first.metadata.correlationId], ['me', undefined]);
    assert.deepEqual([second.sender, second.metadata.correlationId], ['you', 'c']);
  });

  it('reaches an inbox with all that it says', () => {
    const runtime = new Runtime();
    const inbox = runtime.inbox<string>();
    inbox.sendMessage(runtime.msg('later').build());
    inbox.sendMessage(runtime.msg('now').priority('critical').signal('alert').replyTo('me').build());
    const received = inbox.tryRecv();
    assert.deepEqual([received?.payload, received?.signal, received?.metadata.replyTo], ['now', 'alert', 'me']);
  });
});
