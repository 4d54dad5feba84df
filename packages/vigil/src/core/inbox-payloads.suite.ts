import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Inbox } from './inbox.js';
import { type InboxEngine, inboxOf, withCode } from './inbox-bench.suite.js';
import { Message } from './message.js';

interface Order {
  amount: number;
}

/** Every way in which a payload gets into an inbox. */
const WAYS_IN: readonly { readonly name: string; readonly enter: (inbox: Inbox, payload: unknown) => unknown }[] = [
  { name: 'send', enter: (inbox, payload) => inbox.send(payload) },
  { name: 'sendBatch', enter: (inbox, payload) => inbox.sendBatch([payload]) },
  { name: 'sendMessage', enter: (inbox, payload) => inbox.sendMessage(new Message('m1', undefined, payload)) },
  { name: 'sendWait', enter: (inbox, payload) => inbox.sendWait(payload) },
];

/** Whose a payload is once it is sent: the receiver's own copy, or the object that the sender has, too. */
export function describePayloads(engine: InboxEngine): void {
  describe(`${engine.name}: payloads`, () => {
    if (engine.copiesPayloads === true) describeCopies(engine);
    else describeReferences(engine);
  });
}

function describeReferences(engine: InboxEngine): void {
  for (const { name, enter } of WAYS_IN) {
    it(`MBX-13: passes a payload by reference through ${name}, as documented`, async () => {
      const { inbox } = inboxOf(engine);
      const payload: Order = { amount: 1 };
      await enter(inbox, payload);
      assert.equal((await inbox.recv()).payload, payload);
    });
  }
}

function describeCopies(engine: InboxEngine): void {
  for (const { name, enter } of WAYS_IN) {
    it(`gives out texts of all lengths and letters as they came in through ${name}`, async () => {
      const { inbox } = inboxOf(engine);
      for (let length = 0; length <= 40; length += 1) {
        for (const last of ['', 'z', '\u00ff', '\u0100', '\u20ac', '\ud83d\ude00', '\ud83d']) {
          const text = 'x'.repeat(length) + last;
          await enter(inbox, text);
          assert.equal((await inbox.recv()).payload, text);
        }
      }
    });

    it(`MBX-13: gives out an object as it was when it came in through ${name}`, async () => {
      const { inbox } = inboxOf(engine);
      const payload: Order = { amount: 1 };
      const sent = enter(inbox, payload);
      payload.amount = 2;
      await sent;
      assert.deepEqual((await inbox.recv()).payload, { amount: 1 });
    });

    it(`MBX-13: refuses what cannot be cloned through ${name}, and keeps nothing of it`, async () => {
      const { inbox } = inboxOf(engine, { enableDeadletter: true });
      for (const payload of [() => {}, Symbol('s'), { nested: [() => {}] }, new WeakMap()]) {
        await assert.rejects(async () => enter(inbox, payload), withCode('InvalidMessage'));
      }
      const { depth, messagesSent, deadLetters } = inbox.stats();
      assert.deepEqual([depth, messagesSent, deadLetters], [0, 0, 0]);
      await enter(inbox, 'next');
      assert.equal((await inbox.recv()).payload, 'next');
    });
  }

  it('MBX-13: gives out an object as it was when its sender began to wait for room', async () => {
    const { inbox } = inboxOf<string | Order>(engine, { capacity: 1 });
    inbox.send('first');
    const payload: Order = { amount: 1 };
    const sent = inbox.sendWait(payload);
    payload.amount = 2;
    inbox.tryRecv();
    await sent;
    assert.deepEqual((await inbox.recv()).payload, { amount: 1 });
  });

  it('MBX-13: gives out bytes as they were when they were sent', async () => {
    const { inbox } = inboxOf<Uint8Array>(engine);
    const bytes = new Uint8Array([1, 2, 3]);
    inbox.send(bytes);
    bytes.fill(9);
    assert.deepEqual((await inbox.recv()).payload, new Uint8Array([1, 2, 3]));
  });

  it('MBX-13: leaves bytes that were received alone, however many messages come after them', async () => {
    const { inbox } = inboxOf<Uint8Array>(engine, { capacity: 2 });
    inbox.send(new Uint8Array(64).fill(1));
    const { payload } = await inbox.recv();
    for (let round = 0; round < 2000; round += 1) {
      inbox.send(new Uint8Array(64).fill(9));
      inbox.tryRecv();
    }
    assert.deepEqual(payload, new Uint8Array(64).fill(1));
  });

  it('MBX-13: is not changed by who changes a payload that was shown', async () => {
    const { inbox } = inboxOf<Order>(engine, { capacity: 1, enableDeadletter: true });
    for (const amount of [1, 2]) inbox.send({ amount });
    for (const { payload } of inbox.peek()) payload.amount = 9;
    for (const { message } of inbox.deadLetters.list()) message.payload.amount = 9;
    assert.deepEqual((await inbox.recv()).payload, { amount: 1 });
    inbox.deadLetters.replay(1);
    assert.deepEqual((await inbox.recv()).payload, { amount: 2 });
  });
}
