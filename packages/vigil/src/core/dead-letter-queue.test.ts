import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { VirtualClock } from '../testing/index.js';
import { DeadLetterQueue } from './dead-letter-queue.js';
import { RecordingEnvironment } from './environment.suite.js';
import { isVigilError, VigilError } from './errors.js';
import { Message, mailboxAccess } from './message.js';
import { MailboxSettings, ProcessMailbox } from './process-mailbox.js';
import type { Sender } from './sender.js';

describe('DeadLetterQueue', () => {
  it('DLQ-03: shows what it holds without consuming it: id, message, reason, mailbox, time', async () => {
    const { queue, clock } = storeOf(10);
    await clock.advance(250);
    queue.add(messageNamed('a'), 'mailbox_full', 'jobs');
    queue.add(messageNamed('b'), 'max_attempts', 'mails', true);
    for (let look = 0; look < 2; look += 1) {
      const shown = queue.list().map(({ message, ...rest }) => ({ ...rest, message: message.id }));
      const timestampMs = clock.wallTime();
      assert.deepEqual(shown, [
        { id: 1, message: 'a', reason: 'mailbox_full', mailbox: 'jobs', timestampMs, poisoned: false },
        { id: 2, message: 'b', reason: 'max_attempts', mailbox: 'mails', timestampMs, poisoned: true },
      ]);
    }
    assert.equal(queue.size, 2);
  });

  it('DLQ-03: shows copies', () => {
    const { queue } = storeOf(10);
    queue.add(messageNamed('a'), 'mailbox_full', 'jobs');
    queue.list()[0]?.message.setCorrelationId('changed');
    queue.list().pop();
    assert.equal(queue.list()[0]?.message.metadata.correlationId, undefined);
  });

  it('DLQ-03: counts ids up and uses none twice', () => {
    const { queue } = storeOf(2);
    const ids = ['a', 'b', 'c'].map((id) => queue.add(messageNamed(id), 'mailbox_full', 'jobs').id);
    queue.discardAll();
    ids.push(queue.add(messageNamed('d'), 'mailbox_full', 'jobs').id);
    assert.deepEqual(ids, [1, 2, 3, 4]);
  });

  it('lets the oldest make room when it is full, and counts it', () => {
    const { queue, environment } = storeOf(2);
    for (const id of ['a', 'b']) queue.add(messageNamed(id), 'mailbox_full', 'jobs');
    assert.equal(queue.isFull, true);
    environment.takeEventTypes();
    queue.add(messageNamed('c'), 'mailbox_full', 'jobs');
    assert.deepEqual(messagesIn(queue), ['b', 'c']);
    assert.deepEqual([queue.size, queue.evicted], [2, 1]);
    assert.deepEqual(environment.events[0], {
      eventType: 'message_dropped',
      metadata: { mailbox: 'jobs', messageId: 'a', priority: 'normal', deadLetterId: 1 },
    });
  });

  it('discards one, once', () => {
    const { queue } = storeOf(10);
    const { id } = queue.add(messageNamed('a'), 'mailbox_full', 'jobs');
    assert.deepEqual([queue.discard(id), queue.discard(id), queue.discard(99)], [true, false, false]);
    assert.equal(queue.size, 0);
  });

  it('discards all and tells how many there were', () => {
    const { queue } = storeOf(10);
    for (const id of ['a', 'b', 'c']) queue.add(messageNamed(id), 'mailbox_full', 'jobs');
    assert.deepEqual([queue.discardAll(), queue.discardAll(), queue.size], [3, 0, 0]);
  });

  it('DLQ-08: reports each action once, and discarding all as one', () => {
    const { queue, environment } = storeOf(10);
    for (const id of ['a', 'b', 'c']) queue.add(messageNamed(id), 'mailbox_full', 'jobs');
    queue.add(messageNamed('d'), 'max_attempts', 'jobs', true);
    queue.replay(1);
    queue.discard(2);
    queue.discardAll();
    queue.discardAll();
    assert.deepEqual(
      environment.events.map(({ eventType, metadata }) => [eventType, metadata]),
      [
        ['message_dead_lettered', { ...factsOf('a', 1), reason: 'mailbox_full' }],
        ['message_dead_lettered', { ...factsOf('b', 2), reason: 'mailbox_full' }],
        ['message_dead_lettered', { ...factsOf('c', 3), reason: 'mailbox_full' }],
        ['message_dead_lettered', { ...factsOf('d', 4), reason: 'max_attempts' }],
        ['poison_message_detected', { ...factsOf('d', 4), attempts: 0 }],
        ['message_replayed', factsOf('a', 1)],
        ['message_discarded', { mailbox: 'jobs', count: 1 }],
        ['message_discarded', { mailbox: 'jobs', count: 2 }],
      ],
    );
  });

  it('makes no event that nobody wants', () => {
    const silent = { wants: () => false, report: () => assert.fail('reported') };
    const queue = new DeadLetterQueue(1, new VirtualClock(), silent, { takeBack: () => true });
    queue.add(messageNamed('a'), 'mailbox_full', 'jobs', true);
    queue.add(messageNamed('b'), 'mailbox_full', 'jobs');
    queue.replay(2);
    queue.add(messageNamed('c'), 'mailbox_full', 'jobs');
    queue.discard(3);
  });
});

