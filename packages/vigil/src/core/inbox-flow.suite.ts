import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isVigilError, type VigilErrorCode } from './errors.js';
import type { BackpressureOptions } from './flow-settings.js';
import {
  comesTrue,
  imbalanceOf,
  type InboxEngine,
  inboxOf,
  observe,
  type Observed,
  outcomeOf,
  payloadsOf,
  receiveAll,
  withCode,
} from './inbox-bench.suite.js';
import type { SendOutcome, SendWaitOptions } from './sender.js';

const BLOCK: BackpressureOptions = { strategy: 'block', highWatermark: 4, lowWatermark: 2 };
const ADAPTIVE: BackpressureOptions = { strategy: 'adaptive', highWatermark: 10, lowWatermark: 4, maxDelayMs: 60 };

/** How an inbox holds back those who send to it. */
export function describeFlowControl(engine: InboxEngine): void {
  describeStrategies(engine);
  describeBlocking(engine);
  describeAdaptive(engine);
  describeRateLimit(engine);
  describeFlowHistories(engine);
}

function describeStrategies(engine: InboxEngine): void {
  describe(`${engine.name} at its high watermark`, () => {
    it('BP-01: return_error refuses at once, and keeps no dead letter', () => {
      const { inbox } = inboxOf(engine, {
        enableDeadletter: true,
        backpressure: { strategy: 'return_error', highWatermark: 2 },
      });
      inbox.sendBatch(['a', 'b']);
      assert.throws(() => inbox.send('c'), withCode('MailboxFull'));
      const { messagesRejected, depth, flow, deadLetters } = inbox.stats();
      assert.deepEqual([messagesRejected, depth, deadLetters], [1, 2, 0]);
      assert.deepEqual(flow, { throttled: 0, dropped: 0, blocked: 0, delayed: 0 });
      assert.deepEqual(payloadsOf(receiveAll(inbox)), ['a', 'b']);
    });

    it('BP-01: drop_newest drops what is sent, and says so', () => {
      const { inbox, environment } = inboxOf(engine, {
        enableDeadletter: true,
        backpressure: { strategy: 'drop_newest', highWatermark: 2 },
      });
      inbox.sendBatch(['a', 'b']);
      assert.equal(inbox.send('c'), 'dropped');
      const { messagesSent, messagesRejected, messagesDropped, deadLetters, flow } = inbox.stats();
      assert.deepEqual([messagesSent, messagesRejected, messagesDropped, deadLetters, flow?.dropped], [2, 0, 0, 0, 1]);
      assert.equal(environment.events.filter(({ eventType }) => eventType === 'message_dropped').length, 1);
      assert.deepEqual(payloadsOf(receiveAll(inbox)), ['a', 'b']);
      assert.equal(inbox.send('d'), 'queued');
    });

    it('drop_oldest drops the oldest of the least urgent messages', () => {
      const { inbox, environment } = inboxOf(engine, { backpressure: { strategy: 'drop_oldest', highWatermark: 3 } });
      inbox.send('urgent', { priority: 'critical' });
      inbox.sendBatch(['a', 'b']);
      assert.equal(inbox.send('c'), 'queued');
      assert.deepEqual(payloadsOf(inbox.peek()), ['urgent', 'b', 'c']);
      const { messagesSent, messagesDropped, flow } = inbox.stats();
      assert.deepEqual([messagesSent, messagesDropped, flow?.dropped], [4, 1, 1]);
      assert.equal(imbalanceOf(inbox), 0);
      assert.equal(environment.events.filter(({ eventType }) => eventType === 'message_dropped').length, 1);
    });

    it('drop_oldest drops the new message where all that wait are more urgent', () => {
      const { inbox } = inboxOf(engine, { backpressure: { strategy: 'drop_oldest', highWatermark: 1 } });
      inbox.send('a');
      assert.equal(inbox.send('later', { priority: 'batch' }), 'dropped');
      assert.equal(inbox.send('now', { priority: 'high' }), 'queued');
      const { messagesDropped, flow } = inbox.stats();
      assert.deepEqual([messagesDropped, flow?.dropped], [1, 2]);
      assert.deepEqual(payloadsOf(receiveAll(inbox)), ['now']);
    });

    it('drop_oldest goes by age alone where there are no priorities', () => {
      const { inbox } = inboxOf(engine, { priorityQueues: false, backpressure: { strategy: 'drop_oldest', highWatermark: 2 } });
      inbox.send('first', { priority: 'critical' });
      inbox.sendBatch(['b', 'c'], { priority: 'batch' });
      assert.deepEqual(payloadsOf(receiveAll(inbox)), ['b', 'c']);
    });

    it('drop_oldest keeps what was queued as a dead letter where those are on', () => {
      const { inbox } = inboxOf(engine, { enableDeadletter: true, backpressure: { strategy: 'drop_oldest', highWatermark: 1 } });
      inbox.sendBatch(['a', 'b']);
      const [letter] = inbox.deadLetters.list();
      assert.deepEqual([letter?.message.payload, letter?.reason], ['a', 'mailbox_full']);
      const { messagesDropped, messagesDeadLettered, flow } = inbox.stats();
      assert.deepEqual([messagesDropped, messagesDeadLettered, flow?.dropped], [0, 1, 1]);
      assert.equal(imbalanceOf(inbox), 0);
    });

    it('makes room of what has expired before it drops anything', async () => {
      const { inbox, clock } = inboxOf(engine, { backpressure: { strategy: 'drop_oldest', highWatermark: 2 } });
      inbox.send('stays');
      inbox.send('expires', { ttlMs: 10 });
      await clock.advance(10);
      inbox.send('new');
      assert.deepEqual(payloadsOf(inbox.peek()), ['stays', 'new']);
      const { messagesExpired, flow } = inbox.stats();
      assert.deepEqual([messagesExpired, flow?.dropped], [1, 0]);
    });

    it('takes the capacity for the high watermark, and half of that for the low one', async () => {
      const { inbox } = inboxOf(engine, { capacity: 4, backpressure: { strategy: 'block' } });
      inbox.sendBatch(['a', 'b', 'c', 'd']);
      const sent = observe(inbox.sendWait('e'));
      inbox.recvBatch(2);
      assert.equal(sent.state, 'pending');
      inbox.tryRecv();
      assert.equal(await sent.settled, 'queued');
    });

    it('sendWait waits for room where a send would be refused or dropped', async () => {
      for (const strategy of ['return_error', 'drop_newest'] as const) {
        const { inbox } = inboxOf(engine, { backpressure: { strategy, highWatermark: 2 } });
        inbox.sendBatch(['a', 'b']);
        const sent = inbox.sendWait('c');
        assert.equal(inbox.stats().waitingSenders, 1);
        inbox.tryRecv();
        assert.equal(await sent, 'queued');
        assert.deepEqual([inbox.stats().flow?.dropped, inbox.stats().flow?.blocked], [0, 1]);
      }
    });

    it('drop_oldest makes room for a sendWait, too, which waits only where all that wait are more urgent', async () => {
      const { inbox } = inboxOf(engine, { backpressure: { strategy: 'drop_oldest', highWatermark: 2 } });
      inbox.sendBatch(['a', 'b'], { priority: 'high' });
      const waits = observe(inbox.sendWait('low', { priority: 'low' }));
      assert.equal(await inbox.sendWait('c', { priority: 'high' }), 'queued');
      assert.deepEqual([payloadsOf(inbox.peek()), waits.state], [['b', 'c'], 'pending']);
      inbox.tryRecv();
      assert.equal(await waits.settled, 'queued');
      const { flow } = inbox.stats();
      assert.deepEqual([flow?.dropped, flow?.blocked], [1, 1]);
    });
  });
}

