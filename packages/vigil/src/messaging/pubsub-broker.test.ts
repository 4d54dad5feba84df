import assert from 'node:assert/strict';
import { it } from 'node:test';
import { runtime } from '../app/index.js';
import { type Inbox, isVigilError, type Message, type OwnedSender, type TelemetryEvents, type VigilErrorCode } from '../core/index.js';
import type { ProcessContext } from '../processes/index.js';
import { VirtualClock } from '../testing/index.js';
import { type Collect, describeWithInboxes, type MessagingEngine } from './engines.suite.js';
import { PubSubBroker } from './pubsub-broker.js';
import { Subscriber } from './subscriber.js';

describeWithInboxes('PubSubBroker', (engine) => {
  it('sends what is published to all whose patterns match, and to nobody else', () => {
    const town = new Town(engine);
    const [users, all, orders] = [town.join('events.user.*'), town.join('events.#'), town.join('orders.*')];
    assert.deepEqual(town.broker.publish('events.user.created', 'ann'), { delivered: 2, failed: 0 });
    assert.deepEqual(town.broker.publish('nobody.wants.this', 'x'), { delivered: 0, failed: 0 });
    assert.deepEqual([take(users), take(all), take(orders)], [['ann'], ['ann'], []]);
    const receivers = town.broker.receiversOf('events.user.created');
    assert.ok(receivers.length === 2 && receivers.includes(users) && receivers.includes(all));
  });

  it('sends a subscriber one message, however many of its patterns match', () => {
    const town = new Town(engine);
    const inbox = town.join('a.b', 'a.*', 'a.#', '#', '*.b');
    assert.deepEqual(town.broker.publish('a.b', 1), { delivered: 1, failed: 0 });
    assert.deepEqual(take(inbox), [1]);
  });

  it('sends two subscribers of one inbox a message each', () => {
    const town = new Town(engine);
    const inbox = town.inbox();
    for (const pattern of ['a', '#']) new Subscriber(inbox, town.broker).subscribe(pattern);
    assert.deepEqual(town.broker.publish('a', 1), { delivered: 2, failed: 0 });
  });

  it('says the topic with the message, and what its publisher said; it has one id for all', () => {
    const town = new Town(engine);
    const [one, other] = [town.join('a.*'), town.join('a.*')];
    town.broker.publish('a.b', 'x', { priority: 'high', from: 'me', correlationId: 'c', signal: 'alert' });
    const messages = [one, other].map((inbox) => inbox.tryRecv()!);
    for (const { payload, priority, sender, signal, metadata } of messages) {
      assert.deepEqual([payload, priority, sender, signal], ['x', 'high', 'me', 'alert']);
      assert.deepEqual(metadata, { correlationId: 'c', replyTo: undefined, topic: 'a.b' });
    }
    assert.equal(messages[0]?.id, messages[1]?.id);
  });

  it('keeps the topic in a dead letter and its replay', () => {
    const town = new Town(engine);
    const inbox = town.join('a');
    town.broker.publish('a', 'x');
    inbox.deadLetter(inbox.tryRecv()!);
    inbox.deadLetters.replay(inbox.deadLetters.list()[0]!.id, inbox);
    assert.equal(inbox.tryRecv()?.metadata.topic, 'a');
  });

  it('lets a message live as long as its publisher or its inbox says, from when it was published', async () => {
    const clock = new VirtualClock();
    const town = new Town(engine, clock);
    const [short, long] = [town.inbox((builder) => builder.defaultTTL(5)), town.join('a')];
    new Subscriber(short, town.broker).subscribe('a');
    town.broker.publish('a', 'by default');
    town.broker.publish('a', 'ten', { ttlMs: 10 });
    await clock.advance(5);
    assert.deepEqual([take(short), take(long)], [['ten'], ['by default', 'ten']]);
    town.broker.publish('a', 'ten', { ttlMs: 10 });
    await clock.advance(10);
    assert.deepEqual(take(long), []);
  });

  it('PS-06: what one subscriber refuses keeps it from no other, is counted, and told by telemetry', () => {
    const town = new Town(engine);
    const dropped: TelemetryEvents['message_dropped'][] = [];
    town.runtime.telemetry.on('message_dropped', ({ metadata }) => dropped.push(metadata));
    const full = town.inbox((builder) => builder.name('full').capacity(1));
    const closed = town.inbox((builder) => builder.name('closed'));
    town.listen('a', () => engine.close(closed));
    for (const receiver of [full, closed]) new Subscriber(receiver, town.broker).subscribe('a');
    const healthy = town.join('a');
    full.send('in the way');
    assert.deepEqual(town.broker.publish('a', 'x', { priority: 'low' }), { delivered: 2, failed: 2 });
    const [message] = [healthy.tryRecv()];
    assert.equal(message?.payload, 'x');
    assert.deepEqual(dropped, [
      { mailbox: 'full', messageId: message.id, priority: 'low' },
      { mailbox: 'closed', messageId: message.id, priority: 'low' },
    ]);
  });

  it('PS-06: a message that a full inbox keeps as a dead letter is delivered', () => {
    const town = new Town(engine);
    const inbox = town.inbox((builder) => builder.capacity(1).deadLetter(true));
    new Subscriber(inbox, town.broker).subscribe('a');
    assert.deepEqual(town.broker.publishBatch('a', [1, 2]), { delivered: 2, failed: 0 });
    assert.equal(inbox.deadLetters.size, 1);
  });

  it('PS-07: a subscriber that comes while a message is published is sent the next one', () => {
    const town = new Town(engine);
    const late = town.inbox();
    let comes = () => new Subscriber(late, town.broker).subscribe('a');
    town.listen('a', () => {
      comes();
      comes = () => {};
    });
    const last = town.join('a');
    assert.deepEqual(town.broker.publishBatch('a', [1, 2]), { delivered: 4, failed: 0 });
    assert.deepEqual(town.broker.publish('a', 3), { delivered: 3, failed: 0 });
    assert.deepEqual([take(late), take(last)], [[3], [1, 2, 3]]);
  });

  it('PS-07: a subscriber that leaves while a message is published is sent this one, and no other is skipped', () => {
    const town = new Town(engine);
    const inboxes = [town.inbox(), town.inbox(), town.inbox()];
    const leavers: Subscriber[] = [];
    town.listen('a', () => {
      for (const leaver of leavers) leaver.unsubscribe();
    });
    const subscribers = inboxes.map((inbox) => new Subscriber(inbox, town.broker));
    for (const subscriber of subscribers) subscriber.subscribe('a');
    leavers.push(subscribers[0]!, subscribers[1]!);
    assert.deepEqual(town.broker.publish('a', 1), { delivered: 4, failed: 0 });
    assert.deepEqual(town.broker.publish('a', 2), { delivered: 2, failed: 0 });
    assert.deepEqual(inboxes.map(take), [[1], [1], [1, 2]]);
  });

  it('PS-07: what is published while a message is published goes to all, too', () => {
    const town = new Town(engine);
    const heard: unknown[] = [];
    town.listen('#', ({ payload }) => {
      if (payload === 1) town.broker.publish('a.b', 2);
    });
    town.listen('a.*', ({ payload }) => heard.push(payload));
    town.listen('*.b', ({ payload }) => heard.push(payload));
    town.broker.publish('a.b', 1);
    assert.deepEqual(heard, [2, 2, 1, 1]);
  });

  it('PS-08: a closed inbox has left, and nothing of 10,000 of them is left', () => {
    const town = new Town(engine);
    for (let round = 0; round < 10_000; round += 1) {
      const inbox = town.inbox((builder) => builder.capacity(1));
      const subscriber = new Subscriber(inbox, town.broker);
      subscriber.subscribe([`user.${round}.*`, `user.${round}.#`, '*.x.y', 'plain']);
      engine.close(inbox);
      assert.throws(() => subscriber.subscribe('again'), withCode('InboxClosed'));
    }
    assert.deepEqual(town.broker.publish('plain', 1), { delivered: 0, failed: 0 });
    const { subscribers, patterns, failed } = town.broker.stats();
    assert.deepEqual([subscribers, patterns, failed], [0, 0, 0]);
  });

  it('PS-08: an inbox that stays open keeps nothing of subscribers that have left', () => {
    const town = new Town(engine);
    const receiver = new Refusing(() => 'queued');
    for (let round = 0; round < 10; round += 1) {
      const subscriber = new Subscriber(receiver, town.broker);
      subscriber.subscribe(['a', 'b']);
      subscriber.subscribe('c');
      assert.equal(receiver.callbacks.size, 1);
      subscriber.unsubscribe('a');
      subscriber.unsubscribe(['b', 'c']);
      assert.equal(receiver.callbacks.size, 0);
    }
    assert.equal(town.broker.stats().subscribers, 0);
  });

  it('PS-08: a process that dies has left before anybody hears of it', async () => {
    const town = new Town(engine);
    const receivers: number[] = [];
    const tell = () => receivers.push(town.broker.receiversOf('a').length);
    const subscribed = (ctx: ProcessContext) => {
      new Subscriber(ctx.self, town.broker).subscribe('a');
      tell();
      return ctx.stopped;
    };
    town.runtime.telemetry.on('process_stopped', tell);
    const supervisor = town.runtime.supervisor().child('worker', subscribed).build();
    await supervisor.start();
    await supervisor.stop();
    assert.deepEqual(receivers, [1, 0]);
  });

  it('PS-09: a subscriber gets the messages of one publisher in their order', () => {
    const town = new Town(engine);
    const [one, other] = [town.join('a.b'), town.join('a.*')];
    town.broker.publish('a.b', 0);
    assert.deepEqual(town.broker.publishBatch('a.b', ['p', 'q', 'r']), { delivered: 6, failed: 0 });
    town.broker.publish('a.b', 1);
    for (const inbox of [one, other]) assert.deepEqual(take(inbox), [0, 'p', 'q', 'r', 1]);
  });

  it('sends nobody anything when the topic or the options are wrong', () => {
    const town = new Town(engine);
    const inbox = town.join('#');
    for (const topic of ['', 'a.*', 'a.#', '#', 'a..b', '.a', 'a.', 'a*'])
      assert.throws(() => town.broker.publish(topic, 1), withCode('InvalidConfiguration'), topic);
    assert.throws(() => town.broker.publishBatch('a', [1, 2], { ttlMs: -1 }), withCode('InvalidMessage'));
    assert.throws(() => town.broker.publish('nobody', 1, { ttlMs: -1 }), withCode('InvalidMessage'));
    assert.deepEqual(take(inbox), []);
  });

  it('counts what it did in its life', () => {
    const town = new Town(engine);
    town.join('a', 'b');
    new Subscriber(new Refusing(() => assert.fail('full')), town.broker).subscribe('a');
    town.broker.publish('a', 1);
    town.broker.publishBatch('b', [1, 2]);
    town.broker.publish('c', 1);
    assert.deepEqual(town.broker.stats(), { subscribers: 2, patterns: 3, published: 4, delivered: 3, failed: 1 });
  });

  it('takes a subscriber of another broker, with the patterns that it has and will have', () => {
    const [town, village] = [new Town(engine), new Town(engine)];
    const inbox = town.inbox();
    const subscriber = new Subscriber(inbox, town.broker);
    subscriber.subscribe('a');
    village.broker.subscribe(subscriber);
    village.broker.subscribe(subscriber);
    subscriber.subscribe('b');
    town.broker.publish('a', 'town');
    village.broker.publish('a', 'village');
    village.broker.publish('b', 'village, later');
    assert.equal(village.broker.unsubscribe(subscriber), true);
    assert.equal(village.broker.unsubscribe(subscriber), false);
    assert.deepEqual(village.broker.publish('a', 'gone'), { delivered: 0, failed: 0 });
    town.broker.publish('b', 'still there');
    assert.deepEqual(take(inbox), ['town', 'village', 'village, later', 'still there']);
  });

  it('PS-06: does not take a subscriber whose inbox is closed', () => {
    const [town, village] = [new Town(engine), new Town(engine)];
    const inbox = town.inbox();
    const subscriber = new Subscriber(inbox, town.broker);
    subscriber.subscribe('a');
    engine.close(inbox);
    assert.throws(() => village.broker.subscribe(subscriber), withCode('InboxClosed'));
    assert.equal(village.broker.unsubscribe(subscriber), false);
  });
});

