import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { describe, it } from 'node:test';
import { SystemClock } from '../clock.js';
import { DeadLetterQueue } from '../dead-letter-queue.js';
import { RecordingEnvironment } from '../environment.suite.js';
import { VigilError } from '../errors.js';
import { payloadsOf, withCode } from '../inbox-bench.suite.js';
import { type MailboxOptions, MailboxSettings } from '../process-mailbox.js';
import { noTelemetry } from '../telemetry-event.js';
import { isPlainData, type Parcels } from './parcels.js';
import { SharedInbox } from './shared-inbox.js';

/** Parcels that are handed over in this event loop. */
class Shelf implements Parcels {
  readonly parcels = new Map<number, unknown>();
  #last = 0;

  send(payload: unknown): number {
    this.#last += 1;
    this.parcels.set(this.#last, this.copy(payload));
    return this.#last;
  }

  copy(payload: unknown): unknown {
    try {
      return structuredClone(payload);
    } catch (cause) {
      throw new VigilError('InvalidMessage', 'it cannot be cloned', { cause });
    }
  }

  look(parcel: number): unknown {
    return this.copy(this.parcels.get(parcel));
  }

  take(parcel: number): unknown {
    const payload = this.parcels.get(parcel);
    this.parcels.delete(parcel);
    return payload;
  }
}

class Order {
  readonly item = 'tea';
}

/** The inbox of a process, as its two sides have it. */
function ownedInbox(options: MailboxOptions = {}) {
  const clock = new SystemClock();
  const shelf = new Shelf();
  const settings = new MailboxSettings(options);
  const here = new SharedInbox('own', settings, new RecordingEnvironment(clock), { bytes: 4096 }, undefined, { parcels: shelf });
  const receiving = { copy: shelf.copy.bind(shelf), look: shelf.look.bind(shelf), take: shelf.take.bind(shelf) };
  const owner = { sendMessage: here.sendMessage.bind(here), sendWait: here.sendWait.bind(here) };
  const side = { parcels: receiving, owner };
  const there = new SharedInbox('own', settings, new RecordingEnvironment(clock), {}, here.data(), side);
  return { here, there, shelf, clock };
}

describe('plain data', () => {
  const plain: readonly unknown[] = [
    undefined,
    null,
    1,
    10n,
    'text',
    { a: [1, { b: new Date(5) }], c: /x/, d: undefined },
    new Map([[{ a: 1 }, new Set([new Uint8Array(3)])]]),
    new ArrayBuffer(4),
    new DataView(new ArrayBuffer(4)),
    Buffer.from('x'),
  ];
  for (const value of plain) it(`are ${String(value)}`, () => assert.equal(isPlainData(value), true));

  const circle: unknown[] = [];
  circle.push(circle);
  const others: readonly (readonly [string, unknown])[] = [
    ['instances of classes', new Order()],
    ['what holds one', { deep: [new Map([['order', new Order()]])] }],
    ['what holds one as a key', new Map([[new Order(), 1]])],
    ['errors', new Error('x')],
    ['keys', createSecretKey(Buffer.from('x'))],
    ['shared memory', new SharedArrayBuffer(4)],
    ['views of shared memory', { words: new Int32Array(new SharedArrayBuffer(4)) }],
    ['circles', circle],
    ['what is deeper than is looked at', JSON.parse('['.repeat(200) + ']'.repeat(200))],
    ['more than is looked at', new Array(100_000).fill(1)],
  ];
  for (const [what, value] of others) it(`are not ${what}`, () => assert.equal(isPlainData(value), false));
});

describe('the shared inbox of a process', () => {
  for (const from of ['here', 'there'] as const) {
    it(`takes from ${from} what does not lie in its memory, in its place`, () => {
      const inbox = ownedInbox();
      const sent = [1, new Order(), 'x'.repeat(5000), 'y'.repeat(900), 2];
      for (const payload of sent) assert.equal(inbox[from].send(payload), 'queued');
      assert.deepEqual(payloadsOf(inbox.there.peek()), structuredClone(sent));
      assert.deepEqual(payloadsOf(inbox.there.recvBatch(9)), structuredClone(sent));
      assert.equal(inbox.shelf.parcels.size, 0);
    });
  }

  it('takes as many messages as its capacity, however many bytes they have', async () => {
    const { here, there } = ownedInbox({ capacity: 9 });
    const sent = Array.from({ length: 9 }, (_, index) => String(index).repeat(1000));
    for (const [index, payload] of sent.entries()) assert.equal((index % 2 === 0 ? here : there).send(payload), 'queued');
    for (const side of [here, there]) {
      assert.throws(() => side.send(new Order()), withCode('MailboxFull'));
      assert.throws(() => side.send('x'), withCode('MailboxFull'));
      await assert.rejects(side.sendWait('x'.repeat(5000), { timeoutMs: 0 }), withCode('DeliveryTimeout'));
    }
    assert.deepEqual(payloadsOf(there.recvBatch(9)), sent);
  });

  it('refuses what cannot be cloned, and keeps nothing of it', () => {
    const { here, there, shelf } = ownedInbox();
    for (const side of [here, there]) assert.throws(() => side.send({ at: new WeakMap() }), withCode('InvalidMessage'));
    assert.deepEqual([shelf.parcels.size, here.stats().messagesSent], [0, 0]);
  });

  it('lets go of parcels whose messages have expired', async () => {
    const { here, there, shelf, clock } = ownedInbox({ capacity: 1 });
    here.send(new Order(), { ttlMs: 1 });
    await new Promise<void>((resolve) => clock.after(5, resolve, { keepAlive: true }));
    assert.equal(there.send('next'), 'queued');
    assert.deepEqual([shelf.parcels.size, here.stats().messagesExpired], [0, 1]);
  });

  it('gives out nothing while it is held, on any side', async () => {
    const { here, there } = ownedInbox();
    here.hold();
    here.send('a');
    const waiting = there.recv();
    assert.equal(there.tryRecv(), undefined);
    assert.deepEqual(there.recvBatch(5), []);
    assert.deepEqual([there.stats().depth, there.stats().waitingReceivers], [1, 1]);
    here.release();
    assert.equal((await waiting).payload, 'a');
  });

  it('gives what came in to who waits before it closes', async () => {
    const { here, there } = ownedInbox();
    const waiting = there.recv();
    here.send('a');
    there.close();
    assert.equal((await waiting).payload, 'a');
  });

  it('ends with what was not received as dead letters of the runtime', () => {
    const { here, there, clock } = ownedInbox();
    const deadLetters = new DeadLetterQueue<unknown>(10, clock, noTelemetry);
    there.send('low', { priority: 'low' });
    there.send(new Order());
    here.end(deadLetters);
    assert.deepEqual(
      deadLetters.list().map(({ message, reason, mailbox }) => [message.payload, reason, mailbox]),
      [
        [{ item: 'tea' }, 'process_exited', 'own'],
        ['low', 'process_exited', 'own'],
      ],
    );
    const { messagesSent, messagesDeadLettered, depth } = here.stats();
    assert.deepEqual([messagesSent, messagesDeadLettered, depth], [2, 2, 0]);
    assert.throws(() => there.tryRecv(), withCode('InboxClosed'));
  });

  it('keeps dead letters where it was made', () => {
    const { here, there } = ownedInbox({ capacity: 1, enableDeadletter: true });
    there.send('a');
    assert.equal(there.send('b'), 'dead_lettered');
    assert.deepEqual([here.deadLetters.size, there.deadLetters.size], [1, 0]);
  });
});
