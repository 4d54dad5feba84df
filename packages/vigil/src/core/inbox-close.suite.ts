import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isVigilError } from './errors.js';
import { type InboxEngine, inboxOf, observe, withCode } from './inbox-bench.suite.js';
import { Message } from './message.js';

/** How an inbox ends, for all who deal with it. */
export function describeClosing(engine: InboxEngine): void {
  describe(`${engine.name}: close`, () => {
    it('MBX-09: rejects waiting receivers at once', async () => {
      const { inbox, clock } = inboxOf(engine);
      const results = [inbox.recv(), inbox.recvTimeout(50)].map(observe);
      inbox.close();
      for (const result of results) assert.ok(isVigilError(await result.settled, 'InboxClosed'));
      assert.equal(clock.pendingTimers, 0);
    });

    it('MBX-09: rejects waiting senders at once, also those that an expiry would admit', async () => {
      const { inbox, clock } = inboxOf(engine, { capacity: 1 });
      inbox.send('a', { ttlMs: 10 });
      const result = observe(inbox.sendWait('b', { timeoutMs: 5 }));
      inbox.close();
      assert.ok(isVigilError(await result.settled, 'InboxClosed'));
      assert.equal(clock.pendingTimers, 0);
    });

    it('MBX-09: gives out what is queued to later receives, then ends them with InboxClosed', async () => {
      const { inbox } = inboxOf(engine);
      inbox.sendBatch(['a', 'b', 'c', 'd']);
      inbox.close();
      assert.equal(inbox.isClosed(), true);
      assert.equal((await inbox.recv()).payload, 'a');
      assert.equal((await inbox.recvTimeout(0))?.payload, 'b');
      assert.equal((await inbox.recvTimeout(10))?.payload, 'c');
      assert.equal(inbox.tryRecv()?.payload, 'd');
      await assert.rejects(inbox.recv(), withCode('InboxClosed'));
      await assert.rejects(inbox.recvTimeout(10), withCode('InboxClosed'));
      await assert.rejects(inbox.recvTimeout(0), withCode('InboxClosed'));
      assert.throws(() => inbox.tryRecv(), withCode('InboxClosed'));
    });

    it('MBX-09: refuses new messages of every kind', async () => {
      const { inbox } = inboxOf(engine);
      inbox.close();
      assert.throws(() => inbox.send('a'), withCode('InboxClosed'));
      assert.throws(() => inbox.sendBatch(['a']), withCode('InboxClosed'));
      assert.throws(() => inbox.sendMessage(new Message('m1', undefined, 'a')), withCode('InboxClosed'));
      await assert.rejects(inbox.sendWait('a'), withCode('InboxClosed'));
    });

    it('MBX-09: makes dead letters of what is queued with discard', async () => {
      const { inbox, environment } = inboxOf(engine, { enableDeadletter: true });
      inbox.send('a');
      inbox.close({ discard: true });
      await assert.rejects(inbox.recv(), withCode('InboxClosed'));
      assert.equal(inbox.stats().messagesDeadLettered, 1);
      assert.deepEqual(environment.takeEventTypes(), ['message_sent', 'message_dead_lettered']);
    });

    it('MBX-09: makes dead letters with discard in the order of delivery, and counts what has expired as expired', async () => {
      const { inbox, clock } = inboxOf(engine, { enableDeadletter: true });
      inbox.send('b', { priority: 'low' });
      inbox.send('expires', { ttlMs: 5 });
      inbox.send('a');
      await clock.advance(5);
      inbox.close({ discard: true });
      assert.deepEqual(
        inbox.deadLetters.list().map(({ message, reason }) => [message.payload, reason]),
        [
          ['a', 'inbox_closed'],
          ['b', 'inbox_closed'],
        ],
      );
      const { messagesDeadLettered, messagesExpired, messagesDropped, depth } = inbox.stats();
      assert.deepEqual([messagesDeadLettered, messagesExpired, messagesDropped, depth], [2, 1, 0, 0]);
    });

    it('MBX-09: drops and counts what is queued with discard while dead letters are off', () => {
      const { inbox, environment } = inboxOf(engine);
      inbox.send('a');
      inbox.close({ discard: true });
      assert.deepEqual([inbox.stats().messagesDropped, inbox.deadLetters.size], [1, 0]);
      assert.deepEqual(environment.takeEventTypes(), ['message_sent', 'message_dropped']);
    });

    it('MBX-09: can discard later what it left to receivers at first', () => {
      const { inbox } = inboxOf(engine);
      inbox.send('a');
      inbox.close();
      inbox.close();
      assert.equal(inbox.stats().depth, 1);
      inbox.close({ discard: true });
      assert.equal(inbox.stats().messagesDropped, 1);
    });

    it('MBX-09: ends receivers at once when what is left has expired', async () => {
      const { inbox, clock } = inboxOf(engine);
      inbox.send('a', { ttlMs: 5 });
      inbox.close();
      await clock.advance(5);
      await assert.rejects(inbox.recv(), withCode('InboxClosed'));
      assert.throws(() => inbox.tryRecv(), withCode('InboxClosed'));
      assert.equal(inbox.stats().messagesExpired, 1);
    });

    it('MBX-09: counts what it refuses', () => {
      const { inbox } = inboxOf(engine);
      inbox.close();
      assert.throws(() => inbox.send('a'), withCode('InboxClosed'));
      assert.deepEqual([inbox.stats().messagesRejected, inbox.stats().messagesSent], [1, 0]);
    });

    it('refuses options of close that are none', () => {
      const { inbox } = inboxOf(engine);
      // @ts-expect-error discard is a boolean
      assert.throws(() => inbox.close({ discard: 'yes' }), withCode('InvalidConfiguration'));
      // @ts-expect-error options are an object
      assert.throws(() => inbox.close(true), withCode('InvalidConfiguration'));
      assert.equal(inbox.isClosed(), false);
    });

    it('calls back after the intake has ended and before what is queued is given up; not at all when it is closed already', () => {
      const { inbox } = inboxOf(engine);
      inbox.send('a');
      const seen: unknown[] = [];
      inbox.onClose(() => seen.push([inbox.isClosed(), inbox.stats().depth]));
      inbox.close({ discard: true });
      inbox.onClose(() => seen.push('late'));
      assert.deepEqual(seen, [[true, 1]]);
    });

    it('calls back once at the close', () => {
      const { inbox } = inboxOf(engine);
      let calls = 0;
      inbox.onClose(() => (calls += 1));
      const cancel = inbox.onClose(() => assert.fail('was cancelled'));
      assert.equal(cancel(), true);
      inbox.close();
      inbox.close();
      assert.equal(calls, 1);
    });

    it('sends those who wait away even when a callback of onClose throws', async () => {
      const { inbox } = inboxOf(engine);
      inbox.onClose(() => {
        throw new Error('from the callback');
      });
      const result = observe(inbox.recv());
      inbox.close();
      assert.ok(isVigilError(await result.settled, 'InboxClosed'));
    });

    it('closes at the end of a using block', () => {
      const { inbox } = inboxOf(engine);
      inbox.send('a');
      inbox[Symbol.dispose]();
      assert.equal(inbox.isClosed(), true);
      assert.equal(inbox.stats().depth, 1);
    });
  });

  describe(`${engine.name}: iteration`, () => {
    it('gives each message and ends when the inbox closes, after what is queued', async () => {
      const { inbox } = inboxOf(engine);
      inbox.sendBatch(['a', 'b']);
      const seen: unknown[] = [];
      for await (const message of inbox) {
        seen.push(message.payload);
        if (message.payload === 'b') {
          inbox.send('c');
          inbox.close();
        }
      }
      assert.deepEqual(seen, ['a', 'b', 'c']);
    });

    it('ends when the inbox closes while it waits', async () => {
      const { inbox, clock } = inboxOf(engine);
      const loop = async () => {
        for await (const message of inbox) assert.fail(`got ${String(message.payload)}`);
        return 'ended';
      };
      const result = loop();
      await clock.advance(1);
      inbox.close();
      assert.equal(await result, 'ended');
    });

    it('takes no message that it does not give: a loop that breaks leaves the next one', async () => {
      const { inbox } = inboxOf(engine);
      inbox.sendBatch(['a', 'b']);
      for await (const message of inbox) {
        assert.equal(message.payload, 'a');
        break;
      }
      assert.equal(inbox.tryRecv()?.payload, 'b');
    });
  });
}
