import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isVigilError } from '../core/index.js';
import type { ProcessContext } from '../processes/index.js';
import { MAILBOX_PROFILES } from './mailbox-profiles.js';
import { Runtime } from './runtime.js';

describe('mailbox profiles', () => {
  it('safe: keeps what finds no room, and what was given up three times is poison', async () => {
    const inbox = new Runtime({ mailboxProfile: 'safe' }).inbox<number>();
    for (let count = 0; count < 1000; count += 1) inbox.send(count);
    assert.equal(inbox.send(1000), 'dead_lettered');
    assert.equal(inbox.deadLetters.capacity, 10_000);
    inbox.recvBatch(999);
    const poisoned = [1, 2, 3].map(() => {
      const { id, poisoned: isPoison } = inbox.deadLetter(inbox.recvBatch(1)[0]!);
      if (!isPoison) inbox.deadLetters.replay(id);
      return isPoison;
    });
    assert.deepEqual(poisoned, [false, false, true]);
  });

  it('balanced: what inboxes are by default', () => {
    const [balanced, unsaid] = [new Runtime({ mailboxProfile: 'balanced' }).inbox(), new Runtime().inbox()];
    assert.deepEqual(balanced.stats(), unsaid.stats());
  });

  it('throughput: many messages in the order of arrival', () => {
    const inbox = new Runtime({ mailboxProfile: 'throughput' }).inbox<string>();
    inbox.send('first', { priority: 'batch' });
    inbox.send('second', { priority: 'critical' });
    assert.deepEqual([inbox.recvBatch(2).map(({ payload }) => payload), inbox.stats().capacity], [['first', 'second'], 65_536]);
  });

  it('is what a builder begins with, and can be a child’s', async () => {
    const runtime = new Runtime({ mailboxProfile: 'throughput' });
    assert.equal(runtime.inboxBuilder().capacity(5).build().stats().capacity, 5);
    let capacity = 0;
    const body = async ({ inbox }: ProcessContext) => {
      ({ capacity } = inbox.stats());
    };
    const options = { inbox: MAILBOX_PROFILES.throughput, restartType: 'temporary' } as const;
    const supervisor = runtime.supervisor().child('a', body, options).build();
    await supervisor.start();
    await supervisor.stop();
    assert.equal(capacity, 65_536);
  });

  it('refuses a name that is none', () => {
    assert.throws(
      () => new Runtime(JSON.parse('{"mailboxProfile":"fast"}')),
      (error) => isVigilError(error, 'InvalidConfiguration'),
    );
  });
});