describeWithInboxes('Subscriber', (engine) => {
  it('PS-10: has either all the patterns of a list or none of them', () => {
    const town = new Town(engine);
    const subscriber = new Subscriber(town.inbox(), town.broker);
    for (const bad of ['', 'a..b', '.a', 'a.', 'a.#.b', '#.a', 'a#', 'a.b*', '**'])
      assert.throws(() => subscriber.subscribe(['a.*', bad]), withCode('InvalidConfiguration'), bad);
    assert.deepEqual([subscriber.patterns(), subscriber.matches('a.b'), town.broker.stats().patterns], [[], false, 0]);
    assert.throws(
      () => subscriber.subscribe(['a.*', 'a.#.b']),
      (error) => error instanceof Error && error.message.includes('"a.#.b"') && error.message.includes('whole last one'),
    );
  });

  it('matches what it will be sent, before and after its patterns change', () => {
    const town = new Town(engine);
    const subscriber = new Subscriber(town.inbox(), town.broker);
    assert.equal(subscriber.matches('a.b'), false);
    subscriber.subscribe(['a.*', 'b']);
    subscriber.subscribe(['b', 'a.*']);
    assert.deepEqual([subscriber.patterns(), subscriber.matches('a.b'), subscriber.matches('c')], [['a.*', 'b'], true, false]);
    subscriber.unsubscribe(['a.*', 'never had']);
    assert.deepEqual([subscriber.patterns(), subscriber.matches('a.b'), subscriber.matches('b')], [['b'], false, true]);
    assert.deepEqual([town.broker.publish('a.b', 1).delivered, town.broker.publish('b', 1).delivered], [0, 1]);
  });

  it('is sent nothing more when it is disposed of', () => {
    const town = new Town(engine);
    {
      using subscriber = new Subscriber(town.inbox(), town.broker);
      subscriber.subscribe('a');
      assert.equal(town.broker.publish('a', 1).delivered, 1);
    }
    assert.deepEqual(town.broker.publish('a', 1), { delivered: 0, failed: 0 });
  });
});