function describeBlocking(engine: InboxEngine): void {
  describe(`${engine.name} that blocks`, () => {
    it('BP-03: a sender waits until fewer messages wait than the low watermark says', async () => {
      const { inbox, clock } = inboxOf(engine, { backpressure: BLOCK });
      inbox.sendBatch([1, 2, 3, 4]);
      const sent = observe(inbox.sendWait(5));
      for (const depth of [3, 2]) {
        inbox.tryRecv();
        await clock.advance(1e6);
        assert.deepEqual([sent.state, inbox.stats().depth], ['pending', depth]);
      }
      inbox.tryRecv();
      assert.equal(await sent.settled, 'queued');
      assert.deepEqual(payloadsOf(receiveAll(inbox)), [4, 5]);
      assert.equal(inbox.stats().flow?.blocked, 1);
    });

    it('BP-03: several senders go on in their order, and none of them beyond the high watermark', async () => {
      const { inbox, clock } = inboxOf(engine, { backpressure: BLOCK });
      inbox.sendBatch([1, 2, 3, 4]);
      const sent = [5, 6, 7, 8, 9].map((number) => observe(inbox.sendWait(number)));
      inbox.recvBatch(3);
      assert.ok(await comesTrue(() => sent[2]?.state === 'fulfilled'));
      await clock.advance(0);
      assert.deepEqual(
        sent.map(({ state }) => state),
        ['fulfilled', 'fulfilled', 'fulfilled', 'pending', 'pending'],
      );
      assert.deepEqual(payloadsOf(inbox.peek()), [4, 5, 6, 7]);
      inbox.recvBatch(2);
      await clock.advance(0);
      assert.equal(sent[3]?.state, 'pending');
      inbox.tryRecv();
      await Promise.all(sent.map(({ settled }) => settled));
      assert.deepEqual(payloadsOf(receiveAll(inbox)), [7, 8, 9]);
      assert.equal(inbox.stats().peakDepth, 4);
    });

    it('refuses a plain send at the high watermark, and one that would overtake who is blocked', async () => {
      const { inbox } = inboxOf(engine, { enableDeadletter: true, backpressure: BLOCK });
      inbox.sendBatch([1, 2, 3, 4]);
      assert.throws(() => inbox.send('at the high watermark'), withCode('MailboxFull'));
      inbox.tryRecv();
      assert.equal(inbox.send('with nobody blocked'), 'queued');
      const sent = inbox.sendWait('blocked');
      inbox.tryRecv();
      assert.throws(() => inbox.send('with somebody blocked'), withCode('MailboxFull'));
      inbox.recvBatch(2);
      assert.equal(await sent, 'queued');
      assert.equal(inbox.send('after it'), 'queued');
    });

    it('lets others send again when who was blocked has given up', async () => {
      const { inbox, clock } = inboxOf(engine, { backpressure: BLOCK });
      inbox.sendBatch([1, 2, 3, 4]);
      const sent = observe(inbox.sendWait(5, { timeoutMs: 10 }));
      inbox.tryRecv();
      await clock.advance(10);
      assert.ok(isVigilError(await sent.settled, 'DeliveryTimeout'));
      assert.ok(await comesTrue(() => outcomeOf(() => inbox.send(6)) === 'queued'));
    });

    it('BP-04: closing sends all away who are blocked', async () => {
      const { inbox } = inboxOf(engine, { backpressure: BLOCK });
      inbox.sendBatch([1, 2, 3, 4]);
      const sent = [5, 6].map((number) => observe(inbox.sendWait(number)));
      inbox.close();
      for (const { settled } of sent) assert.ok(isVigilError(await settled, 'InboxClosed'));
      assert.deepEqual(payloadsOf(inbox.recvBatch(9)), [1, 2, 3, 4]);
    });

    it('goes by what can still be received: an expiry lets a sender in', async () => {
      const { inbox, clock } = inboxOf(engine, { backpressure: { strategy: 'block', highWatermark: 3, lowWatermark: 2 } });
      inbox.send('stays');
      inbox.sendBatch(['expires', 'expires, too'], { ttlMs: 10 });
      const sent = observe(inbox.sendWait('waits'));
      await clock.advance(9);
      assert.equal(sent.state, 'pending');
      await clock.advance(1);
      assert.equal(await sent.settled, 'queued');
      assert.deepEqual(payloadsOf(receiveAll(inbox)), ['stays', 'waits']);
      assert.equal(clock.pendingTimers, 0);
    });
  });
}

