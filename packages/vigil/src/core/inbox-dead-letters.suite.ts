import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type InboxEngine, inboxOf } from './inbox-bench.suite.js';

/** What an inbox could not queue, or was told to give up. */
export function describeDeadLetters(engine: InboxEngine): void {
  describe(`${engine.name}: dead letters`, () => {
    it('DLQ-01: keeps what overflows', () => {
      const { inbox } = inboxOf(engine, { capacity: 1, enableDeadletter: true });
      assert.deepEqual([inbox.send('a'), inbox.send('b')], ['queued', 'dead_lettered']);
      assert.deepEqual(
        inbox.deadLetters.list().map(({ message, reason }) => [message.payload, reason]),
        [['b', 'mailbox_full']],
      );
    });

    it('DLQ-05: gives up a received message, in the end as poison', async () => {
      const { inbox } = inboxOf(engine, { maxAttempts: 2 });
      inbox.send('a');
      const first = inbox.deadLetter(await inbox.recv());
      inbox.deadLetters.replay(first.id);
      const second = inbox.deadLetter(await inbox.recv());
      assert.deepEqual([first.poisoned, second.poisoned], [false, true]);
      assert.equal(inbox.deadLetters.replay(second.id), 'poison');
    });
  });
}
