import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  isVigilError,
  LocalInbox,
  MailboxSettings,
  Message,
  noTelemetry,
  type Sender,
  silentLogger,
  SystemClock,
  VigilError,
} from '../core/index.js';
import { Address } from './address.js';

describe('Address', () => {
  it('sends to the receiver of the moment, in each way of sending', async () => {
    const inboxes = [inboxNamed('first'), inboxNamed('second')];
    let current: Sender = inboxes[0]!;
    const address = new Address(() => current);
    for (const inbox of inboxes) {
      current = inbox;
      assert.equal(address.send('a', { priority: 'high' }), 'queued');
      assert.equal(address.sendMessage(new Message('m1', undefined, 'b')), 'queued');
      assert.equal(await address.sendWait('c', { timeoutMs: 5, from: 'alice' }), 'queued');
      const received = inbox.recvBatch(5);
      assert.deepEqual(
        received.map(({ payload, priority, sender }) => [payload, priority, sender]),
        [
          ['a', 'high', undefined],
          ['b', 'normal', undefined],
          ['c', 'normal', 'alice'],
        ],
      );
    }
  });

  it('fails as the look-up fails: by throwing where a send throws, by rejecting where it rejects', async () => {
    const address = new Address(() => {
      throw new VigilError('NotRegistered', 'nobody has this name');
    });
    assert.throws(() => address.send('a'), isNotRegistered);
    assert.throws(() => address.sendMessage(new Message('m1', undefined, 'a')), isNotRegistered);
    await assert.rejects(address.sendWait('a'), isNotRegistered);
  });
});

function isNotRegistered(error: unknown): boolean {
  return isVigilError(error, 'NotRegistered');
}

function inboxNamed(name: string): LocalInbox {
  const environment = { clock: new SystemClock(), telemetry: noTelemetry, log: silentLogger, nextMessageId: () => 1 };
  return new LocalInbox(name, new MailboxSettings(), environment);
}