function describeAdaptive(engine: InboxEngine): void {
  describe(`${engine.name} that delays`, () => {
    for (const [depth, delayMs] of [
      [4, 10],
      [6, 30],
      [9, 60],
    ] as const) {
      it(`BP-06: holds a sender back for ${delayMs} ms where ${depth} messages wait`, async () => {
        const { inbox, clock } = inboxOf(engine, { backpressure: ADAPTIVE });
        for (let number = 1; number <= depth; number += 1) inbox.send(number);
        const sent = observe(inbox.sendWait('delayed'));
        await clock.advance(delayMs - 0.1);
        assert.deepEqual([sent.state, inbox.stats().waitingSenders], ['pending', 1]);
        await clock.advance(0.1);
        assert.equal(await sent.settled, 'queued');
        const { flow } = inbox.stats();
        assert.deepEqual([flow?.delayed, flow?.blocked], [1, 0]);
      });
    }

    it('BP-06: holds nobody back below the low watermark, and everybody for 1 ms at least above it', async () => {
      const { inbox, clock } = inboxOf(engine, { backpressure: { ...ADAPTIVE, maxDelayMs: 0 } });
      inbox.sendBatch([1, 2, 3]);
      await inbox.sendWait(4);
      const sent = observe(inbox.sendWait(5));
      await clock.advance(0.9);
      assert.equal(sent.state, 'pending');
      await clock.advance(0.1);
      assert.equal(await sent.settled, 'queued');
    });

    it('BP-06: blocks at the high watermark', async () => {
      const { inbox, clock } = inboxOf(engine, { backpressure: ADAPTIVE });
      for (let number = 1; number <= 10; number += 1) inbox.send(number);
      assert.throws(() => inbox.send('more'), withCode('MailboxFull'));
      const sent = observe(inbox.sendWait('blocked'));
      inbox.recvBatch(6);
      await clock.advance(1e6);
      assert.equal(sent.state, 'pending');
      inbox.tryRecv();
      assert.equal(await sent.settled, 'queued');
      const { flow } = inbox.stats();
      assert.deepEqual([flow?.delayed, flow?.blocked], [0, 1]);
    });

    it('lets nobody overtake who is held back, though he has less to wait', async () => {
      const { inbox, clock } = inboxOf(engine, { backpressure: ADAPTIVE });
      for (let number = 1; number <= 9; number += 1) inbox.send(number);
      const sent = [inbox.sendWait('first')];
      inbox.recvBatch(9);
      sent.push(inbox.sendWait('second'));
      await clock.advance(60);
      await Promise.all(sent);
      assert.deepEqual(payloadsOf(receiveAll(inbox)), ['first', 'second']);
    });

    it('BP-04: closing sends away who is held back; a time-out and a signal end it, too', async () => {
      const { inbox, clock } = inboxOf(engine, { backpressure: ADAPTIVE });
      for (let number = 1; number <= 9; number += 1) inbox.send(number);
      const aborter = new AbortController();
      const timedOut = observe(inbox.sendWait('a', { timeoutMs: 5 }));
      const aborted = observe(inbox.sendWait('b', { signal: aborter.signal }));
      const closed = observe(inbox.sendWait('c'));
      await clock.advance(4.9);
      assert.equal(timedOut.state, 'pending');
      await clock.advance(0.1);
      assert.ok(isVigilError(await timedOut.settled, 'DeliveryTimeout'));
      aborter.abort('changed my mind');
      assert.equal(await aborted.settled, 'changed my mind');
      inbox.close();
      assert.ok(isVigilError(await closed.settled, 'InboxClosed'));
      assert.equal(clock.pendingTimers, 0);
      assert.equal(inbox.stats().waitingSenders, 0);
    });
  });
}

