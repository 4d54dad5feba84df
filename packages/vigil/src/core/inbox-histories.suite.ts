import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { VigilErrorCode } from './errors.js';
import { comesTrue, type InboxEngine, inboxOf, observe, type Observed, outcomeOf } from './inbox-bench.suite.js';
import { Message } from './message.js';
import type { SendOutcome } from './sender.js';

/** What holds for an inbox whatever is done to it. */
export function describeHistories(engine: InboxEngine): void {
  describe(`${engine.name}, whatever is done to it`, () => {
    it('gives out in the order of the receives what came in the order of the sends, and leaves nobody waiting in vain', async () => {
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.array(operations, { maxLength: 40 }), async (capacity, steps) => {
          const { inbox, clock } = inboxOf<number>(engine, { capacity, priorityQueues: false });
          const waits: { readonly aborter: AbortController; readonly result: Observed }[] = [];
          const receives: (Observed | Message<number>)[] = [];
          const sends: { readonly result: Observed | SendOutcome | VigilErrorCode }[] = [];
          const wait = (start: (signal: AbortSignal) => Promise<unknown>) => {
            const aborter = new AbortController();
            const result = observe(start(aborter.signal));
            waits.push({ aborter, result });
            return result;
          };
          for (const step of steps) {
            switch (step.do) {
              case 'send':
                sends.push({ result: outcomeOf(() => inbox.send(sends.length, { ttlMs: step.ttlMs })) });
                break;
              case 'sendWait': {
                const { ttlMs, timeoutMs } = step;
                sends.push({ result: wait((signal) => inbox.sendWait(sends.length, { ttlMs, timeoutMs, signal })) });
                break;
              }
              case 'recv':
                receives.push(
                  wait((signal) => (step.timeoutMs === undefined ? inbox.recv({ signal }) : inbox.recvTimeout(step.timeoutMs, { signal }))),
                );
                break;
              case 'recvNow':
                receives.push(...inbox.recvBatch(step.limit));
                break;
              case 'abort':
                waits[step.pick % waits.length]?.aborter.abort();
                break;
              case 'advance':
                await clock.advance(step.ms);
                break;
              case 'late':
                clock.beLateBy(step.ms);
                break;
            }
            // Nobody waits in vain: a receiver although there is a message, or a sender although there is room.
            const isServed = () => {
              const { waitingReceivers, waitingSenders, depth } = inbox.stats();
              return (waitingReceivers === 0 || inbox.peek().length === 0) && (waitingSenders === 0 || depth === capacity);
            };
            assert.ok(engine.servesAtOnce === true ? isServed() : await comesTrue(isServed), 'somebody waits in vain');
          }
          await clock.advance(1000);
          inbox.close();
          assert.ok(await comesTrue(() => waits.every(({ result }) => result.state !== 'pending')), 'somebody waits for ever');
          assert.equal(clock.pendingTimers, 0);

          const received = receives
            .map((result) => (result instanceof Message ? result : result.value))
            .filter((value) => value instanceof Message);
          const numbers = received.map((message) => message.payload);
          assert.deepEqual(
            numbers,
            numbers.toSorted((a, b) => a - b),
          );
          assert.equal(new Set(numbers).size, numbers.length);
          const queued = sends.flatMap(({ result }, index) =>
            result === 'queued' || (typeof result === 'object' && result.value === 'queued') ? [index] : [],
          );
          assert.deepEqual(
            numbers.filter((number) => !queued.includes(number)),
            [],
          );
          const { messagesSent, messagesReceived, messagesExpired, depth } = inbox.stats();
          assert.deepEqual([messagesSent, messagesReceived], [queued.length, numbers.length]);
          assert.equal(messagesSent, messagesReceived + messagesExpired + depth);
        }),
        { numRuns: 1000 },
      );
    });
  });
}

const ttls = fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined });
const timeouts = fc.option(fc.nat(6), { nil: undefined });

const operations = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('send'), ttlMs: ttls }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('sendWait'), ttlMs: ttls, timeoutMs: timeouts }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('recv'), timeoutMs: timeouts }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('recvNow'), limit: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('abort'), pick: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('advance'), ms: fc.nat(4) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('late'), ms: fc.integer({ min: 1, max: 6 }) }) },
);