/** A broker in a runtime of its own. */
class Town {
  readonly runtime: ReturnType<typeof runtime>;
  readonly broker: PubSubBroker;
  readonly #engine: MessagingEngine;

  constructor(engine: MessagingEngine, clock = new VirtualClock()) {
    this.#engine = engine;
    this.runtime = runtime({ clock });
    this.broker = new PubSubBroker(this.runtime.environment);
  }

  inbox(collect: Collect<unknown> = (builder) => builder): Inbox<unknown> {
    return this.#engine.build(this.runtime, (builder) => collect(builder.capacity(100)));
  }

  /** An inbox that has subscribed. */
  join(...patterns: string[]): Inbox<unknown> {
    const inbox = this.inbox();
    new Subscriber(inbox, this.broker).subscribe(patterns);
    return inbox;
  }

  /** Calls back in the midst of a publish. */
  listen(pattern: string, callback: (message: Message) => void): void {
    const receiver = new Refusing((message) => {
      callback(message);
      return 'queued';
    });
    new Subscriber(receiver, this.broker).subscribe(pattern);
  }
}

/** A mailbox that answers as the test wants. */
class Refusing implements OwnedSender {
  readonly callbacks = new Set<() => void>();
  readonly #answer: (message: Message) => 'queued';

  constructor(answer: (message: Message) => 'queued') {
    this.#answer = answer;
  }

  send(): never {
    assert.fail('a published message is sent as a message');
  }

  sendMessage(message: Message): 'queued' {
    return this.#answer(message);
  }

  sendWait(): never {
    return this.send();
  }

  stats(): never {
    return this.send();
  }

  isClosed(): boolean {
    return false;
  }

  onClose(callback: () => void): () => boolean {
    this.callbacks.add(callback);
    return () => this.callbacks.delete(callback);
  }
}

function take(inbox: Inbox<unknown>): unknown[] {
  const payloads: unknown[] = [];
  for (let message = inbox.tryRecv(); message !== undefined; message = inbox.tryRecv()) payloads.push(message.payload);
  return payloads;
}

function withCode(code: VigilErrorCode): (error: unknown) => boolean {
  return (error) => isVigilError(error, code);
}