describe('DeadLetterQueue.replay', () => {
  it('DLQ-04: gives a message back to the mailbox it was meant for', () => {
    const { queue, takenBack } = storeOf(10);
    const message = messageNamed('a');
    queue.add(message, 'mailbox_full', 'jobs');
    assert.equal(queue.replay(1), 'replayed');
    assert.deepEqual(takenBack, [message]);
    assert.equal(queue.size, 0);
  });

  it('DLQ-04: renews the ttl and keeps the attempts', async () => {
    const { queue, clock, takenBack } = storeOf(10);
    const message = messageNamed('a', { ttlMs: 10, clock });
    mailboxAccess.countAttempt(message);
    queue.add(message, 'delivery_failed', 'jobs');
    await clock.advance(500);
    queue.replay(1);
    assert.equal(takenBack[0]?.attemptCount, 1);
    await clock.advance(9);
    assert.equal(takenBack[0]?.isExpired(), false);
    await clock.advance(1);
    assert.equal(takenBack[0]?.isExpired(), true);
  });

  it('DLQ-04: retains what its mailbox cannot take, at its place by age', () => {
    const { queue, environment } = storeOf(10, () => false);
    for (const id of ['a', 'b', 'c']) queue.add(messageNamed(id), 'mailbox_full', 'jobs');
    environment.takeEventTypes();
    assert.equal(queue.replay(2), 'retained');
    assert.equal(queue.replay(1), 'retained');
    assert.deepEqual(messagesIn(queue), ['a', 'b', 'c']);
    assert.deepEqual(environment.takeEventTypes(), []);
  });

  it('DLQ-04: does not know an id that was never given, was replayed or discarded', () => {
    const { queue } = storeOf(10);
    for (const id of ['a', 'b']) queue.add(messageNamed(id), 'mailbox_full', 'jobs');
    queue.replay(1);
    queue.discard(2);
    assert.deepEqual(
      [1, 2, 3].map((id) => queue.replay(id)),
      ['not_found', 'not_found', 'not_found'],
    );
  });

  it('DLQ-05: refuses poison, which can be discarded', () => {
    const { queue, takenBack } = storeOf(10);
    queue.add(messageNamed('a'), 'max_attempts', 'jobs', true);
    assert.equal(queue.replay(1), 'poison');
    assert.equal(
      queue.replay(
        1,
        senderThat(() => 'queued'),
      ),
      'poison',
    );
    assert.deepEqual(takenBack, []);
    assert.equal(queue.discard(1), true);
  });

  it('DLQ-07: lets one win when a replay and a discard meet', () => {
    const { queue, takenBack } = storeOf(10, () => {
      // The delivery runs a receiver that looks here again.
      assert.deepEqual([queue.replay(1), queue.discard(1), queue.discardAll()], ['not_found', false, 0]);
      return true;
    });
    queue.add(messageNamed('a'), 'mailbox_full', 'jobs');
    assert.equal(queue.replay(1), 'replayed');
    assert.equal(queue.discard(1), false);
    assert.equal(takenBack.length, 1);
  });

  it('sends to somebody else when told so', () => {
    const { queue, takenBack } = storeOf(10);
    const sent: Message[] = [];
    queue.add(messageNamed('a'), 'mailbox_full', 'jobs');
    const outcome = queue.replay(
      1,
      senderThat((message) => {
        sent.push(message);
        return 'queued';
      }),
    );
    assert.equal(outcome, 'replayed');
    assert.deepEqual(
      sent.map((message) => message.id),
      ['a'],
    );
    assert.deepEqual(takenBack, []);
  });

  it('retains what somebody else refuses', () => {
    const { queue } = storeOf(10);
    queue.add(messageNamed('a'), 'mailbox_full', 'jobs');
    const refusing = senderThat(() => {
      throw new VigilError('ProcessNotFound', 'gone');
    });
    assert.equal(queue.replay(1, refusing), 'retained');
    assert.deepEqual(messagesIn(queue), ['a']);
  });

  it('passes on an error that is no refusal, and still holds the letter', () => {
    const { queue } = storeOf(10);
    for (const id of ['a', 'b']) queue.add(messageNamed(id), 'mailbox_full', 'jobs');
    const broken = senderThat(() => {
      throw new TypeError('a bug in the sender');
    });
    assert.throws(() => queue.replay(1, broken), /a bug in the sender/);
    assert.deepEqual(messagesIn(queue), ['a', 'b']);
    assert.equal(queue.replay(1), 'replayed');
  });

  it('refuses to send to what is no sender, and still holds the letter', () => {
    const { queue } = storeOf(10);
    queue.add(messageNamed('a'), 'mailbox_full', 'jobs');
    // @ts-expect-error it takes a sender
    for (const to of [null, 'jobs', {}]) assert.throws(() => queue.replay(1, to), isInvalidConfiguration);
    assert.deepEqual(messagesIn(queue), ['a']);
  });

  it('needs to be told where to when it serves no mailbox', () => {
    const environment = new RecordingEnvironment(new VirtualClock());
    const queue = new DeadLetterQueue(10, environment.clock, environment.telemetry);
    queue.add(messageNamed('a'), 'process_exited', 'worker');
    assert.throws(
      () => queue.replay(1),
      (error) => isVigilError(error, 'InvalidState'),
    );
    assert.deepEqual(messagesIn(queue), ['a']);
    const mailbox = new ProcessMailbox('other', new MailboxSettings(), environment);
    assert.equal(
      queue.replay(
        1,
        senderThat((message) => mailbox.send(message)),
      ),
      'replayed',
    );
    assert.equal(mailbox.receive().id, 'a');
  });

  it('stays within its capacity when it is filled while it replays', () => {
    const { queue } = storeOf(2, () => {
      queue.add(messageNamed('new'), 'mailbox_full', 'jobs');
      return false;
    });
    for (const id of ['a', 'b']) queue.add(messageNamed(id), 'mailbox_full', 'jobs');
    assert.equal(queue.replay(2), 'retained');
    assert.deepEqual(messagesIn(queue), ['b', 'new']);
    assert.equal(queue.evicted, 1);
  });

  it('holds, replays, discards or evicts each message: exactly one of the four', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(operations, { maxLength: 60 }), (capacity, steps) => {
        const { queue, takenBack } = storeOf(capacity, (message) => !message.id.startsWith('stubborn'));
        let model: { readonly id: number; readonly name: string; readonly poisoned: boolean }[] = [];
        const added: string[] = [];
        let [replayed, discarded, evicted] = [0, 0, 0];
        for (const step of steps) {
          const letter = step.do === 'add' ? undefined : model.find(({ id }) => id === step.id);
          switch (step.do) {
            case 'add': {
              const name = `${step.stubborn ? 'stubborn' : 'message'} ${added.length + 1}`;
              added.push(name);
              queue.add(messageNamed(name), 'delivery_failed', 'jobs', step.poisoned);
              if (model.length === capacity) evicted += 1;
              model = [...model, { id: added.length, name, poisoned: step.poisoned }].slice(-capacity);
              break;
            }
            case 'replay': {
              const outcome = queue.replay(step.id);
              if (letter === undefined) assert.equal(outcome, 'not_found');
              else if (letter.poisoned) assert.equal(outcome, 'poison');
              else if (letter.name.startsWith('stubborn')) assert.equal(outcome, 'retained');
              else {
                assert.equal(outcome, 'replayed');
                assert.equal(takenBack.at(-1)?.id, letter.name);
                model = model.filter((other) => other !== letter);
                replayed += 1;
              }
              break;
            }
            case 'discard':
              assert.equal(queue.discard(step.id), letter !== undefined);
              if (letter !== undefined) discarded += 1;
              model = model.filter((other) => other !== letter);
              break;
          }
          assert.deepEqual(
            queue.list().map(({ id, message, poisoned }) => ({ id, name: message.id, poisoned })),
            model,
          );
          assert.equal(queue.evicted, evicted);
          assert.equal(added.length, queue.size + replayed + discarded + evicted);
        }
      }),
    );
  });
});

