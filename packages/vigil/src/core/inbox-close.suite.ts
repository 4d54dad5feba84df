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