function describeRateLimit(engine: InboxEngine): void {
  describe(`${engine.name} with a rate limit`, () => {
    it('RL-07: refuses what is too much, queues nothing, and counts it', async () => {
      const { inbox, clock } = inboxOf(engine, { rateLimit: { maxPerSecond: 10, burst: 2 } });
      inbox.sendBatch(['a', 'b']);
      assert.throws(() => inbox.send('c'), withCode('RateLimitExceeded'));
      const { depth, messagesSent, messagesRejected, flow } = inbox.stats();
      assert.deepEqual([depth, messagesSent, messagesRejected, flow?.throttled], [2, 2, 1, 1]);
      await clock.advance(99);
      assert.throws(() => inbox.send('d'), withCode('RateLimitExceeded'));
      await clock.advance(1);
      assert.equal(inbox.send('e'), 'queued');
    });

    it('takes a burst of a second without a word on it', () => {
      const { inbox } = inboxOf(engine, { rateLimit: { maxPerSecond: 5 } });
      assert.equal(inbox.sendBatch([1, 2, 3, 4, 5, 6, 7]), 5);
    });

    it('takes no token for what does not come in', () => {
      const { inbox } = inboxOf(engine, { capacity: 1, maxMessageSize: 20, rateLimit: { maxPerSecond: 1, burst: 2 } });
      inbox.send('a');
      for (let time = 0; time < 5; time += 1) assert.throws(() => inbox.send('b'), withCode('MailboxFull'));
      assert.throws(() => inbox.send('much too long a text'.repeat(9)), withCode('MessageTooLarge'));
      inbox.tryRecv();
      assert.equal(inbox.send('c'), 'queued');
      inbox.tryRecv();
      assert.throws(() => inbox.send('d'), withCode('RateLimitExceeded'));
      inbox.close();
      assert.throws(() => inbox.send('e'), withCode('InboxClosed'));
    });

    it('sendWait waits for its turn, one after the other, and a plain send comes behind', async () => {
      const { inbox, clock } = inboxOf(engine, { rateLimit: { maxPerSecond: 10, burst: 1 } });
      const sent = ['a', 'b', 'c'].map((payload) => observe(inbox.sendWait(payload)));
      assert.equal(await sent[0]?.settled, 'queued');
      await clock.advance(99);
      assert.equal(sent[1]?.state, 'pending');
      await clock.advance(1);
      assert.equal(await sent[1]?.settled, 'queued');
      assert.throws(() => inbox.send('d'), withCode('RateLimitExceeded'));
      await clock.advance(100);
      assert.equal(await sent[2]?.settled, 'queued');
      assert.deepEqual(payloadsOf(receiveAll(inbox)), ['a', 'b', 'c']);
      assert.equal(inbox.stats().flow?.delayed, 2);
    });

    for (const [end, options] of Object.entries({
      'was aborted': { signal: AbortSignal.abort() },
      'is aborted': { abortAtMs: 50 },
      'would take too long': { timeoutMs: 90 },
      'expires before its turn': { ttlMs: 1 },
    } satisfies Record<string, SendWaitOptions & { abortAtMs?: number }>)) {
      it(`gives the token of a wait back that ${end}`, async () => {
        const { inbox, clock } = inboxOf(engine, { rateLimit: { maxPerSecond: 10, burst: 1 } });
        inbox.send('a');
        const aborter = new AbortController();
        if ('abortAtMs' in options) clock.after(options.abortAtMs, () => aborter.abort());
        const gone = observe(inbox.sendWait('b', { signal: aborter.signal, ...options }));
        await clock.advance(110);
        assert.equal(gone.state, 'rejected');
        assert.equal(inbox.send('c'), 'queued');
        assert.equal(clock.pendingTimers, 0);
      });
    }

    it('waits for its turn and for room in the time that it has for both', async () => {
      const { inbox, clock } = inboxOf(engine, { capacity: 1, rateLimit: { maxPerSecond: 10, burst: 1 } });
      inbox.send('a');
      const late = observe(inbox.sendWait('b', { timeoutMs: 150 }));
      await clock.advance(149);
      assert.equal(late.state, 'pending');
      await clock.advance(1);
      assert.ok(isVigilError(await late.settled, 'DeliveryTimeout'));
    });

    it('ends with an abort that comes just after its turn', async () => {
      const { inbox, clock } = inboxOf(engine, { rateLimit: { maxPerSecond: 10, burst: 1 } });
      inbox.send('a');
      const aborter = new AbortController();
      const after = clock.after.bind(clock);
      Object.assign(clock, {
        after: (delayMs: number, callback: () => void) => {
          return after(delayMs, () => {
            callback();
            aborter.abort('late');
          });
        },
      });
      const gone = observe(inbox.sendWait('b', { signal: aborter.signal }));
      await clock.advance(100);
      assert.equal(await gone.settled, 'late');
      assert.deepEqual(payloadsOf(receiveAll(inbox)), ['a']);
    });
  });
}