const ids = fc.integer({ min: 1, max: 12 });
const operations = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('add'), stubborn: fc.boolean(), poisoned: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('replay'), id: ids }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('discard'), id: ids }) },
);

/** A store whose mailbox takes back what `takes` accepts; by default everything. */
function storeOf(capacity: number, takes: (message: Message) => boolean = () => true) {
  const clock = new VirtualClock();
  const environment = new RecordingEnvironment(clock);
  const takenBack: Message[] = [];
  const takeBack = (message: Message) => {
    if (!takes(message)) return false;
    takenBack.push(message);
    return true;
  };
  return { queue: new DeadLetterQueue(capacity, clock, environment.telemetry, { takeBack }), clock, environment, takenBack };
}

function messageNamed(id: string, options: { ttlMs?: number; clock?: VirtualClock } = {}): Message {
  return new Message(id, undefined, `payload of ${id}`, undefined, 'normal', options.ttlMs, options.clock);
}

function messagesIn(queue: DeadLetterQueue): string[] {
  return queue.list().map((letter) => letter.message.id);
}

function senderThat(sendMessage: Sender['sendMessage']): Sender {
  return { sendMessage, send: unused, sendWait: unused };
}

function isInvalidConfiguration(error: unknown): boolean {
  return isVigilError(error, 'InvalidConfiguration');
}

function unused(): never {
  return assert.fail('not in this test');
}

function factsOf(messageId: string, deadLetterId: number) {
  return { mailbox: 'jobs', messageId, priority: 'normal', deadLetterId };
}
