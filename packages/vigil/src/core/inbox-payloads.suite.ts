import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Inbox } from './inbox.js';
import { type InboxEngine, inboxOf, payloadsOf, receiveAll, withCode } from './inbox-bench.suite.js';
import { Message, MESSAGE_PRIORITIES, SIGNALS } from './message.js';

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
    describeEquality(engine);
    if (engine.copiesPayloads === true) describeCopies(engine);
    else describeReferences(engine);
  });
}

/** What every inbox gives out, whether it is the same object or a copy. */
function describeEquality(engine: InboxEngine): void {
  for (const { name, enter } of WAYS_IN) {
    it(`gives out what is deeply equal to what came in through ${name}, however it is taken out`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.tuple(values, waysOut), { minLength: 1, maxLength: 8 }), async (steps) => {
          const { inbox } = inboxOf(engine, { capacity: steps.length });
          for (const [payload, { takeOut }] of steps) {
            await enter(inbox, payload);
            assert.deepEqual(payloadsOf(inbox.peek()), [payload]);
            assert.deepEqual((await takeOut(inbox))?.payload, payload);
          }
          for (const [payload] of steps) await enter(inbox, payload);
          const payloads = steps.map(([payload]) => payload);
          assert.deepEqual(payloadsOf(inbox.recvBatch(steps.length)), payloads);
        }),
      );
    });
  }

  it('gives out what is deeply equal to what came in, after it was a dead letter, too', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(values, { minLength: 2, maxLength: 5 }), async (payloads) => {
        const { inbox } = inboxOf(engine, { capacity: 1, enableDeadletter: true });
        for (const payload of payloads) inbox.send(payload);
        const received = [await inbox.recv()];
        for (const { id, message } of inbox.deadLetters.list()) {
          assert.deepEqual(message.payload, payloads[received.length]);
          assert.equal(inbox.deadLetters.replay(id), 'replayed');
          received.push(await inbox.recv());
        }
        assert.deepEqual(payloadsOf(received), payloads);
      }),
    );
  });

  it('gives out with a payload all that was said with it', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(values, sayings), { maxLength: 10 }), (sent) => {
        const { inbox } = inboxOf(engine, { priorityQueues: false });
        for (const [payload, options] of sent) inbox.send(payload, options);
        const seen = receiveAll(inbox).map(({ payload, sender, priority, signal, metadata: { correlationId, replyTo }, attemptCount }) => [
          payload,
          { from: sender, priority, signal, correlationId, replyTo },
          attemptCount,
        ]);
        const nothing = { from: undefined, priority: 'normal', signal: undefined, correlationId: undefined, replyTo: undefined };
        assert.deepEqual(
          seen,
          sent.map(([payload, options]) => [payload, { ...nothing, ...options }, 1]),
        );
      }),
    );
  });
}

/** What structured cloning keeps as it is. */
const values: fc.Arbitrary<unknown> = fc.oneof(
  fc.anything({
    values: [
      fc.boolean(),
      fc.integer(),
      fc.double(),
      fc.bigInt(),
      fc.constantFrom(null, undefined),
      fc.string(),
      fc.string({ unit: 'binary' }),
      // One that is none is not even equal to itself.
      fc.date({ noInvalidDate: true }),
    ],
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withSparseArray: true,
    maxDepth: 3,
  }),
  fc.string({ unit: 'binary', size: 'large' }),
  fc.uint8Array({ size: 'large' }),
  fc.constantFrom<unknown>(
    -0,
    Number.NaN,
    /^a.b$/giu,
    new Error('boom', { cause: new RangeError('why') }),
    new Uint8Array([1, 2, 3]).subarray(1),
    new Float64Array([1.5, -0]),
    new ArrayBuffer(3),
    Object('boxed'),
    JSON.parse('{ "__proto__": { "polluted": true } }'),
    roundInCircles(),
  ),
);

const texts = fc.oneof(fc.string({ minLength: 1 }), fc.string({ minLength: 1, unit: 'binary' }));

const sayings = fc.record(
  {
    from: texts,
    priority: fc.constantFrom(...MESSAGE_PRIORITIES),
    signal: fc.constantFrom(...SIGNALS),
    correlationId: texts,
    replyTo: texts,
  },
  { requiredKeys: [] },
);

/** Every way in which one message gets out of an inbox. */
const waysOut = fc.constantFrom<{ readonly takeOut: (inbox: Inbox) => Promise<Message | undefined> }>(
  { takeOut: (inbox) => inbox.recv() },
  { takeOut: (inbox) => inbox.recvTimeout(10) },
  { takeOut: async (inbox) => inbox.tryRecv() },
  { takeOut: async (inbox) => inbox.recvBatch(1)[0] },
  { takeOut: async (inbox) => (await inbox[Symbol.asyncIterator]().next()).value },
);

/** An object that holds itself, and another one in two places. */
function roundInCircles(): unknown {
  const twice = { in: 'two places' };
  const circle: Record<string, unknown> = { twice, list: [twice] };
  circle.itself = circle;
  return circle;
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