/** Whatever is done to it: random senders and receivers, time-outs and aborts, under every strategy, with and without a rate limit. */
function describeFlowHistories(engine: InboxEngine): void {
  describe(`${engine.name} with flow control, whatever is done to it`, () => {
    it('keeps its watermarks, its rate and its books, and leaves nobody waiting in vain', async () => {
      await fc.assert(
        fc.asyncProperty(settings, fc.array(operations, { maxLength: 40 }), async ({ backpressure, rateLimit }, steps) => {
          const { inbox, clock } = inboxOf<number>(engine, { priorityQueues: false, backpressure, rateLimit });
          const waits: { readonly aborter: AbortController; readonly result: Observed }[] = [];
          const outcomes: (Observed | SendOutcome | VigilErrorCode)[] = [];
          const received: number[] = [];
          for (const step of steps) {
            switch (step.do) {
              case 'send':
                outcomes.push(outcomeOf(() => inbox.send(outcomes.length, { ttlMs: step.ttlMs })));
                break;
              case 'sendWait': {
                const aborter = new AbortController();
                const { ttlMs, timeoutMs } = step;
                const result = observe(inbox.sendWait(outcomes.length, { ttlMs, timeoutMs, signal: aborter.signal }));
                waits.push({ aborter, result });
                outcomes.push(result);
                break;
              }
              case 'recvBatch':
                received.push(...inbox.recvBatch(step.limit).map(({ payload }) => payload));
                break;
              case 'abort':
                waits[step.pick % waits.length]?.aborter.abort();
                break;
              case 'advance':
                await clock.advance(step.ms);
                break;
            }
            const { depth, messagesSent } = inbox.stats();
            assert.ok(depth <= backpressure.highWatermark, 'more wait than the high watermark says');
            assert.equal(imbalanceOf(inbox), 0);
            const { maxPerSecond, burst } = rateLimit ?? { maxPerSecond: 0, burst: Number.POSITIVE_INFINITY };
            assert.ok(messagesSent <= burst + (clock.now() * maxPerSecond) / 1000 + 1e-6, 'more came in than the rate allows');
          }
          // Whoever is only held back has come in by then, or waits for room.
          await clock.advance(1000);
          const isServed = () => inbox.stats().waitingSenders === 0 || inbox.peek().length >= resumesBelow(backpressure);
          assert.ok(await comesTrue(isServed), 'somebody waits in vain');
          inbox.close();
          assert.ok(await comesTrue(() => waits.every(({ result }) => result.state !== 'pending')), 'somebody waits for ever');
          assert.equal(clock.pendingTimers, 0);

          received.push(...inbox.peek().map(({ payload }) => payload));
          const waited = (number: number) => typeof outcomes[number] !== 'string';
          // Who is delayed is passed by a plain send, which cannot be.
          const orders = backpressure.strategy === 'adaptive' ? [waited, (number: number) => !waited(number)] : [() => true];
          for (const isOne of orders) {
            const numbers = received.filter(isOne);
            assert.deepEqual(
              numbers,
              numbers.toSorted((a, b) => a - b),
            );
          }
          const ends = outcomes.map((outcome) => (typeof outcome === 'string' ? outcome : outcome.value));
          const count = (end: string) => ends.filter((other) => other === end).length;
          const { messagesSent, messagesDropped, flow } = inbox.stats();
          assert.equal(messagesSent, count('queued'));
          assert.deepEqual([flow?.throttled, flow?.dropped], [count('RateLimitExceeded'), messagesDropped + count('dropped')]);
        }),
        { numRuns: 500 },
      );
    });
  });
}

function resumesBelow({ strategy, highWatermark, lowWatermark }: Watermarks): number {
  return strategy === 'block' || strategy === 'adaptive' ? lowWatermark : highWatermark;
}

interface Watermarks extends BackpressureOptions {
  readonly highWatermark: number;
  readonly lowWatermark: number;
}

const settings = fc.record({
  backpressure: fc
    .record({
      strategy: fc.constantFrom('block', 'adaptive', 'return_error', 'drop_newest', 'drop_oldest'),
      highWatermark: fc.integer({ min: 1, max: 4 }),
      lowWatermark: fc.integer({ min: 1, max: 4 }),
    })
    .map(
      ({ strategy, highWatermark, lowWatermark }): Watermarks => ({
        strategy,
        highWatermark,
        lowWatermark: Math.min(lowWatermark, highWatermark),
        maxDelayMs: strategy === 'adaptive' ? 5 : undefined,
      }),
    ),
  rateLimit: fc.option(fc.record({ maxPerSecond: fc.integer({ min: 50, max: 1000 }), burst: fc.integer({ min: 1, max: 3 }) }), {
    nil: undefined,
  }),
});

const ttls = fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined, freq: 2 });

const operations = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('send'), ttlMs: ttls }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('sendWait'), ttlMs: ttls, timeoutMs: fc.option(fc.nat(20), { nil: undefined }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('recvBatch'), limit: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('abort'), pick: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('advance'), ms: fc.integer({ min: 1, max: 20 }) }) },
);
